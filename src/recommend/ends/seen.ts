// What recorded flows show of a connection: how often it was seen, since when, on how many days, and which flows these were.
import { compareText } from '../../base/finding.ts';
import { earlier } from '../../flow/days-seen.ts';
import { flowPoint, trafficText } from '../../flow/flow-protocol.ts';
import { endName, type FlowRecord } from '../../flow/flow-record.ts';
import type { FlowTable } from '../../flow/flow-table.ts';

export interface Seen {
  /** Of the table of flows; each a different flow. */
  readonly rows: readonly number[];
  /** Judgments of all of them. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Days (UTC) on which a record of one of them begins or ends, of the last 32. */
  readonly days: number;
  /** Those seen most often. */
  readonly witnesses: readonly FlowRecord[];
}

const WITNESSES_KEPT = 5;
const DAY_MS = 86_400_000;

/** `rows` are one or more. The same flows give the same, in whichever order they came. */
export function seenIn(table: FlowTable, rows: readonly number[]): Seen {
  const { count, firstSeen, lastSeen, days } = table.columns;
  let [sum, first, last] = [0, Infinity, -Infinity];
  for (const row of rows) {
    sum += count[row]!;
    first = Math.min(first, firstSeen[row]!);
    last = Math.max(last, lastSeen[row]!);
  }
  const bits = rows.reduce((all, row) => all | earlier(days[row]!, Math.floor(last / DAY_MS) - Math.floor(lastSeen[row]! / DAY_MS)), 0);
  return { rows, count: sum, firstSeen: first, lastSeen: last, days: bitsIn(bits >>> 0), witnesses: witnessesOf(table, rows) };
}

function bitsIn(bits: number): number {
  let ones = 0;
  for (let rest = bits; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

function witnessesOf(table: FlowTable, rows: readonly number[]): readonly FlowRecord[] {
  const { count } = table.columns;
  const least = rows.length <= WITNESSES_KEPT ? 0 : Float64Array.from(rows, (row) => count[row]!).sort().at(-WITNESSES_KEPT)!;
  return rows.filter((row) => count[row]! >= least).map((row) => table.recordAt(row)).sort(compareSeen).slice(0, WITNESSES_KEPT);
}

/** Most seen first; equal ones by all else that is shown of them. */
function compareSeen(a: FlowRecord, b: FlowRecord): number {
  return b.count - a.count || compareText(endName(a.source), endName(b.source)) || compareText(endName(a.target), endName(b.target)) || flowPoint(a.protocol, a.port) - flowPoint(b.protocol, b.port) || a.protocol - b.protocol || a.family - b.family || a.firstSeen - b.firstSeen || a.lastSeen - b.lastSeen || compareText(a.verdict, b.verdict);
}

/** `seen 12 times on 3 days, 2026-11-18 to 2026-11-20`. */
export function seenText({ count, firstSeen, lastSeen, days }: Pick<Seen, 'count' | 'firstSeen' | 'lastSeen' | 'days'>): string {
  const [first, last] = [dayText(firstSeen), dayText(lastSeen)];
  const times = count === 1 ? 'once' : `${count} times`;
  return first === last ? `seen ${times} on ${first}` : `seen ${times} on ${days} days, ${first} to ${last}`;
}

export function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** `shop/web-1 → data/db tcp/5432, 12 times`. */
export function sightingText({ source, target, protocol, port, count, verdict }: FlowRecord): string {
  return `${endName(source)} → ${endName(target)} ${trafficText(protocol, port)}, ${count === 1 ? 'once' : `${count} times`}${verdict === 'denied' ? ', refused' : ''}`;
}
