// A NodeEnforcement follows its agent: at once, seldom, bounded in size and rate, through refusals; and Events tell what changed.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { NO_LOSSES } from '../../src/flow/flow-losses.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { AgentState } from '../../src/agent/agent-state.ts';
import { enforcementStatus, NODE_ENFORCEMENT, type EnforcementStatus } from '../../src/status/node-enforcement.ts';
import type { StagedCount } from '../../src/stage/staged-count.ts';
import { announcePolicies, EVENT } from '../../src/status/policy-events.ts';
import { publishEnforcement } from '../../src/status/publish-enforcement.ts';
import { rolloutOf } from '../../src/status/rollout.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { ChangingState, FACTS, policy, READY } from './agent-states.ts';

const NODE = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } };
const PLACE = { served: NODE_ENFORCEMENT, name: 'node-1' };

interface World {
  readonly cluster: FakeCluster;
  readonly time: FakeClock;
  readonly source: ChangingState;
  readonly failures: ClusterError[];
  end(): void;
  status(): Promise<EnforcementStatus>;
  version(): Promise<string>;
}

type Api = Parameters<typeof publishEnforcement>[0]['api'];

function start(context: TestContext, state: AgentState = READY, act: 'publish' | 'announce' = 'publish', way: (api: FakeCluster) => Api = (api) => api, time = new FakeClock()): World {
  const cluster = new FakeCluster();
  cluster.serve(NODE_ENFORCEMENT);
  cluster.serve(EVENT);
  cluster.put(NODE);
  cluster.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const [source, failures, abort] = [new ChangingState(state), [] as ClusterError[], new AbortController()];
  context.after(() => abort.abort());
  const given = { api: cluster, source, facts: FACTS, clock: time, onFailure: (error: ClusterError) => void failures.push(error), signal: abort.signal };
  void (act === 'publish' ? publishEnforcement({ ...given, staged: () => [], losses: () => NO_LOSSES, api: way(cluster) }) : announcePolicies(given));
  return {
    cluster, time, source, failures,
    end: () => abort.abort(),
    status: async () => (await cluster.get(PLACE))['status'] as EnforcementStatus, // what we wrote
    version: async () => (await cluster.get(PLACE)).metadata.resourceVersion!,
  };
}

test('the object stands at once, belongs to its node, and says until when it holds', async (context) => {
  const { cluster, time, status } = start(context);
  await time.advance(0);
  const { ready, enforcing, reportedAt, nextReportBefore } = await status();
  assert.deepEqual({ ready, enforcing, reportedAt, nextReportBefore }, { ready: true, enforcing: true, reportedAt: '2026-01-01T00:00:00Z', nextReportBefore: '2026-01-01T00:01:00Z' });
  const node = await cluster.get({ served: { apiVersion: 'v1', kind: 'Node', resource: 'nodes', isNamespaced: false }, name: 'node-1' });
  assert.deepEqual((await cluster.get(PLACE)).metadata['ownerReferences'], [{ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: node.metadata.uid }]);
});

test('a policy in force is told at once, a hundred changes a second once in a second', async (context) => {
  const { time, source, status, version } = start(context);
  await time.advance(10_000);
  source.change({ policies: [policy('web')] });
  await time.advance(0);
  assert.deepEqual((await status()).policies, [{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'shop', name: 'web', uid: 'uid-web', generation: 1, since: '2026-01-01T00:00:00Z' }]);
  const versions = new Set<string>();
  for (let step = 0; step < 300; step++) {
    source.change({ policies: [policy('web', { generation: step + 2 })] });
    await time.advance(10);
    versions.add(await version());
  }
  assert.ok(versions.size <= 4, `${versions.size} writes in 3 s`);
  await time.advance(2_000);
  assert.equal((await status()).policies[0]!.generation, 301);
});

test('what has no weight goes along with the next heartbeat', async (context) => {
  const { time, source, status, version } = start(context);
  await time.advance(10_000);
  const before = await version();
  source.change({ pods: { ...READY.pods, remote: 11 } });
  await time.advance(9_000);
  assert.equal(await version(), before);
  await time.advance(2_000);
  assert.equal((await status()).pods.remote, 11);
});

