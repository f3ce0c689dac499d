// What policies bring into the kernel of a node, and what stands in the place of one that brings too much.
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { Program } from '../compile/program.ts';
import type { ClusterPolicy, TierRule } from '../model/cluster-policy.ts';
import { DIRECTIONS, type NetworkPolicy, type PolicyRule } from '../model/network-policy.ts';

export type Policy = NetworkPolicy | ClusterPolicy;

/** Of each policy that governs pods of the node: what its rules list, once for each of those pods. Ranks them, and counts no elements. */
export function policyCosts(program: Program, node: string): ReadonlyMap<Policy, number> {
  const { cluster, groupOfPod } = program;
  const costs = new Map<Policy, number>();
  for (const [pod, { nodeName, hostNetwork }] of cluster.pods.entries()) {
    if (nodeName !== node || hostNetwork) continue;
    for (const direction of DIRECTIONS) {
      const side = program[direction];
      const subject = side.subjectOfGroup[groupOfPod[pod]!]!;
      for (const policy of [...side.policiesOf(subject), ...side.clusterPoliciesOf(subject)]) costs.set(policy, (costs.get(policy) ?? 0) + sizeOf(policy[direction] ?? []));
    }
  }
  return costs;
}

function sizeOf(rules: readonly (PolicyRule | TierRule)[]): number {
  return rules.reduce((sum, { peers, ports }) => {
    const blocks = peers.kind === 'everybody' ? 1 : peers.peers.reduce((count, peer) => count + 1 + (peer.kind === 'ip-block' ? peer.except.length : 0), 0);
    return sum + blocks + (ports.kind === 'every' ? 1 : ports.ports.length);
  }, 0);
}

export function putPolicy(policy: Policy): ClusterChange {
  return policy.kind === 'NetworkPolicy' ? { kind: 'put-policy', policy } : { kind: 'put-cluster-policy', policy };
}

/** In its place one that lets nothing through where it governs, as one that cannot be understood. */
export function closedForm<Some extends Policy>(policy: Some): Some {
  if (policy.kind === 'NetworkPolicy') return { ...policy, ingress: policy.ingress && [], egress: policy.egress && [] };
  const denial: TierRule = { index: 0, name: undefined, action: 'Deny', peers: { kind: 'everybody' }, ports: { kind: 'every' }, origin: policy.origin };
  return { ...policy, ingress: policy.ingress.length === 0 ? [] : [denial], egress: policy.egress.length === 0 ? [] : [denial] };
}
