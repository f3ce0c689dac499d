// One direction of a live emission: which id each class has in the kernel, and what of classes, ranges and pairs is to change there.
import type { IpFamily, IpRange } from '../base/ip-address.ts';
import { NO_PORTS, subtractPorts, type PortSet } from '../base/port-set.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { Direction } from '../model/network-policy.ts';
import type { ChangeDraft } from './change-draft.ts';
import { classifyRanges, classInRanges, compareRangeClasses, NO_RANGES, type ClassRange, type ClassRanges } from './class-ranges.ts';
import type { Element } from './element.ts';
import { assignClassIds, leftBy, type IdSource } from './ids.ts';
import { NOTHING_ALLOWED } from './merge-classes.ts';
import type { LocalEnd, NodePods } from './node-pods.ts';
import { DISPUTED, type PeerAddresses } from './peer-addresses.ts';
import { NO_CLASS, type ClassStep } from './peer-lookup.ts';
import { diffSet } from './plan-change.ts';
import type { PortSetProfiles, ProfileUse } from './profile-uses.ts';
import { FAMILIES, letterOf, shapeOf } from './set-shape.ts';
import { NO_SLOT, SlotClasses } from './slot-classes.ts';
import { isIsolated } from './takes-away.ts';

export interface SideInput {
  readonly program: Program;
  readonly pods: NodePods;
  /** Sorted, disjoint: addresses in them are single ones or have no class. */
  readonly podRanges: readonly IpRange[];
  readonly draft: ChangeDraft;
  readonly source: IdSource;
  readonly profiles: PortSetProfiles;
}

/** Profiles by class id; ends that held the same may share one. */
export type HeldPairs = Map<LocalEnd, ReadonlyMap<number, ProfileUse>>;

export interface HeldSide {
  readonly ranges: ClassRanges;
  readonly pairs: HeldPairs;
}

/** What pods of this node that stay isolated could do with an id, and can do now with a merged class. */
interface Shift {
  readonly isChanged: boolean;
  readonly portsBefore: (id: number) => PortSet;
  readonly portsAfter: (merged: number) => PortSet;
}

const NO_ID = 0;

export class LiveSide {
  classes: SlotClasses;
  /** Whether atoms have other classes or pod ranges than the ranges were cut by. */
  areRangesDue = true;
  readonly direction: Direction;
  /** By merged class; `NO_ID` for one that has never been used. */
  private ids: number[] = [];
  private heldIds: number[] = [];
  private mergedOfId = new Map<number, number>();
  /** Whether pairs of the merged class were wanted for a family. */
  private heldUses: Readonly<Record<IpFamily, boolean[]>> = { 4: [], 6: [] };
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
  adopt({ ranges, pairs }: HeldSide): void {
    this.heldRanges = ranges;
    this.heldPairs = pairs;
    this.forgetIds();
  }

  /** Before the classes are numbered anew: keeps what the kernel holds by its ids alone. */
  renumber(classes: SlotClasses, ends: readonly LocalEnd[], profiles: PortSetProfiles): void {
    this.heldPairs ??= this.pairsHeld(ends, profiles);
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
    const shifts = isWhole ? this.shiftsOfEnds(input.pods.localEnds, input.profiles) : this.shiftsOfSlots(input);
    if (isWhole) this.assignIds(input.source, shifts, steps.list());
    else isAll = this.renameWidened(input.source, shifts, steps.list()) || isAll;
    this.changeAddresses(input, isAll);
    if (isAll || this.areRangesDue) this.changeRanges(input.draft);
    this.changePairs(input);
    return this.narrows(shifts, steps.list());
  }

  /** All is written. */
  settle(source: IdSource): void {
    const { classes } = this;
    const touched = this.isWhole ? [...classes.members.keys()] : [...classes.dirty];
    for (const merged of touched) this.hold(merged, source);
    for (const merged of classes.settle()) {
      this.ids[merged] = NO_ID;
      this.hold(merged, source);
    }
    for (const id of this.spentIds) source.release(id);
    this.spentIds.clear();
    this.heldPairs = undefined;
    this.areRangesDue = false;
    for (const ids of [this.left.now, this.left.earlier]) for (const id of ids) if (!this.mergedOfId.has(id)) ids.delete(id);
  }

  /** Pairs of an end as the kernel has them. */
  *heldPairsOf(end: LocalEnd, profiles: PortSetProfiles): Generator<[id: number, ProfileUse]> {
    if (this.heldPairs !== undefined) {
      yield* this.heldPairs.get(end) ?? [];
      return;
    }
    const slot = end.heldSlots[this.direction];
    if (slot === NO_SLOT) return;
    for (const [id, merged] of this.mergedOfId) {
      const ports = this.classes.rows[slot]![merged]!;
      if (ports !== NO_PORTS_ID && this.heldUses[end.address.family][merged] === true) yield [id, profiles.useOf(ports)];
    }
  }

  /** As the kernel has them. */
  heldRangesOf(family: IpFamily): readonly ClassRange[] {
    return this.heldRanges[family];
  }

