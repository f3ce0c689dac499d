// One direction of a live emission: which id each class has in the kernel, and what of classes, ranges and pairs is to change there.
import type { IpFamily, IpRange } from '../base/ip-address.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { Direction } from '../model/network-policy.ts';
import type { ChangeDraft } from './change-draft.ts';
import { classifyRanges, classInRanges, compareRangeClasses, NO_RANGES, type ClassRange, type ClassRanges } from './class-ranges.ts';
import type { Element } from './element.ts';
import { assignClassIds, leftBy, type IdSource } from './ids.ts';
import { NOTHING_ALLOWED } from './merge-classes.ts';
import { MergedIds, NO_ID } from './merged-ids.ts';
import type { LocalEnd, NodePods } from './node-pods.ts';
import { changePairs, gatherHeldPairs, heldPairsOf, type HeldPairs, type PairState } from './pair-changes.ts';
import { DISPUTED, type PeerAddresses } from './peer-addresses.ts';
import { NO_CLASS, type ClassStep } from './peer-lookup.ts';
import { diffSet } from './plan-change.ts';
import type { PortSetProfiles, ProfileUse } from './profile-uses.ts';
import { FAMILIES, letterOf, shapeOf } from './set-shape.ts';
import { areNarrower, findShifts, isWider, type Shift } from './shifts.ts';
import type { SlotClasses } from './slot-classes.ts';

export interface SideInput {
  readonly program: Program;
  readonly pods: NodePods;
  /** Sorted, disjoint: addresses in them are single ones or have no class. */
  readonly podRanges: readonly IpRange[];
  readonly draft: ChangeDraft;
  readonly source: IdSource;
  readonly profiles: PortSetProfiles;
}

export interface HeldSide {
  readonly ranges: ClassRanges;
  readonly pairs: HeldPairs;
  /** Of all classes that addresses or ranges have. */
  readonly ids: readonly number[];
}

export class LiveSide {
  classes: SlotClasses;
  /** Whether atoms have other classes or pod ranges than the ranges were cut by. */
  areRangesDue = true;
  readonly direction: Direction;
  private readonly ids = new MergedIds();
  /** By merged class, and as the kernel has them by id. */
  private ranges: ClassRanges = NO_RANGES;
  private heldRanges: ClassRanges = NO_RANGES;
  /** Where classes are numbered anew: all that the kernel holds. */
  private heldPairs: HeldPairs | undefined;
  /** Ids of before that classes have not taken over. */
  private readonly spentIds = new Set<number>();
  /** Ids that addresses left since the last two calls of `forgetLeft`. */
  private readonly left = { now: new Set<number>(), earlier: new Set<number>() };

  constructor(direction: Direction, classes: SlotClasses) {
    this.direction = direction;
    this.classes = classes;
  }

  get isWhole(): boolean {
    return this.heldPairs !== undefined;
  }

  forgetLeft(): void {
    this.left.earlier = this.left.now;
    this.left.now = new Set();
  }

  /** Begins anew with what the kernel holds now. */
  adopt({ ranges, pairs, ids }: HeldSide): void {
    this.heldRanges = ranges;
    this.heldPairs = pairs;
    this.forgetIds();
    // Nobody knows which of them addresses have left a moment ago, by a change that broke off or one of an earlier process.
    for (const id of ids) if (id > 0) this.left.now.add(id);
  }

  /** Before the classes are numbered anew: keeps what the kernel holds by its ids alone. */
  renumber(classes: SlotClasses, ends: readonly LocalEnd[], profiles: PortSetProfiles): void {
    this.heldPairs ??= gatherHeldPairs(this.state, ends, profiles);
    this.classes = classes;
    this.forgetIds();
  }

  /** Gives whether something that was allowed is not any more. */
  plan(input: SideInput): boolean {
    const { isWhole, classes } = this;
    let isAll = isWhole || classes.isParted;
    const steps = new StepTable();
    if (isAll || this.areRangesDue) isAll = this.cutRanges(input, steps) || isAll;
    this.collectSteps(input.pods, isAll, steps);
    const shifts = findShifts(this.state, input.pods, input.profiles);
    if (isWhole) this.assignIds(input.source, shifts, steps.list());
    else isAll = this.renameWidened(input.source, shifts, steps.list()) || isAll;
    this.changeAddresses(input, isAll);
    if (isAll || this.areRangesDue) this.changeRanges(input.draft);
    changePairs(this.state, input.pods, input);
    return areNarrower(shifts, steps.list(), this.state);
  }

