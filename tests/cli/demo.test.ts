// `bulkhead demo` and `bulkhead lab`: the whole loop, on hosts that can enforce and on hosts that cannot.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cloneRoot, needs, sharedPath } from '../needs.ts';
import { BULKHEAD, makeFolder, runBulkhead, SMALL_CLUSTER, startCommand } from './run-bulkhead.ts';

test('the shipped example: repaired, computed, enforced, probed, all verdicts as computed', needs('kernel'), () => {
  const before = readFileSync(join(cloneRoot, 'examples/shop/policies/40-data-deny-all.yaml'), 'utf8');
  const { status, stdout, stderr } = runBulkhead(['demo', '--once']);
  assert.match(stdout, /^-name: deny-all$/m, stderr);
  assert.match(stdout, /line 10: an em dash \(U\+2014\)/);
  assert.match(stdout, /Before, without policies: 20 of 20 pairs of workloads may talk/);
  assert.match(stdout, /After, with them: 3 of 20 pairs of workloads may talk/);
  assert.match(stdout, /^every verdict of the kernel is the computed one$/m);
  assert.doesNotMatch(stdout, /\u001b/);
  assert.equal(status, 0);
  assert.equal(readFileSync(join(cloneRoot, 'examples/shop/policies/40-data-deny-all.yaml'), 'utf8'), before);
});

for (const name of ['online-boutique', 'sock-shop', 'kube-prometheus']) {
  test(`${name}: every verdict is the computed one`, needs('kernel', 'shared'), () => {
    const { status, stdout, stderr } = runBulkhead(['demo', '--once', sharedPath('data', name)]);
    assert.equal(status, 0, stdout + stderr);
  });
}

test('the answer of Sock Shop shows that its cart policies select nothing, with the near miss', needs('shared'), () => {
  const { stderr } = runBulkhead(['reach', '-f', sharedPath('data', 'sock-shop')]);
  assert.match(stderr, /netpol-cart-access\.yaml:\d+:\d+: warning\[selects-no-pods\]: `name=cart` selects no pod .* nearest is `name=carts`/);
});

test('what cannot be understood ends with 2 before anything is started', () => {
  const { status, stdout, stderr } = runBulkhead(['demo', '--once', '-f', '-'], { input: 'apiVersion: v1\nkind: Pod\n' });
  assert.equal(status, 2);
  assert.match(stderr, /standard input:2:7: error\[missing-name\]/);
  assert.doesNotMatch(stdout, /Enforce|Probe/);
});

test('where nothing can be enforced the computed part is shown, with the reason, and the status is 3', (t) => {
  const tools = folderOfTools(t, ['sh', 'dirname', 'readlink']);
  const { status, stdout } = runBulkhead(['demo', '--once'], { env: { PATH: tools } });
  assert.match(stdout, /After, with them: 3 of 20 pairs/);
  assert.match(stdout, /Enforce {2}not on this host\n {2}.*\n {2}help: /);
  assert.doesNotMatch(stdout, /Probe/);
  assert.equal(status, 3);
});

test('a lab that cannot be: one sentence and 3', (t) => {
  const { status, stderr } = runBulkhead(['lab', 'up', '-f', '-'], { env: { PATH: folderOfTools(t, ['sh', 'dirname', 'readlink']) }, input: SMALL_CLUSTER });
  assert.match(stderr, /no lab can run here: /);
  assert.equal(status, 3);
});

test('a lab is up until it is interrupted, can be probed and entered, and leaves no trace', needs('kernel'), async (t) => {
  const lab = startCommand(t, BULKHEAD, ['lab', 'up', '-f', writtenCluster(t)]);
  await lab.waitFor('Ctrl-C takes them away');
  const pid = /as process (\d+)/.exec(lab.printed())![1]!;
  const probe = (source: string, target: string, port: string): number | null => runBulkhead(['lab', 'probe', '--pid', pid, source, target, port]).status;
  assert.equal(probe('app/client', 'app/server', 'tcp/8080'), 0);
  assert.equal(probe('app/client', 'svc/app/server', 'tcp/80'), 0);
  assert.equal(probe('app/server', 'app/client', 'tcp/8080'), 1);
  await lab.waitFor('app/server → app/client tcp/8080 over IPv4  denied by egress');
  const shell = runBulkhead(['lab', 'shell', '--pid', pid, 'app/client', '--', 'sh', '-c', 'echo "in $BULKHEAD_POD"; exit 7']);
  assert.deepEqual({ status: shell.status, stdout: shell.stdout }, { status: 7, stdout: 'in app/client\n' });
  lab.process.kill('SIGINT');
  assert.equal(await lab.ended, 0);
  assert.ok(!existsSync(`/proc/${pid}`));
  assert.match(runBulkhead(['lab', 'probe', '--pid', pid, 'app/client', 'app/server', 'tcp/8080']).stderr, /runs no lab of yours/);
});

test('on a terminal demo stays up in color until Ctrl-C', needs('kernel', 'script'), async (t) => {
  const terminal = startCommand(t, 'script', ['-qec', `exec ${BULKHEAD} demo ${writtenCluster(t)}`, '/dev/null']);
  await terminal.waitFor('try from another terminal');
  assert.match(terminal.printed(), /\u001b\[31m/);
  terminal.process.stdin!.write('\u0003');
  assert.equal(await terminal.ended, 0);
});

function writtenCluster(t: TestContext): string {
  return join(makeFolder(t, { 'cluster.yaml': SMALL_CLUSTER }), 'cluster.yaml');
}

/** A path on which nothing but these programs is found, so that no namespace can be made. */
function folderOfTools(t: TestContext, names: readonly string[]): string {
  const folder = makeFolder(t);
  for (const name of names) {
    const place = ['/bin', '/usr/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
    assert.ok(place, `${name} is part of every system`);
    symlinkSync(place, join(folder, name));
  }
  return folder;
}
