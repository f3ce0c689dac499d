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

/** All verdicts as one text; addresses are the first ones of what `whole`, which has all policies, tells apart, and names those of its patterns. */
function verdictText(cluster: Cluster, whole: Cluster): string {
  const program = compileCluster(cluster);
  const { atoms, domainNames } = compileCluster(whole);
  const pods = [...cluster.pods.keys()].map((pod): EndpointRef => ({ kind: 'pod', pod }));
  const addresses = atoms.filter(({ isPodRange }) => !isPodRange).map(({ family, first }): EndpointRef => ({ kind: 'address', address: { family, value: first } }));
  const names = domainNames.map((name): EndpointRef => ({ kind: 'domain-name', name }));
  const ends = [...pods, ...addresses, ...names];
  const lines: string[] = [];
  for (const source of ends) for (const target of ends) {
    if (source.kind !== 'pod' && target.kind !== 'pod') continue;
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
    const cluster = settleCluster(raw);
    assert.equal(verdictText(splitPolicies(cluster).cluster, cluster), verdictText(cluster, cluster));
  }, { share: 0.2 });
});

test('what is redundant changes nothing, and nothing else does', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const before = verdictText(cluster, cluster);
    const { found, together } = findRedundancies(cluster);
    const elements = elementsOf(cluster);
    const name = ({ kind, policy, direction, rule, index }: PolicyElement): string => `${kind} ${policy.kind} ${'namespace' in policy ? policy.namespace : ''}/${policy.name} ${direction} ${rule?.index} ${index}`;
    const idle = elements.filter((element) => verdictText(withoutElements(cluster, [element]), cluster) === before);
    const wanted = idle.filter((element) => !idle.some((other) => isWithin(element, other)));
    assert.deepEqual(found.map(({ element }) => name(element)), wanted.map(name));
    assert.equal(verdictText(withoutElements(cluster, together.map(({ element }) => element)), cluster), before);
    if (found.length > 0) assert.ok(together.length > 0);
  }, { share: 0.2 });
});
