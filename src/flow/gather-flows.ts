// Lines of flows become a table, and what cannot be taken is counted by its reason.
import type { Pod } from '../model/cluster.ts';
import type { UnknownEnd } from './filter-flows.ts';
import { endKey } from './flow-ends.ts';
import type { FlowRecord } from './flow-record.ts';
import { FlowTable } from './flow-table.ts';
import { FlowJoining } from './join-views.ts';
import { readFlow, type LeftOut } from './read-flow.ts';
import { UntoldPods } from './untold-pods.ts';

export interface BrokenLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface GatherOptions {
  /** Milliseconds since 1970; flows last seen before are left out. */
  readonly sinceMs?: number | undefined;
  /** Milliseconds since 1970; flows first seen after it are left out. */
  readonly untilMs?: number | undefined;
  /** Milliseconds since 1970; what was seen before, in whatever time is asked for, is remembered for `isNew`. */
  readonly newSinceMs?: number | undefined;
  /** Pods whose workloads flows may not tell. */
  readonly pods?: readonly Pod[] | undefined;
  /** Of records that are judged; else they are read over. */
  readonly keepsReasons?: boolean | undefined;
}

/** Broken lines that are kept; the rest is counted. */
const BROKEN_KEPT_MAX = 20;

/** A class, for it grows. */
export class FlowGathering {
  readonly #asked: Folding;
  /** What was seen before `newSinceMs`. */
  readonly #earlier: Folding | undefined;
  readonly #pods: UntoldPods;
  readonly leftOut: Map<LeftOut, number> = new Map();
  readonly broken: BrokenLine[] = [];
  brokenLines: number = 0;
  /** Words that name nobody, as a server says. */
  readonly unknownEnds: UnknownEnd[] = [];
  /** Files of which the last line was not whole. */
  readonly cutOff: string[] = [];
  /** Flows that the recorder says it lost, beside those that found no room here. */
  lostBefore: number = 0;
  /** Lines of flows that were taken. */
  taken: number = 0;
  readonly #sinceMs: number;
  readonly #untilMs: number;
  readonly #newSinceMs: number;
  #known: ReadonlySet<string> | undefined;

  constructor({ sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY, newSinceMs = Number.NEGATIVE_INFINITY, pods = [], keepsReasons = false }: GatherOptions = {}) {
    this.#sinceMs = sinceMs;
    this.#untilMs = untilMs;
    this.#newSinceMs = newSinceMs;
    this.#asked = new Folding(keepsReasons);
    this.#earlier = newSinceMs === Number.NEGATIVE_INFINITY ? undefined : new Folding(false);
    this.#pods = new UntoldPods(pods);
  }

  /** To be asked for when all is added: what several nodes told is joined then, and pods that were seen from afar find their workloads. */
  get table(): FlowTable {
    const foldings = this.#earlier === undefined ? [this.#asked] : [this.#asked, this.#earlier];
    for (const folding of foldings) folding.join();
    if (this.#pods.takeUntold()) {
      const endOf = this.#pods.resolver(foldings.flatMap(({ table }) => table.ends.all));
      for (const folding of foldings) folding.table = folding.table.withEnds(endOf);
    }
    return this.#asked.table;
  }

  /** Of a record of the table: whether nothing of such traffic was seen before `newSinceMs`, by whatever Service. */
  isNew(record: FlowRecord): boolean {
    this.#known ??= new Set(this.#earlier === undefined ? [] : recordsOf(this.#earlier.table).map(trafficKey));
    return !this.#known.has(trafficKey(record));
  }

  get lost(): number {
    return this.lostBefore + this.table.lost;
  }

  addLine(text: string, file: string, line: number): void {
    if (text.trim() === '') return;
    const read = readFlow(text);
    switch (read.kind) {
      case 'flow': {
        this.#pods.learn(read.record);
        if (read.record.firstSeen < this.#newSinceMs) this.#earlier?.add(read.record);
        if (read.record.lastSeen < this.#sinceMs || read.record.firstSeen > this.#untilMs) return;
        this.taken++;
        this.#asked.add(read.record);
        return;
      }
      case 'left-out':
        this.leftOut.set(read.why, (this.leftOut.get(read.why) ?? 0) + 1);
        return;
      case 'lost':
        this.lostBefore += read.flows;
        return;
      case 'unknown-end':
        this.unknownEnds.push(read.end);
        return;
      case 'broken':
        this.addBroken({ file, line, message: read.message });
    }
  }

  addBroken(broken: BrokenLine): void {
    this.brokenLines++;
    if (this.broken.length < BROKEN_KEPT_MAX) this.broken.push(broken);
  }
}

/** A class, for it grows. */
class Folding {
  readonly #joining = new FlowJoining();
  table: FlowTable;

  constructor(keepsReasons: boolean) {
    this.table = new FlowTable({ keepsReasons });
  }

  add(record: FlowRecord): void {
    const whole = this.#joining.add(record);
    if (whole !== undefined) this.table.add(whole);
  }

  join(): void {
    for (const record of this.#joining.take()) this.table.add(record);
  }
}

export function recordsOf(table: FlowTable): readonly FlowRecord[] {
  return Array.from({ length: table.size }, (_, row) => table.recordAt(row));
}

function trafficKey({ source, target, family, protocol, port, verdict }: FlowRecord): string {
  return `${endKey(source)}\n${endKey(target)}\n${family} ${protocol} ${port} ${verdict}`;
}

const WHY: Readonly<Record<LeftOut, string>> = {
  'reply': 'answers to connections',
  'unsure': 'of which nobody knows who opened the connection',
  'no-verdict': 'that tell of no policy\'s doing',
  'no-ends': 'without an end, an address or a port',
  'other-event': 'that are no flows',
};

/** `3 answers to connections, 1 that tell of no policy's doing`; undefined: nothing was left out. */
export function leftOutText(leftOut: ReadonlyMap<LeftOut, number>): string | undefined {
  const parts = [...leftOut].map(([why, lines]) => `${lines} ${WHY[why]}`).sort();
  return parts.length === 0 ? undefined : parts.join(', ');
}
