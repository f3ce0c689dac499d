// Lines of flows become a table, and what cannot be taken is counted by its reason.
import type { UnknownEnd } from './filter-flows.ts';
import { FlowTable } from './flow-table.ts';
import { FlowJoining } from './join-views.ts';
import { readFlow, type LeftOut } from './read-flow.ts';

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
  /** Of records that are judged; else they are read over. */
  readonly keepsReasons?: boolean | undefined;
}

/** Broken lines that are kept; the rest is counted. */
const BROKEN_KEPT_MAX = 20;

/** A class, for it grows. */
export class FlowGathering {
  readonly #table: FlowTable;
  readonly #joining = new FlowJoining();
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

  constructor({ sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY, keepsReasons = false }: GatherOptions = {}) {
    this.#sinceMs = sinceMs;
    this.#untilMs = untilMs;
    this.#table = new FlowTable({ keepsReasons });
  }

  /** To be asked for when all is added: what several nodes told is joined then. */
  get table(): FlowTable {
    for (const record of this.#joining.take()) this.#table.add(record);
    return this.#table;
  }

  get lost(): number {
    return this.lostBefore + this.table.lost;
  }

  addLine(text: string, file: string, line: number): void {
    if (text.trim() === '') return;
    const read = readFlow(text);
    switch (read.kind) {
      case 'flow': {
        if (read.record.lastSeen < this.#sinceMs || read.record.firstSeen > this.#untilMs) return;
        this.taken++;
        const whole = this.#joining.add(read.record);
        if (whole !== undefined) this.#table.add(whole);
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
