// What several nodes told of the same connections, as sums by flow: kept until all of it has come, then told as one.
import type { FlowRecord, FlowVerdict } from '../flow/flow-record.ts';
import { joinViews, positionOf } from '../flow/join-views.ts';
import { parsedEnd, type Dictionaries } from './dictionaries.ts';
import { DENIED_FLAG, IPV6_FLAG } from './flow-keys.ts';
import type { Seen } from './wanted-flows.ts';

const RECORDS_AT_ONCE = 1_000;

/** A class, for it grows until it is asked. */
export class JoinedSums {
  readonly #passages: readonly (readonly number[])[];
  readonly #sums: Map<number, Seen | undefined>;

  /** `flows`: of either verdict; without those of which nothing of the wanted one can come. */
  constructor(known: Dictionaries, flows: readonly number[], verdict: FlowVerdict | undefined) {
    const isWanted = (flow: number): boolean => verdict === undefined || verdictOf(known, flow) === verdict;
    this.#passages = passagesOf(known, flows).filter((passage) => passage.length > 1 && passage.some(isWanted));
    this.#sums = new Map(this.#passages.flat().map((flow) => [flow, undefined]));
  }

  get size(): number {
    return this.#sums.size;
  }

  has(flow: number): boolean {
    return this.#sums.has(flow);
  }

  put(flow: number, seen: Seen): void {
    this.#sums.set(flow, seen);
  }

  /** Each connection once; some at a time. */
  *records(recordOf: (flow: number, seen: Seen) => FlowRecord): Generator<readonly FlowRecord[]> {
    let records: FlowRecord[] = [];
    for (const passage of this.#passages) {
      const views = passage.flatMap((flow) => {
        const seen = this.#sums.get(flow);
        return seen === undefined ? [] : [recordOf(flow, seen)];
      });
      records.push(...joinViews(views));
      if (records.length < RECORDS_AT_ONCE) continue;
      yield records;
      records = [];
    }
    yield records;
  }
}

export function verdictOf({ flows: { columns } }: Dictionaries, flow: number): FlowVerdict {
  return (columns.flags[flow]! & DENIED_FLAG) === 0 ? 'allowed' : 'denied';
}

/** The same ends and traffic between two nodes. */
function passagesOf(known: Dictionaries, flows: readonly number[]): readonly (readonly number[])[] {
  const { source, target, protocol, port, flags, node } = known.flows.columns;
  const passages = new Map<string, number[]>();
  for (const flow of flows) {
    const ends = { source: parsedEnd(known, source[flow]!)!, target: parsedEnd(known, target[flow]!)! };
    if (positionOf({ ...ends, node: known.names.textOf(node[flow]!) }) === undefined) continue;
    const key = `${source[flow]} ${target[flow]} ${protocol[flow]} ${port[flow]} ${flags[flow]! & IPV6_FLAG}`;
    const passage = passages.get(key);
    if (passage === undefined) passages.set(key, [flow]);
    else passage.push(flow);
  }
  return [...passages.values()];
}
