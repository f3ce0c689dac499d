// `bulkhead drift` as a user runs it: states from git and files, and webhooks of real servers that are told what is news, once.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BULKHEAD, makeFolder, plainEnvironment, runBulkhead, SMALL_CLUSTER, startCommand, type Run } from './run-bulkhead.ts';

const IDLE = SMALL_CLUSTER.replace('podSelector: { matchLabels: { role: server } }', 'podSelector: { matchLabels: { role: sever } }');

test('a revision of git is a state of then', (t) => {
  const folder = makeFolder(t, { 'app/app.yaml': SMALL_CLUSTER });
  const git = (...words: readonly string[]): void => assert.equal(spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...words], { cwd: folder }).status, 0, words.join(' '));
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'then');
  const drift = (): Run => runBulkhead(['drift', '--old-ref', 'HEAD', 'app', '--exit-code', '-o', 'json'], { cwd: folder });
  assert.deepEqual([drift().status, (JSON.parse(drift().stdout) as { drift: unknown[] }).drift], [0, []]);
  writeFileSync(join(folder, 'app/app.yaml'), IDLE);
  const { status, stdout } = drift();
  assert.equal(status, 1);
  assert.deepEqual((JSON.parse(stdout) as { drift: { kind: string; subject: string }[] }).drift.map(({ kind, subject }) => `${kind} ${subject}`), [
    'unprotected-workload app/server egress',
    'unprotected-workload app/server ingress',
    'selects-nothing NetworkPolicy app/server',
  ]);
});

test('flows of a server that cannot be asked are not taken for none', (t) => {
  const folder = makeFolder(t, { 'now.yaml': SMALL_CLUSTER });
  for (const verb of ['drift', 'recommend', 'report', 'replay']) assert.equal(runBulkhead([verb, 'now.yaml', '--server', 'http://127.0.0.1:1'], { cwd: folder }).status, 3, verb);
});

