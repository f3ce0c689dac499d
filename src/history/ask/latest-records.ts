// Of records that come in any order, so many of the latest.
import type { FlowRecord } from '../../flow/flow-record.ts';

/** Beside those that are kept, before they are sorted out; as many as are kept where that is more. */
const SPARE_MIN = 10_000;

/** A class, for it is filled. */
export class LatestRecords {
  readonly #limit: number;
  #kept: FlowRecord[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(records: readonly FlowRecord[]): void {
    for (const record of records) this.#kept.push(record);
    if (this.#kept.length > this.#limit + Math.max(this.#limit, SPARE_MIN)) this.#kept = this.records();
  }

  /** As many as are wanted were last seen then or later. */
  isFullFrom(time: number): boolean {
    return this.#kept.filter(({ lastSeen }) => lastSeen >= time).length >= this.#limit;
  }

  /** The latest first. */
  records(): FlowRecord[] {
    return this.#kept.toSorted((a, b) => b.lastSeen - a.lastSeen).slice(0, this.#limit);
  }
}