  /** All is written. */
  settle(source: IdSource): void {
    const { classes, ids } = this;
    for (const merged of this.isWhole ? classes.members.keys() : classes.dirty) ids.hold(merged, { classes, source });
    for (const merged of classes.settle()) {
      ids.set(merged, NO_ID);
      ids.hold(merged, { classes, source });
    }
    for (const id of this.spentIds) source.release(id);
    this.spentIds.clear();
    this.heldPairs = undefined;
    this.areRangesDue = false;
    for (const left of [this.left.now, this.left.earlier]) for (const id of left) if (ids.mergedOf(id) === undefined) left.delete(id);
  }

  /** Pairs of an end as the kernel has them. */
  heldPairsOf(end: LocalEnd, profiles: PortSetProfiles): Iterable<[id: number, ProfileUse]> {
    return heldPairsOf(this.state, end, profiles);
  }

  /** As the kernel has them. */
  heldRangesOf(family: IpFamily): readonly ClassRange[] {
    return this.heldRanges[family];
  }

  private get state(): PairState {
    const { direction, classes, ids, heldPairs } = this;
    return { direction, classes, ids, heldPairs };
  }

  private forgetIds(): void {
    this.ids.forget();
    this.ranges = NO_RANGES;
    this.areRangesDue = true;
  }

  /** Gives whether addresses have come into ranges, or are not in any more: then those that nothing is allowed get entries or lose them. */
  private cutRanges({ program, podRanges }: SideInput, steps: StepTable): boolean {
    const side: DirectionProgram = program[this.direction];
    const classes = new Set<number>();
    this.ranges = classifyRanges(program, (atom) => {
      classes.add(side.classOfAtom[atom]!);
      return this.classes.mergedOf(side, side.classOfAtom[atom]!);
    }, podRanges);
    const uses = (family: IpFamily): Set<number> => new Set(this.ranges[family].map(({ peerClass }) => peerClass));
    this.classes.useInRanges(classes, { 4: uses(4), 6: uses(6) });
    let isCoverChanged = false;
    for (const family of FAMILIES) {
      compareRangeClasses(this.heldRanges[family], this.ranges[family], (before, after) => {
        if ((before === NO_CLASS) !== (after === NO_CLASS)) isCoverChanged = true;
        if (!this.isSame(before, after)) steps.add(before, after);
      });
    }
    return isCoverChanged;
  }

  /** Where classes are numbered anew, what stays is a step too. */
  private isSame(id: number, merged: number): boolean {
    if (id <= 0 || merged <= 0) return id <= 0 && merged <= 0;
    return this.ids.heldIdOf(merged) === id;
  }

  private collectSteps({ addresses, touched }: NodePods, isAll: boolean, steps: StepTable): void {
    for (const family of FAMILIES) {
      const ofFamily = addresses[family];
      const held = ofFamily.held[this.direction];
      for (const place of isAll ? ofFamily.values.keys() : touched[family]) {
        const after = this.mergedAt(ofFamily, place);
        if (after > 0 ? this.ids.heldIdOf(after) === held[place] : held[place] === NO_CLASS && this.isWithoutRanges(family)) continue;
        const value = ofFamily.values[place]!;
        const before = held[place] === NO_CLASS ? classInRanges(this.heldRanges[family], value) : held[place]!;
        const now = after === NO_CLASS ? classInRanges(this.ranges[family], value) : after;
        if (!this.isSame(before, now)) steps.add(before, now);
      }
    }
  }

  private isWithoutRanges(family: IpFamily): boolean {
    return this.heldRanges[family].length === 0 && this.ranges[family].length === 0;
  }

  /** `NO_CLASS` where the address has no class of its own. */
  private mergedAt({ classes }: PeerAddresses, place: number): number {
    const peerClass = classes[this.direction][place]!;
    return peerClass >= 0 ? this.classes.mergedAt(peerClass) : peerClass === DISPUTED ? NOTHING_ALLOWED : NO_CLASS;
  }

