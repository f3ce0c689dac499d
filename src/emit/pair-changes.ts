// Pairs of one direction: not stored, but told from slots, merged classes and ids as the kernel has them and as it is to have them.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Direction } from '../model/network-policy.ts';
import type { ChangeDraft } from './change-draft.ts';
import { NO_ID, type MergedIds } from './merged-ids.ts';
import type { LocalEnd, NodePods } from './node-pods.ts';
import type { PortSetProfiles, ProfileUse } from './profile-uses.ts';
import { letterOf } from './set-shape.ts';
import { NO_SLOT, type SlotClasses } from './slot-classes.ts';

/** Profiles by class id; ends that held the same may share one. */
export type HeldPairs = Map<LocalEnd, ReadonlyMap<number, ProfileUse>>;

/** What pairs of a direction follow from. */
export interface PairState {
  readonly direction: Direction;
  readonly classes: SlotClasses;
  readonly ids: MergedIds;
  /** Where classes were numbered anew: all that the kernel holds. */
  readonly heldPairs: HeldPairs | undefined;
}

export interface PairOutput {
  readonly draft: ChangeDraft;
  readonly profiles: PortSetProfiles;
}

/** Pairs of an end as the kernel has them. */
export function* heldPairsOf({ direction, classes, ids, heldPairs }: PairState, end: LocalEnd, profiles: PortSetProfiles): Generator<[id: number, ProfileUse]> {
  if (heldPairs !== undefined) {
    yield* heldPairs.get(end) ?? [];
    return;
  }
  const slot = end.heldSlots[direction];
  if (slot === NO_SLOT) return;
  for (const [id, merged] of ids.held) {
    const ports = classes.rows[slot]![merged]!;
    if (ports !== NO_PORTS_ID && ids.isHeldUsed(end.address.family, merged)) yield [id, profiles.useOf(ports)];
  }
}

/** Of all ends, where all that the kernel holds is about to be known by its ids alone. */
export function gatherHeldPairs(state: PairState, ends: readonly LocalEnd[], profiles: PortSetProfiles): HeldPairs {
  const shared = new Map<string, ReadonlyMap<number, ProfileUse>>();
  const pairs: HeldPairs = new Map();
  for (const end of ends) {
    const key = `${end.address.family} ${end.heldSlots[state.direction]}`;
    let held = shared.get(key);
    if (held === undefined) shared.set(key, (held = new Map(heldPairsOf(state, end, profiles))));
    pairs.set(end, held);
  }
  return pairs;
}

/** Ends that went to another slot have other pairs with all classes, the others with those that are dirty. */
export function changePairs(state: PairState, pods: NodePods, output: PairOutput): void {
  const { classes: { dirty }, direction, heldPairs } = state;
  const isWhole = heldPairs !== undefined;
  const isMoved = (end: LocalEnd): boolean => isWhole || end.heldSlots[direction] !== end.slots[direction];
  for (const end of isWhole ? pods.localEnds : pods.touchedEnds) if (isMoved(end)) changePairsOf(state, end, output);
  if (isWhole || dirty.size === 0) return;
  for (const end of pods.localEnds) if (end.slots[direction] !== NO_SLOT && !isMoved(end)) for (const merged of dirty) changePair(state, { end, merged }, output);
}

function changePairsOf(state: PairState, end: LocalEnd, output: PairOutput): void {
  const held = new Map(heldPairsOf(state, end, output.profiles));
  for (const [merged, ports] of wantedPairsOf(state, end)) {
    const id = state.ids.idOf(merged);
    putPair(state, { end, id, before: held.get(id), after: output.profiles.useOf(ports) }, output);
    held.delete(id);
  }
  for (const [id, before] of held) putPair(state, { end, id, before, after: undefined }, output);
}

/** Merged classes with the id of what is allowed to them. */
function* wantedPairsOf({ direction, classes, ids }: PairState, { address: { family }, slots }: LocalEnd): Generator<[merged: number, ports: number]> {
  const row = slots[direction] === NO_SLOT ? [] : classes.rows[slots[direction]]!;
  for (let merged = 1; merged < Math.min(row.length, classes.count); merged++) {
    if (row[merged] !== NO_PORTS_ID && classes.members[merged] !== undefined && ids.isWanted(classes, family, merged)) yield [merged, row[merged]!];
  }
}

/** Of an end that stays in its slot. */
function changePair(state: PairState, { end, merged }: { readonly end: LocalEnd; readonly merged: number }, output: PairOutput): void {
  const { direction, classes, ids } = state;
  const { family } = end.address;
  const ports = classes.rows[end.slots[direction]]![merged]!;
  const [wasUsed, isUsed] = [ids.isHeldUsed(family, merged), ids.isWanted(classes, family, merged)];
  if (ports === NO_PORTS_ID || (!wasUsed && !isUsed)) return;
  const use = output.profiles.useOf(ports);
  const [before, after] = [wasUsed ? use : undefined, isUsed ? use : undefined];
  const [oldId, id] = [ids.heldIdOf(merged), ids.idOf(merged)];
  if (oldId === id) {
    putPair(state, { end, id, before, after }, output);
    return;
  }
  if (oldId !== NO_ID) putPair(state, { end, id: oldId, before, after: undefined }, output);
  if (id !== NO_ID) putPair(state, { end, id, before: undefined, after }, output);
}

interface PairChange {
  readonly end: LocalEnd;
  readonly id: number;
  readonly before: ProfileUse | undefined;
  readonly after: ProfileUse | undefined;
}

function putPair({ direction }: PairState, { end: { address: { family, value } }, id, before, after }: PairChange, { draft, profiles }: PairOutput): void {
  if (before === after) return;
  const key = [value, id];
  if (before !== undefined) profiles.count(before, -1);
  if (after !== undefined) profiles.count(after, 1);
  draft.put(`p${letterOf(direction)}${family}`, {
    ...(before === undefined ? {} : { before: { key, data: before.number } }),
    ...(after === undefined ? {} : { after: { key, data: after.number } }),
  });
}
