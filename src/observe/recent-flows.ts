// The flows of the last while on one node, for those who ask without a server: folded, and as they came for those who follow.
import type { FlowEnd, FlowRecord } from '../flow/flow-record.ts';
import { foldEnd } from '../flow/fold-end.ts';
import { sumFlows } from '../flow/sum-flows.ts';
import type { FlowSink } from './flow-sink.ts';

/** Different flows that are kept folded; the one that was longest not seen goes first. */
export const FOLDED_MAX = 4_096;
/** Ends that are known by a number; more than all that is kept folded can have. */
const ENDS_MAX = 4 * FOLDED_MAX;
/** Of what came last, for those who follow. */
export const LATEST_MAX = 4_096;

export interface FlowsPage {
  readonly records: readonly FlowRecord[];
  /** Judgments of which no record tells: the kernel had no room, or these came faster than they were asked for. */
  readonly lost: number;
  /** What `after` takes next time. */
  readonly next: number;
}

interface FoldedEnd {
  readonly end: FlowEnd;
  readonly number: number;
}

interface Arrival {
  /** undefined: it is of what was lost. */
  readonly record: FlowRecord | undefined;
  readonly lost: number;
}

/** A class, for it lives in time. */
export class RecentFlows implements FlowSink {
  #folded = new Map<string, FlowRecord>();
  #ends = new Map<string, FoldedEnd>();
  /** By ends as they are drained, which are the same objects time and again: their texts are long, and made once. */
  #known = new WeakMap<FlowEnd, FoldedEnd>();
  #latest: Arrival[] = [];
  /** Number of the first of `latest`. */
  #first = 0;
  #lost = 0;
  readonly #waiting = new Set<() => void>();

  take(records: readonly FlowRecord[], lost: number): void {
    this.#lost += lost;
    for (const record of records) {
      this.#fold(record);
      this.#latest.push({ record, lost: 0 });
    }
    if (lost > 0) this.#latest.push({ record: undefined, lost });
    const tooMany = this.#latest.length - LATEST_MAX;
    if (tooMany > 0) {
      this.#latest = this.#latest.slice(tooMany);
      this.#first += tooMany;
    }
    if (records.length === 0 && lost === 0) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Folded, those first that were longest not seen. */
  all(): FlowsPage {
    return { records: [...this.#folded.values()], lost: this.#lost, next: this.#first + this.#latest.length };
  }

  /** What came since; a number that nobody gave, as after the agent began anew, is from the beginning. */
  after(number: number): FlowsPage {
    const next = this.#first + this.#latest.length;
    const from = number > next ? 0 : number;
    const arrivals = this.#latest.slice(Math.max(0, from - this.#first));
    const missed = Math.max(0, this.#first - from);
    return { records: arrivals.flatMap(({ record }) => record ?? []), lost: missed + arrivals.reduce((sum, { lost }) => sum + lost, 0), next };
  }

  /** Calls back once, when something more has come; gives what takes it back. */
  onMore(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  #fold(record: FlowRecord): void {
    if (this.#ends.size > ENDS_MAX) this.#forgetEnds();
    const [source, target] = [this.#endOf(record.source), this.#endOf(record.target)];
    const { verdict, family, protocol, port, service = '' } = record;
    const key = [verdict, source.number, target.number, family, protocol, port, service].join(' '); // one piece, where a template keeps all of its parts
    const before = this.#folded.get(key);
    const more: FlowRecord = { ...record, source: source.end, target: target.end };
    this.#folded.delete(key);
    this.#folded.set(key, before === undefined ? more : sumFlows(before, more));
    if (this.#folded.size > FOLDED_MAX) this.#folded.delete(this.#folded.keys().next().value!);
  }

  #endOf(end: FlowEnd): FoldedEnd {
    let folded = this.#known.get(end);
    if (folded !== undefined) return folded;
    const own = foldEnd(end);
    const key = endKey(own);
    folded = this.#ends.get(key);
    if (folded === undefined) this.#ends.set(key, (folded = { end: own, number: this.#ends.size }));
    this.#known.set(end, folded);
    return folded;
  }

  /** All but those of what is kept. */
  #forgetEnds(): void {
    const kept = this.#folded.values();
    this.#folded = new Map();
    this.#ends = new Map();
    this.#known = new WeakMap();
    for (const record of kept) this.#fold(record);
  }
}

function endKey(end: FlowEnd): string {
  if (end.kind === 'outside') return `${end.address.family} ${end.address.value} ${end.node ?? ''} ${end.isOwnNode} ${end.names.join()}`; // each pod by what it looked up
  const labels = [...end.labels].map(([key, value]) => `${key}=${value}`).join();
  return `${end.namespace}/${end.workload.kind}/${end.workload.name}/${end.pod ?? ''} ${end.node ?? ''} ${labels}`;
}
