// The sets of policies by which pods may send, each with one of its pods: whom lint asks about DNS.
import type { Namespace, Pod } from '../../model/cluster.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { selects } from '../../model/selector.ts';
import { isDnsPod } from '../../analyze/dns-pods.ts';
import type { LintContext } from './lint-context.ts';
import { groupBySelector, policiesOver } from './policies-over.ts';

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
  const groups = groupBySelector(idle.length === 0 ? [] : cluster.policies.filter(({ egress }) => egress !== undefined));
  for (const policy of idle) governed.push({ policies: policiesOver(groups, policy), pod: undefined });
  return governed;
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
