// Flows in columns: the same ends, traffic, verdict and Service are one row, in a few bytes each, so that ten millions fit.
import { daysOf, joinDays } from './days-seen.ts';
import { FlowEnds } from './flow-ends.ts';
import { foldNode } from './fold-end.ts';
import type { FlowEnd, FlowReason, FlowRecord, FlowVerdict } from './flow-record.ts';

/** Rows that are kept; records of more are counted as lost. */
export const ROWS_MAX: number = 1 << 24;

const START_SIZE = 1 << 10;
const SERVICES_MAX = 65_535;
const EMPTY = -1;

/** By row. */
export interface FlowColumns {
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly port: Uint16Array;
  readonly protocol: Uint8Array;
  /** Bit 0: denied; bit 1: IPv6. */
  readonly flags: Uint8Array;
  /** By which it was reached; 0: by none that is known. */
  readonly service: Uint16Array;
  readonly count: Float64Array;
  /** NaN: not known. */
  readonly openings: Float64Array;
  readonly firstSeen: Float64Array;
  readonly lastSeen: Float64Array;
  /** Bit n: it was first or last seen n days (UTC) before the day of `lastSeen`, 31 at most. */
  readonly days: Uint32Array;
}

export const DENIED_BIT = 1;
export const IPV6_BIT = 2;

/** One flow by the numbers of its ends. */
export interface FlowRow extends Pick<FlowRecord, 'verdict' | 'family' | 'protocol' | 'port' | 'count' | 'openings' | 'firstSeen' | 'lastSeen'> {
  readonly source: number;
  readonly target: number;
  /** 0 when missing. */
  readonly service?: number;
  /** As the column says it; missing: those of its first and last time. */
  readonly days?: number | undefined;
}

/** A class, for it grows. */
export class FlowTable {
  readonly ends: FlowEnds = new FlowEnds();
  #columns = makeColumns(START_SIZE);
  #size = 0;
  /** Open addressing; rows by the hash of what makes them one. */
  #slots = new Int32Array(START_SIZE * 2).fill(EMPTY);
  readonly #services: string[] = [];
  readonly #serviceNumbers = new Map<string, number>();
  /** By row; undefined: they are not kept. */
  readonly #reasons: Map<number, FlowReason> | undefined;
  /** Records that found no room. */
  lost: number = 0;

  /** Reasons need far more room than all else of a row. */
  constructor({ keepsReasons }: { readonly keepsReasons: boolean } = { keepsReasons: false }) {
    this.#reasons = keepsReasons ? new Map() : undefined;
  }

  get size(): number {
    return this.#size;
  }

  get columns(): FlowColumns {
    return this.#columns;
  }

  /** Folds pods into their workloads, wherever they run. `days` as the column says them; missing: those of its first and last time. */
  add(record: FlowRecord & { readonly days?: number }): void {
    this.#addRecord(record, record.days);
  }

