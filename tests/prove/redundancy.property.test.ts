// Random clusters: an element is redundant exactly when the verdicts without it are the same, for every pair and family.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedPorts } from '../../src/analyze/decide.ts';
import type { EndpointRef } from '../../src/analyze/endpoint.ts';
import { elementsOf, splitPolicies, withoutElements, type PolicyElement } from '../../src/prove/policy-elements.ts';
import { findRedundancies } from '../../src/prove/redundancy.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';

/** Without the exceptions of one node, which redundancy leaves aside. */
function clusterOf(raw: Parameters<typeof settleCluster>[0]): Cluster {
  const cluster = settleCluster(raw);
  return { ...cluster, pods: cluster.pods.map((pod) => ({ ...pod, nodeName: undefined })) };
}

/** All verdicts as one text; addresses are the first ones of what `whole`, which has all policies, tells apart. */
function verdictText(cluster: Cluster, whole: Cluster): string {
  const program = compileCluster(cluster);
  const outside = compileCluster(whole).atoms.filter(({ isPodRange }) => !isPodRange);
  const pods = [...cluster.pods.keys()].map((pod): EndpointRef => ({ kind: 'pod', pod }));
  const addresses = outside.map(({ family, first }): EndpointRef => ({ kind: 'address', address: { family, value: first } }));
  const ends = [...pods, ...addresses];
  const lines: string[] = [];
  for (const source of ends) for (const target of ends) {
    if (source.kind === 'address' && target.kind === 'address') continue;
    for (const family of [4, 6] as const) lines.push(allowedPorts(program, source, target, family).join());
  }
  return lines.join('\n');
}

function isWithin(part: PolicyElement, whole: PolicyElement): boolean {
  if (part === whole || part.policy !== whole.policy) return false;
  return whole.kind === 'policy' || (whole.kind === 'rule' && part.kind !== 'rule' && part.rule === whole.rule);
}

test('rules split into their atoms decide the same', () => {
  checkClusters((raw) => {
    const cluster = clusterOf(raw);
    assert.equal(verdictText(splitPolicies(cluster).cluster, cluster), verdictText(cluster, cluster));
  }, { share: 0.2 });
});

test('what is redundant changes nothing, and nothing else does', () => {
  checkClusters((raw) => {
    const cluster = clusterOf(raw);
    const before = verdictText(cluster, cluster);
    const { found, together } = findRedundancies(cluster);
    const elements = elementsOf(cluster);
    const name = ({ kind, policy, direction, rule, index }: PolicyElement): string => `${kind} ${policy.namespace}/${policy.name} ${direction} ${rule?.index} ${index}`;
    const idle = elements.filter((element) => verdictText(withoutElements(cluster, [element]), cluster) === before);
    const wanted = idle.filter((element) => !idle.some((other) => isWithin(element, other)));
    // Beside tiers the search may take an isolation to be needed that they make idle: it is sound there, not complete.
    if (cluster.clusterPolicies.length === 0) assert.deepEqual(found.map(({ element }) => name(element)), wanted.map(name));
    else assert.deepEqual(found.filter(({ element }) => !idle.some((one) => name(one) === name(element))), []);
    assert.equal(verdictText(withoutElements(cluster, together.map(({ element }) => element)), cluster), before);
    if (found.length > 0) assert.ok(together.length > 0);
  }, { share: 0.2 });
});
