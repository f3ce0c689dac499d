// Peer classes of one direction of a Program merged by what the subjects of a node's pods allow them, kept up as subjects and classes come and go.
import type { IpFamily } from '../base/ip-address.ts';
import { subtractPorts } from '../base/port-set.ts';
import { withRoom } from '../compile/number-list.ts';
import { NO_PORTS_ID, type PortSetTable } from '../compile/port-set-table.ts';
import type { DirectionProgram } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import { NOTHING_ALLOWED } from './merge-classes.ts';
import { FAMILIES } from './set-shape.ts';

/** The slot of a pod that is not isolated, or of which nothing is known. */
export const NO_SLOT = -1;

const NO_SUBJECT = -1;
const NOT_MERGED = -1;

/**
 * A slot is a subject that pods of the node have. Classes with the same entry in every slot are merged when they come; a
 * slot that comes may part them, and one that goes leaves them as they are. So a merged class may be one of two that are
 * alike, until all is merged anew.
 */
export class SlotClasses {
  /** Port set ids by slot, then by merged class. Of a slot that was left they stay until `settle`. */
  readonly rows: Int32Array[] = [];
  /** Classes of the Program by merged class; undefined for a number that is free. */
  readonly members: (number[] | undefined)[] = [[]];
  /** Merged classes that lost or got their first address of a family since the last `settle`, or are new. */
  readonly dirty: Set<number> = new Set();
  /** Whether classes have changed their merged class since the last `settle`. */
  isParted = false;
  private readonly subjects: number[] = [];
  private readonly podCounts: number[] = [];
  private readonly slotOfSubject = new Map<number, number>();
  private readonly leftSlots: number[] = [];
  private readonly openedSlots = new Set<number>();
  private readonly freeSlots: number[] = [];
  private readonly freeMerged: number[] = [];
  private merged = new Int32Array(0);
  private addressCounts: Readonly<Record<IpFamily, Int32Array>> = { 4: new Int32Array(0), 6: new Int32Array(0) };
  private readonly counts: Readonly<Record<IpFamily, number[]>> = { 4: [0], 6: [0] };
  private rangeUses: Readonly<Record<IpFamily, ReadonlySet<number>>> = { 4: new Set(), 6: new Set() };
  private classesOfRanges: ReadonlySet<number> = new Set();
  /** Classes that may have lost their last address. */
  private readonly suspects = new Set<number>();
  /** Sum over the slots of a number for each entry: equal columns have equal ones. */
  private readonly hashes: number[] = [0];
  private byHash: Map<number, number[]> | undefined;
  private liveRows: { readonly side: DirectionProgram; readonly rows: readonly SlotRow[] } | undefined;
  private readonly portSets: PortSetTable;

  constructor(portSets: PortSetTable) {
    this.portSets = portSets;
  }

  /** Numbers of merged classes, free ones included. */
  get count(): number {
    return this.members.length;
  }

  /** How many merged classes there are. */
  get usedCount(): number {
    return this.members.length - this.freeMerged.length;
  }

  /** `before`: what the pod's slot in the kernel holds, if it stays isolated; of a class that is parted the part that it opens no wider keeps the number. */
  enterSlot(side: DirectionProgram, subject: number, before: Int32Array | undefined): number {
    const slot = this.slotOfSubject.get(subject) ?? this.openSlot(side, subject, before);
    this.podCounts[slot]!++;
    return slot;
  }

  leaveSlot(slot: number): void {
    if (--this.podCounts[slot]! > 0) return;
    // The Program may give the subject's number to another.
    this.slotOfSubject.delete(this.subjects[slot]!);
    this.subjects[slot] = NO_SUBJECT;
    this.leftSlots.push(slot);
    const row = this.rows[slot]!;
    for (let merged = 0; merged < this.count; merged++) this.hashes[merged] = (this.hashes[merged]! - entryHash(slot, row[merged]!)) | 0;
    this.forgetIndex();
  }

  /** Slots that pods have now and had at the last `settle`. */
  get keptSlots(): number[] {
    return [...this.slotOfSubject.values()].filter((slot) => !this.openedSlots.has(slot));
  }

  subjectAt(slot: number): number {
    return this.subjects[slot]!;
  }

  /** Of a class that has one. */
  mergedAt(peerClass: number): number {
    return this.merged[peerClass]!;
  }

  mergedOf(side: DirectionProgram, peerClass: number): number {
    if (peerClass >= this.merged.length) this.makeRoom(peerClass + 1);
    const known = this.merged[peerClass]!;
    return known === NOT_MERGED ? this.mergeClass(side, peerClass) : known;
  }

