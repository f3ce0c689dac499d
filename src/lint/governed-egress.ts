// The sets of policies by which pods may send, each with one of its pods: whom lint asks about DNS.
import type { Namespace, Pod } from '../model/cluster.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import { canonicalSelector, selects } from '../model/selector.ts';
import { isDnsPod } from '../analyze/dns-pods.ts';
import type { LintContext } from './lint-context.ts';

export interface GovernedEgress {
  readonly policies: readonly NetworkPolicy[];
  /** undefined: no pod of the input, but the policy says which pods it would be. */
  readonly pod: Pod | undefined;
}

/** One pod of each set of policies that governs egress, and each policy that governs no pod of the input. */
export function governedEgress({ cluster, program, index }: LintContext): readonly GovernedEgress[] {
  const { subjectOfGroup, isIsolated, policiesOf } = program.egress;
  const seen = new Set<number>();
  const governed: GovernedEgress[] = [];
  for (const [id, group] of program.groups.entries()) {
    const subject = subjectOfGroup[id]!;
    const pod = cluster.pods[group.pods[0]!]!;
    if (seen.has(subject) || !isIsolated(subject) || isDnsPod(pod) || hasClusterPolicy(cluster.clusterPolicies, pod, index.namespace(pod.namespace))) continue;
    seen.add(subject);
    governed.push({ policies: policiesOf(subject), pod });
  }
  const idle = cluster.policies.filter((policy) => policy.egress !== undefined && index.selectedBy(policy).pods.length === 0);
  const groups = idle.length === 0 ? undefined : groupPolicies(cluster.policies);
  for (const policy of idle) governed.push({ policies: beside(policy, groups!), pod: undefined });
  return governed;
}

/** Egress policies by namespace and selector. */
function groupPolicies(policies: readonly NetworkPolicy[]): ReadonlyMap<string, readonly NetworkPolicy[]> {
  const groups = new Map<string, NetworkPolicy[]>();
  for (const policy of policies) {
    if (policy.egress === undefined) continue;
    const key = `${policy.namespace}\n${canonicalSelector(policy.podSelector)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [policy]);
    else group.push(policy);
  }
  return groups;
}

/** The policies that surely govern what this one governs: those for the whole namespace, or for the same selector. */
function beside(policy: NetworkPolicy, groups: ReadonlyMap<string, readonly NetworkPolicy[]>): readonly NetworkPolicy[] {
  const selector = canonicalSelector(policy.podSelector);
  const same = groups.get(`${policy.namespace}\n${selector}`) ?? [];
  return selector === '' ? same : [...same, ...(groups.get(`${policy.namespace}\n`) ?? [])];
}

/** An Admin policy that accepts egress may open DNS before any NetworkPolicy is asked. */
function hasClusterPolicy(policies: readonly ClusterPolicy[], pod: Pod, namespace: Namespace | undefined): boolean {
  return policies.some(
    ({ tier, egress, subject }) =>
      tier === 'Admin' &&
      egress.some((rule) => rule.action === 'Accept') &&
      selects(subject.podSelector, pod) &&
      namespace !== undefined &&
      selects(subject.namespaceSelector, namespace),
  );
}
