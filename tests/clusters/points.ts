// Where verdicts can change: the ends of every block and port range of a cluster, and what lies just beside them.
import { LAST_ADDRESS, type IpAddress, type IpRange } from '../../src/base/ip-address.ts';
import type { Protocol } from '../../src/base/port-set.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { TierPeer, TierRule } from '../../src/model/cluster-policy.ts';
import type { Peer, PolicyRule } from '../../src/model/network-policy.ts';

/** Above this the list is thinned out evenly. */
const OUTSIDE_MAX = 12;

/** Addresses that are no pod's and in no pod range: first, last and neighbors of each block and except, and one of each family. */
export function outsideAddresses(cluster: Cluster): readonly IpAddress[] {
  const blocks = rulesOf(cluster).flatMap(({ peers }): readonly (Peer | TierPeer)[] => (peers.kind === 'listed' ? peers.peers : []))
    .flatMap((peer) => (peer.kind === 'ip-block' ? [peer.cidr, ...peer.except] : []));
  const edges: IpAddress[] = [{ family: 4, value: 3n }, { family: 6, value: 3n }, ...cluster.nodes.flatMap((node) => node.addresses)];
  for (const { family, first, last } of blocks) {
    for (const value of [first - 1n, first, last, last + 1n]) edges.push({ family, value });
  }
  const taken = (range: IpRange, { family, value }: IpAddress): boolean => range.family === family && range.first <= value && value <= range.last;
  const own = cluster.pods.flatMap(({ addresses }) => addresses);
  const free = edges.filter((edge) =>
    edge.value >= 0n && edge.value <= LAST_ADDRESS[edge.family]
    && !cluster.podRanges.some((range) => taken(range, edge))
    && !own.some(({ family, value }) => family === edge.family && value === edge.value));
  const distinct = [...new Map(free.map((address) => [`${address.family} ${address.value}`, address])).values()];
  const step = Math.max(1, distinct.length / OUTSIDE_MAX);
  return Array.from({ length: Math.min(distinct.length, OUTSIDE_MAX) }, (_, index) => distinct[Math.floor(index * step)]!);
}

export interface TrafficPoint {
  readonly protocol: Protocol | 'other';
  readonly port: number;
}

/** Ends and neighbors of every range that a policy names, container ports, one port that nobody names, and the other protocols. */
export function trafficPoints(cluster: Cluster): readonly TrafficPoint[] {
  const ports = new Set([4444]);
  for (const { ports: list } of rulesOf(cluster)) {
    for (const match of list.kind === 'listed' ? list.ports : []) {
      if (match.kind === 'range') for (const port of [match.first - 1, match.first, match.last, match.last + 1]) ports.add(port);
    }
  }
  for (const pod of cluster.pods) for (const { port } of pod.ports) ports.add(port);
  const real = [...ports].filter((port) => port >= 1 && port <= 65535);
  const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
  return [{ protocol: 'other', port: 0 }, ...protocols.flatMap((protocol) => real.map((port) => ({ protocol, port })))];
}

function rulesOf(cluster: Cluster): readonly (PolicyRule | TierRule)[] {
  return [...cluster.policies, ...cluster.clusterPolicies].flatMap(({ ingress, egress }) => [...(ingress ?? []), ...(egress ?? [])]);
}

/** All that policies name, one below a name of theirs, and one that nobody names. */
export function domainNames(cluster: Cluster): readonly string[] {
  const named = cluster.clusterPolicies.flatMap(({ egress }) => egress).flatMap(({ peers }) => (peers.kind === 'listed' ? peers.peers : []));
  const patterns = new Set(named.flatMap((peer) => (peer.kind === 'domain-name' ? [peer.pattern] : [])));
  return patterns.size === 0 ? [] : [...patterns, 'deep.below.example.org', 'example.com'];
}