  countAddress(side: DirectionProgram, family: IpFamily, peerClass: number): void {
    const merged = this.mergedOf(side, peerClass);
    this.addressCounts[family][peerClass]!++;
    if (++this.counts[family][merged]! === 1) this.dirty.add(merged);
  }

  uncountAddress(family: IpFamily, peerClass: number): void {
    const merged = this.merged[peerClass]!;
    if (--this.addressCounts[family][peerClass]! === 0) this.suspects.add(peerClass);
    if (--this.counts[family][merged]! === 0) this.dirty.add(merged);
  }

  /** Whether any address or range of the family has the merged class. */
  isUsed(family: IpFamily, merged: number): boolean {
    return this.counts[family][merged]! > 0 || this.rangeUses[family].has(merged);
  }

  /** `classes` of the Program that atoms have now, and the merged classes of the ranges. */
  useInRanges(classes: ReadonlySet<number>, uses: Readonly<Record<IpFamily, ReadonlySet<number>>>): void {
    for (const peerClass of this.classesOfRanges) this.suspects.add(peerClass);
    for (const set of [...Object.values(this.rangeUses), ...Object.values(uses)]) for (const merged of set) this.dirty.add(merged);
    this.classesOfRanges = classes;
    this.rangeUses = uses;
  }

  isOfRanges(merged: number): boolean {
    return this.rangeUses[4].has(merged) || this.rangeUses[6].has(merged);
  }

  /** Gives up what nothing uses; gives the merged classes that are no more. */
  settle(): number[] {
    const gone: number[] = [];
    for (const peerClass of this.suspects) if (this.isUnused(peerClass)) this.dropClass(peerClass, gone);
    this.suspects.clear();
    this.dirty.clear();
    this.isParted = false;
    for (const slot of this.leftSlots) this.freeSlots.push(slot);
    this.leftSlots.length = 0;
    this.openedSlots.clear();
    return gone;
  }

  private isUnused(peerClass: number): boolean {
    return this.addressCounts[4][peerClass] === 0 && this.addressCounts[6][peerClass] === 0 && !this.classesOfRanges.has(peerClass);
  }

  private dropClass(peerClass: number, gone: number[]): void {
    const merged = this.merged[peerClass]!;
    if (merged === NOT_MERGED) return;
    this.merged[peerClass] = NOT_MERGED;
    const rest = this.members[merged]!.filter((member) => member !== peerClass);
    this.members[merged] = rest;
    if (rest.length > 0 || merged === NOTHING_ALLOWED) return;
    this.members[merged] = undefined;
    this.freeMerged.push(merged);
    gone.push(merged);
  }

  private openSlot(side: DirectionProgram, subject: number, before: Int32Array | undefined): number {
    const slot = this.freeSlots.pop() ?? this.rows.length;
    this.rows[slot] = new Int32Array(this.rows[0]?.length ?? this.count);
    this.makeRowRoom();
    this.subjects[slot] = subject;
    this.podCounts[slot] = 0;
    this.slotOfSubject.set(subject, slot);
    this.openedSlots.add(slot);
    const row = side.rowOf(subject);
    for (let merged = 0, end = this.count; merged < end; merged++) this.partClass(merged, { slot, row }, before);
    this.forgetIndex();
    return slot;
  }

  private partClass(merged: number, { slot, row }: SlotRow, before: Int32Array | undefined): void {
    const members = this.members[merged];
    if (members === undefined || members.length === 0) return;
    const parts = new Map<number, number[]>();
    for (const peerClass of members) {
      const ports = row.at(peerClass);
      const part = parts.get(ports);
      if (part === undefined) parts.set(ports, [peerClass]);
      else part.push(peerClass);
    }
    const kept = merged === NOTHING_ALLOWED ? NO_PORTS_ID : this.keptPart(parts, before?.[merged]);
    this.members[merged] = parts.get(kept) ?? [];
    this.setEntry(slot, merged, kept);
    for (const [ports, part] of parts) if (ports !== kept) this.takeOut(merged, part, { slot, ports });
  }

  /** The one of most addresses of those that are no wider than before, if there are any. */
  private keptPart(parts: ReadonlyMap<number, readonly number[]>, before: number | undefined): number {
    const isNoWider = (ports: number): boolean => before === undefined || ports === before || subtractPorts(this.portSets.portSet(ports), this.portSets.portSet(before)).length === 0;
    const sizeOf = (part: readonly number[]): number => part.reduce((sum, peerClass) => sum + this.addressCounts[4][peerClass]! + this.addressCounts[6][peerClass]!, 0);
    const ranked = [...parts].map(([ports, part]) => ({ ports, isNoWider: isNoWider(ports), size: sizeOf(part) }));
    return ranked.reduce((best, other) => (Number(other.isNoWider) - Number(best.isNoWider) || other.size - best.size) > 0 ? other : best).ports;
  }