test('watched, an answer is shown when it is another one, and what cannot be read for a while is said', async (t) => {
  const folder = makeFolder(t, { 'then.yaml': SMALL_CLUSTER, 'now.yaml': SMALL_CLUSTER });
  const [then, now] = [join(folder, 'then.yaml'), join(folder, 'now.yaml')];
  // Never half of it.
  const put = (text: string): void => {
    writeFileSync(join(folder, 'next'), text);
    renameSync(join(folder, 'next'), now);
  };
  const watching = startCommand(t, BULKHEAD, ['drift', then, now, '--watch', '1s']);
  await watching.waitFor('nothing has drifted');
  rmSync(now);
  await watching.waitFor(now);
  put(IDLE);
  await watching.waitFor('3 drifts');
  put(SMALL_CLUSTER);
  while (watching.printed().split('nothing has drifted').length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
  watching.process.kill('SIGTERM');
  assert.equal(await watching.ended, 0, watching.printed());
  assert.equal(watching.printed().split('3 drifts').length, 2, watching.printed());
  for (const words of [['--exit-code'], ['-f', '-'], ['--watch', '0']]) assert.equal(runBulkhead(['drift', then, now, '--watch', '1s', ...words]).status, 2, words.join(' '));
});

interface Hook {
  readonly folder: string;
  readonly address: string;
  /** What was taken, in order. */
  readonly bodies: unknown[];
  /** For the next requests, then 200. */
  readonly statuses: number[];
  run(manifest: string, ...words: readonly string[]): Promise<Run>;
}

async function startHook(t: TestContext): Promise<Hook> {
  const folder = makeFolder(t, { 'then.yaml': SMALL_CLUSTER, 'idle.yaml': IDLE });
  const [bodies, statuses]: [unknown[], number[]] = [[], []];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const status = statuses.shift() ?? 200;
      if (status === 200) bodies.push(JSON.parse(text));
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/elsewhere' } : {}).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cret`; // it listens on one
  writeFileSync(join(folder, 'hook'), `${address}\n`);
  const run = async (manifest: string, ...words: readonly string[]): Promise<Run> => {
    const child = spawn(BULKHEAD, ['drift', 'then.yaml', manifest, '--webhook-file', 'hook', '--told', 'told.json', '--webhook', ...words], { cwd: folder, env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (piece: string) => (printed[name] += piece));
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, ...printed };
  };
  return { folder, address, bodies, statuses, run };
}

test('Slack is told what is new, once, and once more when it is over; a try that fails is made again', async (t) => {
  const { folder, bodies, statuses, run } = await startHook(t);
  const texts = (): readonly string[] => bodies.map((body) => (body as { text: string }).text);
  assert.equal((await run('then.yaml', 'slack')).status, 0);
  assert.deepEqual(texts(), []);
  statuses.push(503);
  assert.equal((await run('idle.yaml', 'slack')).status, 0);
  assert.equal((await run('idle.yaml', 'slack')).status, 0);
  assert.equal((await run('then.yaml', 'slack')).status, 0);
  assert.equal((await run('then.yaml', 'slack')).status, 0);
  assert.equal(texts().length, 2);
  assert.match(texts()[0]!, /^Network policies have drifted: 3 new, 0 over\n• no policy governs the egress of app\/server\n[^]*• NetworkPolicy app\/server selects no pods$/);
  assert.match(texts()[1]!, /^Network policies have drifted: 0 new, 3 over\n• over: unprotected-workload app\/server egress\n/);
  assert.deepEqual((JSON.parse(readFileSync(join(folder, 'told.json'), 'utf8')) as { told: unknown }).told, []);
});

test('the Alertmanager has each alert by its labels, standing ones again, and the end of those that are over', async (t) => {
  const { bodies, run } = await startHook(t);
  for (const manifest of ['idle.yaml', 'idle.yaml', 'then.yaml', 'then.yaml']) assert.equal((await run(manifest, 'alertmanager')).status, 0);
  interface Alert { readonly labels: Readonly<Record<string, string>>; readonly startsAt: string; readonly endsAt: string }
  const sent = bodies as readonly (readonly Alert[])[];
  assert.deepEqual(sent.map((alerts) => alerts.length), [3, 3, 3]);
  assert.deepEqual(sent[0]![2]!.labels, { alertname: 'BulkheadDrift', kind: 'selects-nothing', subject: 'NetworkPolicy app/server' });
  assert.deepEqual(sent[1]!.map(({ labels, startsAt }) => [labels, startsAt]), sent[0]!.map(({ labels, startsAt }) => [labels, startsAt]));
  assert.deepEqual(sent[2]!.map(({ labels }) => labels), sent[0]!.map(({ labels }) => labels));
  assert.ok(Date.parse(sent[1]![0]!.endsAt) > Date.now() && Date.parse(sent[2]![0]!.endsAt) <= Date.now());
});

test('what is not taken is not told, and the address of the webhook is never said', async (t) => {
  const { folder, address, bodies, statuses, run } = await startHook(t);
  for (const status of [403, 302]) {
    statuses.push(status);
    const refused = await run('idle.yaml', 'slack');
    assert.equal(refused.status, 3);
    assert.equal(refused.stderr, `bulkhead: the webhook did not take it: it answers with status ${status}; nothing is kept as told\n`);
  }
  assert.equal((await run('idle.yaml', 'slack')).status, 0);
  assert.equal(bodies.length, 1);
  writeFileSync(join(folder, 'hook'), 'http://127.0.0.1:1/hooks/s3cret');
  const gone = await run('then.yaml', 'slack');
  assert.deepEqual([gone.status, /s3cret|127\.0\.0\.1/.test(gone.stderr + gone.stdout), address.includes('s3cret')], [3, false, true]);
  writeFileSync(join(folder, 'told.json'), '{');
  assert.deepEqual([(await run('then.yaml', 'slack')).status, runBulkhead(['drift', 'then.yaml', '--told', 'x'], { cwd: folder }).status], [2, 2]);
});
