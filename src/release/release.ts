// A release: policies written into a cluster as one, in an order that neither opens nor cuts anything in between, and kept so that it can be taken back.
import { compareText } from '../base/finding.ts';
import type { Cluster } from '../model/cluster.ts';
import { compareNames } from '../model/cluster-order.ts';
import { comparePrecedence, type ClusterPolicy } from '../model/cluster-policy.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';

export type AnyPolicy = NetworkPolicy | ClusterPolicy;

/** What becomes of one policy; undefined: it is not there. */
export interface PolicyChange {
  readonly before: AnyPolicy | undefined;
  readonly after: AnyPolicy | undefined;
}

/** One write. A helper is a policy of ours that stands only while the release is written. */
export type Step =
  | { readonly kind: 'put'; readonly policy: AnyPolicy; readonly role: 'wanted' | 'helper' | 'parked' }
  | { readonly kind: 'remove'; readonly policy: AnyPolicy; readonly role: 'wanted' | 'helper' };

/** `NetworkPolicy shop/web`, `ClusterNetworkPolicy wall`. */
export function policyLabel(policy: AnyPolicy): string {
  return policy.kind === 'NetworkPolicy' ? `${policy.kind} ${policy.namespace}/${policy.name}` : `${policy.kind} ${policy.name}`;
}

export function changedPolicy({ before, after }: PolicyChange): AnyPolicy {
  const policy = after ?? before;
  if (policy === undefined) throw new Error('bug: a change of nothing');
  return policy;
}

/** The cluster after the steps; what they do not name stays. */
export function clusterAfter(cluster: Cluster, steps: readonly Step[]): Cluster {
  const put = new Map<string, AnyPolicy | undefined>();
  for (const { kind, policy } of steps) put.set(policyLabel(policy), kind === 'put' ? policy : undefined);
  const rest = [...cluster.policies, ...cluster.clusterPolicies].filter((policy) => !put.has(policyLabel(policy)));
  const all = [...rest, ...[...put.values()].filter((policy) => policy !== undefined)];
  const policies = all.filter((policy) => policy.kind === 'NetworkPolicy').sort(compareNames);
  const clusterPolicies = all.filter((policy) => policy.kind !== 'NetworkPolicy').sort(comparePrecedence);
  return { ...cluster, policies, clusterPolicies };
}

/** The writes that the changes are, by name: in no order that was thought about. */
export function stepsOf(changes: readonly PolicyChange[]): readonly Step[] {
  return changes
    .map((change): Step => (change.after === undefined ? { kind: 'remove', policy: changedPolicy(change), role: 'wanted' } : { kind: 'put', policy: change.after, role: 'wanted' }))
    .sort((a, b) => compareText(policyLabel(a.policy), policyLabel(b.policy)));
}
