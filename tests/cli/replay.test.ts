// `bulkhead flows import` and `bulkhead replay` as a user runs them: what would be refused, in each format, and lines that nobody can read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFolder, runBulkhead } from './run-bulkhead.ts';

const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db, namespace: data }
spec:
  podSelector: { matchLabels: { app: db } }
  ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: red } }, podSelector: { matchLabels: { app: api } } }], ports: [{ port: 5432 }] }]
`;

function hubble(changes: { readonly app: string; readonly port?: number; readonly verdict?: string; readonly time?: string; readonly isReply?: boolean }): string {
  const { app, port = 5432, verdict = 'FORWARDED', time = '2026-11-20T10:00:00.5Z', isReply = false } = changes;
  const end = (namespace: string, name: string): object => ({ namespace, labels: [`k8s:app=${name}`, `k8s:io.cilium.k8s.namespace.labels.team=${namespace === 'shop' ? 'red' : 'blue'}`], pod_name: `${name}-0`, workloads: [{ kind: 'StatefulSet', name }] });
  const flow = { time, verdict, IP: { source: '10.0.0.1', destination: '10.0.0.2' }, l4: { TCP: { source_port: 40000, destination_port: port } }, source: end('shop', app), destination: end('data', 'db'), is_reply: isReply };
  return `${JSON.stringify({ flow, node_name: 'n1', time })}\n`;
}

const FLOWS = [{ app: 'api' }, { app: 'api' }, { app: 'api', isReply: true }, { app: 'web' }, { app: 'web' }, { app: 'web' }, { app: 'api', port: 9100 }].map(hubble).join('');

test('status 1 and the rule that came nearest where a flow would be refused, those seen most often first', (t) => {
  const folder = makeFolder(t, { 'db.yaml': POLICY, 'flows.jsonl': FLOWS });
  const { status, stdout } = runBulkhead(['replay', '-f', 'db.yaml', '--flows', 'flows.jsonl'], { cwd: folder });
  assert.equal(status, 1);
  assert.match(stdout, /shop\/web +→ +data\/db +tcp\/5432 +3 [\s\S]*shop\/api +→ +data\/db +tcp\/9100 +1 /);
  assert.match(stdout, /no ingress rule of NetworkPolicy data\/db allows it\n.*nearest is ingress rule 1 of NetworkPolicy data\/db: the rule wants `app=api`/);
  assert.match(stdout, /2 of 3 recorded flows would be refused, seen 4 times\n$/);
});

test('status 0 where none would be, and what was refused and would be let through is told', (t) => {
  const folder = makeFolder(t, { 'db.yaml': POLICY });
  const { status, stdout } = runBulkhead(['replay', '-f', 'db.yaml', '--flows', '-'], { cwd: folder, input: hubble({ app: 'api' }) + hubble({ app: 'api', verdict: 'DROPPED' }) });
  assert.equal(status, 0);
  assert.match(stdout, /would no longer be refused\n[\s\S]*none of 2 recorded flows would be refused; 1 that was refused would be allowed\n$/);
});

test('records of ours say the same as the export that they were made of, in each format', (t) => {
  const folder = makeFolder(t, { 'db.yaml': POLICY, 'flows.jsonl': FLOWS });
  const imported = runBulkhead(['flows', 'import', 'flows.jsonl', '-f', 'db.yaml'], { cwd: folder });
  assert.equal(imported.status, 0, imported.stderr);
  assert.match(imported.stderr, /lines left out: 1 answers to connections\n.*6 flows, 3 of them different\n.*2 went otherwise/);
  const records = imported.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { count: number; rule: { ingress: { verdict: string } } });
  assert.deepEqual(records.map(({ count, rule }) => [count, rule.ingress.verdict]), [[2, 'allows'], [3, 'refuses'], [1, 'refuses']]);
  const replayed = (flows: string, format: string): string => runBulkhead(['replay', 'db.yaml', '--flows', flows, '-o', format], { cwd: folder, input: imported.stdout }).stdout;
  assert.equal(replayed('-', 'json'), replayed('flows.jsonl', 'json'));
  const marks = { jsonl: /^{"change":"refused",/, md: /^\| shop\/web \| data\/db \| tcp\/5432 \| 3 \|/m, github: /^::error title=would-be-refused::shop\/web → data\/db on tcp\/5432, seen 3 times: no ingress rule/, junit: /tests="3" failures="2"[\s\S]*<failure message="no ingress rule of NetworkPolicy data\/db allows it; nearest/ };
  for (const [format, mark] of Object.entries(marks)) assert.match(replayed('-', format), mark);
  const { runs: [run] } = JSON.parse(replayed('-', 'sarif')) as { runs: [{ results: readonly { level: string; ruleId: string; message: { text: string }; locations: readonly { physicalLocation: { artifactLocation: { uri: string } } }[] }[] }] };
  assert.deepEqual(run.results.map(({ level, ruleId, message: { text }, locations: [place] }) => [level, ruleId, text.split('\n')[0], place!.physicalLocation.artifactLocation.uri]), [['error', 'refuses-recorded-flow', 'would refuse 2 recorded flows, such as `shop/web → data/db` on tcp/5432, seen 3 times', 'db.yaml']]);
});

test('only what was seen since then is held against them', (t) => {
  const folder = makeFolder(t, { 'db.yaml': POLICY, 'flows.jsonl': hubble({ app: 'web' }) + hubble({ app: 'api', time: '2026-11-21T00:00:00Z' }) });
  const since = (word: string): number | null => runBulkhead(['replay', 'db.yaml', '--flows', 'flows.jsonl', '--since', word], { cwd: folder }).status;
  assert.deepEqual([since('2026-11-21'), since('2026-11-20'), since('soon')], [0, 1, 2]);
});

test('and only what was seen until then', (t) => {
  const folder = makeFolder(t, { 'flows.jsonl': hubble({ app: 'web' }) + hubble({ app: 'api', time: '2026-11-21T00:00:00Z' }) });
  const sources = (...words: readonly string[]): readonly string[] => [...runBulkhead(['flows', '--flows', 'flows.jsonl', ...words], { cwd: folder }).stdout.matchAll(/shop\/[a-z]+/g)].map(([name]) => name);
  assert.deepEqual([sources('--until', '2026-11-20T12:00:00Z'), sources('--since', '2026-11-20T10:00:00.500Z', '--until', '2026-11-21')], [['shop/web'], ['shop/api', 'shop/web']]);
  const now = new Date().toISOString();
  assert.match(runBulkhead(['flows', '--flows', '-', '--new-since', 'today'], { cwd: folder, input: hubble({ app: 'web' }) + hubble({ app: 'new', time: now }) }).stdout, /^last.*\n.*shop\/new.*\n$/);
});

test('a line that nobody can read is an error with its place, and is left out by --lenient alone', (t) => {
  const long = 'x'.repeat(3 << 20);
  const folder = makeFolder(t, { 'db.yaml': POLICY, 'flows.jsonl': `${hubble({ app: 'api' })}{"flow":\n${long}\n${hubble({ app: 'web' })}` });
  const strict = runBulkhead(['replay', 'db.yaml', '--flows', 'flows.jsonl'], { cwd: folder });
  assert.equal(strict.status, 2);
  assert.match(strict.stderr, /flows\.jsonl:2:1: error\[flow-not-readable\][\s\S]*flows\.jsonl:3:1: error\[flow-not-readable\]: the line is longer/);
  assert.equal(strict.stdout, '');
  const lenient = runBulkhead(['replay', 'db.yaml', '--flows', 'flows.jsonl', '--lenient'], { cwd: folder });
  assert.equal(lenient.status, 1);
  assert.match(lenient.stdout, /1 of 2 recorded flows would be refused/);
});

test('the last line of a file that is being written may be half of one', (t) => {
  const folder = makeFolder(t, { 'db.yaml': POLICY, 'flows.jsonl': hubble({ app: 'api' }) + hubble({ app: 'web' }).slice(0, 90) });
  const { status, stderr } = runBulkhead(['replay', 'db.yaml', '--flows', 'flows.jsonl'], { cwd: folder });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /the last line of flows\.jsonl is not whole/);
});
