// Doctor on real nodes: what it reads and what it sees live, without enforcement and with ours; and that nothing of it is left, however it ends.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneRoot } from '../../needs.ts';
import { SERVER_IMAGE } from './fleet.ts';
import type { NodeCluster } from './node-cluster.ts';
import { applyObject } from '../write-object.ts';
import { describeOnNodes, networkPolicy, startAgents, type World } from './world.ts';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const program = join(cloneRoot, 'bin/bulkhead');
const words = ({ place }: NodeCluster, more: readonly string[]): string[] => ['doctor', '--kubeconfig', place.kubeconfig, ...more];
const doctor = (cluster: NodeCluster, ...more: readonly string[]): Ran => spawnSync(program, words(cluster, more), { encoding: 'utf8', timeout: 1_800_000 });
const live = (cluster: NodeCluster, ...more: readonly string[]): Ran => doctor(cluster, '--live', '--image', SERVER_IMAGE, ...more);

interface Live {
  readonly enforced: boolean;
  readonly families: readonly number[];
  readonly nodes: readonly { readonly node: string; readonly standing: string }[];
  readonly checks: readonly { readonly name: string; readonly verdict: string; readonly says: string; readonly effectMs?: number }[];
}

function leftovers(cluster: NodeCluster): string {
  return cluster.kubectl(['get', 'namespaces', '-l', 'bulkhead.dev/probe', '-o', 'name']);
}

interface Conformance {
  readonly conformant: boolean;
  readonly effectsMs: object | null;
  readonly features: readonly { readonly name: string; readonly has: string }[];
  readonly cases: readonly { readonly name: string; readonly holds: boolean }[];
}

const nightly = process.env['BULKHEAD_NIGHTLY'] === '1';