  /** The same flows between ends that are called otherwise. */
  withEnds(endOf: (end: FlowEnd) => FlowEnd): FlowTable {
    const table = new FlowTable({ keepsReasons: this.#reasons !== undefined });
    const ends = new Map(this.ends.all.map((end) => [end, endOf(end)]));
    for (let row = 0; row < this.#size; row++) {
      const record = this.recordAt(row);
      table.#addRecord({ ...record, source: ends.get(record.source)!, target: ends.get(record.target)! }, this.#columns.days[row]);
    }
    table.lost += this.lost;
    return table;
  }

  #addRecord(record: FlowRecord, days?: number): void {
    const [source, target] = [this.ends.intern(foldNode(record.source)), this.ends.intern(foldNode(record.target))];
    if (source === undefined || target === undefined) {
      this.lost += record.count;
      return;
    }
    const row = this.addRow({ ...record, source, target, service: this.#serviceNumber(record.service), days });
    if (row === undefined) return;
    if (record.reason !== undefined && this.#reasons?.has(row) === false) this.#reasons.set(row, record.reason);
  }

  /** undefined: it is lost. */
  addRow(row: FlowRow): number | undefined {
    const slot = this.#findSlot(row);
    const known = this.#slots[slot]!;
    if (known !== EMPTY) {
      this.#merge(known, row);
      return known;
    }
    if (this.#size >= ROWS_MAX) {
      this.lost += row.count;
      return undefined;
    }
    if (this.#size === this.#columns.source.length) {
      this.#grow();
      return this.addRow(row);
    }
    this.#slots[slot] = this.#size;
    this.#write(this.#size, row);
    return this.#size++;
  }

  recordAt(row: number): FlowRecord {
    const { source, target, port, protocol, count, openings, firstSeen, lastSeen } = this.#columns;
    return {
      verdict: this.verdictAt(row),
      source: this.ends.all[source[row]!]!,
      target: this.ends.all[target[row]!]!,
      family: this.familyAt(row),
      protocol: protocol[row]!,
      port: port[row]!,
      count: count[row]!,
      openings: Number.isNaN(openings[row]!) ? undefined : openings[row]!,
      firstSeen: firstSeen[row]!,
      lastSeen: lastSeen[row]!,
      node: undefined,
      service: this.#services[this.#columns.service[row]! - 1],
      reason: this.#reasons?.get(row),
    };
  }

  verdictAt(row: number): FlowVerdict {
    return (this.#columns.flags[row]! & DENIED_BIT) === 0 ? 'allowed' : 'denied';
  }

  familyAt(row: number): 4 | 6 {
    return (this.#columns.flags[row]! & IPV6_BIT) === 0 ? 4 : 6;
  }

  /** Of more than there is room for, none is named. */
  #serviceNumber(service: string | undefined): number {
    if (service === undefined) return 0;
    const known = this.#serviceNumbers.get(service);
    if (known !== undefined || this.#services.length === SERVICES_MAX) return known ?? 0;
    const number = this.#services.push(service);
    this.#serviceNumbers.set(service, number);
    return number;
  }

  #write(at: number, row: FlowRow): void {
    const columns = this.#columns;
    columns.source[at] = row.source;
    columns.target[at] = row.target;
    columns.port[at] = row.port;
    columns.protocol[at] = row.protocol;
    columns.flags[at] = flagsOf(row);
    columns.service[at] = row.service ?? 0;
    columns.count[at] = row.count;
    columns.openings[at] = row.openings ?? Number.NaN;
    columns.firstSeen[at] = row.firstSeen;
    columns.lastSeen[at] = row.lastSeen;
    columns.days[at] = daysOfRow(row);
  }

  #merge(at: number, row: FlowRow): void {
    const { count, openings, firstSeen, lastSeen, days } = this.#columns;
    const joined = joinDays({ lastSeen: lastSeen[at]!, days: days[at]! }, { lastSeen: row.lastSeen, days: daysOfRow(row) });
    days[at] = joined.days;
    count[at]! += row.count;
    openings[at]! += row.openings ?? Number.NaN; // of a part that is not known the sum is not known
    firstSeen[at] = Math.min(firstSeen[at]!, row.firstSeen);
    lastSeen[at] = joined.lastSeen;
  }

  #findSlot(row: FlowRow): number {
    const { source, target, port, protocol, flags, service } = this.#columns;
    const wanted = flagsOf(row);
    const asked = row.service ?? 0;
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(row.source, row.target, (row.port << 10) | (row.protocol << 2) | wanted, asked) & mask; ; slot = (slot + 1) & mask) {
      const at = this.#slots[slot]!;
      if (at === EMPTY) return slot;
      if (source[at] === row.source && target[at] === row.target && port[at] === row.port && protocol[at] === row.protocol && flags[at] === wanted && service[at] === asked) return slot;
    }
  }

  #grow(): void {
    const before = this.#columns;
    const wider = makeColumns(before.source.length * 2);
    for (const name of COLUMN_NAMES) wider[name].set(before[name] as never); // the same column of both
    this.#columns = wider;
    this.#slots = new Int32Array(wider.source.length * 2).fill(EMPTY);
    const mask = this.#slots.length - 1;
    for (let row = 0; row < this.#size; row++) {
      let slot = hashOf(wider.source[row]!, wider.target[row]!, (wider.port[row]! << 10) | (wider.protocol[row]! << 2) | wider.flags[row]!, wider.service[row]!) & mask;
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.#slots[slot] = row;
    }
  }
}

const COLUMN_NAMES = ['source', 'target', 'port', 'protocol', 'flags', 'service', 'count', 'openings', 'firstSeen', 'lastSeen', 'days'] as const;

function makeColumns(size: number): FlowColumns {
  return {
    source: new Int32Array(size),
    target: new Int32Array(size),
    port: new Uint16Array(size),
    protocol: new Uint8Array(size),
    flags: new Uint8Array(size),
    service: new Uint16Array(size),
    count: new Float64Array(size),
    openings: new Float64Array(size),
    firstSeen: new Float64Array(size),
    lastSeen: new Float64Array(size),
    days: new Uint32Array(size),
  };
}

function daysOfRow({ days, firstSeen, lastSeen }: FlowRow): number {
  return days ?? daysOf(firstSeen, lastSeen);
}

function flagsOf({ verdict, family }: FlowRow): number {
  return (verdict === 'denied' ? DENIED_BIT : 0) | (family === 6 ? IPV6_BIT : 0);
}

/** Multiplicative mixing (Knuth, TAOCP 3, section 6.4). */
function hashOf(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(d, 0x27d4eb2f), 0xc2b2ae35);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x27d4eb2f) >>> 1;
}
