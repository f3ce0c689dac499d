// Answers of one direction and family of a ruleset as the kernel would look them up: class of an address, ports of a pair.
import { LAST_ADDRESS, type IpFamily } from '../base/ip-address.ts';
import { NO_PORTS, type PortSet } from '../base/port-set.ts';
import type { Direction } from '../model/network-policy.ts';
import type { RangeClass, Ruleset } from './ruleset.ts';
import { compareRanges } from './sort-ruleset.ts';

/** Of an address that stands in no map. */
export const NO_CLASS = -1;

/** `count` addresses and ranges went from class `before` to class `after`; either may be `NO_CLASS`. */
export interface ClassStep {
  readonly before: number;
  readonly after: number;
  readonly count: number;
}

export class PeerLookup {
  readonly classOfAddress: ReadonlyMap<bigint, number>;
  /** Sorted. */
  readonly ranges: readonly RangeClass[];
  private readonly family: IpFamily;
  private readonly profiles: ReadonlyMap<number, PortSet>;
  private readonly pairs: ReadonlyMap<bigint, ReadonlyMap<number, number>>;

  constructor(ruleset: Ruleset, direction: Direction, family: IpFamily) {
    const isOurs = (entry: { readonly direction: Direction; readonly address: { readonly family: IpFamily } }): boolean =>
      entry.direction === direction && entry.address.family === family;
    this.family = family;
    this.classOfAddress = new Map(ruleset.podClasses.filter(isOurs).map((entry) => [entry.address.value, entry.peerClass]));
    this.ranges = ruleset.rangeClasses
      .filter((entry) => entry.direction === direction && entry.range.family === family)
      .sort((a, b) => compareRanges(a.range, b.range));
    this.profiles = new Map(ruleset.profiles.map(({ id, ports }) => [id, ports]));
    const pairs = new Map<bigint, Map<number, number>>();
    for (const pair of ruleset.pairs.filter(isOurs)) {
      let row = pairs.get(pair.address.value);
      if (row === undefined) pairs.set(pair.address.value, (row = new Map()));
      row.set(pair.peerClass, pair.profile);
    }
    this.pairs = pairs;
  }

  /** Class of an address: its own, else that of the range around it. */
  classAt(address: bigint): number {
    return this.classOfAddress.get(address) ?? this.classOfRangeAt(address);
  }

  portsOf(localPod: bigint, peerClass: number): PortSet {
    const profile = this.pairs.get(localPod)?.get(peerClass);
    return profile === undefined ? NO_PORTS : this.profiles.get(profile)!;
  }

  /** The distinct ways that addresses went from a class here to a class there. */
  classSteps(later: PeerLookup): ClassStep[] {
    const steps = new Map<string, { before: number; after: number; count: number }>();
    const add = (before: number, after: number): void => {
      const step = steps.get(`${before}>${after}`);
      if (step === undefined) steps.set(`${before}>${after}`, { before, after, count: 1 });
      else step.count++;
    };
    for (const [address, before] of this.classOfAddress) add(before, later.classAt(address));
    for (const [address, after] of later.classOfAddress) if (!this.classOfAddress.has(address)) add(this.classOfRangeAt(address), after);
    for (const first of this.pieceStarts(later)) add(this.classOfRangeAt(first), later.classOfRangeAt(first));
    return [...steps.values()];
  }

  /** `NO_CLASS` where no range is. */
  classOfRangeAt(address: bigint): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle]!.range.last < address) low = middle + 1;
      else high = middle;
    }
    const found = this.ranges[low];
    return found !== undefined && found.range.first <= address ? found.peerClass : NO_CLASS;
  }

  /** The address space cut at every end of a range of either side. */
  private pieceStarts(later: PeerLookup): ReadonlySet<bigint> {
    const starts = new Set([0n]);
    for (const { range } of [...this.ranges, ...later.ranges]) {
      starts.add(range.first);
      if (range.last < LAST_ADDRESS[this.family]) starts.add(range.last + 1n);
    }
    return starts;
  }
}
