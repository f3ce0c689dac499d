// Recorded flows held against policies that are proposed: which of those that went through would be refused, and which of those refused would go through.
import type { Cluster } from '../model/cluster.ts';
import { FlowJudge, judgedRow } from './flow.ts';
import type { FlowRecord } from './flow-record.ts';
import { DENIED_BIT, type FlowTable } from './flow-table.ts';

export interface Replay {
  /** Different flows that were held against the policies. */
  readonly flows: number;
  /** Went through, and would not. */
  readonly refused: ReplayedRows;
  /** Were refused, and would go through. */
  readonly opened: ReplayedRows;
}

export interface ReplayedRows {
  readonly flows: number;
  /** Judgments of all of them. */
  readonly count: number;
  /** Each with what the proposed policies say of it, in the order of the table; made when asked. */
  records(): Generator<FlowRecord>;
  /** Those seen most often, as many at most. */
  mostSeen(limit: number): readonly FlowRecord[];
}

/** `cluster` is as it would be. Its cost follows ends, policies and rows; reasons are worked out for what is asked alone. */
export function replayFlows(cluster: Cluster, table: FlowTable): Replay {
  const judge = new FlowJudge(cluster, table.ends.all);
  const allowed = judge.allowedRows(table);
  const { flags, count } = table.columns;
  const rowsOf = (isMeant: (row: number) => boolean): ReplayedRows => {
    const [rows, sum] = selectRows(count, table.size, isMeant);
    const records = function* (): Generator<FlowRecord> {
      for (const row of rows) yield judgedRow(judge, table, row);
    };
    return { flows: rows.length, count: sum, records, mostSeen: (limit) => mostCounted(rows, count, limit).map((row) => judgedRow(judge, table, row)) };
  };
  return {
    flows: table.size,
    refused: rowsOf((row) => (flags[row]! & DENIED_BIT) === 0 && allowed[row] === 0),
    opened: rowsOf((row) => (flags[row]! & DENIED_BIT) !== 0 && allowed[row] === 1),
  };
}

function selectRows(count: Float64Array, size: number, isMeant: (row: number) => boolean): readonly [rows: Int32Array, sum: number] {
  const rows = new Int32Array(size);
  let found = 0;
  let sum = 0;
  for (let row = 0; row < size; row++) {
    if (!isMeant(row)) continue;
    rows[found++] = row;
    sum += count[row]!;
  }
  return [rows.slice(0, found), sum];
}

/** The highest first, of equal ones the earlier; one pass, for there may be millions. */
function mostCounted(rows: Int32Array, count: Float64Array, limit: number): readonly number[] {
  const most: number[] = [];
  for (const row of rows) {
    if (most.length >= limit && count[row]! <= count[most.at(-1)!]!) continue;
    const place = most.findIndex((other) => count[other]! < count[row]!);
    most.splice(place < 0 ? most.length : place, 0, row);
    if (most.length > limit) most.pop();
  }
  return most;
}
