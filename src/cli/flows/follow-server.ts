// Flows that a server is given, each as it is written there, until somebody stops it.
import type { FlowRecord } from '../../flow/flow-record.ts';
import { readFlow } from '../../flow/read-flow.ts';
import { askHistory, type HistoryWords } from '../../history/send/ask-history.ts';
import type { ServerPlace } from '../../history/send/post-batch.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { writeNote } from '../../terminal/output.ts';

export interface ServerFollowing {
  readonly server: ServerPlace;
  readonly words: HistoryWords;
  readonly isWanted: (record: FlowRecord) => boolean;
  readonly show: (records: readonly FlowRecord[]) => Promise<void>;
}

/** Throws HistoryError. */
export async function followServer({ server, words, isWanted, show }: ServerFollowing): Promise<void> {
  const interruption = listenForInterruption();
  try {
    for await (const line of askHistory(server, { ...words, follow: true }, interruption.signal)) {
      const read = readFlow(line);
      // A correction is of what was wanted, and need not be wanted itself.
      if (read.kind === 'flow' && (read.record.corrects === true || isWanted(read.record))) await show([read.record]);
      if (read.kind === 'lost') await writeNote(`bulkhead: ${read.flows} flows are lost: nothing is known of them\n`);
    }
  } finally {
    interruption.stopListening();
  }
}