describeOnNodes('doctor on two nodes of both families', { combination: { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'iptables' }, agent: 'none' }, (world: () => World) => {
  test('nothing enforces: inert by what is read, and by what is seen', () => {
    const { cluster } = world();
    const read = doctor(cluster);
    assert.equal(read.status, 1, read.stderr);
    assert.match(read.stdout, /inert on 2 of 2 nodes/);
    const seen = live(cluster, '--within', '3', '-o', 'json');
    assert.equal(seen.status, 1, seen.stderr);
    const { nodes, families } = JSON.parse(seen.stdout) as Live;
    assert.deepEqual([nodes.map(({ standing }) => standing), families.toSorted()], [['inert', 'inert'], [4, 6]], seen.stdout);
    assert.equal(leftovers(cluster), '');
  });

  if (nightly) {
    test('conformance where nothing enforces: no feature is there, and nothing is left', () => {
      const { cluster } = world();
      const ran = doctor(cluster, '--conformance', '--image', SERVER_IMAGE, '--within', '5', '-o', 'json');
      assert.equal(ran.status, 1, ran.stderr);
      const { conformant, features, cases, effectsMs } = JSON.parse(ran.stdout) as Conformance;
      assert.deepEqual([conformant, cases.length, cases.filter(({ holds }) => holds), [...new Set(features.map(({ has }) => has))], effectsMs], [false, 216, [], ['no'], null]);
      assert.match(ran.stderr, /refuses all ingress has no effect within 5 s[^]*refuses all egress has no effect/);
      assert.equal(leftovers(cluster), '');
    });
  }

  test('ours enforces: on each node, across nodes, and in every trap', async () => {
    const { cluster } = world();
    cluster.kubectl(['apply', '-f', join(cloneRoot, 'deploy/crds')]);
    await startAgents(world(), { words: ['--allow-audit'] });
    const read = await enforcedByReports(cluster);
    assert.match(read.stdout, /enforced +Bulkhead/);
    const seen = live(cluster, '-o', 'json');
    assert.equal(seen.status, 0, seen.stdout + seen.stderr);
    const { nodes, checks } = JSON.parse(seen.stdout) as Live;
    assert.deepEqual(nodes.map(({ standing }) => standing), ['enforced', 'enforced']);
    assert.deepEqual(checks.filter(({ verdict }) => verdict === 'no'), []);
    assert.match(checks.find(({ name }) => name === 'live connection')!.says, /is cut/);
    assert.match(checks.find(({ name }) => name === 'start of a pod')!.says, /^closed from its first instant: none of 20/);
    assert.equal(leftovers(cluster), '');
  });

  test('ours in audit: enforced, with the namespaces that are only judged', async () => {
    const { cluster } = world();
    await applyObject(cluster.connection, networkPolicy('a/closed', { podSelector: {}, policyTypes: ['Ingress'] }));
    cluster.kubectl(['label', 'namespace', 'a', 'bulkhead.dev/audit=true']);
    let read = await enforcedByReports(cluster);
    for (let tries = 0; !read.stdout.includes('bulkhead/audited') && tries < 30; tries++) {
      await sleep(1000);
      read = doctor(cluster);
    }
    assert.match(read.stdout, /warning\[bulkhead\/audited\] [^\n]*policies of a are judged and not enforced/, read.stdout);
    assert.equal(live(cluster, '--node', cluster.nodes[0]!.name).status, 0, 'where nothing is audited they are enforced');
    cluster.kubectl(['label', 'namespace', 'a', 'bulkhead.dev/audit-']);
    cluster.kubectl(['delete', 'networkpolicy', '-n', 'a', 'closed']);
  });

  // All 216 take minutes.
  test('conformance: every case that is tried holds, and JUnit says so', () => {
    const { cluster } = world();
    const ran = doctor(cluster, '--conformance', '--image', SERVER_IMAGE, '-o', 'junit', ...(nightly ? [] : ['--cases', 'two peers, endPort']));
    const counted = /<testsuite name="conformance" tests="([0-9]+)" failures="([0-9]+)"/.exec(ran.stdout);
    assert.deepEqual([ran.status, counted?.slice(1)], [0, [nightly ? '216' : '4', '0']], ran.stdout + ran.stderr);
    assert.equal(leftovers(cluster), '');
  });

  const inTheMiddle: readonly (readonly [string, RegExp])[] = [['--live', /ingress/], ['--conformance', /24 of 216 cases/]];
  for (const [how, middle] of nightly ? inTheMiddle : inTheMiddle.slice(0, 1)) {
    test(`Ctrl-C in the middle of ${how} leaves nothing`, async () => {
      const { cluster } = world();
      const child = spawn(program, words(cluster, [how, '--image', SERVER_IMAGE]), { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      const ended = once(child, 'close');
      while (!middle.test(said) && child.exitCode === null) await sleep(50);
      child.kill('SIGINT');
      const [status] = (await ended) as [number | null];
      assert.equal(status, 130, said);
      assert.equal(leftovers(cluster), '');
    });
  }

  test('what a crash leaves is taken away by the next one, as soon as it has expired', async () => {
    const { cluster } = world();
    const child = spawn(program, words(cluster, ['--live', '--image', SERVER_IMAGE]), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    while (!/ingress/.test(said) && child.exitCode === null) await sleep(50);
    child.kill('SIGKILL');
    await once(child, 'close');
    const left = leftovers(cluster).trim();
    assert.match(left, /^namespace\/bulkhead-probe-[0-9a-f]{8}$/);
    assert.match(cluster.kubectl(['get', left, '-o', 'jsonpath={.metadata.annotations}']), /bulkhead\.dev\/owner[^]*@|@[^]*bulkhead\.dev\/owner/);
    assert.equal(live(cluster, '--node', cluster.nodes[0]!.name).status, 0, 'one that has not expired is somebody else’s');
    assert.equal(leftovers(cluster).trim(), left);
    cluster.kubectl(['annotate', '--overwrite', left, 'bulkhead.dev/expires=2020-01-01T00:00:00Z']);
    const next = live(cluster, '--node', cluster.nodes[0]!.name);
    assert.match(next.stderr, /left behind by an earlier probe, is taken away/);
    while (leftovers(cluster) !== '') await sleep(200);
  });

  test('a cluster that lets no probe run: a sentence, status 3, nothing left', () => {
    const { cluster } = world();
    const image = doctor(cluster, '--live', '--image', 'lab.example/nowhere:1', '--node', 'nowhere');
    assert.deepEqual([image.status, /there is no node `nowhere`/.test(image.stderr)], [2, true], image.stderr);
    refusePods(cluster);
    const refused = live(cluster);
    assert.deepEqual([refused.status, /a probe pod is refused[^]*no pods today/.test(refused.stderr)], [3, true], refused.stderr);
    assert.equal(leftovers(cluster), '');
    letPods(cluster);
  });

  test('a namespace that somebody takes away in the middle: a sentence, status 3', async () => {
    const { cluster } = world();
    const child = spawn(program, words(cluster, ['--live', '--image', SERVER_IMAGE]), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(child, 'close');
    while (!/ingress/.test(said) && child.exitCode === null) await sleep(50);
    cluster.kubectl(['delete', leftovers(cluster).trim(), '--wait=false']);
    const [status] = (await ended) as [number | null];
    assert.deepEqual([status, /bulkhead: [^\n]*(probe pod|policy|pods)[^\n]*/.test(said), /this is a bug/.test(said)], [3, true, false], said);
    assert.equal(leftovers(cluster), '');
  });
});

/** As Pod Security of the cluster, a quota or a webhook would. */
function refusePods(cluster: NodeCluster): void {
  const policy = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: 'no-probes' }, spec: { matchConstraints: { namespaceSelector: { matchLabels: { 'bulkhead.dev/probe': 'doctor' } }, resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] }, validations: [{ expression: 'false', message: 'no pods today' }] } };
  const binding = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: 'no-probes' }, spec: { policyName: 'no-probes', validationActions: ['Deny'] } };
  for (const object of [policy, binding]) cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object));
  untilPodsAre(cluster, 'refused');
}

function letPods(cluster: NodeCluster): void {
  cluster.kubectl(['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', 'no-probes']);
  untilPodsAre(cluster, 'let');
}

/** The server takes a moment to heed a policy, and that it is gone. */
function untilPodsAre(cluster: NodeCluster, wanted: 'refused' | 'let'): void {
  const pod = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: 'no-probes' }, spec: { containers: [{ name: 'x', image: 'x' }] } });
  cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'no-probes', labels: { 'bulkhead.dev/probe': 'doctor' } } }));
  for (let tries = 0; tries < 100; tries++) {
    try {
      cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod);
    } catch (error) {
      if (/no pods today/.test(String(error)) === (wanted === 'refused')) break;
      continue;
    }
    if (wanted === 'let') break;
  }
  cluster.kubectl(['delete', 'namespace', 'no-probes']);
}

/** Agents report within seconds. */
async function enforcedByReports(cluster: NodeCluster): Promise<Ran> {
  for (let tries = 0; ; tries++) {
    const ran = doctor(cluster);
    if (ran.status === 0 || tries === 30) {
      assert.equal(ran.status, 0, ran.stdout + ran.stderr);
      return ran;
    }
    await sleep(1000);
  }
}
