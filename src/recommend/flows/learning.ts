// How far the flows of each workload have been learned: since when nothing new was seen of it.
import { endKey, type Connection } from '../ends/connection.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Subject } from '../ends/subjects.ts';

export interface Learning {
  readonly subject: Subject;
  /** Different ones from it and to it. */
  readonly flows: number;
  /** Milliseconds since 1970: of its first flow, and of the last that had not been seen before. */
  readonly firstSeen: number;
  readonly lastNew: number;
  /** From then until it was last seen: who fell silent shows nothing. */
  readonly stableMs: number;
  /** From then until the last flow that was recorded at all. */
  readonly silentMs: number;
  /** First seen in the last day of the recording. */
  readonly newFlows: number;
}

const DAY_MS = 86_400_000;

/** In the order of the subjects; those without a flow are left out. Nothing here reads the clock: the recording has an end. */
export function learningOf(table: FlowTable, subjects: readonly Subject[], connections: readonly Connection[]): readonly Learning[] {
  const rowsOf = new Map<string, Set<number>>();
  for (const { source, target, seen } of connections) {
    for (const end of [source, target]) {
      if (end.kind !== 'subject' || seen === undefined) continue;
      const rows = rowsOf.get(endKey(end)) ?? new Set();
      for (const row of seen.rows) rows.add(row);
      rowsOf.set(endKey(end), rows);
    }
  }
  const last = lastSeenOf(table);
  return subjects.flatMap((subject) => {
    const rows = rowsOf.get(endKey({ kind: 'subject', subject }));
    return rows === undefined ? [] : [{ subject, ...stateOf(table, rows, last) }];
  });
}

function lastSeenOf({ size, columns: { lastSeen } }: FlowTable): number {
  let last = -Infinity;
  for (let row = 0; row < size; row++) last = Math.max(last, lastSeen[row]!);
  return last;
}

function stateOf({ columns: { firstSeen, lastSeen } }: FlowTable, rows: ReadonlySet<number>, last: number): Omit<Learning, 'subject'> {
  let [first, lastNew, own, newFlows] = [Infinity, -Infinity, -Infinity, 0];
  for (const row of rows) {
    first = Math.min(first, firstSeen[row]!);
    lastNew = Math.max(lastNew, firstSeen[row]!);
    own = Math.max(own, lastSeen[row]!);
    if (firstSeen[row]! > last - DAY_MS) newFlows++;
  }
  return { flows: rows.size, firstSeen: first, lastNew, stableMs: own - lastNew, silentMs: last - own, newFlows };
}

/** `stable for 5 days, 0 new flows`, `still learning: 4 of 9 flows new in the last day`. */
export function learningText({ stableMs, silentMs, newFlows, flows }: Learning): string {
  const silence = silentMs < DAY_MS ? '' : `, not seen for ${daysText(silentMs)}`;
  if (newFlows === 0) return `stable for ${daysText(stableMs)}, 0 new flows${silence}`;
  return `still learning: ${newFlows} of ${flows} ${flows === 1 ? 'flow' : 'flows'} new in the last day`;
}

function daysText(timeMs: number): string {
  const days = Math.floor(timeMs / DAY_MS);
  return `${days} ${days === 1 ? 'day' : 'days'}`;
}
