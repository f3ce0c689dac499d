// Ids of the merged classes of one direction: what the kernel holds, and what it is to hold.
import type { IpFamily } from '../base/ip-address.ts';
import type { IdSource } from './ids.ts';
import { FAMILIES } from './set-shape.ts';
import type { SlotClasses } from './slot-classes.ts';

/** Of a merged class that has never been used. */
export const NO_ID = 0;

export class MergedIds {
  private ids: number[] = [];
  private heldIds: number[] = [];
  private mergedByHeldId = new Map<number, number>();
  /** Whether pairs of the merged class are held for a family. */
  private heldUses: Readonly<Record<IpFamily, boolean[]>> = { 4: [], 6: [] };

  idOf(merged: number): number {
    return this.ids[merged] ?? NO_ID;
  }

  heldIdOf(merged: number): number {
    return this.heldIds[merged] ?? NO_ID;
  }

  /** The merged class that has the id in the kernel. */
  mergedOf(heldId: number): number | undefined {
    return this.mergedByHeldId.get(heldId);
  }

  /** Held ids with their merged classes. */
  get held(): ReadonlyMap<number, number> {
    return this.mergedByHeldId;
  }

  /** Whether the kernel has pairs of the class, for addresses of the family. */
  isHeldUsed(family: IpFamily, merged: number): boolean {
    return this.heldIdOf(merged) !== NO_ID && this.heldUses[family][merged] === true;
  }

  /** Whether the kernel is to have pairs of the class. */
  isWanted(classes: SlotClasses, family: IpFamily, merged: number): boolean {
    return this.idOf(merged) !== NO_ID && classes.isUsed(family, merged);
  }

  set(merged: number, id: number): void {
    this.ids[merged] = id;
  }

  setAll(ids: number[]): void {
    this.ids = ids;
  }

  /** All of it is written. */
  hold(merged: number, { classes, source }: { readonly classes: SlotClasses; readonly source: IdSource }): void {
    const [before, now] = [this.heldIdOf(merged), this.idOf(merged)];
    if (before !== now) {
      if (before !== NO_ID) {
        this.mergedByHeldId.delete(before);
        source.release(before);
      }
      if (now !== NO_ID) this.mergedByHeldId.set(now, merged);
      this.heldIds[merged] = now;
    }
    for (const family of FAMILIES) this.heldUses[family][merged] = classes.members[merged] !== undefined && this.isWanted(classes, family, merged);
  }

  /** The numbers of merged classes mean nothing any more. */
  forget(): void {
    this.ids = [];
    this.heldIds = [];
    this.mergedByHeldId = new Map();
    this.heldUses = { 4: [], 6: [] };
  }
}