  private hold(merged: number, source: IdSource): void {
    const [before, now] = [this.heldIds[merged] ?? NO_ID, this.ids[merged] ?? NO_ID];
    if (before !== now) {
      if (before !== NO_ID && this.mergedOfId.get(before) === merged) this.mergedOfId.delete(before);
      if (before !== NO_ID) source.release(before);
      if (now !== NO_ID) this.mergedOfId.set(now, merged);
      this.heldIds[merged] = now;
    }
    for (const family of FAMILIES) this.heldUses[family][merged] = now !== NO_ID && this.classes.members[merged] !== undefined && this.classes.isUsed(family, merged);
  }

  private forgetIds(): void {
    this.ids = [];
    this.heldIds = [];
    this.mergedOfId = new Map();
    this.heldUses = { 4: [], 6: [] };
    this.ranges = NO_RANGES;
    this.areRangesDue = true;
  }

  private pairsHeld(ends: readonly LocalEnd[], profiles: PortSetProfiles): HeldPairs {
    const shared = new Map<string, ReadonlyMap<number, ProfileUse>>();
    const pairs: HeldPairs = new Map();
    for (const end of ends) {
      const key = `${end.address.family} ${end.heldSlots[this.direction]}`;
      let held = shared.get(key);
      if (held === undefined) shared.set(key, (held = new Map(this.heldPairsOf(end, profiles))));
      pairs.set(end, held);
    }
    return pairs;
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
    return this.heldIds[merged] === id;
  }

