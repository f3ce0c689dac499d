// What several nodes told of the same connections, as sums by flow: kept until all of it has come, then told as one.
import { setImmediate } from 'node:timers/promises';
import type { FlowRecord, FlowVerdict } from '../flow/flow-record.ts';
import { joinViews, positionOf } from '../flow/join-views.ts';
import { ENDS_MAX, parsedEnd, type Dictionaries } from './dictionaries.ts';
import { DENIED_FLAG, IPV6_FLAG } from './flow-keys.ts';
import type { Seen } from './wanted-flows.ts';

export const RECORDS_AT_ONCE: number = 1_000;
/** Flows that are looked at before others have their turn. */
const FLOWS_AT_ONCE = 1 << 14;
const NONE = -1;
/** Columns of a sum. */
const SEEN = 4;

export interface Wanted {
  /** Last seen from then on, and before. */
  readonly from: number;
  readonly before: number;
  /** Whether flows like it are wanted: the same for those of one connection and verdict. */
  readonly isWanted: (flow: number) => boolean;
}

/** In plain arrays: there are millions of flows. A class, for it is filled until it is asked. */
export class JoinedSums {
  readonly #known: Dictionaries;
  /** Passage by passage. */
  readonly #flows: Int32Array;
  /** Where each passage begins in them, and where the last one ends. */
  readonly #starts: readonly number[];
  /** By flow, its place in them. */
  readonly #places: Int32Array;
  /** By place: count, openings, first and last seen. A count of 0: nothing was seen. */
  readonly #sums: Float64Array;

  private constructor(known: Dictionaries, passages: Iterable<readonly number[]>) {
    this.#known = known;
    this.#places = new Int32Array(known.flows.end).fill(NONE);
    const starts = [0];
    const flows: number[] = [];
    for (const passage of passages) {
      for (const flow of passage) this.#places[flow] = flows.push(flow) - 1;
      starts.push(flows.length);
    }
    this.#flows = Int32Array.from(flows);
    this.#starts = starts;
    this.#sums = new Float64Array(flows.length * SEEN);
  }

  /** `flows`: of either verdict; without those of which nothing of the wanted one can come. */
  static async of(known: Dictionaries, flows: readonly number[], verdict: FlowVerdict | undefined): Promise<JoinedSums> {
    const isWanted = (flow: number): boolean => verdict === undefined || verdictOf(known, flow) === verdict;
    const passages = await findPassages(known, flows);
    return new JoinedSums(known, passages.filter((passage) => passage.length > 1 && passage.some(isWanted)));
  }

  has(flow: number): boolean {
    return (this.#places[flow] ?? NONE) !== NONE;
  }

  put(flow: number, { count, openings = Number.NaN, firstSeen, lastSeen }: Seen): void {
    this.#sums.set([count, openings, firstSeen, lastSeen], this.#places[flow]! * SEEN);
  }

  /** So that at least so many connections were last seen then or later. */
  lastSeenOf(connections: number): number {
    const all = new Float64Array(this.#starts.length - 1).map((_, passage) => this.#lastSeen(passage)).sort();
    return all[all.length - connections] ?? Number.NEGATIVE_INFINITY;
  }

  /** Each connection once; some at a time. */
  async *records(recordOf: (flow: number, seen: Seen) => FlowRecord, { from, before, isWanted }: Wanted): AsyncGenerator<readonly FlowRecord[]> {
    let records: FlowRecord[] = [];
    for (let passage = 0; passage < this.#starts.length - 1; passage++) {
      const lastSeen = this.#lastSeen(passage);
      if (lastSeen < from || lastSeen >= before) continue;
      const wanted = new Set([...this.#flows.subarray(this.#starts[passage], this.#starts[passage + 1])].filter(isWanted).map((flow) => verdictOf(this.#known, flow)));
      if (wanted.size === 0) continue;
      records.push(...joinViews(this.#views(passage, recordOf)).filter(({ verdict }) => wanted.has(verdict)));
      if (records.length < RECORDS_AT_ONCE) continue;
      yield records;
      records = [];
      await setImmediate();
    }
    yield records;
  }

  /** Of one of which nothing was seen 0. */
  #lastSeen(passage: number): number {
    let last = 0;
    for (let place = this.#starts[passage]!; place < this.#starts[passage + 1]!; place++) last = Math.max(last, this.#sums[place * SEEN + 3]!);
    return last;
  }

  #views(passage: number, recordOf: (flow: number, seen: Seen) => FlowRecord): readonly FlowRecord[] {
    const views: FlowRecord[] = [];
    for (let place = this.#starts[passage]!; place < this.#starts[passage + 1]!; place++) {
      const [count, openings, firstSeen, lastSeen] = this.#sums.subarray(place * SEEN, (place + 1) * SEEN) as unknown as readonly [number, number, number, number]; // as they were put
      if (count > 0) views.push(recordOf(this.#flows[place]!, { count, openings: Number.isNaN(openings) ? undefined : openings, firstSeen, lastSeen }));
    }
    return views;
  }
}

export function verdictOf({ flows: { columns } }: Dictionaries, flow: number): FlowVerdict {
  return (columns.flags[flow]! & DENIED_FLAG) === 0 ? 'allowed' : 'denied';
}

/** The same ends and traffic between two nodes. */
async function findPassages(known: Dictionaries, flows: readonly number[]): Promise<readonly (readonly number[])[]> {
  const { source, target, protocol, port, flags, node } = known.flows.columns;
  const pairs = new Map<number, number>();
  const numbers = new Map<number, number>();
  const passages: number[][] = [];
  for (const [index, flow] of flows.entries()) {
    if (index % FLOWS_AT_ONCE === FLOWS_AT_ONCE - 1) await setImmediate();
    const ends = { source: parsedEnd(known, source[flow]!)!, target: parsedEnd(known, target[flow]!)! };
    if (positionOf({ ...ends, node: known.names.textOf(node[flow]!) }) === undefined) continue;
    const pair = numberOf(pairs, source[flow]! * ENDS_MAX + target[flow]!);
    const traffic = (port[flow]! << 9) | (protocol[flow]! << 1) | ((flags[flow]! & IPV6_FLAG) === 0 ? 0 : 1);
    const passage = numberOf(numbers, pair * 2 ** 25 + traffic);
    (passages[passage] ??= []).push(flow);
  }
  return passages;
}

function numberOf(numbers: Map<number, number>, key: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}
