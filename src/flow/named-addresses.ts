// Rules that name domains, as the kernel has them in force: with the addresses that look-ups of these names gave.
import { coversDomainName } from '../compile/domain-pattern.ts';
import type { Cluster } from '../model/cluster.ts';
import { namesDomains, type ClusterPolicy, type TierPeer, type TierRule } from '../model/cluster-policy.ts';
import type { IpBlockPeer } from '../model/network-policy.ts';
import { ADDRESS_BITS, formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { FlowEnd, OutsideEnd } from './flow-record.ts';

/** `podsOf` gives by end the pods that it is. */
export function withNamedAddresses(cluster: Cluster, ends: readonly FlowEnd[], podsOf: readonly (readonly number[])[]): Cluster {
  if (!cluster.clusterPolicies.some(namesDomains)) return cluster;
  const known = namesOfAddresses(ends.filter((_, index) => podsOf[index]!.length === 0));
  const open = (rule: TierRule): TierRule => (rule.action !== 'Accept' || rule.peers.kind !== 'listed' ? rule : { ...rule, peers: { kind: 'listed', peers: rule.peers.peers.flatMap((peer) => [peer, ...blocksOf(peer, known)]) } });
  return { ...cluster, clusterPolicies: cluster.clusterPolicies.map((policy): ClusterPolicy => (namesDomains(policy) ? { ...policy, egress: policy.egress.map(open) } : policy)) };
}

export interface NamedAddress {
  readonly address: IpAddress;
  /** By each of which it was looked up whenever it was seen; lower case, without a last dot. */
  readonly names: readonly string[];
}

/** An address that was also seen without a look-up has no names, for nobody knows whether a name would open it. By `addressKey`. */
export function namesOfAddresses(ends: readonly FlowEnd[]): ReadonlyMap<string, NamedAddress> {
  const outside = ends.filter((end): end is OutsideEnd => end.kind === 'outside' && end.node === undefined && !end.isOwnNode);
  const byAddress = Map.groupBy(outside, ({ address }) => addressKey(address));
  return new Map([...byAddress].map(([key, same]) => {
    const sets = same.map(({ names }) => new Set(names.map((name) => name.toLowerCase().replace(/\.$/, ''))));
    return [key, { address: same[0]!.address, names: [...sets[0]!].filter((name) => sets.every((set) => set.has(name))).sort() }] as const;
  }));
}

export function addressKey({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

function blocksOf(peer: TierPeer, known: ReadonlyMap<string, NamedAddress>): readonly IpBlockPeer[] {
  if (peer.kind !== 'domain-name') return [];
  const meant = [...known.values()].filter(({ names }) => names.some((name) => coversDomainName(peer.pattern, name)));
  return meant.map(({ address }) => ({ kind: 'ip-block', cidr: { family: address.family, first: address.value, last: address.value }, except: [], text: `${formatIpAddress(address)}/${ADDRESS_BITS[address.family]}`, origin: peer.origin }));
}
