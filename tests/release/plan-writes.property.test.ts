// Random clusters, and random policies in place of theirs: no state on the way from one to the other opens or cuts anything, unless the plan says so beforehand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { clusterAfter, policyLabel, type AnyPolicy, type PolicyChange } from '../../src/release/release.ts';
import { planWrites, stepText, type WritePlan } from '../../src/release/plan-writes.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { randomPolicies } from '../clusters/random-cluster.ts';
import { randomClusterPolicies } from '../clusters/random-cluster-policies.ts';
import { settleCluster } from '../clusters/settle.ts';
import type { ReferenceEnd } from '../reference/matches.ts';
import { referenceAllows } from '../reference/reference.ts';

test('no state in between opens what neither allows or cuts what both allow, by the reference', () => {
  let [plans, withoutHarm] = [0, 0];
  checkWith(randomPolicies, (raw, policies) => {
    const plan = holdPlan(settleCluster({ ...raw, clusterPolicies: [] }), settleCluster({ ...raw, policies, clusterPolicies: [] }));
    plans++;
    if (plan.harms.size === 0) withoutHarm++;
  }, { share: 0.5 });
  // Of these policies some 6 in 100 have no way that the API has words for: what a block and a selector have in common is none.
  assert.ok(withoutHarm > plans * 0.75, `${withoutHarm} of ${plans}`);
});

test('the same with policies of the whole cluster', () => {
  checkWith(fc.tuple(randomPolicies, randomClusterPolicies), (raw, [policies, clusterPolicies]) => void holdPlan(settleCluster(raw), settleCluster({ ...raw, policies, clusterPolicies })), { share: 0.1 });
});

function holdPlan(before: Cluster, after: Cluster): WritePlan {
  const plan = planWrites(before, changesOf(before, after), 'between-');
  const states = plan.steps.map((_, index) => clusterAfter(before, plan.steps.slice(0, index + 1)));
  const last = states.at(-1) ?? before;
  assert.deepEqual(names(last), names(after), 'the last state is the wanted one');
  const points = trafficPoints({ ...before, policies: [...before.policies, ...after.policies], clusterPolicies: [...before.clusterPolicies, ...after.clusterPolicies] });
  let turn = 0;
  for (const [index, state] of states.slice(0, -1).entries()) {
    if (plan.harms.has(index)) continue;
    for (const [source, target] of pairsOf(before)) {
      // Each pair at one point: all of them are asked somewhere.
      const point = points[turn++ % points.length]!;
      for (const family of [4, 6] as readonly IpFamily[]) {
        const [old, between, now] = [before, state, after].map((cluster) => referenceAllows(cluster, { source, target, ...point, family }));
        if (old === now && between !== old) assert.fail(`${between ? 'opened' : 'cut'} after ${stepText(plan.steps[index]!)} on the ${plan.way} way: ${describe(before, source)} → ${describe(before, target)} ${point.protocol} ${point.port} over IPv${family}\n${plan.steps.map(stepText).join('\n')}`);
      }
    }
  }
  return plan;
}

function changesOf(before: Cluster, after: Cluster): readonly PolicyChange[] {
  const all = (cluster: Cluster): ReadonlyMap<string, AnyPolicy> => new Map([...cluster.policies, ...cluster.clusterPolicies].map((policy) => [policyLabel(policy), policy]));
  const [old, now] = [all(before), all(after)];
  return [...new Set([...old.keys(), ...now.keys()])].map((label) => ({ before: old.get(label), after: now.get(label) }));
}

function names({ policies, clusterPolicies }: Cluster): readonly AnyPolicy[] {
  return [...policies, ...clusterPolicies];
}

function pairsOf(cluster: Cluster): [ReferenceEnd, ReferenceEnd][] {
  const pods = cluster.pods.map((_, pod) => ({ kind: 'pod', pod }) as const);
  const outside = outsideAddresses(cluster).map((address) => ({ kind: 'address', address }) as const);
  return pods.flatMap((source): [ReferenceEnd, ReferenceEnd][] => [
    ...pods.map((target): [ReferenceEnd, ReferenceEnd] => [source, target]),
    ...outside.flatMap((end): [ReferenceEnd, ReferenceEnd][] => [[source, end], [end, source]]),
  ]);
}

function describe(cluster: Cluster, end: ReferenceEnd): string {
  return end.kind === 'pod' ? `${cluster.pods[end.pod]!.namespace}/${cluster.pods[end.pod]!.name}` : end.kind === 'address' ? formatIpAddress(end.address) : end.name;
}
