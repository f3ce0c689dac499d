// Recorded flows held against policies that are proposed: which of those that went through would be refused, and which of those refused would go through.
import type { Cluster } from '../model/cluster.ts';
import { FlowJudge, judgedRow } from './flow.ts';
import type { FlowRecord } from './flow-record.ts';
import { DENIED_BIT, type FlowTable } from './flow-table.ts';

export interface Replay {
  /** Different flows that were held against the policies. */
  readonly flows: number;
  /** Went through, and would not. Those seen most often first. */
  readonly refused: ReplayedRows;
  /** Were refused, and would go through. */
  readonly opened: ReplayedRows;
}

export interface ReplayedRows {
  readonly flows: number;
  /** Judgments of all of them. */
  readonly count: number;
  /** Each with what the proposed policies say of it; made when asked. */
  records(): Generator<FlowRecord>;
}

/** `cluster` is as it would be. Its cost follows ends, policies and rows; reasons are worked out for what is asked alone. */
export function replayFlows(cluster: Cluster, table: FlowTable): Replay {
  const judge = new FlowJudge(cluster, table.ends.all);
  const allowed = judge.allowedRows(table);
  const { flags, count } = table.columns;
  const rowsOf = (isMeant: (wasDenied: boolean, isAllowed: boolean) => boolean): ReplayedRows => {
    const rows: number[] = [];
    for (let row = 0; row < allowed.length; row++) if (isMeant((flags[row]! & DENIED_BIT) !== 0, allowed[row] === 1)) rows.push(row);
    rows.sort((a, b) => count[b]! - count[a]! || a - b);
    const records = function* (): Generator<FlowRecord> {
      for (const row of rows) yield judgedRow(judge, table, row);
    };
    return { flows: rows.length, count: rows.reduce((sum, row) => sum + count[row]!, 0), records };
  };
  return {
    flows: table.size,
    refused: rowsOf((wasDenied, isAllowed) => !wasDenied && !isAllowed),
    opened: rowsOf((wasDenied, isAllowed) => wasDenied && isAllowed),
  };
}
