// Random clusters converted: the new policies, printed and read again, decide what the old ones did, or nothing is converted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertPolicies } from '../../src/compare/convert.ts';
import { hasErrors } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { convertedYaml } from '../../src/report/define/policy-yaml.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { outsideAddresses } from '../clusters/points.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

test('what is converted, printed and read again gives the same verdicts, with no priority twice', () => {
  let convertedCount = 0;
  checkClusters((raw) => {
    const cluster = settleCluster(withReadableRules(raw));
    const { policies, refusals } = convertPolicies(cluster);
    if (refusals.length > 0) {
      assert.equal(policies.length, 0);
      assert.ok(hasEqualPriorities(cluster), JSON.stringify(refusals[0]?.message));
      return;
    }
    const replaced = new Set(policies.map(({ replaces }) => replaces));
    const kept = cluster.clusterPolicies.filter((policy) => !replaced.has(policy));
    assert.ok(kept.every(({ kind }) => kind === 'ClusterNetworkPolicy'));
    const clusterPolicies = [...kept, ...readPolicies([...convertedYaml(policies)].join(''))].sort((a, b) => (a.tier === b.tier ? a.priority - b.priority : a.tier === 'Admin' ? -1 : 1));
    const after: Cluster = { ...cluster, clusterPolicies };
    const outside = outsideAddresses(cluster);
    assert.deepEqual(verdictsOf(compileCluster(after), outside), verdictsOf(compileCluster(cluster), outside));
    if (policies.length === 0) return;
    convertedCount++;
    for (const tier of new Set(policies.map(({ policy }) => policy.tier))) {
      const priorities = clusterPolicies.filter((policy) => policy.tier === tier).map(({ priority }) => priority);
      assert.equal(new Set(priorities).size, priorities.length, `${tier} ${priorities.join()}`);
    }
  }, { share: 0.4 });
  assert.ok(convertedCount > 10, `${convertedCount} clusters had something to convert`);
});

/** Rules that nobody can read are refused altogether, which would leave little to convert. */
function withReadableRules(raw: RawCluster): RawCluster {
  const isReadable = (rule: object): boolean => {
    const text = JSON.stringify(rule);
    return !/"Foo"|ICMP|"namedPort":""|"destinationNamedPort":""/.test(text) && !(text.includes('domainNames') && /"Deny"|"Pass"/.test(text));
  };
  const clusterPolicies = raw.clusterPolicies.map((policy) => ({
    ...policy,
    spec: { ...policy.spec, ingress: (policy.spec.ingress ?? []).filter(isReadable), egress: (policy.spec.egress ?? []).filter(isReadable) },
  }));
  return { ...raw, clusterPolicies };
}

function hasEqualPriorities({ clusterPolicies }: Cluster): boolean {
  return new Set(clusterPolicies.map(({ tier, priority }) => `${tier} ${priority}`)).size < clusterPolicies.length;
}

function readPolicies(text: string): Cluster['clusterPolicies'] {
  if (text === '') return [];
  const { cluster, findings } = readManifests([sourceFromText('converted.yaml', text)]);
  assert.ok(!hasErrors(findings), `${text}\n${findings.map(({ message }) => message).join('\n')}`);
  return cluster.clusterPolicies;
}
