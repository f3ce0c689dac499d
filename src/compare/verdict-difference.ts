// What is gained and lost between two ends of two Programs, as sets of ports that are worked out once.
import { subtractPorts, type PortSet } from '../base/port-set.ts';
import { VerdictsFrom } from '../analyze/verdicts-from.ts';
import { PairTable } from '../compile/pair-table.ts';
import { ALL_PORTS_ID, NO_PORTS_ID, type PortSetTable } from '../compile/port-set-table.ts';
import type { JointQuad } from './joint-endpoint.ts';
import type { ProgramPair } from './program-pair.ts';

export interface PortChange {
  readonly gained: PortSet;
  readonly lost: PortSet;
}

/** Port set ids, those of `after` translated into ids of `before`. */
export interface JointPorts {
  readonly before: number;
  readonly after: number;
}

export class VerdictDifference {
  private readonly before: VerdictsFrom;
  private readonly after: VerdictsFrom;
  private readonly portSets: PortSetTable;
  private readonly translate: (id: number) => number;
  private readonly places = new PairTable();
  private readonly changes: PortChange[] = [];

  constructor({ before, after }: ProgramPair, translate: (id: number) => number) {
    this.before = new VerdictsFrom(before);
    this.after = new VerdictsFrom(after);
    this.portSets = before.portSets;
    this.translate = translate;
  }

  setSource({ before, after }: JointQuad): void {
    this.before.setSource(before);
    this.after.setSource(after);
  }

  /** What the policies let through from the source that was set. */
  portsTowards(target: JointQuad): JointPorts {
    return { before: this.before.towards(target.before), after: this.translate(this.after.towards(target.after)) };
  }

  /** undefined: nothing is gained or lost. */
  towards(target: JointQuad): PortChange | undefined {
    const before = this.before.towards(target.before);
    const after = this.translate(this.after.towards(target.after));
    return before === after ? undefined : this.changeOf(before, after);
  }

  changeOf(before: number, after: number): PortChange | undefined {
    if (before === after) return undefined;
    let place = this.places.get(before, after);
    if (place < 0) {
      const [old, now] = [this.portSets.portSet(before), this.portSets.portSet(after)];
      place = this.changes.push({ gained: subtractPorts(now, old), lost: subtractPorts(old, now) }) - 1;
      this.places.set(before, after, place);
    }
    return this.changes[place];
  }
}

/** Port set ids of `after` as ids of `before`, so that equal sets compare as equal numbers. */
export function portTranslation({ before, after }: ProgramPair): (id: number) => number {
  const known = [NO_PORTS_ID, ALL_PORTS_ID];
  return (id) => {
    while (known.length <= id) known.push(before.portSets.intern(after.portSets.portSet(known.length)));
    return known[id]!;
  };
}
