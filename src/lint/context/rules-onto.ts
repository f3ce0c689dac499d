// Whom the NetworkPolicies of a pod name on one of its TCP ports, pods that are not in the input included.
import type { Pod } from '../../model/cluster.ts';
import type { NetworkPolicy, Peer, RulePorts } from '../../model/network-policy.ts';
import type { LintContext } from './lint-context.ts';

/** Those that isolate the pod for ingress, by its index of `cluster.pods`; none on the host's network. */
export function policiesOnto({ cluster, program }: LintContext, pod: number): readonly NetworkPolicy[] {
  const { subjectOfGroup, isIsolated, policiesOf } = program.ingress;
  const subject = subjectOfGroup[program.groupOfPod[pod]!]!;
  return cluster.pods[pod]!.hostNetwork || !isIsolated(subject) ? [] : policiesOf(subject);
}

/** undefined: everybody. */
export function peersOnto(policies: readonly NetworkPolicy[], pod: Pod, port: number): readonly Peer[] | undefined {
  const peers = policies.flatMap(({ ingress }) => ingress ?? []).filter(({ ports }) => hasPort(ports, pod, port)).map((rule) => rule.peers);
  return peers.some(({ kind }) => kind === 'everybody') ? undefined : peers.flatMap((listed) => (listed.kind === 'listed' ? listed.peers : []));
}

function hasPort(ports: RulePorts, pod: Pod, number: number): boolean {
  return ports.kind === 'every' || ports.ports.some((match) => match.protocol === 'TCP' && (match.kind === 'protocol' || (match.kind === 'range' ? match.first <= number && number <= match.last : pod.ports.some(({ name, port, protocol }) => name === match.name && port === number && protocol === 'TCP'))));
}