  private takeOut(origin: number, part: number[], { slot, ports }: SlotEntry): void {
    const merged = this.makeMerged(part);
    for (const row of this.rows) row[merged] = row[origin]!;
    this.hashes[merged] = (this.hashes[origin]! - entryHash(slot, this.rows[slot]![origin]!)) | 0;
    this.rows[slot]![merged] = NO_PORTS_ID;
    this.setEntry(slot, merged, ports);
    for (const peerClass of part) this.merged[peerClass] = merged;
    for (const family of FAMILIES) {
      const moved = part.reduce((sum, peerClass) => sum + this.addressCounts[family][peerClass]!, 0);
      this.counts[family][merged] = moved;
      this.counts[family][origin]! -= moved;
    }
    this.dirty.add(origin);
    this.isParted = true;
  }

  private mergeClass(side: DirectionProgram, peerClass: number): number {
    const column = this.rowsOf(side).map(({ slot, row }) => ({ slot, ports: row.at(peerClass) }));
    const hash = column.reduce((sum, { slot, ports }) => (sum + entryHash(slot, ports)) | 0, 0);
    const index = this.index();
    let merged = index.get(hash)?.find((other) => this.members[other] !== undefined && column.every(({ slot, ports }) => this.rows[slot]![other] === ports));
    if (merged === undefined) {
      merged = this.makeMerged([]);
      for (const { slot, ports } of column) this.setEntry(slot, merged, ports);
      addTo(index, hash, merged);
    }
    this.members[merged]!.push(peerClass);
    return (this.merged[peerClass] = merged);
  }

  private rowsOf(side: DirectionProgram): readonly SlotRow[] {
    if (this.liveRows?.side === side) return this.liveRows.rows;
    const rows = [...this.slotOfSubject].map(([subject, slot]) => ({ slot, row: side.rowOf(subject) }));
    this.liveRows = { side, rows };
    return rows;
  }

  private makeMerged(classes: number[]): number {
    const merged = this.freeMerged.pop() ?? this.members.length;
    this.members[merged] = classes;
    this.hashes[merged] = 0;
    for (const family of FAMILIES) this.counts[family][merged] = 0;
    this.makeRowRoom();
    for (const row of this.rows) row[merged] = NO_PORTS_ID;
    this.dirty.add(merged);
    return merged;
  }

  private setEntry(slot: number, merged: number, ports: number): void {
    const row = this.rows[slot]!;
    this.hashes[merged] = (this.hashes[merged]! - entryHash(slot, row[merged]!) + entryHash(slot, ports)) | 0;
    row[merged] = ports;
  }

  /** By the columns over the slots there are now. */
  private index(): Map<number, number[]> {
    if (this.byHash !== undefined) return this.byHash;
    const byHash = new Map<number, number[]>();
    for (let merged = 0; merged < this.count; merged++) if (this.members[merged] !== undefined) addTo(byHash, this.hashes[merged]!, merged);
    return (this.byHash = byHash);
  }

  private forgetIndex(): void {
    this.byHash = undefined;
    this.liveRows = undefined;
  }

  private makeRowRoom(): void {
    for (const [slot, row] of this.rows.entries()) this.rows[slot] = withRoom(row, this.count);
  }

  private makeRoom(classCount: number): void {
    const { length } = this.merged;
    this.merged = withRoom(this.merged, classCount);
    this.merged.fill(NOT_MERGED, length);
    this.addressCounts = { 4: withRoom(this.addressCounts[4], this.merged.length), 6: withRoom(this.addressCounts[6], this.merged.length) };
  }
}

interface SlotRow {
  readonly slot: number;
  readonly row: Row;
}

interface SlotEntry {
  readonly slot: number;
  readonly ports: number;
}

/** 0 where nothing is allowed, so that slots that came later or were left count for nothing. */
function entryHash(slot: number, ports: number): number {
  if (ports === NO_PORTS_ID) return 0;
  const mixed = Math.imul(Math.imul(slot + 1, 0x9e3779b1) ^ ports, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function addTo(index: Map<number, number[]>, hash: number, merged: number): void {
  const list = index.get(hash);
  if (list === undefined) index.set(hash, [merged]);
  else list.push(merged);
}
