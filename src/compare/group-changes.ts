// Changes of a comparison in groups that a person can read: sources that gained (or lost) the same towards the same targets are one.
import type { PortSet } from '../base/port-set.ts';
import { isOutside } from '../analyze/endpoints.ts';
import type { Change, Comparison } from './compare.ts';

/** Every source to every target; an end on both sides stands for its pods among themselves, a single pod for nothing. */
export interface ChangeGroup {
  /** Indices of `endpoints`, ascending. */
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  readonly ports: PortSet;
}

export interface GroupedChanges {
  readonly gained: readonly ChangeGroup[];
  readonly lost: readonly ChangeGroup[];
  /** Connections of ends that only one of the two has. */
  readonly appeared: readonly ChangeGroup[];
  readonly vanished: readonly ChangeGroup[];
  /** Ordered pairs of ends with any change; all ranges of the outside count as one end. */
  readonly gainedPairs: number;
  readonly lostPairs: number;
}

export function groupChanges(comparison: Comparison): GroupedChanges {
  const hasOneOnly = ({ source, target }: Change): boolean => comparison.presence[source] !== 'both' || comparison.presence[target] !== 'both';
  const folders = { gained: new Folder(comparison), lost: new Folder(comparison), appeared: new Folder(comparison), vanished: new Folder(comparison) };
  const pairs = { gained: new PairCount(comparison), lost: new PairCount(comparison) };
  for (const change of comparison.changes()) {
    const isOfOne = hasOneOnly(change);
    if (change.gained.length > 0) {
      pairs.gained.add(change);
      folders[isOfOne ? 'appeared' : 'gained'].add(change, change.gained);
    }
    if (change.lost.length > 0) {
      pairs.lost.add(change);
      folders[isOfOne ? 'vanished' : 'lost'].add(change, change.lost);
    }
  }
  return {
    gained: folders.gained.groups(),
    lost: folders.lost.groups(),
    appeared: folders.appeared.groups(),
    vanished: folders.vanished.groups(),
    gainedPairs: pairs.gained.count(),
    lostPairs: pairs.lost.count(),
  };
}

class PairCount {
  private ofPods = 0;
  private readonly fromOutside = new Set<number>();
  private readonly toOutside = new Set<number>();
  private readonly comparison: Comparison;

  constructor(comparison: Comparison) {
    this.comparison = comparison;
  }

  add({ source, target }: Change): void {
    const { endpoints } = this.comparison;
    if (isOutside(endpoints[source]!)) this.fromOutside.add(target);
    else if (isOutside(endpoints[target]!)) this.toOutside.add(source);
    else this.ofPods++;
  }

  count(): number {
    return this.ofPods + this.fromOutside.size + this.toOutside.size;
  }
}

/** What one source gained on the same ports. */
interface Fan {
  readonly source: number;
  readonly targets: number[];
  readonly ports: PortSet;
}

/**
 * A single pod has no pair with itself, so its fan may be taken with or without itself: `web → api` and `api → web`
 * are one group of both. It is taken the way that more sources share.
 */
class Folder {
  private readonly fans: Fan[] = [];
  private current = new Map<string, Fan>();
  private source = -1;
  private readonly comparison: Comparison;

  constructor(comparison: Comparison) {
    this.comparison = comparison;
  }

  /** Changes come sorted by source. */
  add({ source, target }: Change, ports: PortSet): void {
    if (source !== this.source) this.current = new Map();
    this.source = source;
    const key = ports.join();
    let fan = this.current.get(key);
    if (fan === undefined) {
      this.current.set(key, (fan = { source, targets: [], ports }));
      this.fans.push(fan);
    }
    fan.targets.push(target);
  }

  groups(): ChangeGroup[] {
    const counts = new Map<string, number>();
    const choices = this.fans.map((fan) => this.choicesOf(fan));
    for (const choice of choices) for (const { key } of choice) counts.set(key, (counts.get(key) ?? 0) + 1);
    const groups = new Map<string, ChangeGroup & { readonly sources: number[] }>();
    for (const [index, choice] of choices.entries()) {
      const best = choice.reduce((a, b) => (counts.get(b.key)! > counts.get(a.key)! ? b : a));
      const { source, ports } = this.fans[index]!;
      let group = groups.get(best.key);
      if (group === undefined) groups.set(best.key, (group = { sources: [], targets: best.targets, ports }));
      group.sources.push(source);
    }
    return [...groups.values()];
  }

  private choicesOf({ source, targets, ports }: Fan): { readonly key: string; readonly targets: readonly number[] }[] {
    const keyed = (list: readonly number[]) => ({ key: `${ports.join()} ${list.join()}`, targets: list });
    const endpoint = this.comparison.endpoints[source]!;
    const isAlone = 'pods' in endpoint && endpoint.pods === 1;
    return isAlone ? [keyed(targets), keyed([...targets, source].sort((a, b) => a - b))] : [keyed(targets)];
  }
}
