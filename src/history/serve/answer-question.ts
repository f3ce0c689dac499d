// Answers to a question as lines of JSON: what is kept, sums of it, or what comes from now on.
import type { ServerResponse } from 'node:http';
import type { FlowRecord } from '../../flow/flow-record.ts';
import { FlowGroups } from '../../flow/group-flows.ts';
import { serviceOfWord } from '../../flow/filter-flows.ts';
import { shownOf } from '../../flow/join-live.ts';
import { flowJson } from '../../flow/write-flow.ts';
import type { FlowStore } from '../store/flow-store.ts';
import { concealRecord, type Readable } from '../store/readable-flows.ts';
import { askStore, lostSince, meantBy, type Question } from '../ask/ask-store.ts';
import { unknownEnds } from '../ask/unknown-ends.ts';
import { wantedFlows } from '../ask/wanted-flows.ts';
import { headersOf, writeSlowly } from './exchange.ts';
import type { FollowedFlows } from './followed-flows.ts';
import type { AskedQuestion } from './read-question.ts';

const LINES = 'application/x-ndjson';
/** Lines for one who follows and reads too slowly; more are counted as lost to him. */
const FOLLOWED_LINES_MAX = 10_000;
/** So that both sides see when the other is gone. */
const SILENCE_MS = 5_000;
/** Then one who follows is admitted anew: he may have lost the right, or his token. */
const ADMITTED_MS = 10 * 60_000;

/** Where there is none, words that name nobody are told; judgments of which no line tells come last. */
export async function answerQuestion(store: FlowStore, asked: AskedQuestion, question: Question, response: ServerResponse): Promise<void> {
  const lost = await lostSince(store, question.sinceMs ?? 0);
  const end = lost === 0 ? '' : lostLine(lost);
  const groups = asked.groupBy === undefined ? undefined : new FlowGroups(asked.groupBy);
  let found = 0;
  const begin = (): void => void (response.headersSent || response.writeHead(200, headersOf(LINES)));
  // Of groups the limit is what is shown of them, largest first: their sums are of all flows.
  await askStore(store, groups === undefined ? question : { ...question, limit: undefined }, async (records) => {
    found += records.length;
    if (groups !== undefined) return records.forEach((record) => groups.add(record));
    begin();
    await writeSlowly(response, records.map(line).join(''));
  });
  begin();
  for (const group of groups?.groups().slice(0, question.limit) ?? []) await writeSlowly(response, `${JSON.stringify({ ...group, lastSeen: new Date(group.lastSeen).toISOString() })}\n`);
  const unknown = found === 0 ? unknownEnds(store.known, question, question.readable) : [];
  response.end(`${unknown.map((word) => `${JSON.stringify({ unknown_end: word })}\n`).join('')}${end}`);
}

function line(record: FlowRecord): string {
  return `${JSON.stringify(flowJson(record))}\n`;
}

function lostLine(flows: number): string {
  return `${JSON.stringify({ lost_events: { source: 'BULKHEAD_HISTORY', num_events_lost: flows } })}\n`;
}

export interface Follower {
  readonly response: ServerResponse;
  /** What he may read now. Fails with Refusal. */
  readonly admit: () => Promise<Readable>;
  readonly nowMs: () => number;
}

/** Until he goes, or may no longer. What is written from now on and meant by the question, joined as it comes; times other than `until` do not matter. */
export async function followQuestion(flows: FollowedFlows, question: Question, { response, admit, nowMs }: Follower): Promise<void> {
  let { readable } = question;
  let admittedMs = nowMs();
  response.writeHead(200, headersOf(LINES));
  response.flushHeaders();
  let lines: string[] = [];
  let lost = 0;
  let wake: (() => void) | undefined;
  const onlooker = { isWanted: meantBy(question), since: flows.next };
  const target = serviceOfWord(question.target ?? '') === undefined ? question.target : undefined;
  const stop = flows.add({
    wantsAllowed: question.verdict !== 'denied',
    wanted: (known) => wantedFlows(known, { ...question, target, verdict: undefined }, readable),
    take: (told) => {
      if (lines.length >= FOLLOWED_LINES_MAX) lost += told.record.count;
      else lines.push(...shownOf(told, onlooker).map((record) => flows.textOf(concealRecord(readable, record), line)));
    },
    written: (lostNow) => {
      lost += lostNow;
      wake?.();
    },
  });
  try {
    while (!response.destroyed) {
      if (Math.abs(nowMs() - admittedMs) >= ADMITTED_MS) [readable, admittedMs] = [await admit(), nowMs()];
      const text = `${lines.join('')}${lost === 0 ? '' : lostLine(lost)}`;
      [lines, lost] = [[], 0];
      await writeSlowly(response, text === '' ? '\n' : text);
      if (lines.length === 0) await new Promise<void>((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          response.off('close', end);
          resolve();
        };
        const timer = setTimeout(end, SILENCE_MS);
        response.once('close', end);
        wake = end;
      });
      wake = undefined;
    }
  } finally {
    stop();
  }
}
