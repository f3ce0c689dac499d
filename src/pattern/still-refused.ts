// What a policy opens and the other end keeps closed: a connection needs a yes from both.
import { ALL_PORTS, PROTOCOL_BASE, portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { explain, type DirectionReason } from '../analyze/explain.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { findNamespace } from '../model/find-namespace.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PodPeer, type PolicyRule, type PortMatch } from '../model/network-policy.ts';
import { selects } from '../model/selector.ts';

/** One pair of workloads that the rule opens and that may still not talk. */
export interface StillRefused {
  readonly policy: NetworkPolicy;
  readonly rule: PolicyRule;
  readonly peer: PodPeer;
  readonly source: Pod;
  readonly target: Pod;
  /** Of the end that refuses: `egress` of the source, or `ingress` of the target. */
  readonly direction: Direction;
  /** Who refuses there, such as `NetworkPolicy shop/default-deny`. */
  readonly refusers: readonly string[];
  /** Whether no NetworkPolicy can open it. */
  readonly isFinal: boolean;
}

/** Workloads of each side of a rule that are looked at. */
const WORKLOADS_MAX = 20;

/** `program`: of the input with the policies applied. One pair for each peer of a rule. */
export function findStillRefused(program: Program, { policies }: Cluster): readonly StillRefused[] {
  return policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).flatMap((rule) => {
    const peers = rule.peers.kind === 'listed' ? rule.peers.peers.filter((peer) => peer.kind === 'pods') : [];
    return peers.flatMap((peer) => refusedOfPeer(program, { policy, direction, rule, peer }) ?? []);
  })));
}

interface PlacedPeer {
  readonly policy: NetworkPolicy;
  /** Of the policy: the other one is asked about. */
  readonly direction: Direction;
  readonly rule: PolicyRule;
  readonly peer: PodPeer;
}

function refusedOfPeer(program: Program, { policy, direction, rule, peer }: PlacedPeer): StillRefused | undefined {
  const { cluster } = program;
  const others = onePerWorkload(cluster, (pod) => isPeer(cluster, { policy, peer }, pod));
  const subjects = onePerWorkload(cluster, (pod) => pod.namespace === policy.namespace && selects(policy.podSelector, pod));
  const opposite = direction === 'ingress' ? 'egress' : 'ingress';
  for (const [source, target] of others.flatMap((other) => subjects.map((subject) => (direction === 'ingress' ? ([other, subject] as const) : ([subject, other] as const))))) {
    const ports = portsOf(rule, cluster.pods[target]!);
    if (ports.length === 0) continue;
    const reasons = explain(program, { source: { kind: 'pod', pod: source }, target: { kind: 'pod', pod: target }, ports });
    const isInVain = reasons.verdict === 'denied' && reasons.hasCommonFamily && reasons[direction].ports.length > 0 && reasons[opposite].ports.length === 0;
    if (isInVain) return { policy, rule, peer, source: cluster.pods[source]!, target: cluster.pods[target]!, direction: opposite, ...refusalOf(reasons[opposite]) };
  }
  return undefined;
}

function isPeer(cluster: Cluster, { policy, peer }: { readonly policy: NetworkPolicy; readonly peer: PodPeer }, pod: Pod): boolean {
  if (!selects(peer.podSelector, pod)) return false;
  if (peer.namespaces.kind === 'own') return pod.namespace === policy.namespace;
  const namespace = findNamespace(cluster, pod.namespace);
  return namespace !== undefined && selects(peer.namespaces.selector, namespace);
}

/** Indices of pods; those in the network of their node are out of a selector's reach. */
function onePerWorkload({ pods }: Cluster, isMeant: (pod: Pod) => boolean): readonly number[] {
  const found = new Map<string, number>();
  for (const [index, pod] of pods.entries()) {
    if (found.size >= WORKLOADS_MAX) break;
    if (!pod.hostNetwork && !found.has(keyOf(pod)) && isMeant(pod)) found.set(keyOf(pod), index);
  }
  return [...found.values()];
}

function keyOf({ workload: { kind, namespace, name } }: Pod): string {
  return `${kind} ${namespace}/${name}`;
}

function portsOf({ ports }: PolicyRule, target: Pod): PortSet {
  return ports.kind === 'every' ? ALL_PORTS : ports.ports.map((port) => pointsOf(port, target)).reduce(unionPorts, []);
}

function pointsOf(port: PortMatch, target: Pod): PortSet {
  switch (port.kind) {
    case 'protocol':
      return [PROTOCOL_BASE[port.protocol] + 1, PROTOCOL_BASE[port.protocol] + 65535];
    case 'range':
      return portSetOf(port.protocol, port.first, port.last);
    case 'named':
      return target.ports.filter(({ name, protocol }) => name === port.name && protocol === port.protocol).map((one) => portSetOf(one.protocol, one.port, one.port)).reduce(unionPorts, []);
  }
}

function refusalOf({ isolatedBy, admin, baseline }: DirectionReason): Pick<StillRefused, 'refusers' | 'isFinal'> {
  const denials = (decisions: DirectionReason['admin']): readonly string[] => [...new Set(decisions.filter(({ rule }) => rule.action === 'Deny').map(({ policy }) => `${policy.kind} ${policy.name}`))];
  const final = denials(admin);
  if (final.length > 0) return { refusers: final, isFinal: true };
  return { refusers: isolatedBy.length > 0 ? isolatedBy.map(({ namespace, name }) => `NetworkPolicy ${namespace}/${name}`) : denials(baseline), isFinal: false };
}
