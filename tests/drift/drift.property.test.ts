// What is told to have drifted, on random clusters: nothing where nothing changed, and of what no policy governs exactly what the selectors say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileCluster } from '../../src/compile/compile.ts';
import { findDrift, keyOf, type DriftState } from '../../src/drift/drift.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { DIRECTIONS } from '../../src/model/network-policy.ts';
import { checkClusters, checkWith } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';
import { seenFlows, withAddresses } from '../flow/random-flows.ts';
import { selectorMatches } from '../reference/matches.ts';

test('what no policy governs, and which policies govern nothing, by every selector and every pod', () => {
  let told = 0;
  checkClusters((raw) => {
    const cluster: Cluster = { ...settleCluster(raw), clusterPolicies: [] };
    const { policies, pods } = cluster;
    const selects = (policy: (typeof policies)[number], pod: (typeof pods)[number]): boolean => policy.namespace === pod.namespace && !pod.hostNetwork && selectorMatches(policy.podSelector, pod);
    const idle = policies.filter((policy) => !pods.some((pod) => selects(policy, pod))).map(({ namespace, name }) => `selects-nothing NetworkPolicy ${namespace}/${name}`);
    const bare = pods.filter(({ hostNetwork }) => !hostNetwork).flatMap((pod) => DIRECTIONS.filter((direction) => !policies.some((policy) => policy[direction] !== undefined && selects(policy, pod))).map((direction) => `unprotected-workload ${pod.workload.namespace}/${pod.workload.name} ${direction}`));
    const found = findDrift({ before: undefined, now: { program: compileCluster(cluster), flows: undefined }, tests: [] }).map(keyOf);
    assert.deepEqual(found.toSorted(), [...new Set([...idle, ...bare])].sort());
    told += found.length;
  }, { share: 0.4 });
  assert.ok(told > 100, `${told} told in all`);
});

test('nothing has drifted where nothing changed; what drifted from one state to another is amiss in the second alone', () => {
  let told = 0;
  checkWith(fc.array(fc.nat(5000), { minLength: 1, maxLength: 60 }), (raw, chosen) => {
    const cluster = withAddresses(settleCluster(raw));
    const stateOf = (seen: Cluster, numbers: readonly number[]): DriftState => {
      const flows = new FlowTable();
      for (const { record } of seenFlows(cluster, numbers)) flows.add(record);
      return { program: compileCluster(seen), flows };
    };
    const keys = (before: DriftState | undefined, now: DriftState): ReadonlySet<string> => new Set(findDrift({ before, now, tests: [] }).map(keyOf));
    const [then, now] = [stateOf(cluster, chosen), stateOf({ ...cluster, policies: cluster.policies.slice(1) }, chosen.slice(1))];
    assert.deepEqual([...keys(now, now)], []);
    const drifted = keys(then, now);
    assert.deepEqual(drifted, new Set([...keys(undefined, now)].filter((key) => !keys(undefined, then).has(key))));
    told += drifted.size;
  }, { share: 0.1 });
  assert.ok(told > 10, `${told} told in all`);
});