const heard = async ({ time, status }: World, laterMs: number): Promise<string> => {
  const enforcement = { apiVersion: NODE_ENFORCEMENT.apiVersion, kind: NODE_ENFORCEMENT.kind, metadata: { name: NODE.metadata.name }, status: JSON.parse(JSON.stringify(await status())) };
  return rolloutOf({ nodes: [NODE], enforcements: [enforcement], policies: [] }, new Date(time.now().getTime() + laterMs)).nodes[0]!.standing;
};

for (const { policies, writesMax, silentMs } of [{ policies: 0, writesMax: 30, silentMs: 61_000 }, { policies: 1_000, writesMax: 17, silentMs: 120_000 }, { policies: 10_000, writesMax: 11, silentMs: 200_000 }]) {
  test(`an agent with ${policies} policies that is killed counts for ${silentMs / 1000} s at most; one that lives writes ${writesMax} times in ten minutes`, async (context) => {
    const world = start(context, { ...READY, policies: Array.from({ length: policies }, (_, index) => policy(`p${index}`)) });
    const versions = new Set<string>();
    for (let second = 0; second < 600; second += 6) {
      await world.time.advance(6_000);
      versions.add(await world.version());
      assert.equal(await heard(world, 0), 'ready', `after ${second + 6} s`);
      assert.equal(await heard(world, silentMs), 'silent', 'had it been killed now');
    }
    assert.ok(versions.size <= writesMax, `${versions.size} writes`);
  });
}

test('an API server that is away for half a minute makes no living agent silent', async (context) => {
  for (const chance of [0, 0.5, 0.95]) {
    for (let awayAt = 0; awayAt <= 20_000; awayAt += 2_500) {
      const world = start(context, READY, 'publish', undefined, new FakeClock(() => chance));
      await world.time.advance(40_000 + awayAt);
      world.cluster.goAway();
      await world.time.advance(30_000);
      world.cluster.comeBack();
      for (let second = 0; second < 60; second++) {
        assert.equal(await heard(world, 0), 'ready', `${second} s after one that went ${awayAt} ms after a report`);
        await world.time.advance(1_000);
      }
      world.end();
    }
  }
});

test('nothing stands from before: a trouble that is over, a drift that a new agent does not know', async (context) => {
  const drift = { ...READY, isReady: false, kernel: { ...READY.kernel, driftRepairs: 1, lastDriftAt: FACTS.startedAt }, troubles: [{ code: 'cluster' as const, message: 'gone', since: FACTS.startedAt }] };
  const { time, source, status } = start(context, drift);
  await time.advance(5_000);
  assert.equal((await status()).ready, false);
  source.change({ isReady: true, troubles: [], kernel: READY.kernel });
  await time.advance(5_000);
  const { ready, troubles, kernel } = await status();
  assert.deepEqual({ ready, troubles, lastDriftAt: kernel['lastDriftAt'] }, { ready: true, troubles: [], lastDriftAt: undefined });
});

test('somebody takes the object away, the server goes away: it stands again', async (context) => {
  const { cluster, time, source, failures, status } = start(context);
  await time.advance(1_000);
  await cluster.delete(PLACE);
  source.change({ policies: [policy('web')] });
  await time.advance(5_000);
  assert.equal((await status()).counts.known, 1);
  cluster.goAway();
  source.change({ policies: [policy('web'), policy('db')] });
  await time.advance(300_000);
  cluster.comeBack();
  assert.ok(failures.length < 15, `${failures.length} tries in five minutes`);
  assert.equal((await status()).counts.known, 1);
  await time.advance(60_000);
  assert.equal((await status()).counts.known, 2);
});

