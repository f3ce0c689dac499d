// How far the flows of each workload have been learned: since when nothing new was seen of it.
import { endKey, type Connection } from './connection.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { Subject } from './subjects.ts';

export interface Learning {
  readonly subject: Subject;
  /** Different ones from it and to it. */
  readonly flows: number;
  /** Milliseconds since 1970: of its first flow, and of the last that had not been seen before. */
  readonly firstSeen: number;
  readonly lastNew: number;
  /** From then until the last flow that was recorded at all. */
  readonly stableMs: number;
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

function stateOf({ columns: { firstSeen } }: FlowTable, rows: ReadonlySet<number>, last: number): Omit<Learning, 'subject'> {
  let [first, lastNew, newFlows] = [Infinity, -Infinity, 0];
  for (const row of rows) {
    first = Math.min(first, firstSeen[row]!);
    lastNew = Math.max(lastNew, firstSeen[row]!);
    if (firstSeen[row]! > last - DAY_MS) newFlows++;
  }
  return { flows: rows.size, firstSeen: first, lastNew, stableMs: last - lastNew, newFlows };
}

/** `nothing new for 5 days`, `4 new flows in the last day`. */
export function learningText({ stableMs, newFlows, flows }: Learning): string {
  const days = Math.floor(stableMs / DAY_MS);
  if (newFlows === 0) return `stable for ${days} ${days === 1 ? 'day' : 'days'}, 0 new flows`;
  return `still learning: ${newFlows} of ${flows} ${flows === 1 ? 'flow' : 'flows'} new in the last day`;
}
