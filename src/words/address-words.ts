// The words for addresses: one address, a CIDR, `internet`; they name the pods that have them, and what is outside.
import { formatIpAddress, type IpAddress, type IpRange } from '../base/ip-address.ts';
import { rangeLabel } from '../base/range-label.ts';
import { parseRange } from '../base/range-text.ts';
import { WordError } from '../base/word-error.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Program } from '../compile/program.ts';
import { FAMILIES, quadKey, quadOf, type EndpointRef } from '../analyze/endpoint.ts';
import { podEnds, type NamedEnd, type NamedEnds } from '../analyze/named-ends.ts';

/** One end for each way in which policies treat the pods and the addresses of nobody here. Throws WordError for a Service's own address. */
export function rangeEnds(program: Program, word: string, ranges: readonly IpRange[]): NamedEnds {
  refuseServiceAddress(program.cluster, ranges);
  const own = FAMILIES.map((family) => ({ family, named: podEnds(program, podsWithin(program.cluster, ranges.filter((range) => range.family === family))) }));
  const isTaken = takenAddresses(program.cluster);
  const free = ranges.flatMap((range) => withoutTakenStart(range, isTaken) ?? []);
  return {
    ends: [...own.flatMap(({ family, named }) => named.ends.map((end): NamedEnd => ({ ...end, family }))), ...addressEnds(program, { word, ranges: free, isTaken })],
    pods: own.flatMap(({ named }) => named.pods),
    ranges: free,
  };
}

/** Policies are asked after the address is translated, so no answer about it would be true. */
function refuseServiceAddress({ services }: Cluster, ranges: readonly IpRange[]): void {
  const [range] = ranges;
  if (range === undefined || range.first !== range.last) return;
  const service = services.find(({ clusterIps }) => clusterIps.some(({ family, value }) => family === range.family && value === range.first));
  if (service === undefined) return;
  const name = `${service.namespace}/${service.name}`;
  throw new WordError(`\`${formatIpAddress({ family: range.family, value: range.first })}\` is the address of the Service \`${name}\`, and policies judge the pods behind it`, `write svc/${name}:port`);
}

function podsWithin({ pods }: Cluster, ranges: readonly IpRange[]): number[] {
  return [...pods.keys()].filter((index) => pods[index]!.addresses.some((address) => ranges.some((range) => intersection(range, rangeOf(address)) !== undefined)));
}

type AddressTest = (address: IpAddress) => boolean;

/** The address of a pod is nobody else's, but for a node's, which its host network shares with it. */
function takenAddresses({ pods }: Cluster): AddressTest {
  const taken = new Set(pods.filter(({ hostNetwork }) => !hostNetwork).flatMap(({ addresses }) => addresses.map(formatIpAddress)));
  return (address) => taken.has(formatIpAddress(address));
}

/** From the first address that no pod has; undefined: pods have them all. */
function withoutTakenStart(range: IpRange, isTaken: AddressTest): IpRange | undefined {
  let { first } = range;
  while (first <= range.last && isTaken({ family: range.family, value: first })) first++;
  return first > range.last ? undefined : { ...range, first };
}

interface OutsideWord {
  readonly word: string;
  readonly ranges: readonly IpRange[];
  readonly isTaken: AddressTest;
}

/** One end for each way in which policies treat the addresses, by the first one; `word` names them when there is one way only. */
function addressEnds(program: Program, { word, ranges, isTaken }: OutsideWord): NamedEnd[] {
  const parts = program.atoms.flatMap((atom) => ranges.flatMap((range) => intersection(atom, range) ?? [])).flatMap((part) => withoutTakenStart(part, isTaken) ?? []);
  const alike = Map.groupBy(parts, (part) => quadKey(quadOf(program, refOf(part))));
  const families = Map.groupBy(alike.values(), ([first]) => first!.family);
  return [...alike.values()].map((members) => {
    const first = members[0]!;
    const rest = members.length === 1 ? '' : ` and ${members.length - 1} more`;
    const isOnlyWay = families.get(first.family)!.length === 1;
    const name = alike.size === 1 ? word : `${word} (IPv${first.family})`;
    return { label: isOnlyWay ? name : `${rangeLabel(first)}${rest}`, ref: refOf(first), pods: [] };
  });
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