test('what is so no longer is taken back at once, however soon after a write', async (context) => {
  const { time, source, status } = start(context);
  await time.advance(10_000);
  source.change({ policies: Array.from({ length: 5_000 }, (_, index) => policy(`p${index}`)) }); // many bytes, so seldom
  await time.advance(0);
  source.change({ policies: [policy('web')] });
  await time.advance(100);
  assert.equal((await status()).counts.known, 5_000, 'what is new waits');
  source.change({ isReady: false, policies: [policy('web', { inForceSince: undefined })] });
  await time.advance(0);
  const { ready, counts } = await status();
  assert.deepEqual([ready, counts.inForce], [false, 0]);
});

test('an agent that ends promises no other report', async (context) => {
  const { time, status, end } = start(context);
  await time.advance(10_000);
  end();
  await time.advance(0);
  const { ready, reportedAt, nextReportBefore } = await status();
  assert.deepEqual([ready, reportedAt, nextReportBefore], [true, '2026-01-01T00:00:10Z', '2026-01-01T00:00:10Z']);
});

test('a write that comes late is not taken for what is so now', async (context) => {
  const late: (() => Promise<unknown>)[] = [];
  const { time, source, cluster, failures, status } = start(context, READY, 'publish', (api) => ({
    get: (place) => api.get(place),
    apply: (...given) => api.apply(...given),
    patchStatus: (place, wanted, options) => {
      if (late.length > 0 || wanted['counts'] === undefined || (wanted['counts'] as { known: number }).known === 0) return api.patchStatus(place, wanted, options);
      return new Promise((_, reject) => {
        late.push(() => api.patchStatus(place, wanted, options));
        options!.signal!.addEventListener('abort', () => reject(new ClusterError('unreachable', 'nobody answers')));
      });
    },
  }));
  await time.advance(10_000);
  source.change({ policies: [policy('web')] });
  await time.advance(5_000);
  source.change({ policies: [policy('web', { inForceSince: undefined })], isReady: false });
  await time.advance(20_000);
  assert.deepEqual([failures.length, (await status()).ready, (await status()).counts.inForce], [1, false, 0]);
  await assert.rejects(late[0]!, ({ code }: ClusterError) => code === 'conflict');
  assert.equal((await status()).counts.inForce, 0);
  await cluster.patchStatus(PLACE, { ready: true }); // somebody else
  await time.advance(100_000);
  assert.equal((await status()).ready, false, 'who finds it changed writes it anew');
});

test('ten thousand policies of the longest names fit into etcd, and each is told', () => {
  const uid = (index: number): string => `12345678-1234-1234-1234-${String(index).padStart(12, '0')}`;
  const policies = Array.from({ length: 10_000 }, (_, index) => policy(`${index}${'n'.repeat(253)}`.slice(0, 253), { uid: uid(index), namespace: `${index % 500}${'n'.repeat(60)}`, ...(index >= 9_700 ? { isAudited: true, inForceSince: undefined } : {}), generation: 1_000_000, ...(index < 600 ? { problem: 'p'.repeat(5_000) } : {}) }));
  const status = enforcementStatus({ state: { ...READY, policies }, facts: FACTS, staged: manyAudits(), losses: NO_LOSSES }, { now: FACTS.startedAt, nextReportBefore: FACTS.startedAt });
  const bytes = Buffer.byteLength(JSON.stringify(status));
  assert.ok(bytes < 1_500_000, `${bytes} bytes`);
  assert.deepEqual(status.counts, { known: 10_000, inForce: 9_700, withProblem: 600, audited: 300, omitted: 0 });
  assert.deepEqual([status.policies.filter(({ problem }) => problem !== undefined).length, status.policies.length, status.morePolicies.length, status.audits.length], [600, 1_000, 9_000, 100]);
  assert.equal(status.morePolicies[0], `${uid(700)} 1000000 ${Date.UTC(2026, 0, 1) / 1000}`);
  const beyond = enforcementStatus({ state: { ...READY, policies: [...policies, ...policies] }, facts: FACTS, staged: [], losses: NO_LOSSES }, { now: FACTS.startedAt, nextReportBefore: FACTS.startedAt });
  assert.equal(beyond.counts.omitted, 20_000 - 1_000 - 12_000);
});

