// Addresses that were seen become the fewest prefixes that the choice allows, each as narrow as what it holds, and never over pods.
import { compareText } from '../../base/finding.ts';
import { ADDRESS_BITS, formatIpAddress, type IpAddress, type IpFamily, type IpRange } from '../../base/ip-address.ts';
import { overlaps } from '../../base/known-ranges.ts';
import type { PortSet } from '../../base/port-set.ts';
import { formatCidr } from '../../base/range-text.ts';

/**
 * How wide a rule for the outside may be. `prefix`: no prefix of a family is shorter, so 32 and 128 hold what was seen and
 * nothing else. `names`: addresses of one DNS name stand together, each by itself. `domain-names`: the name stands for them, where a
 * policy can name it.
 */
export type OutsideGrouping = { readonly kind: 'prefix'; readonly bits: Readonly<Record<IpFamily, number>> } | { readonly kind: 'names' | 'domain-names' };

export const EXACT: OutsideGrouping = { kind: 'prefix', bits: { 4: 32, 6: 128 } };

export interface SeenAddress {
  readonly address: IpAddress;
  readonly name: string | undefined;
  readonly node: string | undefined;
  readonly ports: PortSet;
}

export interface AddressGroup<Seen extends SeenAddress> {
  readonly name: string;
  /** Sorted; disjoint with those of other groups. */
  readonly prefixes: readonly IpRange[];
  readonly seen: readonly Seen[];
  readonly ports: PortSet;
  /** That a rule is to name in place of the addresses. */
  readonly dnsName?: string;
}

/** Each address is given once, by `compareAddresses`. Nodes are always held by their own addresses alone. `pods` are ranges and addresses of pods. */
export function groupAddresses<Seen extends SeenAddress>(seen: readonly Seen[], grouping: OutsideGrouping, pods: readonly IpRange[]): readonly AddressGroup<Seen>[] {
  const [nodes, hosts] = [seen.filter(({ node }) => node !== undefined), seen.filter(({ node }) => node === undefined)];
  const byName = grouping.kind !== 'prefix' ? Map.groupBy(hosts, ({ name }) => name) : new Map([[undefined, hosts]]);
  const ofNodes = groupByPorts(nodes.map((node) => ({ range: rangeOf(node.address), seen: [node], ports: node.ports, names: [node.node!] }))).map((group) => ({ ...group, name: `${group.names.length === 1 ? 'node' : 'nodes'} ${listed(group.names)} (${prefixesText(group.prefixes)})` }));
  const named = [...byName].flatMap(([name, own]): readonly AddressGroup<Seen>[] => {
    if (name !== undefined) return [{ name, ...(grouping.kind === 'domain-names' ? { dnsName: name } : {}), prefixes: mergeSiblings(own.map(({ address }) => rangeOf(address))), seen: own, ports: unionOf(own.map(({ ports }) => ports)) }];
    const bits = grouping.kind === 'prefix' ? grouping.bits : { 4: 32, 6: 128 };
    return groupByPorts(prefixesOf(own, bits, pods)).map((group) => ({ ...group, name: `${prefixesText(group.prefixes)}${group.names.length === 0 ? '' : ` (${listed(group.names)})`}` }));
  });
  return [...ofNodes, ...named].sort((a, b) => compareText(a.name, b.name));
}

export function compareAddresses(a: IpAddress, b: IpAddress): number {
  return a.family - b.family || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
}

interface Prefix<Seen> {
  readonly range: IpRange;
  readonly seen: readonly Seen[];
  readonly ports: PortSet;
  readonly names: readonly string[];
}

function rangeOf({ family, value }: IpAddress): IpRange {
  return { family, first: value, last: value };
}

function unionOf(all: readonly PortSet[]): PortSet {
  // Most are one of few.
  const sets = [...new Map(all.map((set) => [set.join(), set])).values()];
  if (sets.length === 1) return sets[0]!;
  return mergeIntervals(sets.flatMap((set) => Array.from({ length: set.length / 2 }, (_, index): [number, number] => [set[2 * index]!, set[2 * index + 1]!])));
}

