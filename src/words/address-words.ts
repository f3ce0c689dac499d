// The words for addresses outside the cluster: one address, a CIDR, `internet`.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import { rangeLabel } from '../base/range-label.ts';
import { parseRange } from '../base/range-text.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Program } from '../compile/program.ts';
import { quadKey, quadOf, type EndpointRef } from '../analyze/endpoint.ts';
import type { NamedEnds } from '../analyze/named-ends.ts';

/** One end for each way in which policies treat the addresses, by the first one; `word` names them when there is one way only. */
export function rangeEnds(program: Program, word: string, ranges: readonly IpRange[]): NamedEnds {
  const parts = program.atoms.flatMap((atom) => ranges.flatMap((range) => intersection(atom, range) ?? []));
  const alike = Map.groupBy(parts, (part) => quadKey(quadOf(program, refOf(part))));
  const families = Map.groupBy(alike.values(), ([first]) => first!.family);
  const ends = [...alike.values()].map((members) => {
    const first = members[0]!;
    const rest = members.length === 1 ? '' : ` and ${members.length - 1} more`;
    const isOnlyWay = families.get(first.family)!.length === 1;
    const name = alike.size === 1 ? word : `${word} (IPv${first.family})`;
    return { label: isOnlyWay ? name : `${rangeLabel(first)}${rest}`, ref: refOf(first), pods: [] };
  });
  return { ends, pods: [], ranges, ports: undefined };
}

/** Contract: all addresses outside private, link-local, pod, Service and node ranges. */
export function internetRanges(cluster: Cluster): IpRange[] {
  const own: IpRange[] = [
    ...cluster.podRanges,
    ...cluster.nodes.flatMap((node) => node.podRanges),
    ...[cluster.pods, cluster.nodes].flat().flatMap((holder) => holder.addresses.map(rangeOf)),
    ...cluster.services.flatMap((service) => service.clusterIps.map(rangeOf)),
  ];
  return [...NOT_GLOBAL.map(cidr), ...own].reduce<IpRange[]>(
    (ranges, taken) => ranges.flatMap((range) => subtract(range, taken)),
    ['0.0.0.0/0', '2000::/3'].map(cidr),
  );
}

// IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast and reserved; of IPv6, only 2000::/3 is global unicast.
const NOT_GLOBAL = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3', '2001:db8::/32',
];

function cidr(text: string): IpRange {
  return parseRange(text)!; // a constant of this file
}

function rangeOf(address: IpAddress): IpRange {
  return { family: address.family, first: address.value, last: address.value };
}

function refOf(range: IpRange): EndpointRef {
  return { kind: 'address', address: { family: range.family, value: range.first } };
}

function intersection(a: IpRange, b: IpRange): IpRange | undefined {
  if (a.family !== b.family) return undefined;
  const first = a.first > b.first ? a.first : b.first;
  const last = a.last < b.last ? a.last : b.last;
  return first > last ? undefined : { family: a.family, first, last };
}

function subtract(range: IpRange, taken: IpRange): IpRange[] {
  const common = intersection(range, taken);
  if (common === undefined) return [range];
  const parts: IpRange[] = [];
  if (range.first < common.first) parts.push({ ...range, last: common.first - 1n });
  if (common.last < range.last) parts.push({ ...range, first: common.last + 1n });
  return parts;
}