/** With the longest names, more of everything than is told. */
function manyAudits(): readonly StagedCount[] {
  const name = 'n'.repeat(253);
  const rules = Array.from({ length: 256 }, (_, index) => ({ policy: name, direction: 'ingress' as const, index, judged: 1e9 }));
  const witnesses = Array.from({ length: 10 }, () => ({ direction: 'egress' as const, source: `${'n'.repeat(63)}/${name}`, target: `${'n'.repeat(63)}/${name}`, protocol: 'TCP', port: 65_535, judged: 1e9 }));
  return Array.from({ length: 500 }, (_, index) => ({ kind: 'Namespace' as const, name: `${index}${'n'.repeat(60)}`, uid: `${index}`, generation: 0, since: FACTS.startedAt, until: FACTS.startedAt, judged: 1e9, wouldRefuse: index, wouldAllow: 0, unknown: 1e9, rules, witnesses }));
}

test('what is audited is told: its policies are never in force, and what they would refuse is counted', async () => {
  const state = { ...READY, policies: [policy('web', { isAudited: true, inForceSince: undefined }), policy('db')] };
  const [, , counted] = manyAudits();
  const audit = { ...counted!, name: 'shop' };
  const status = enforcementStatus({ state, facts: FACTS, staged: [audit], losses: NO_LOSSES }, { now: FACTS.startedAt, nextReportBefore: FACTS.startedAt });
  assert.deepEqual(status.counts, { known: 2, inForce: 1, withProblem: 0, audited: 1, omitted: 0 });
  assert.deepEqual(status.policies.map(({ name, since, audited }) => [name, since !== undefined, audited]), [['web', false, true], ['db', true, undefined]]);
  assert.deepEqual(status.audits.map(({ namespace, judged, wouldRefuse, rules, witnesses }) => [namespace, judged, wouldRefuse, rules.length, witnesses.length]), [['shop', 1e9, 2, 16, 3]]);
});

async function events(cluster: FakeCluster, names: readonly string[], namespace = 'shop'): Promise<string[]> {
  const found = await Promise.all(names.map((name) => cluster.get({ served: EVENT, namespace, name }).catch(() => undefined)));
  return found.flatMap((event) => (event === undefined ? [] : [`${String(event['reason'])} ${String(event['note'])}`]));
}

test('a policy that comes in force and one that is not understood have their Events', async (context) => {
  const { cluster, time, source, failures } = start(context, { ...READY, policies: [policy('old')] }, 'announce');
  await time.advance(2_000);
  source.change({ policies: [policy('old'), policy('web', { generation: 2 }), policy('bad', { problem: 'a field that nobody knows' })] });
  await time.advance(2_000);
  const named = ['bulkhead.uid-old.1.in-force', 'bulkhead.uid-web.2.in-force', 'bulkhead.uid-bad.1.problem'];
  assert.deepEqual(await events(cluster, named), [
    'InForce generation 2 is in force on the node node-1; `bulkhead status` says where else',
    'PolicyProblem generation 1 closes what it selects: a field that nobody knows',
  ]);
  assert.deepEqual(failures, []);
});

test('two nodes that find the same make one Event; a flood is bounded', async (context) => {
  const { cluster, time, source, failures } = start(context, READY, 'announce');
  cluster.put({ apiVersion: EVENT.apiVersion, kind: EVENT.kind, metadata: { name: 'bulkhead.uid-p0.1.in-force', namespace: 'shop' }, note: 'of another node' });
  source.change({ policies: Array.from({ length: 500 }, (_, index) => policy(`p${index}`)) });
  await time.advance(2_000);
  const names = Array.from({ length: 500 }, (_, index) => `bulkhead.uid-p${index}.1.in-force`);
  assert.equal((await events(cluster, names)).length, 20);
  assert.match((await events(cluster, names))[0]!, /of another node/);
  await time.advance(60_000);
  assert.equal((await events(cluster, names)).length, 30);
  await time.advance(3_600_000);
  assert.equal((await events(cluster, names)).length, 100);
  assert.deepEqual(failures, []);
});
