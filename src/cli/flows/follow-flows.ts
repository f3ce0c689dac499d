// Flows of a running lab, each as it happens, until somebody stops it or the lab ends.
import { sleep } from '../../base/sleep.ts';
import type { FlowRecord } from '../../flow/flow-record.ts';
import { flowJson } from '../../flow/write-flow.ts';
import { LabError } from '../../lab/lab-error.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { gatherLabFlows } from './flow-source.ts';
import { LOOK_MS } from '../lab/watch-flows.ts';
import { systemClock } from '../system-clock.ts';

export interface Following {
  readonly pid: number | undefined;
  readonly isWanted: (record: FlowRecord) => boolean;
  /** Those that are new, or were seen again. */
  readonly show: (records: readonly FlowRecord[]) => Promise<void>;
}

/** Throws LabError where no lab runs when it begins. */
export async function followFlows({ pid, isWanted, show }: Following): Promise<void> {
  let known = countsOf(recordsOf(pid));
  const interruption = listenForInterruption();
  try {
    while (!interruption.hasCome()) {
      await sleep(systemClock, LOOK_MS, interruption.signal);
      const records = recordsOf(pid);
      const grown = records.filter((record) => record.count > (known.get(keyOf(record)) ?? 0));
      known = countsOf(records);
      await show(grown.filter(isWanted));
    }
  } catch (error) {
    if (!(error instanceof LabError) || error.code !== 'no-lab') throw error;
  } finally {
    interruption.stopListening();
  }
}

function recordsOf(pid: number | undefined): readonly FlowRecord[] {
  const { table } = gatherLabFlows(pid, { keepsReasons: true });
  return Array.from({ length: table.size }, (_, row) => table.recordAt(row));
}

function countsOf(records: readonly FlowRecord[]): ReadonlyMap<string, number> {
  return new Map(records.map((record) => [keyOf(record), record.count]));
}

/** What makes it one flow: all of it but counts and times. */
function keyOf(record: FlowRecord): string {
  return JSON.stringify(flowJson({ ...record, count: 0, openings: undefined, firstSeen: 0, lastSeen: 0, reason: undefined }));
}
