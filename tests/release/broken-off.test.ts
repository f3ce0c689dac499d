// A release that ends at any write, answered or not, is gone on with or taken back, and both end where they should.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { findHarm } from '../../src/release/find-harm.ts';
import type { WantedChange } from '../../src/release/prepare-objects.ts';
import { authored, placeOfObject } from '../../src/release/release-object.ts';
import { listReleases } from '../../src/release/release-store.ts';
import { rollbackProposal } from '../../src/cli/apply/rollback-proposal.ts';
import { carry, clusterOf, dying } from './carry.ts';

const NETWORK_POLICY = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' } as const;
const policy = (name: string, target: string, sources: readonly string[]): WantedObject => ({
  ...NETWORK_POLICY,
  metadata: { name, namespace: 'shop', labels: { of: name } },
  spec: { podSelector: { matchLabels: { app: target } }, policyTypes: ['Ingress'], ingress: sources.map((app) => ({ from: [{ podSelector: { matchLabels: { app } } }], ports: [{ protocol: 'TCP', port: 80 }] })) },
});

/** Two policies for one pod that nothing governed, one that moves its rule to another, one that goes. */
const OLD = [policy('moved', 'b', ['a', 'c']), policy('taker', 'b', ['d']), policy('gone', 'c', ['a'])];
const NEW = [policy('one', 'a', ['b']), policy('two', 'a', ['c']), policy('moved', 'b', ['a']), policy('taker', 'b', ['c', 'd'])];

async function shop(): Promise<FakeCluster> {
  const fake = new FakeCluster();
  fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  for (const app of ['a', 'b', 'c', 'd']) fake.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: app, namespace: 'shop', labels: { app } }, spec: { containers: [{ name: 'a', image: 'none' }] } });
  await carry(fake, { wanted: changes(OLD), members: OLD });
  return fake;
}

const changes = (objects: readonly WantedObject[]): readonly WantedChange[] => objects.map((object) => ({ place: placeOfObject(object), wanted: object }));
const wantedNew = [...changes(NEW), { place: placeOfObject(OLD[2]!), wanted: undefined }];

async function policies(fake: FakeCluster): Promise<readonly WantedObject[]> {
  const found: WantedObject[] = [];
  for await (const event of fake.list({ ...NETWORK_POLICY, resource: 'networkpolicies', isNamespaced: true })) {
    if (event.kind === 'object') found.push(authored(await fake.get(placeOfObject(event.object))));
  }
  return found.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

test('a release that nothing stops ends where it should, through helpers, and is taken back exactly', async () => {
  const fake = await shop();
  const before = await policies(fake);
  const { judgment, writes } = await carry(fake, { wanted: wantedNew, members: NEW });
  assert.deepEqual([judgment.plan.harms.size, writes > wantedNew.length], [0, true]);
  assert.deepEqual((await policies(fake)).map(({ metadata }) => metadata.name), ['moved', 'one', 'taker', 'two']);
  await takeBack(fake);
  assert.deepEqual(await policies(fake), before);
});

test('killed behind each write, answered or not, it is gone on with, or taken back exactly', async () => {
  const after = await (async () => {
    const fake = await shop();
    await carry(fake, { wanted: wantedNew, members: NEW });
    return policies(fake);
  })();
  for (const isAnswered of [true, false]) {
    for (let writes = 1; ; writes++) {
      const [resumed, taken] = [await shop(), await shop()];
      const before = await policies(taken);
      const ends = [compileCluster(await clusterOf(resumed))];
      const isDone = (await Promise.all([resumed, taken].map((fake) => tryCarry(fake, writes, isAnswered)))).every((done) => done);
      const between = compileCluster(await clusterOf(resumed));
      await carry(resumed, { wanted: wantedNew, members: NEW });
      assert.deepEqual(await policies(resumed), after, `gone on with behind ${writes} writes`);
      ends.push(compileCluster(await clusterOf(resumed)));
      assert.deepEqual(findHarm({ before: ends[0]!, between, after: ends[1]! }, { harmsMax: 9 }), [], `left behind ${writes} writes`);
      await takeBack(taken);
      assert.deepEqual(await policies(taken), before, `taken back behind ${writes} writes`);
      for (const fake of [resumed, taken]) {
        await takeBack(fake, 0);
        assert.deepEqual(await policies(fake), [], `to before everything, behind ${writes} writes`);
      }
      if (isDone) break;
      assert.ok(writes < 60);
    }
  }
});

async function tryCarry(fake: FakeCluster, writes: number, isAnswered: boolean): Promise<boolean> {
  try {
    await carry(fake, { wanted: wantedNew, members: NEW, writer: dying(fake, writes, { isAnswered }) });
    return true;
  } catch {
    return false;
  }
}

async function takeBack(fake: FakeCluster, target?: number): Promise<void> {
  const kept = await listReleases(fake, 'default', 'r');
  if (target === undefined && kept.at(-1)!.record.revision === 1) return; // killed before it began
  const { wanted, members, undoes } = rollbackProposal('r', kept, target);
  await carry(fake, { wanted, members, action: 'rollback', ...(undoes === undefined ? {} : { undoes }) });
}
