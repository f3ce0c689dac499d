// A cluster as it would be with policies applied: one of the same name is replaced.
import { compareText } from '../base/finding.ts';
import type { Cluster } from '../model/cluster.ts';
import { comparePrecedence } from '../model/cluster-policy.ts';
import { findNamespace } from '../model/find-namespace.ts';

/** `added`: a cluster of nothing but policies, and the namespaces that they stand in. */
export function addPolicies(cluster: Cluster, added: Cluster): Cluster {
  const names = new Set(added.policies.map(({ namespace, name }) => `${namespace}/${name}`));
  const clusterNames = new Set(added.clusterPolicies.map(({ name }) => name));
  return {
    ...cluster,
    namespaces: [...cluster.namespaces, ...added.namespaces.filter(({ name }) => findNamespace(cluster, name) === undefined)].sort((a, b) => compareText(a.name, b.name)),
    policies: [...cluster.policies.filter(({ namespace, name }) => !names.has(`${namespace}/${name}`)), ...added.policies].sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name)),
    clusterPolicies: [...cluster.clusterPolicies.filter(({ kind, name }) => kind !== 'ClusterNetworkPolicy' || !clusterNames.has(name)), ...added.clusterPolicies].sort(comparePrecedence),
  };
}

/** Of the policies, those that stand in the cluster under the same name already. */
export function replacedNames(cluster: Cluster, added: Cluster): readonly string[] {
  const policies = cluster.policies.filter(({ namespace, name }) => added.policies.some((one) => one.namespace === namespace && one.name === name)).map(({ namespace, name }) => `NetworkPolicy ${namespace}/${name}`);
  const clusterPolicies = cluster.clusterPolicies.filter(({ kind, name }) => kind === 'ClusterNetworkPolicy' && added.clusterPolicies.some((one) => one.name === name)).map(({ name }) => `ClusterNetworkPolicy ${name}`);
  return [...policies, ...clusterPolicies];
}

/** The first number from `wanted` upwards that no policy of the tier has: two of one priority have no order. */
export function freePriority({ clusterPolicies }: Pick<Cluster, 'clusterPolicies'>, tier: 'Admin' | 'Baseline', wanted: number): number {
  const taken = new Set(clusterPolicies.filter((policy) => policy.tier === tier).map(({ priority }) => priority));
  for (let priority = wanted; priority <= PRIORITY_MAX; priority++) if (!taken.has(priority)) return priority;
  return wanted;
}

export const PRIORITY_MAX = 1000;
