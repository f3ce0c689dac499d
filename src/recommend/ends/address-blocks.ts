// The addresses outside the cluster, as ipBlocks that leave out what is inside of it.
import type { IpRange } from '../../base/ip-address.ts';
import { LINK_LOCAL_RANGES, overlaps, PRIVATE_RANGES } from '../../base/known-ranges.ts';
import type { Cluster } from '../../model/cluster.ts';
import { parseCidr } from '../../read/values/cidr.ts';
import type { Block, End } from './connection.ts';

/** Clients from anywhere but the pods, as far as their ranges are known: a node's own address is among them. */
export function outsideBlocks({ podRanges }: Cluster): readonly Block[] {
  return [EVERY_IPV4, EVERY_IPV6].map((cidr) => ({ cidr, except: podRanges.filter((range) => isIn(range, cidr)) }));
}

/** Who comes in by what is open to the world. */
export function everybodyOutside(cluster: Cluster): End {
  return { kind: 'addresses', name: 'clients outside', blocks: outsideBlocks(cluster) };
}

/** Hosts of the internet: no private range, no link-local address with the metadata service among them. */
export function internetBlocks({ podRanges }: Cluster): readonly Block[] {
  return [EVERY_IPV4, GLOBAL_IPV6].map((cidr) => {
    const closed = [...PRIVATE_RANGES, ...LINK_LOCAL_RANGES].filter((range) => isIn(range, cidr));
    const pods = podRanges.filter((range) => isIn(range, cidr) && !closed.some((known) => isIn(range, known)));
    return { cidr, except: [...closed, ...pods].sort((a, b) => (a.first < b.first ? -1 : 1)) };
  });
}

export function rangeBlocks(ranges: readonly IpRange[]): readonly Block[] {
  return ranges.map((cidr) => ({ cidr, except: [] }));
}

function isIn(inner: IpRange, outer: IpRange): boolean {
  return overlaps(inner, outer) && outer.first <= inner.first && inner.last <= outer.last && outer.last - outer.first > inner.last - inner.first;
}

const EVERY_IPV4 = range('0.0.0.0/0');
const EVERY_IPV6 = range('::/0');
/** RFC 4291, section 2.4, and the IANA registry of IPv6 global unicast allocations. */
const GLOBAL_IPV6 = range('2000::/3');

function range(text: string): IpRange {
  return parseCidr(text)!.range; // a constant of this file
}
