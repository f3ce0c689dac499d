// `bulkhead flows` and `bulkhead denied` as a user runs them: beside a lab that runs, and over files of records.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { needs } from '../needs.ts';
import { BULKHEAD, makeFolder, plainEnvironment, runBulkhead } from './run-bulkhead.ts';

const APP = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: c, image: x }] }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { containers: [{ name: c, image: x, ports: [{ containerPort: 5432 }, { containerPort: 9100 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: data, namespace: shop }
spec: { selector: { app: db }, ports: [{ port: 3306, targetPort: 5432 }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db, namespace: shop }
spec:
  podSelector: { matchLabels: { app: db } }
  ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 5432 }] }, { from: [{ podSelector: { matchLabels: { app: backup } } }] }]
`;

/** The environment in which the lab is found, and what it prints, line by line. */
async function startLab(t: TestContext): Promise<{ readonly folder: string; readonly pid: string; readonly lines: AsyncIterator<string> }> {
  const folder = makeFolder(t, { 'app.yaml': APP });
  const child = spawn(BULKHEAD, ['lab', 'up', 'app.yaml'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env: plainEnvironment() });
  t.after(async () => {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  return { folder, pid: /as process ([0-9]+)/.exec(String(first.value))![1]!, lines };
}

async function lineWith(lines: AsyncIterator<string>, part: string): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the output ended before \`${part}\``);
    if (value.includes(part)) return value;
  }
}

test('a lab shows each flow with its rule, and so do flows and denied of another process; replay and import take them', needs('kernel'), async (t) => {
  const { folder, pid, lines } = await startLab(t);
  const run = (...words: readonly string[]): ReturnType<typeof runBulkhead> => runBulkhead([...words], { cwd: folder, env: { BULKHEAD_LAB_PID: pid } });
  assert.equal(run('flows').stdout, 'no such flow\n');
  const follower = spawn(BULKHEAD, ['denied', '--follow', '-o', 'jsonl'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env: { ...plainEnvironment(), BULKHEAD_LAB_PID: pid } });
  t.after(() => follower.kill('SIGKILL'));
  const followed = createInterface({ input: follower.stdout })[Symbol.asyncIterator]();
  assert.equal(run('lab', 'probe', 'shop/web', 'shop/db', 'tcp/5432').status, 0);
  // Until the follower has looked once, which nobody is told of.
  const told = followed.next();
  do assert.equal(run('lab', 'probe', 'shop/web', 'shop/db', 'tcp/9100').status, 1);
  while ((await Promise.race([told, setImmediate('nothing yet')])) === 'nothing yet');
  const denied = JSON.parse((await told).value as string) as { verdict: string; l4: unknown; rule: { ingress: { near_miss: { says: string[] } } } };
  assert.deepEqual([denied.verdict, denied.l4], ['DROPPED', { TCP: { destination_port: 9100 } }]);
  assert.deepEqual(denied.rule.ingress.near_miss.says, ['the rule lists TCP 5432, and TCP 9100 was asked']);
  follower.kill('SIGINT');
  assert.match(await lineWith(lines, '9100'), /shop\/web → shop\/db tcp\/9100 over IPv[46] +denied by ingress +no ingress rule of NetworkPolicy shop\/db allows it/);

  assert.match(run('flows', '--verdict', 'allowed').stdout, /shop\/web +→ +shop\/db +tcp\/5432 +allowed +[0-9]+ +ingress rule 1 of NetworkPolicy shop\/db\n/);
  assert.match(run('denied', '--to', 'app=db', '--port', '9100').stdout, /tcp\/9100 +denied +[0-9]+ +no ingress rule of NetworkPolicy shop\/db allows it; nearest is ingress rule 1/);
  assert.match(run('flows', '--unused', '-f', 'app.yaml').stdout, /^1 rule that none of [0-9]+ flows needed\n {2}ingress rule 2 of NetworkPolicy shop\/db\n$/);
  assert.equal(run('flows', '--to', 'svc/shop/data').stdout, 'no such flow\n', 'what went straight to the pod came by no Service');
  assert.equal(run('lab', 'probe', 'shop/web', 'svc/shop/data', 'tcp/3306').status, 0);
  assert.match(await lineWith(lines, 'svc/'), /shop\/web → shop\/db by svc\/shop\/data tcp\/5432 over IPv[46] +allowed/);
  assert.match(run('flows', '--to', 'svc/shop/data').stdout, /shop\/web +→ +shop\/db by svc\/shop\/data +tcp\/5432 +allowed/);
  const records = run('flows', '-o', 'jsonl').stdout;
  assert.equal(runBulkhead(['flows', '--flows', '-', '-o', 'jsonl'], { cwd: folder, input: records }).stdout, records);
  assert.equal(run('replay', '-f', 'app.yaml').status, 0);
});

