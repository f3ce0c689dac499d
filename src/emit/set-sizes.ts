// How many elements each set of a node has, and the end of a change that would make one larger than it may be.
import type { Elements } from './element.ts';
import type { SetName } from './set-shape.ts';

/** Of a change that cannot be: whoever planned it begins anew with less. */
export class SetOverflow extends Error {
  constructor(set: SetName, max: number) {
    super(`set ${set} would hold more than ${max} elements`);
  }
}

/** What comes may be counted before what goes for it, all of a set at most. */
const MIDWAY_MAX = 2;

export class SetSizes {
  private readonly sizes = new Map<SetName, number>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  reset(elements: Elements): void {
    for (const [set, list] of elements) this.sizes.set(set, list.length);
  }

  /** Throws SetOverflow where so much cannot go again, so that nobody makes the rest. */
  add(set: SetName, count: number): void {
    const size = (this.sizes.get(set) ?? 0) + count;
    this.sizes.set(set, size);
    if (size > MIDWAY_MAX * this.max) throw new SetOverflow(set, this.max);
  }

  /** At the end of a change. Throws SetOverflow. */
  check(): void {
    for (const [set, size] of this.sizes) if (size > this.max) throw new SetOverflow(set, this.max);
  }
}
