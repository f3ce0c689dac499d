// Lists of address ranges of one family: merged, cut, and searched for what is free.
import type { IpRange } from '../base/ip-address.ts';

/** Ascending and disjoint; ranges that touch become one. */
export function mergeRanges(ranges: readonly IpRange[]): IpRange[] {
  const sorted = [...ranges].sort((a, b) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: IpRange[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && before.family === range.family && range.first <= before.last + 1n) {
      if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** What is left of a range, ascending. */
export function subtractRanges(range: IpRange, holes: readonly IpRange[]): IpRange[] {
  const left: IpRange[] = [];
  let next = range.first;
  for (const hole of mergeRanges(holes.filter((hole) => overlaps(hole, range)))) {
    if (hole.first > next) left.push({ family: range.family, first: next, last: hole.first - 1n });
    next = hole.last + 1n;
  }
  if (next <= range.last) left.push({ family: range.family, first: next, last: range.last });
  return left;
}

export function overlaps(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}
