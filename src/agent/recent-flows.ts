// The flows of the last while on one node, for those who ask without a server: folded, and as they came for those who follow.
import { foldEnd } from '../flow/fold-end.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { sumFlows } from '../flow/sum-flows.ts';
import type { FlowSink } from './flow-sink.ts';

/** Different flows that are kept folded; the one that was longest not seen goes first. */
export const FOLDED_MAX = 4_096;
/** Of what came last, for those who follow. */
export const LATEST_MAX = 4_096;

export interface FlowsPage {
  readonly records: readonly FlowRecord[];
  /** Judgments of which no record tells: the kernel had no room, or these came faster than they were asked for. */
  readonly lost: number;
  /** What `after` takes next time. */
  readonly next: number;
}

interface Arrival {
  /** undefined: it is of what was lost. */
  readonly record: FlowRecord | undefined;
  readonly lost: number;
}

/** A class, for it lives in time. */
export class RecentFlows implements FlowSink {
  readonly #folded = new Map<string, FlowRecord>();
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
    const [source, target] = [foldEnd(record.source), foldEnd(record.target)];
    const key = `${record.verdict} ${endKey(source)} ${endKey(target)} ${record.family} ${record.protocol} ${record.port} ${record.service ?? ''}`;
    const before = this.#folded.get(key);
    const more: FlowRecord = { ...record, source, target };
    this.#folded.delete(key);
    this.#folded.set(key, before === undefined ? more : sumFlows(before, more));
    if (this.#folded.size > FOLDED_MAX) this.#folded.delete(this.#folded.keys().next().value!);
  }
}

function endKey(end: FlowRecord['source']): string {
  if (end.kind === 'outside') return `${end.address.family} ${end.address.value}`;
  const labels = [...end.labels].map(([key, value]) => `${key}=${value}`).join();
  return `${end.namespace}/${end.workload.kind}/${end.workload.name}/${end.pod ?? ''} ${end.node ?? ''} ${labels}`;
}
