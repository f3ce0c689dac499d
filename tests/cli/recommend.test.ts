// `bulkhead recommend` as a user runs it: printed, piped, written, and without words.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathBelow } from '../../src/cli/define/write-whole.ts';
import { makeFolder, runBulkhead } from './run-bulkhead.ts';

const APP = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: c, image: x, env: [{ name: DB_URL, value: "postgres://u:hunter2@db/shop" }, { name: PROXY_URL, value: "http://u:hunter2@proxy:1" }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { containers: [{ name: c, image: x }] }
---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: shop }
spec: { selector: { app: db }, ports: [{ port: 5432 }] }
`;

test('policies on stdout, what stays closed on stderr, and no password on either', (t) => {
  const folder = makeFolder(t, { 'app.yaml': APP });
  const { status, stdout, stderr } = runBulkhead(['recommend', '-f', 'app.yaml'], { cwd: folder });
  assert.equal(status, 0);
  assert.match(stdout, /DB_URL names db:5432 \(app\.yaml:4\)/);
  assert.match(stderr, /witness-without-target\]: PROXY_URL names proxy:1/);
  assert.doesNotMatch(stdout + stderr, /hunter2/);
});

test('what is printed can be read again by every verb, and lint finds no error in it', (t) => {
  const folder = makeFolder(t, { 'app.yaml': APP });
  const { stdout } = runBulkhead(['recommend', 'app.yaml'], { cwd: folder });
  const reach = runBulkhead(['reach', '-f', 'app.yaml', '-f', '-', '-o', 'csv'], { cwd: folder, input: stdout });
  assert.equal(reach.status, 0, reach.stderr);
  assert.match(reach.stdout, /shop\/web,shop\/db,/);
  assert.equal(runBulkhead(['lint', '-'], { cwd: folder, input: APP + '---\n' + stdout }).status, 0);
});

function filesBelow(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml')).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

function write(t: TestContext): { readonly folder: string; readonly run: () => void } {
  const folder = makeFolder(t, { 'app.yaml': APP });
  const run = (): void => {
    const { status, stdout, stderr } = runBulkhead(['recommend', '.', '--write', 'policies'], { cwd: folder });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '');
  };
  return { folder, run };
}

test('--write: a file for each policy, and a second run over its own files writes the same bytes', (t) => {
  const { folder, run } = write(t);
  run();
  const first = filesBelow(join(folder, 'policies'));
  assert.deepEqual(Object.keys(first), ['shop/db.yaml', 'shop/default-deny.yaml', 'shop/web.yaml']);
  run();
  assert.deepEqual(filesBelow(join(folder, 'policies')), first);
});

test('--write where it may not is status 2 with the path', (t) => {
  const folder = makeFolder(t, { 'app.yaml': APP, 'policies/shop/web.yaml/file': '' });
  const { status, stderr } = runBulkhead(['recommend', 'app.yaml', '--write', 'policies'], { cwd: folder });
  assert.equal(status, 2);
  assert.match(stderr, /cannot write `policies\/shop\/web\.yaml`/);
});

test('manifests from a pipe, as JSON out', () => {
  const { status, stdout } = runBulkhead(['recommend', '-f', '-', '-o', 'json'], { input: APP });
  const answer = JSON.parse(stdout) as { readonly kind: string; readonly connections: readonly { readonly source: string; readonly target: string; readonly witnesses: readonly { readonly field: string }[] }[]; readonly policies: readonly unknown[] };
  assert.equal(status, 0);
  assert.equal(answer.kind, 'Recommendation');
  assert.deepEqual(answer.connections.map(({ source, target }) => `${source} ${target}`), ['shop/web shop/db', 'shop/web DNS']);
  assert.equal(answer.connections[0]!.witnesses[0]!.field, 'spec.containers[0].env[0].value');
  assert.equal(answer.policies.length, 3);
  assert.ok(!('changes' in (JSON.parse(stdout) as object)));
  const own = `${APP}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: closed, namespace: shop }\nspec: { podSelector: {} }\n`;
  const { changes } = JSON.parse(runBulkhead(['recommend', '-f', '-', '-o', 'json'], { input: own }).stdout) as { changes: { source: string; target: string; gained: unknown; lost: unknown }[] };
  assert.ok(changes.length > 0 && changes.every(({ source, target, gained, lost }) => source !== '' && target !== '' && gained !== undefined && lost !== undefined));
});

test('input that cannot be understood is status 2, and nothing is printed', (t) => {
  const folder = makeFolder(t, { 'app.yaml': `${APP}---\nkind: [` });
  const { status, stdout } = runBulkhead(['recommend', 'app.yaml'], { cwd: folder });
  assert.equal(status, 2);
  assert.equal(stdout, '');
});

test('without a pod there is nothing to close', (t) => {
  const folder = makeFolder(t, { 'app.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n' });
  const { status, stdout } = runBulkhead(['recommend', 'app.yaml', '-o', 'table'], { cwd: folder });
  assert.equal(status, 0);
  assert.match(stdout, /no pod in the input/);
});

test('names of flows lead to no file outside the folder', (t) => {
  const flow = { time: '2026-11-20T10:00:00Z', verdict: 'FORWARDED', is_reply: false, IP: { source: '10.0.0.1', destination: '10.0.0.2' }, l4: { TCP: { source_port: 40000, destination_port: 80 } }, source: { namespace: '../up', workloads: [{ kind: 'Deployment', name: 'a' }] }, destination: { namespace: 'shop', workloads: [{ kind: 'Deployment', name: 'b' }] } };
  const folder = makeFolder(t, { 'evil.jsonl': `${JSON.stringify({ flow })}\n` });
  const { status, stderr } = runBulkhead(['recommend', '--flows', 'evil.jsonl', '--write', 'out'], { cwd: folder });
  assert.equal(status, 2);
  assert.match(stderr, /evil\.jsonl:1:1: error\[flow-not-readable\]: the namespace `\.\.\/up` takes only/);
  assert.deepEqual(readdirSync(folder), ['evil.jsonl']);
  assert.throws(() => pathBelow('out', 'shop', '../../web.yaml'), /leads out of `out`/);
  assert.equal(pathBelow('out', 'shop', 'web.yaml'), join('out', 'shop', 'web.yaml'));
});

test('kinds and labels of flows that no object can have make no policy that a server refuses', (t) => {
  const end = (label: string, kind: string, name = 'api'): object => ({ namespace: 'shop', labels: [label], workloads: [{ kind, name }] });
  const flow = (source: object, target: object): string => JSON.stringify({ time: '2026-11-20T10:00:00Z', verdict: 'FORWARDED', is_reply: false, IP: { source: '10.0.0.1', destination: '10.0.0.2' }, l4: { TCP: { source_port: 40000, destination_port: 80 } }, source, destination: target });
  const long = 'x'.repeat(250);
  const lines = [flow(end('k8s:app=a', 'Deployment'), end('k8s:app=b', 'Deploy\u001bment')), flow(end('k8s:app=\u001b[31m', 'Job', 'bad'), end('k8s:app=c', 'Deployment', long)), flow(end('k8s:app=d', 'StatefulSet', long), end('k8s:app=c', 'Deployment', long))];
  const folder = makeFolder(t, { 'flows.jsonl': lines.join('\n') });
  const { status, stdout, stderr } = runBulkhead(['recommend', '--flows', 'flows.jsonl'], { cwd: folder });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /flows of pods without a label that stays \(1\)/);
  assert.equal(runBulkhead(['lint', '-'], { input: stdout }).status, 0, stdout);
});

test('a workload whose name leads out of the folder: a sentence, and nothing is written', (t) => {
  const folder = makeFolder(t, { 'app.yaml': APP.replaceAll('{ name: db, namespace', '{ name: ../../../up, namespace') });
  const { status, stderr } = runBulkhead(['recommend', '-f', 'app.yaml', '--write', 'out'], { cwd: folder });
  assert.equal(status, 2);
  assert.match(stderr, /`shop\/\.\.\/\.\.\/\.\.\/up\.yaml` leads out of `out`/);
  assert.deepEqual(readdirSync(folder), ['app.yaml']);
});