  private assignIds(source: IdSource, shifts: readonly Shift[], steps: readonly ClassStep[]): void {
    const ids = assignClassIds({
      classCount: this.classes.count,
      steps,
      leftClasses: new Set([...this.left.now, ...this.left.earlier]),
      source,
      *portPairs(id, merged) {
        for (const { portsBefore, portsAfter } of shifts) yield [portsBefore(id), portsAfter(merged)];
      },
    });
    this.ids.setAll(ids);
    for (const id of leftBy(steps, ids)) this.left.now.add(id);
    const taken = new Set(ids);
    for (const { before } of steps) if (before > 0 && !taken.has(before)) this.spentIds.add(before);
  }

  /** An id that addresses leave or left lately is given up where it would mean something wider; gives whether one was. */
  private renameWidened(source: IdSource, shifts: readonly Shift[], steps: readonly ClassStep[]): boolean {
    const { classes, ids, left } = this;
    for (const { before } of steps) if (before > 0) left.now.add(before);
    const changed = shifts.filter(({ isChanged }) => isChanged);
    let isRenamed = false;
    for (const id of changed.length === 0 ? [] : new Set([...left.now, ...left.earlier])) {
      const merged = ids.mergedOf(id);
      if (merged === undefined || !changed.some((shift) => isWider(shift.portsAfter(merged), shift.portsBefore(id)))) continue;
      ids.set(merged, NO_ID);
      classes.dirty.add(merged);
      isRenamed = true;
    }
    for (const merged of classes.dirty) {
      if (merged !== NOTHING_ALLOWED && ids.idOf(merged) === NO_ID && FAMILIES.some((family) => classes.isUsed(family, merged))) ids.set(merged, source.take());
    }
    return isRenamed;
  }

  private changeAddresses({ pods: { addresses, touched }, draft }: SideInput, isAll: boolean): void {
    for (const family of FAMILIES) {
      const ofFamily = addresses[family];
      const held = ofFamily.held[this.direction];
      const set = `pc${letterOf(this.direction)}${family}` as const;
      for (const place of isAll ? ofFamily.values.keys() : touched[family]) {
        const before = held[place]!;
        const after = this.idAt(ofFamily, place);
        if (before === after) continue;
        const key = [ofFamily.values[place]!];
        draft.put(set, { ...(before === NO_CLASS ? {} : { before: { key, data: before } }), ...(after === NO_CLASS ? {} : { after: { key, data: after } }) });
        held[place] = after;
      }
    }
  }

  /** One that nothing is allowed has an entry where it would be looked up among the ranges otherwise. */
  private idAt(addresses: PeerAddresses, place: number): number {
    const merged = this.mergedAt(addresses, place);
    if (merged !== NOTHING_ALLOWED) return merged === NO_CLASS ? NO_CLASS : this.ids.idOf(merged);
    return classInRanges(this.ranges[addresses.family], addresses.values[place]!) === NO_CLASS ? NO_CLASS : NOTHING_ALLOWED;
  }

  private changeRanges(draft: ChangeDraft): void {
    const wanted = { 4: this.withIds(4), 6: this.withIds(6) };
    for (const family of FAMILIES) {
      const set = `bc${letterOf(this.direction)}${family}` as const;
      draft.putDiff(set, diffSet(shapeOf(set), this.heldRanges[family].map(rangeElement), wanted[family].map(rangeElement)));
    }
    this.heldRanges = wanted;
  }

  private withIds(family: IpFamily): ClassRange[] {
    return this.ranges[family].map((range) => ({ ...range, peerClass: this.ids.idOf(range.peerClass) }));
  }
}

function rangeElement({ first, last, peerClass }: ClassRange): Element {
  return { key: [first], last: [last], data: peerClass };
}

class StepTable {
  private readonly steps = new Map<string, { readonly before: number; readonly after: number; count: number }>();

  add(before: number, after: number): void {
    const key = `${before}>${after}`;
    const step = this.steps.get(key);
    if (step === undefined) this.steps.set(key, { before, after, count: 1 });
    else step.count++;
  }

  list(): ClassStep[] {
    return [...this.steps.values()];
  }
}
