// What pods of a node that stay isolated could do before a change and can do after it, slot by slot.
import { NO_PORTS, subtractPorts, type PortSet } from '../base/port-set.ts';
import type { LocalEnd, NodePods } from './node-pods.ts';
import type { HeldPairs, PairState } from './pair-changes.ts';
import type { ClassStep } from './peer-lookup.ts';
import type { PortSetProfiles } from './profile-uses.ts';
import { NO_SLOT } from './slot-classes.ts';
import { isIsolated } from './takes-away.ts';

export interface Shift {
  /** Whether pods went to another slot. */
  readonly isChanged: boolean;
  /** With an id of the kernel. */
  readonly portsBefore: (id: number) => PortSet;
  /** With a merged class. */
  readonly portsAfter: (merged: number) => PortSet;
}

export function findShifts(state: PairState, pods: NodePods, profiles: PortSetProfiles): Shift[] {
  return state.heldPairs === undefined ? shiftsOfSlots(state, pods, profiles) : shiftsOfEnds({ ...state, heldPairs: state.heldPairs }, pods.localEnds, profiles);
}

/** Whether something is refused after the steps that was allowed before. */
export function areNarrower(shifts: readonly Shift[], steps: readonly ClassStep[], { ids }: PairState): boolean {
  const left = steps.filter(({ before }) => before > 0);
  return shifts.some(({ isChanged, portsBefore, portsAfter }) => {
    const isNarrower = (id: number, merged: number): boolean => isWider(portsBefore(id), merged > 0 ? portsAfter(merged) : NO_PORTS);
    if (left.some(({ before, after }) => isNarrower(before, after))) return true;
    return isChanged && [...ids.held].some(([id, merged]) => isNarrower(id, merged));
  });
}

/** Whether `ports` holds something that `limit` does not. */
export function isWider(ports: PortSet, limit: PortSet): boolean {
  return ports !== limit && ports !== NO_PORTS && subtractPorts(ports, limit).length > 0;
}

/** One for all ends that held the same and have the same slot. */
function shiftsOfEnds(state: PairState & { readonly heldPairs: HeldPairs }, ends: readonly LocalEnd[], profiles: PortSetProfiles): Shift[] {
  const shifts = new Map<unknown, Map<number, Shift>>();
  for (const end of ends) {
    if (!staysIsolated(state, end)) continue;
    const held = state.heldPairs.get(end);
    let known = shifts.get(held);
    if (known === undefined) shifts.set(held, (known = new Map()));
    const slot = end.slots[state.direction];
    if (known.has(slot)) continue;
    known.set(slot, { isChanged: true, portsBefore: (id) => held?.get(id)?.profile.ports ?? NO_PORTS, portsAfter: (merged) => portsAt(state, { slot, merged }, profiles) });
  }
  return [...shifts.values()].flatMap((bySlot) => [...bySlot.values()]);
}

function shiftsOfSlots(state: PairState, pods: NodePods, profiles: PortSetProfiles): Shift[] {
  const { direction, classes, ids } = state;
  const shiftOf = (heldSlot: number, slot: number): Shift => ({
    isChanged: heldSlot !== slot,
    portsBefore: (id) => portsAt(state, { slot: heldSlot, merged: ids.mergedOf(id) }, profiles),
    portsAfter: (merged) => portsAt(state, { slot, merged }, profiles),
  });
  const changed = pods.touchedEnds.filter((end) => staysIsolated(state, end) && end.heldSlots[direction] !== end.slots[direction]);
  return [
    ...classes.keptSlots.map((slot) => shiftOf(slot, slot)),
    ...changed.map(({ heldSlots, slots }) => shiftOf(heldSlots[direction], slots[direction])),
  ];
}

function staysIsolated({ direction }: PairState, { pod, heldPod }: LocalEnd): boolean {
  return pod !== undefined && heldPod !== undefined && isIsolated(pod, direction) && isIsolated(heldPod, direction);
}

function portsAt({ classes }: PairState, { slot, merged }: { readonly slot: number; readonly merged: number | undefined }, profiles: PortSetProfiles): PortSet {
  return slot === NO_SLOT || merged === undefined ? NO_PORTS : profiles.portsOf(classes.rows[slot]![merged]!);
}
