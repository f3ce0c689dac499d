// What several nodes told of the same connections, as sums by flow: kept until all of it has come, then told as one.
import { setImmediate } from 'node:timers/promises';
import type { FlowRecord, FlowVerdict } from '../../flow/flow-record.ts';
import { joinPassage } from '../../flow/join-views.ts';
import type { Dictionaries } from '../store/dictionaries.ts';
import { DENIED_FLAG, NONE } from '../store/flow-keys.ts';
import { findPassages, flowsOfPassage, type Passages } from './passages.ts';
import type { Seen } from './wanted-flows.ts';

export const RECORDS_AT_ONCE: number = 1_000;
/** Columns of a sum. */
const SEEN = 4;

/** A class, for it is filled until it is asked. */
export class JoinedSums {
  readonly #known: Dictionaries;
  readonly #passages: Passages;
  /** By flow: count, openings, first and last seen. A count of 0: nothing was seen. */
  readonly #sums: Float64Array;

  private constructor(known: Dictionaries, passages: Passages) {
    this.#known = known;
    this.#passages = passages;
    this.#sums = new Float64Array(known.flows.end * SEEN);
  }

  /** `flows`: of either verdict; without those of which nothing of the wanted one can come. */
  static async of(known: Dictionaries, flows: readonly number[], verdict: FlowVerdict | undefined): Promise<JoinedSums> {
    const passages = await findPassages(known, flows);
    const { next } = passages;
    const firsts = passages.firsts.filter((first) => {
      const told = flowsOfPassage(passages, first);
      const isJoined = told.length > 1 && (verdict === undefined || told.some((flow) => verdictOf(known, flow) === verdict));
      if (!isJoined) for (const flow of told) next[flow] = NONE;
      return isJoined;
    });
    return new JoinedSums(known, { firsts, next });
  }

  has(flow: number): boolean {
    return (this.#passages.next[flow] ?? NONE) !== NONE;
  }

  /** With all that may be told of the same connections. */
  withJoined(flows: Iterable<number>): readonly number[] {
    const found = new Set(flows);
    for (const flow of found) if (this.has(flow)) found.add(this.#passages.next[flow]!);
    return [...found];
  }

  put(flow: number, { count, openings = Number.NaN, firstSeen, lastSeen }: Seen): void {
    const at = flow * SEEN;
    this.#sums[at] = count;
    this.#sums[at + 1] = openings;
    this.#sums[at + 2] = firstSeen;
    this.#sums[at + 3] = lastSeen;
  }

  /** Each connection of which something was seen once; some at a time. `isWanted` says the same for flows of one connection and verdict. */
  async *records(recordOf: (flow: number, seen: Seen) => FlowRecord, isWanted: (flow: number) => boolean): AsyncGenerator<readonly FlowRecord[]> {
    let records: FlowRecord[] = [];
    for (const first of this.#passages.firsts) {
      const flows = flowsOfPassage(this.#passages, first);
      const views = flows.flatMap((flow) => this.#viewOf(flow, recordOf));
      if (views.length === 0) continue;
      const wanted = new Set(flows.filter(isWanted).map((flow) => verdictOf(this.#known, flow)));
      records.push(...joinPassage(views).filter(({ verdict }) => wanted.has(verdict)));
      if (records.length < RECORDS_AT_ONCE) continue;
      yield records;
      records = [];
      await setImmediate();
    }
    yield records;
  }

  #viewOf(flow: number, recordOf: (flow: number, seen: Seen) => FlowRecord): FlowRecord | readonly [] {
    const [count, openings, firstSeen, lastSeen] = this.#sums.subarray(flow * SEEN, (flow + 1) * SEEN) as unknown as readonly [number, number, number, number]; // as they were put
    return count === 0 ? [] : recordOf(flow, { count, openings: Number.isNaN(openings) ? undefined : openings, firstSeen, lastSeen });
  }
}

export function verdictOf({ flows: { columns } }: Dictionaries, flow: number): FlowVerdict {
  return (columns.flags[flow]! & DENIED_FLAG) === 0 ? 'allowed' : 'denied';
}