  private collectSteps({ addresses, touched }: NodePods, isAll: boolean, steps: StepTable): void {
    for (const family of FAMILIES) {
      const ofFamily = addresses[family];
      const held = ofFamily.held[this.direction];
      for (const place of isAll ? ofFamily.values.keys() : touched[family]) {
        const after = this.mergedAt(ofFamily, place);
        if (after > 0 ? this.heldIds[after] === held[place] : held[place] === NO_CLASS && this.isWithoutRanges(family)) continue;
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

  /** One for all ends that held the same and have the same slot. */
  private shiftsOfEnds(ends: readonly LocalEnd[], profiles: PortSetProfiles): Shift[] {
    const shifts = new Map<unknown, Map<number, Shift>>();
    for (const end of ends) {
      if (!this.staysIsolated(end)) continue;
      const held = this.heldPairs!.get(end);
      let known = shifts.get(held);
      if (known === undefined) shifts.set(held, (known = new Map()));
      const slot = end.slots[this.direction];
      if (known.has(slot)) continue;
      known.set(slot, { isChanged: true, portsBefore: (id) => held?.get(id)?.profile.ports ?? NO_PORTS, portsAfter: (merged) => this.portsAt(slot, merged, profiles) });
    }
    return [...shifts.values()].flatMap((bySlot) => [...bySlot.values()]);
  }

  private shiftsOfSlots({ pods, profiles }: SideInput): Shift[] {
    const shiftOf = (heldSlot: number, slot: number): Shift => ({
      isChanged: heldSlot !== slot,
      portsBefore: (id) => this.portsAt(heldSlot, this.mergedOfId.get(id), profiles),
      portsAfter: (merged) => this.portsAt(slot, merged, profiles),
    });
    const changed = pods.touchedEnds.filter((end) => this.staysIsolated(end) && end.heldSlots[this.direction] !== end.slots[this.direction]);
    return [
      ...this.classes.keptSlots.map((slot) => shiftOf(slot, slot)),
      ...changed.map(({ heldSlots, slots }) => shiftOf(heldSlots[this.direction], slots[this.direction])),
    ];
  }

  private staysIsolated({ pod, heldPod }: LocalEnd): boolean {
    return pod !== undefined && heldPod !== undefined && isIsolated(pod, this.direction) && isIsolated(heldPod, this.direction);
  }

  private portsAt(slot: number, merged: number | undefined, profiles: PortSetProfiles): PortSet {
    return slot === NO_SLOT || merged === undefined ? NO_PORTS : profiles.portsOf(this.classes.rows[slot]![merged]!);
  }

  private assignIds(source: IdSource, shifts: readonly Shift[], steps: readonly ClassStep[]): void {
    this.ids = assignClassIds({
      classCount: this.classes.count,
      steps,
      leftClasses: new Set([...this.left.now, ...this.left.earlier]),
      source,
      *portPairs(id, merged) {
        for (const { portsBefore, portsAfter } of shifts) yield [portsBefore(id), portsAfter(merged)];
      },
    });
    for (const id of leftBy(steps, this.ids)) this.left.now.add(id);
    const taken = new Set(this.ids);
    for (const { before } of steps) if (before > 0 && !taken.has(before)) this.spentIds.add(before);
  }

  /** An id that addresses leave or left lately is given up where it would mean something wider; gives whether one was. */
  private renameWidened(source: IdSource, shifts: readonly Shift[], steps: readonly ClassStep[]): boolean {
    const { classes, ids, left } = this;
    for (const { before } of steps) if (before > 0) left.now.add(before);
    const changed = shifts.filter(({ isChanged }) => isChanged);
    let isRenamed = false;
    for (const id of changed.length === 0 ? [] : new Set([...left.now, ...left.earlier])) {
      const merged = this.mergedOfId.get(id);
      if (merged === undefined || !changed.some((shift) => isWider(shift.portsAfter(merged), shift.portsBefore(id)))) continue;
      ids[merged] = NO_ID;
      classes.dirty.add(merged);
      isRenamed = true;
    }
    for (const merged of classes.dirty) {
      if (merged !== NOTHING_ALLOWED && (ids[merged] ?? NO_ID) === NO_ID && FAMILIES.some((family) => classes.isUsed(family, merged))) ids[merged] = source.take();
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
    if (merged !== NOTHING_ALLOWED) return merged === NO_CLASS ? NO_CLASS : this.ids[merged]!;
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
    return this.ranges[family].map((range) => ({ ...range, peerClass: this.ids[range.peerClass]! }));
  }

  private changePairs(input: SideInput): void {
    const { classes: { dirty }, direction } = this;
    const { pods } = input;
    const isMoved = (end: LocalEnd): boolean => this.isWhole || end.heldSlots[direction] !== end.slots[direction];
    for (const end of this.isWhole ? pods.localEnds : pods.touchedEnds) if (isMoved(end)) this.changePairsOf(end, input);
    if (this.isWhole || dirty.size === 0) return;
    for (const end of pods.localEnds) if (end.slots[direction] !== NO_SLOT && !isMoved(end)) for (const merged of dirty) this.changePair(end, merged, input);
  }

  private changePairsOf(end: LocalEnd, input: SideInput): void {
    const { profiles } = input;
    const held = new Map(this.heldPairsOf(end, profiles));
    for (const [merged, ports] of this.wantedPairsOf(end)) {
      const id = this.ids[merged]!;
      this.putPair(end, { id, before: held.get(id), after: profiles.useOf(ports) }, input);
      held.delete(id);
    }
    for (const [id, before] of held) this.putPair(end, { id, before, after: undefined }, input);
  }

  /** Merged classes with the id of what is allowed to them. */
  private *wantedPairsOf({ address: { family }, slots }: LocalEnd): Generator<[merged: number, ports: number]> {
    const { classes } = this;
    const row = slots[this.direction] === NO_SLOT ? undefined : classes.rows[slots[this.direction]]!;
    for (let merged = 1; merged < (row === undefined ? 0 : classes.count); merged++) {
      const ports = row![merged]!;
      if (ports !== NO_PORTS_ID && classes.members[merged] !== undefined && classes.isUsed(family, merged)) yield [merged, ports];
    }
  }

  /** Of an end that stays in its slot. */
  private changePair(end: LocalEnd, merged: number, input: SideInput): void {
    const { family } = end.address;
    const ports = this.classes.rows[end.slots[this.direction]]![merged]!;
    const [oldId, id] = [this.heldIds[merged] ?? NO_ID, this.ids[merged] ?? NO_ID];
    const wasUsed = oldId !== NO_ID && this.heldUses[family][merged] === true;
    const isUsed = id !== NO_ID && this.classes.isUsed(family, merged);
    if (ports === NO_PORTS_ID || (!wasUsed && !isUsed)) return;
    const use = input.profiles.useOf(ports);
    const [before, after] = [wasUsed ? use : undefined, isUsed ? use : undefined];
    if (oldId === id) {
      this.putPair(end, { id, before, after }, input);
      return;
    }
    this.putPair(end, { id: oldId, before, after: undefined }, input);
    this.putPair(end, { id, before: undefined, after }, input);
  }

  private putPair({ address: { family, value } }: LocalEnd, { id, before, after }: PairChange, { draft, profiles }: SideInput): void {
    if (before === after) return;
    const key = [value, id];
    if (before !== undefined) profiles.count(before, -1);
    if (after !== undefined) profiles.count(after, 1);
    draft.put(`p${letterOf(this.direction)}${family}`, {
      ...(before === undefined ? {} : { before: { key, data: before.number } }),
      ...(after === undefined ? {} : { after: { key, data: after.number } }),
    });
  }

  private narrows(shifts: readonly Shift[], steps: readonly ClassStep[]): boolean {
    const left = steps.filter(({ before }) => before > 0);
    return shifts.some(({ isChanged, portsBefore, portsAfter }) => {
      const isNarrower = (id: number, merged: number): boolean => isWider(portsBefore(id), merged > 0 ? portsAfter(merged) : NO_PORTS);
      if (left.some(({ before, after }) => isNarrower(before, after))) return true;
      return isChanged && [...this.mergedOfId].some(([id, merged]) => isNarrower(id, merged));
    });
  }
}

interface PairChange {
  readonly id: number;
  readonly before: ProfileUse | undefined;
  readonly after: ProfileUse | undefined;
}

/** Whether `ports` holds something that `limit` does not. */
function isWider(ports: PortSet, limit: PortSet): boolean {
  return ports !== limit && ports !== NO_PORTS && subtractPorts(ports, limit).length > 0;
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