/** Of many small sets at once. */
export function mergeIntervals(intervals: readonly (readonly [first: number, last: number])[]): PortSet {
  const merged: number[] = [];
  for (const [first, last] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const end = merged.length - 1;
    if (end > 0 && first <= merged[end]! + 1) merged[end] = Math.max(merged[end]!, last);
    else merged.push(first, last);
  }
  return merged;
}

/** One for each prefix of the length that has an address, as narrow as its addresses are. */
function prefixesOf<Seen extends SeenAddress>(seen: readonly Seen[], bits: Readonly<Record<IpFamily, number>>, pods: readonly IpRange[]): readonly Prefix<Seen>[] {
  const prefixes: Prefix<Seen>[] = [];
  for (let start = 0; start < seen.length; ) {
    const { family, value } = seen[start]!.address;
    const last = value | ((1n << BigInt(ADDRESS_BITS[family] - bits[family])) - 1n);
    let end = start + 1;
    while (end < seen.length && seen[end]!.address.family === family && seen[end]!.address.value <= last) end++;
    prefixes.push(...narrowed(seen.slice(start, end), pods));
    start = end;
  }
  return prefixes;
}

function narrowed<Seen extends SeenAddress>(sorted: readonly Seen[], pods: readonly IpRange[]): readonly Prefix<Seen>[] {
  const range = commonPrefix(sorted[0]!.address, sorted.at(-1)!.address);
  if (sorted.length === 1 || !pods.some((other) => overlaps(other, range))) return [{ range, seen: sorted, ports: unionOf(sorted.map(({ ports }) => ports)), names: sorted.flatMap(({ name }) => name ?? []) }];
  const middle = (range.first + range.last) / 2n;
  const split = sorted.findIndex(({ address }) => address.value > middle);
  return [...narrowed(sorted.slice(0, split), pods), ...narrowed(sorted.slice(split), pods)];
}

function commonPrefix(first: IpAddress, last: IpAddress): IpRange {
  const different = (first.value ^ last.value).toString(2).replace(/^0$/, '').length;
  const size = 1n << BigInt(different);
  const start = first.value - (first.value % size);
  return { family: first.family, first: start, last: start + size - 1n };
}

/** Prefixes of the same ports are one group. */
function groupByPorts<Seen extends SeenAddress>(prefixes: readonly Prefix<Seen>[]): readonly (Omit<AddressGroup<Seen>, 'name'> & { readonly names: readonly string[] })[] {
  return [...Map.groupBy(prefixes, ({ ports }) => ports.join()).values()].map((same) => ({
    prefixes: mergeSiblings(same.map(({ range }) => range)),
    seen: same.flatMap(({ seen }) => seen),
    ports: same[0]!.ports,
    names: [...new Set(same.flatMap(({ names }) => names))].sort(compareText),
  }));
}

/** Two halves of a prefix are the prefix, which opens nothing more. */
function mergeSiblings(ranges: readonly IpRange[]): readonly IpRange[] {
  const merged: IpRange[] = [];
  for (const range of [...ranges].sort(compareRanges)) {
    merged.push(range);
    for (let pair = merged.slice(-2); areSiblings(pair); pair = merged.slice(-2)) merged.splice(-2, 2, { ...pair[0]!, last: pair[1]!.last });
  }
  return merged;
}

function compareRanges(a: IpRange, b: IpRange): number {
  return a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0);
}

function areSiblings([a, b]: readonly IpRange[]): boolean {
  if (a === undefined || b === undefined || a.family !== b.family) return false;
  const size = a.last - a.first + 1n;
  return b.last - b.first + 1n === size && b.first === a.last + 1n && a.first % (2n * size) === 0n;
}

/** The first prefix tells groups apart, for no two have one in common. */
function prefixesText(prefixes: readonly IpRange[]): string {
  const [first, ...others] = prefixes as [IpRange, ...IpRange[]]; // a group has one at least
  const text = first.first === first.last ? formatIpAddress({ family: first.family, value: first.first }) : formatCidr(first);
  return others.length === 0 ? text : `${text} and ${others.length} more`;
}

function listed([first, ...others]: readonly string[]): string {
  return others.length === 0 ? first! : `${first} and ${others.length} more`;
}
