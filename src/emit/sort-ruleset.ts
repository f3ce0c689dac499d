// Rulesets and ranges in their one sorted form, so that equal ones are equal value by value.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Ruleset } from './ruleset.ts';

/** Egress before ingress, family 4 before 6, then by address or range, then by id. */
export function sortRuleset(ruleset: Ruleset): Ruleset {
  return {
    localPods: [...ruleset.localPods].sort((a, b) => compareAddresses(a.address, b.address)),
    podRanges: joinRanges(ruleset.podRanges),
    podClasses: [...ruleset.podClasses].sort((a, b) => compareDirections(a, b) || compareAddresses(a.address, b.address)),
    rangeClasses: [...ruleset.rangeClasses].sort((a, b) => compareDirections(a, b) || compareRanges(a.range, b.range)),
    pairs: [...ruleset.pairs].sort((a, b) => compareDirections(a, b) || compareAddresses(a.address, b.address) || a.peerClass - b.peerClass),
    profiles: [...ruleset.profiles].sort((a, b) => a.id - b.id),
  };
}

export function compareRanges(a: IpRange, b: IpRange): number {
  return a.family - b.family || compareValues(a.first, b.first);
}

/** Sorted, disjoint, not adjacent. */
export function joinRanges(ranges: readonly IpRange[]): IpRange[] {
  const joined: IpRange[] = [];
  for (const range of [...ranges].sort(compareRanges)) {
    const previous = joined.at(-1);
    if (previous === undefined || previous.family !== range.family || range.first > previous.last + 1n) joined.push(range);
    else if (range.last > previous.last) joined[joined.length - 1] = { ...previous, last: range.last };
  }
  return joined;
}

/** The parts of `range` that are in none of `holes`, which are sorted and disjoint. */
export function cutRange(range: IpRange, holes: readonly IpRange[]): IpRange[] {
  const parts: IpRange[] = [];
  let first = range.first;
  for (const hole of holes) {
    if (hole.family !== range.family || hole.last < first) continue;
    if (hole.first > range.last) break;
    if (hole.first > first) parts.push({ family: range.family, first, last: hole.first - 1n });
    first = hole.last + 1n;
  }
  if (first <= range.last) parts.push({ family: range.family, first, last: range.last });
  return parts;
}

function compareDirections(a: { readonly direction: Direction }, b: { readonly direction: Direction }): number {
  return a.direction === b.direction ? 0 : a.direction === 'egress' ? -1 : 1;
}

function compareAddresses(a: IpAddress, b: IpAddress): number {
  return a.family - b.family || compareValues(a.value, b.value);
}

function compareValues(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
