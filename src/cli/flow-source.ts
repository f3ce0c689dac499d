// Where a verb takes recorded flows from, files, a server or the lab that runs here, and what it says of those that it could not take.
import { Option, type Command } from 'commander';
import { FlowGathering, leftOutText, type GatherOptions } from '../flow/gather-flows.ts';
import { collect } from '../input/input-options.ts';
import { askHistory, type HistoryWords } from '../history/ask-history.ts';
import { HistoryError } from '../history/history-error.ts';
import type { ServerPlace } from '../history/post-batch.ts';
import { readFlowFiles } from '../input/flow-files.ts';
import { findLab } from '../lab/lab-state.ts';
import { readLabFlows } from '../lab/lab-records.ts';
import { UsageError } from '../terminal/failures.ts';
import { writeNote } from '../terminal/output.ts';
import { parseSince } from '../words/time-words.ts';
import { printable } from '../report/printable.ts';
import { count } from '../report/truth-table.ts';
import { positiveNumber } from './number-words.ts';
import { addServerOptions, serverPlaceOf, type ServerOptions } from './server-place.ts';

export interface FlowOptions extends ServerOptions {
  readonly flows?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly pid?: number;
  readonly lenient?: boolean;
}

/** Files of them, or a server. */
export function addFlowOptions(command: Command): Command {
  return addServerOptions(addTimeOptions(command), 'a server of flows (`bulkhead serve`), https://HOST:PORT').option('--flows <FILE|->', 'recorded flows, a line of JSON each: those of `bulkhead flows -o jsonl`, or the export of Hubble; repeatable', collect);
}

/** Where the lab that runs here will do as well. */
export function addFlowSourceOptions(command: Command): Command {
  return addFlowOptions(command).addOption(new Option('--pid <PID>', 'without --flows: the process of the lab whose flows are taken, where several run').env('BULKHEAD_LAB_PID').argParser(positiveNumber));
}

export function addTimeOptions(command: Command): Command {
  return command
    .option('--since <TIME>', 'only flows last seen since then: 30m, 2h, 7d ago, today, or 2026-11-20T10:00:00Z')
    .option('--until <TIME>', 'only flows first seen until then: the same words');
}

/** Whether files or a server are named; else there is the lab alone. */
export function namesFlows({ flows, server }: FlowOptions): boolean {
  return flows !== undefined || server !== undefined;
}

export interface FlowReading extends Pick<GatherOptions, 'keepsReasons'> {
  /** What is wanted of a server's flows, so that it need not send all of them. */
  readonly words?: HistoryWords;
}

/** undefined: they could not be read, which has been said. Throws LabError where none are named and no lab runs, HistoryError for a server. */
export async function readFlows(flowOptions: FlowOptions, { keepsReasons, words }: FlowReading = {}): Promise<FlowGathering | undefined> {
  const { flows, since, until, pid, lenient } = flowOptions;
  const timeOf = (word: string | undefined): number | undefined => (word === undefined ? undefined : parseSince(word, Date.now()));
  const options = { sinceMs: timeOf(since), untilMs: timeOf(until), keepsReasons };
  const server = serverPlaceOf(flowOptions);
  if (server !== undefined && flows !== undefined) throw new UsageError('--flows and --server are two sources', 'name one of them');
  const gathering = server !== undefined ? await gatherServerFlows(server, words, options) : flows === undefined ? gatherLabFlows(pid, options) : await readFlowFiles(flows, { ...options, lenient });
  if (gathering !== undefined) await noteGathering(gathering);
  return gathering;
}

export function gatherLabFlows(pid: number | undefined, options: GatherOptions): FlowGathering {
  const gathering = new FlowGathering(options);
  for (const [index, line] of readLabFlows(findLab(pid)).split('\n').entries()) gathering.addLine(line, 'lab', index + 1);
  return gathering;
}

/** The server folds over the days and leaves out what is not wanted. */
async function gatherServerFlows(server: ServerPlace, words: HistoryWords | undefined, options: GatherOptions): Promise<FlowGathering> {
  const timeOf = (timeMs: number | undefined): string | undefined => (timeMs === undefined ? undefined : new Date(timeMs).toISOString());
  const gathering = new FlowGathering(options);
  let line = 0;
  for await (const text of askHistory(server, { ...words, since: timeOf(options.sinceMs), until: timeOf(options.untilMs) })) gathering.addLine(text, server.url, ++line);
  if (gathering.brokenLines > 0) throw new HistoryError('server-refused', `${server.url} gives lines that are no flows: ${gathering.broken[0]!.message}`);
  return gathering;
}

async function noteGathering({ leftOut, lost, cutOff }: FlowGathering): Promise<void> {
  const text = leftOutText(leftOut);
  if (text !== undefined) await writeNote(`bulkhead: lines left out: ${text}\n`);
  if (lost > 0) await writeNote(`bulkhead: ${count(lost)} flows are lost: nothing is known of them\n`);
  for (const file of cutOff) await writeNote(`bulkhead: the last line of ${printable(file)} is not whole, and left out\n`);
}
