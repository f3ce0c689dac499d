// The fake does what the contract says, and fails as a real cluster fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterApi } from '../../src/kube/cluster-api.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { readCluster } from '../../src/kube/kube.ts';
import { clusterCases, policy, refuses, type ClusterWorld } from './cluster-cases.ts';

clusterCases(async (): Promise<ClusterWorld> => {
  const cluster = new FakeCluster();
  return {
    api: cluster,
    apply: async (object) => void cluster.put(object),
    remove: async (object) => cluster.remove(object),
    restricted: async (resources): Promise<ClusterApi> => {
      for (const resource of resources) cluster.forbid(resource);
      return cluster;
    },
  };
});

test('a list that is forgotten begins again, and nothing comes twice', async () => {
  const cluster = new FakeCluster();
  const names = Array.from({ length: 700 }, (_, index) => `p${index}`);
  for (const name of names) cluster.put(policy('default', { podSelector: {} }, name));
  cluster.expire(2);
  const { entries } = await readCluster(cluster);
  assert.deepEqual(entries.filter(({ kind }) => kind === 'NetworkPolicy').map(({ name }) => name), names.toSorted());
});

test('a cluster that is gone is a failure', async () => {
  const cluster = new FakeCluster();
  cluster.goAway();
  await refuses('unreachable', () => readCluster(cluster));
});

test('a policy of an engine is listed by its name alone', async () => {
  const cluster = new FakeCluster();
  const kind = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', resource: 'ciliumnetworkpolicies', isNamespaced: true };
  cluster.serve(kind);
  cluster.put({ apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name: 'l7', namespace: 'default' }, spec: { endpointSelector: {} } });
  const { entries } = await readCluster(cluster);
  assert.deepEqual(entries.filter((entry) => entry.kind === kind.kind).map(({ text }) => JSON.parse(text)), [{ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'l7', namespace: 'default' } }]);
});
