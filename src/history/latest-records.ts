// Of records that come in any order, so many of the latest.
import type { FlowRecord } from '../flow/flow-record.ts';

/** Beside those that are kept, before they are sorted out. */
const SPARE = 10_000;

/** A class, for it is filled. */
export class LatestRecords {
  readonly #limit: number;
  #kept: FlowRecord[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(records: readonly FlowRecord[]): void {
    for (const record of records) this.#kept.push(record);
    if (this.#kept.length > this.#limit + SPARE) this.#kept = this.records();
  }

  /** The latest first. */
  records(): FlowRecord[] {
    return this.#kept.toSorted((a, b) => b.lastSeen - a.lastSeen).slice(0, this.#limit);
  }
}
