// Ranges of addresses with a class each, of one family: cut from atoms, looked up, and held against those of another time.
import type { IpFamily, IpRange } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import { NOTHING_ALLOWED } from './merge-classes.ts';
import { NO_CLASS } from './peer-lookup.ts';

/** Both ends included. */
export interface ClassRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly peerClass: number;
}

/** Ascending and disjoint, by family. */
export type ClassRanges = Readonly<Record<IpFamily, readonly ClassRange[]>>;

export const NO_RANGES: ClassRanges = { 4: [], 6: [] };

/** Atoms less the holes, which are sorted and disjoint; neighbors of one class joined, those that nothing is allowed left out. */
export function classifyRanges({ atoms }: Program, classOfAtom: (atom: number) => number, holes: readonly IpRange[]): ClassRanges {
  const ranges: Record<IpFamily, ClassRange[]> = { 4: [], 6: [] };
  const pending: Record<IpFamily, readonly IpRange[]> = { 4: holes.filter(({ family }) => family === 4), 6: holes.filter(({ family }) => family === 6) };
  const place: Record<IpFamily, number> = { 4: 0, 6: 0 };
  for (const [index, { family, first, last }] of atoms.entries()) {
    const peerClass = classOfAtom(index);
    if (peerClass === NOTHING_ALLOWED) continue;
    let start = first;
    while (start <= last) {
      let hole = pending[family][place[family]];
      while (hole !== undefined && hole.last < start) hole = pending[family][++place[family]];
      const end = hole === undefined || hole.first > last ? last : hole.first - 1n;
      if (end >= start) append(ranges[family], { first: start, last: end, peerClass });
      if (hole === undefined || hole.first > last) break;
      start = hole.last + 1n;
    }
  }
  return ranges;
}

function append(ranges: ClassRange[], range: ClassRange): void {
  const previous = ranges.at(-1);
  const isJoined = previous !== undefined && previous.peerClass === range.peerClass && previous.last + 1n === range.first;
  if (isJoined) ranges[ranges.length - 1] = { ...previous, last: range.last };
  else ranges.push(range);
}

/** `NO_CLASS` where no range is. */
export function classInRanges(ranges: readonly ClassRange[], address: bigint): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.last < address) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found.first <= address ? found.peerClass : NO_CLASS;
}

/** Calls `give` for each piece of the address space that lies in a range of either, with its class in both. */
export function compareRangeClasses(before: readonly ClassRange[], after: readonly ClassRange[], give: (before: number, after: number) => void): void {
  let [i, j, at] = [0, 0, 0n];
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]];
    const inOld = old !== undefined && old.first <= at;
    const inNow = now !== undefined && now.first <= at;
    if (inOld || inNow) give(inOld ? old.peerClass : NO_CLASS, inNow ? now.peerClass : NO_CLASS);
    at = leastOf([nextEnd(old, inOld), nextEnd(now, inNow)]);
    if (old !== undefined && old.last < at) i++;
    if (now !== undefined && now.last < at) j++;
  }
}

function nextEnd(range: ClassRange | undefined, isInside: boolean): bigint | undefined {
  return isInside ? range!.last + 1n : range?.first;
}

function leastOf(values: readonly (bigint | undefined)[]): bigint {
  return values.reduce((least, value) => (least === undefined || (value !== undefined && value < least) ? value : least))!;
}
