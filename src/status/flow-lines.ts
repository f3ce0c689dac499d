// The recent flows of an agent as lines of JSON, and what of them somebody asks for.
import { flowJson } from '../flow/write-flow.ts';
import type { FlowsPage, RecentFlows } from '../observe/recent-flows.ts';

/** Who follows is answered after so long, also where nothing has come. */
const WAIT_MS = 10_000;

export interface FlowsQuestion {
  /** The number that the last answer ended with; undefined: everything that is known, folded. */
  readonly after: number | undefined;
}

/** undefined: it cannot be read. */
export function readFlowsQuestion(query: URLSearchParams): FlowsQuestion | undefined {
  const after = query.get('after');
  if (after === null) return { after: undefined };
  return /^[0-9]{1,15}$/.test(after) ? { after: Number(after) } : undefined;
}

/** Lines of the contract; the last says what to ask for next, after one of how many judgments no line tells. Who follows waits until something has come. */
export async function answerFlows(recent: RecentFlows, { after }: FlowsQuestion, delay: (ms: number, act: () => void) => () => void): Promise<string> {
  if (after === undefined) return pageText(recent.all());
  if (recent.after(after).next === after) await somethingMore(recent, delay);
  return pageText(recent.after(after));
}

function somethingMore(recent: RecentFlows, delay: (ms: number, act: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const cancelWait = delay(WAIT_MS, () => {
      stopListening();
      resolve();
    });
    const stopListening = recent.onMore(() => {
      cancelWait();
      resolve();
    });
  });
}

/** Source of events that are lost: Hubble's word for a line that is no flow. */
export const LOST_SOURCE = 'BULKHEAD_LEDGER';

function pageText({ records, lost, next }: FlowsPage): string {
  const lines = records.map((record) => JSON.stringify(flowJson(record)));
  if (lost > 0) lines.push(JSON.stringify({ lost_events: { source: LOST_SOURCE, num_events_lost: lost } }));
  lines.push(JSON.stringify({ flows_cursor: { next } }));
  return lines.map((line) => `${line}\n`).join('');
}
