// Ids of classes and profiles that keep their meaning from one emission to the next, so that look-ups mixed across a change never open.
import { subtractPorts, type PortSet } from '../base/port-set.ts';
import { NO_CLASS, type ClassStep } from './peer-lookup.ts';
import { EMPTY_RULESET, ID_MAX, type Profile, type Ruleset } from './ruleset.ts';

/** What the next emission has to know of those before it. */
export interface EmittedIds {
  /** The ruleset that the ids stand in. */
  readonly ruleset: Ruleset;
  readonly nextId: number;
  /** Class ids that some address left since the last `settleIds`: a packet of that address may still hold them. */
  readonly leftClasses: ReadonlySet<number>;
}

export const NO_IDS: EmittedIds = { ruleset: EMPTY_RULESET, nextId: 1, leftClasses: new Set() };

/**
 * Forgets which packets could still hold an old id. For whoever knows that a second has passed since the last change
 * was committed: no packet takes that long between two look-ups. Without it ids stay right and only turn over faster.
 */
export function settleIds(ids: EmittedIds): EmittedIds {
  return { ...ids, leftClasses: new Set() };
}

/** Gives ids that nothing has. */
export class IdSource {
  next: number;
  private readonly taken: Set<number>;

  constructor(next: number, taken: Iterable<number>) {
    this.next = next;
    this.taken = new Set(taken);
  }

  /** After `ID_MAX` it begins anew: sixteen million ids later no packet holds the old ones. */
  take(): number {
    for (;;) {
      const id = this.next;
      this.next = id === ID_MAX ? 1 : id + 1;
      if (this.taken.has(id)) continue;
      this.taken.add(id);
      return id;
    }
  }

  release(id: number): void {
    this.taken.delete(id);
  }
}

export function idsAfter({ ruleset, nextId }: EmittedIds): IdSource {
  return new IdSource(nextId, [
    ...ruleset.profiles.map((profile) => profile.id),
    ...ruleset.podClasses.map((entry) => entry.peerClass),
    ...ruleset.rangeClasses.map((entry) => entry.peerClass),
  ]);
}

/** Profiles by their ports: the id of the last emission where it had these ports. */
export class ProfileIds {
  private readonly source: IdSource;
  private readonly held: ReadonlyMap<string, number>;
  private readonly used = new Map<string, Profile>();

  constructor(previous: EmittedIds, source: IdSource) {
    this.source = source;
    this.held = new Map(previous.ruleset.profiles.map(({ id, ports }) => [ports.join(), id]));
  }

  idOf(ports: PortSet): number {
    const text = ports.join();
    let profile = this.used.get(text);
    if (profile === undefined) this.used.set(text, (profile = { id: this.held.get(text) ?? this.source.take(), ports }));
    return profile.id;
  }

  get profiles(): Profile[] {
    return [...this.used.values()];
  }
}

export interface ClassIdInput {
  readonly classCount: number;
  /** How addresses went from ids of the last emission to classes of this one, both families. */
  readonly steps: readonly ClassStep[];
  readonly leftClasses: ReadonlySet<number>;
  readonly source: IdSource;
  /** Ports of every local pod isolated before and after: with the old id, and with the new class. */
  readonly portPairs: (oldId: number, newClass: number) => Iterable<readonly [before: PortSet, after: PortSet]>;
}

/**
 * Id of each class; 0 for class 0. A class takes over an old id whose addresses it has, if nobody leaves that id or left
 * it lately, or if it means nothing wider than before: then a packet that looked up the old id and finds the new pair
 * gets what its address may have, or what the id allowed when it was read.
 */
export function assignClassIds(input: ClassIdInput): number[] {
  const ids = new Array<number>(input.classCount).fill(0);
  const givenAway = new Set<number>();
  const candidates = input.steps.filter(({ before, after }) => before > 0 && after > 0).sort((a, b) => b.count - a.count);
  for (const { before, after } of candidates) {
    if (ids[after] !== 0 || givenAway.has(before) || !mayTakeOver(input, before, after)) continue;
    ids[after] = before;
    givenAway.add(before);
  }
  return ids.map((id, index) => (index > 0 && id === 0 ? input.source.take() : id));
}

/** Ids that addresses leave with these steps. */
export function leftBy(steps: readonly ClassStep[], ids: readonly number[]): number[] {
  return steps.filter(({ before, after }) => before > 0 && (after === NO_CLASS || ids[after] !== before)).map(({ before }) => before);
}

function mayTakeOver(input: ClassIdInput, oldId: number, newClass: number): boolean {
  const staysWhole = !input.leftClasses.has(oldId) && input.steps.every(({ before, after }) => before !== oldId || after === newClass);
  if (staysWhole) return true;
  for (const [before, after] of input.portPairs(oldId, newClass)) {
    if (before !== after && subtractPorts(after, before).length > 0) return false;
  }
  return true;
}
