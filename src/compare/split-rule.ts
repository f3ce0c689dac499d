// Cuts a rule of a v1alpha1 policy into rules that ClusterNetworkPolicy takes, with the same effect when they follow each other.
import type { TierPeer, TierPort, TierPorts, TierRule } from '../model/cluster-policy.ts';

/** Of rules in a section, peers in a rule, ports in a rule, and networks or names in a peer of ClusterNetworkPolicy. */
export const ITEMS_MAX = 25;

/** None for a rule that matches nothing. */
export function splitRule(rule: TierRule): TierRule[] {
  if (rule.peers.kind === 'everybody') return [rule];
  const { pods, others } = Object.groupBy(rule.peers.peers, ({ kind }) => (kind === 'scoped-pods' ? 'pods' : 'others'));
  // A port name stands beside pods alone: nothing else has any.
  return [...cut(rule, pods ?? [], rule.ports), ...cut(rule, others ?? [], withoutNames(rule.ports))];
}

function cut(rule: TierRule, peers: readonly TierPeer[], ports: TierPorts): TierRule[] {
  const portLists: readonly TierPorts[] = ports.kind === 'every' ? [ports] : chunks(ports.ports, ITEMS_MAX).map((list) => ({ kind: 'listed', ports: list }));
  return chunks(peerUnits(peers), ITEMS_MAX).flatMap((units) => portLists.map((list) => ({ ...rule, peers: { kind: 'listed', peers: units.flat() }, ports: list })));
}

function withoutNames(ports: TierPorts): TierPorts {
  return ports.kind === 'every' ? ports : { kind: 'listed', ports: ports.ports.filter(isNumbered) };
}

function isNumbered(port: TierPort): boolean {
  return port.kind !== 'any-named';
}

/** What stands in one item of `from` or `to`: a selector alone, or up to 25 networks or names, none of them twice. */
export function peerUnits(peers: readonly TierPeer[]): readonly (readonly TierPeer[])[] {
  const networks = new Map(peers.flatMap((peer) => (peer.kind === 'ip-block' ? [[peer.text, peer] as const] : [])));
  const names = new Map(peers.flatMap((peer) => (peer.kind === 'domain-name' ? [[peer.pattern, peer] as const] : [])));
  const selectors = peers.filter(({ kind }) => kind === 'scoped-pods' || kind === 'nodes').map((peer) => [peer]);
  return [...selectors, ...chunks([...networks.values()], ITEMS_MAX), ...chunks([...names.values()], ITEMS_MAX)];
}

export function chunks<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