test('of no flows nothing is said of rules that nobody needs', (t) => {
  const folder = makeFolder(t, { 'app.yaml': 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: db, namespace: shop }\nspec: { podSelector: {}, ingress: [{}] }\n' });
  const unused = (...words: readonly string[]): string => runBulkhead(['flows', '--unused', '-f', 'app.yaml', '--flows', '-', ...words], { cwd: folder, input: '' }).stdout;
  assert.equal(unused(), 'no such flow, so that nothing is known of rules that nobody needs\n');
  assert.deepEqual(JSON.parse(unused('-o', 'json')), { apiVersion: 'bulkhead/v1', kind: 'UnusedRules', flows: 0, rules: [] });
});

test('without a lab and without files there is nothing to show', (t) => {
  const folder = makeFolder(t, {});
  const { status, stderr } = runBulkhead(['flows'], { cwd: folder, env: { BULKHEAD_LAB_PID: '1' } });
  assert.equal(status, 3);
  assert.match(stderr, /process 1 runs no lab of yours/);
  assert.equal(runBulkhead(['flows', '--unused', '--flows', '-'], { cwd: folder, input: '' }).status, 2);
});

const FLOW = JSON.stringify({ time: '2026-11-20T10:00:00Z', verdict: 'FORWARDED', is_reply: false, IP: { source: '10.0.0.1', destination: '10.0.0.2' }, l4: { TCP: { destination_port: 5432 } }, source: { namespace: 'shop', pod_name: 'web-6d4b9f7c55-k2xlp' }, destination: { namespace: 'shop', workloads: [{ kind: 'StatefulSet', name: 'db' }] } });

test('words that would read as silence are told or refused', () => {
  const said = (words: readonly string[]): readonly [status: number | null, stderr: string] => {
    const { status, stderr } = runBulkhead(['flows', '--flows', '-', ...words], { input: `${FLOW}\n` });
    return [status, stderr];
  };
  assert.deepEqual(said(['--from', 'shop/web-6d4b9f7c55-k2xlp']), [0, '']);
  assert.deepEqual(said(['--to', 'db']), [0, 'bulkhead: no flow has an end `db`; did you mean shop/db?\n']);
  for (const option of ['--since', '--new-since']) assert.deepEqual(said([option, '9999-01-01']), [0, `bulkhead: ${option} 9999-01-01 is still to come\n`]);
  // The last of two would count alone.
  for (const [option, ...words] of [['--from', 'a/b', 'c/d'], ['--to', 'a/b', 'a/b'], ['--port', '80', '443']] as const) {
    const [status, stderr] = said(words.flatMap((word) => [option, word]));
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`'${option} .*is given twice, and \`${words[0]}\` would not count`));
  }
  assert.match(said(['--verdict', 'DENIED'])[1], /Did you mean denied\?/);
  assert.equal(said(['--unused', '--group-by', 'rule'])[0], 2);
});

test('flows of Hubble find workloads among the pods of the policies\' cluster', (t) => {
  const cluster = `apiVersion: v1
kind: Pod
metadata: { name: web-6d4b9f7c55-k2xlp, namespace: shop, labels: { pod-template-hash: 6d4b9f7c55 }, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: web-6d4b9f7c55, controller: true, uid: u }] }
spec: { containers: [{ name: c, image: x }] }
`;
  const folder = makeFolder(t, { 'cluster.yaml': cluster });
  const { stdout } = runBulkhead(['flows', 'import', '-', '-f', 'cluster.yaml'], { cwd: folder, input: `${FLOW}\n` });
  assert.deepEqual((JSON.parse(stdout) as { source: { workloads: unknown } }).source.workloads, [{ name: 'web', kind: 'Deployment' }]);
  // What a line tells of a pod goes before what the cluster has by its name now.
  const told = FLOW.replace('"pod_name":"web-6d4b9f7c55-k2xlp"', '"pod_name":"web-6d4b9f7c55-k2xlp","workloads":[{"kind":"Job","name":"once"}]');
  assert.equal(runBulkhead(['flows', '--flows', '-', '-f', 'cluster.yaml', '--group-by', 'source', '-o', 'jsonl'], { cwd: folder, input: `${FLOW}\n${told}\n` }).stdout.split('"')[3], 'shop/once');
});
