// Properties of the tiers on random clusters; docs/internals/properties.md lists them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IpAddress } from '../../src/base/ip-address.ts';
import { NO_PORTS, subtractPorts, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ClusterPolicy, TierAction, TierRule } from '../../src/model/cluster-policy.ts';
import { DIRECTIONS } from '../../src/model/network-policy.ts';
import { checkClusters, checkWith } from '../clusters/check-property.ts';
import { outsideAddresses } from '../clusters/points.ts';
import { randomClusterPolicies } from '../clusters/random-cluster-policies.ts';
import { podKey, settleCluster } from '../clusters/settle.ts';
import { settleClusterPolicies } from '../clusters/settle-cluster-policies.ts';
import { origin } from '../clusters/settle-words.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

const SHARE = 0.2;
const EVERY_POD = { namespaceSelector: { requirements: [] }, podSelector: { requirements: [] } };

/** Asked before all others. */
function inFront(rules: Partial<Pick<ClusterPolicy, 'ingress' | 'egress'>>): ClusterPolicy {
  return { kind: 'ClusterNetworkPolicy', name: 'front', tier: 'Admin', priority: -1, subject: EVERY_POD, ingress: [], egress: [], ...rules, origin: origin() };
}

function verdictsWith(cluster: Cluster, policies: readonly ClusterPolicy[], outside: readonly IpAddress[] = outsideAddresses(cluster)): ReadonlyMap<string, PortSet> {
  return verdictsOf(compileCluster({ ...cluster, clusterPolicies: [...policies, ...cluster.clusterPolicies] }), outside);
}

const denyEverything: TierRule = { index: 0, name: undefined, action: 'Deny', peers: { kind: 'everybody' }, ports: { kind: 'every' }, origin: origin() };

test('a Deny of everything in front is stronger than all else', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const found = verdictsWith(cluster, [inFront({ ingress: [denyEverything], egress: [denyEverything] })]);
    const onHost = new Set(cluster.pods.filter(({ hostNetwork }) => hostNetwork).map(podKey));
    const single = new Set(cluster.pods.filter(({ replicas }) => replicas === 1).map(podKey));
    const nodeOf = new Map(cluster.pods.map((pod) => [podKey(pod), pod.nodeName]));
    for (const [pair, ports] of found) {
      const [source, target] = pair.replace(/ over IPv[46]$/, '').split(' → ') as [string, string];
      if (source === target && single.has(source)) continue;
      // Whoever is on the host network is nobody's subject, and no ingress rule keeps a pod's own node out.
      const isFree = (end: string): boolean => onHost.has(end) || !nodeOf.has(end);
      if (isFree(source) && (isFree(target) || (nodeOf.get(source) !== undefined && nodeOf.get(source) === nodeOf.get(target)))) continue;
      assert.deepEqual(ports, NO_PORTS, pair);
    }
  }, { share: SHARE });
});

test('a Pass in front changes nothing but what it passes', () => {
  checkWith(fc.tuple(randomClusterPolicies, fc.nat()), (raw, [donors, choice]) => {
    const cluster = settleCluster(raw);
    const donated = settleClusterPolicies(donors).flatMap((policy) => DIRECTIONS.flatMap((direction) => policy[direction].map((rule) => ({ direction, rule }))));
    if (donated.length === 0) return;
    const { direction, rule } = donated[choice % donated.length]!;
    const bare = { ...cluster, policies: [], clusterPolicies: [] };
    const front = (action: TierAction): ClusterPolicy[] => [inFront({ [direction]: [{ ...rule, index: 0, action }] })];
    const outside = outsideAddresses({ ...cluster, clusterPolicies: [...cluster.clusterPolicies, ...front('Pass')] });
    const open = verdictsWith(bare, [], outside);
    const refused = verdictsWith(bare, front('Deny'), outside);
    const before = verdictsWith(cluster, [], outside);
    const after = verdictsWith(cluster, front('Pass'), outside);
    for (const [pair, ports] of after) {
      const old = before.get(pair)!;
      const changed = unionPorts(subtractPorts(ports, old), subtractPorts(old, ports));
      const passed = subtractPorts(open.get(pair)!, refused.get(pair)!);
      assert.deepEqual(subtractPorts(changed, passed), NO_PORTS, pair);
    }
  }, { share: SHARE });
});

test('priorities say an order and nothing else', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const spread = cluster.clusterPolicies.map((policy) => ({ ...policy, priority: policy.priority * 2 + 3 }));
    assert.deepEqual(verdictsWith({ ...cluster, clusterPolicies: spread }, []), verdictsWith(cluster, []));
  }, { share: SHARE });
});

test('the order in which cluster-wide policies are listed does not matter', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    assert.deepEqual(verdictsWith({ ...cluster, clusterPolicies: cluster.clusterPolicies.toReversed() }, [], outsideAddresses(cluster)), verdictsWith(cluster, []));
  }, { share: SHARE });
});

test('a BaselineAdminNetworkPolicy is a ClusterNetworkPolicy behind its tier, an AdminNetworkPolicy one of the Admin tier', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const renamed = cluster.clusterPolicies.map((policy): ClusterPolicy => ({ ...policy, kind: 'ClusterNetworkPolicy', name: `${policy.kind} ${policy.name}` }));
    assert.deepEqual(verdictsWith({ ...cluster, clusterPolicies: renamed }, []), verdictsWith(cluster, []));
  }, { share: SHARE });
});
