// `bulkhead agent` as a process, on a real kernel and a real API server: what it may do, answers, logs, leaves behind and takes away.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `live-agent.ts` prints. */
interface Seen {
  readonly before: number;
  readonly waited: Ran;
  readonly answers: readonly string[];
  readonly rights: string;
  readonly bundle: Ran;
  readonly uninstalledAlive: Ran;
  readonly ended: number;
  readonly log: string;
  readonly tablesLeft: string;
  readonly uninstalled: Ran;
  readonly tablesAfter: string;
}

test('an agent from its first moment to its last trace', needs('apiserver', 'kernel', 'root'), () => {
  const { status, stdout, stderr } = spawnSync('unshare', ['-n', join(cloneRoot, 'bin/node'), join(cloneRoot, 'tests/cluster/live-agent.ts')], { encoding: 'utf8', timeout: 280_000 });
  assert.equal(status, 0, stderr);
  const seen = JSON.parse(stdout) as Seen;

  assert.equal(seen.before, 1, 'nobody is there yet: not in force');
  assert.equal(seen.waited.status, 0, seen.waited.stderr);
  const { complete, policies } = JSON.parse(seen.waited.stdout) as { readonly complete: boolean; readonly policies: readonly { readonly nodes: readonly { readonly standing: string; readonly since: string }[] }[] };
  assert.deepEqual([complete, policies[0]!.nodes[0]!.standing], [true, 'in-force']);

  assert.deepEqual(seen.answers.slice(0, 2), ['200 ready\n', '200 alive\n']);
  assert.match(seen.answers[2]!, /\nbulkhead_policies\{state="in_force"\} 1\n/);

  const masks = [...seen.rights.matchAll(/^Cap(\w+):\s*([0-9a-f]+)$/gm)].map(([, name, mask]) => `${name} ${BigInt(`0x${mask}`).toString(16)}`);
  assert.deepEqual(masks, ['Inh 1000', 'Prm 1000', 'Eff 1000', 'Bnd 1000', 'Amb 1000']);
  assert.match(seen.rights, /^NoNewPrivs:\s*1$/m);

  assert.equal(seen.bundle.status, 0, seen.bundle.stderr);
  const bundle = JSON.parse(seen.bundle.stdout) as { readonly agent: { readonly readyz: string; readonly metrics: string }; readonly ruleset: readonly string[]; readonly cluster: { readonly objects: readonly { readonly kind: string }[]; readonly missing: readonly string[] } };
  assert.deepEqual([bundle.agent.readyz, bundle.cluster.objects.map(({ kind }) => kind).sort(), bundle.cluster.missing], ['ready\n', ['NetworkPolicy', 'Node', 'NodeEnforcement'], []]);
  assert.ok(bundle.ruleset.length > 1 && bundle.agent.metrics.includes('bulkhead_ready 1'));
  assert.doesNotMatch(seen.bundle.stdout, /hunter2|eyJ|BEGIN/, 'no annotation, no token, no key');

  // A kernel that knows owners of tables (6.9) refuses; on an older one the table comes back, for the agent lives.
  if (seen.uninstalledAlive.status !== 0) assert.match(seen.uninstalledAlive.stderr, /end the agent of this node first/);

  assert.equal(seen.ended, 0);
  const lines = seen.log.trim().split('\n').map((line) => JSON.parse(line) as { readonly time: string; readonly level: string; readonly message: string });
  assert.ok(lines.some(({ message }) => message.startsWith('node n1 enforces 1 policies')), seen.log);
  assert.doesNotMatch(seen.log, /eyJ|BEGIN|token/i, 'no secret');

  assert.match(seen.tablesLeft, /table inet bulkhead/, 'rules survive their agent');
  assert.equal(seen.uninstalled.status, 0, seen.uninstalled.stderr);
  assert.equal(seen.tablesAfter, '');
});
