// Where a verb takes recorded flows from, files, a server, the agents of a cluster or the lab that runs here, and what it says of those that it could not take.
import { Option, type Command } from 'commander';
import type { UnknownEnd } from '../../flow/filter-flows.ts';
import { FlowGathering, leftOutText, type GatherOptions } from '../../flow/gather-flows.ts';
import { collect } from '../../input/input-options.ts';
import { askHistory, type HistoryWords } from '../../history/send/ask-history.ts';
import { HistoryError } from '../../history/batch/history-error.ts';
import type { ServerPlace } from '../../history/send/post-batch.ts';
import { readFlowFiles } from '../../input/flow-files.ts';
import { LabError } from '../../lab/lab-error.ts';
import { findLab, type LabState } from '../../lab/lab-state.ts';
import { readLabFlows } from '../../lab/lab-records.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeNote } from '../../terminal/output.ts';
import { parseSince } from '../../words/time-words.ts';
import { printable } from '../../report/text/printable.ts';
import { count } from '../../report/text/truth-table.ts';
import { positiveNumber } from '../options/number-words.ts';
import { gatherAgentFlows, type AgentsPlace } from './agent-flows.ts';
import { addServerOptions, serverPlaceOf, type ServerOptions } from '../options/server-place.ts';

export interface FlowOptions extends ServerOptions {
  readonly flows?: readonly string[];
  /** Of the cluster that the next two name. */
  readonly agents?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly since?: string;
  readonly until?: string;
  readonly pid?: number;
  readonly lenient?: boolean;
}

/** Files of them, a server, or agents. */
export function addFlowOptions(command: Command): Command {
  return addServerOptions(addTimeOptions(command), 'a server of flows (`bulkhead serve`), https://HOST:PORT')
    .option('--flows <FILE|->', 'recorded flows, a line of JSON each: those of `bulkhead flows -o jsonl`, or the export of Hubble; repeatable', collect)
    .option('--agents', 'the flows that the agents of the cluster saw last, of each node');
}

/** Where the lab that runs here will do as well. */
export function addFlowSourceOptions(command: Command): Command {
  return addFlowOptions(command).addOption(new Option('--pid <PID>', 'without --flows: the process of the lab whose flows are taken, where several run').env('BULKHEAD_LAB_PID').argParser(positiveNumber));
}

export function addTimeOptions(command: Command): Command {
  return command
    .option('--since <TIME>', 'only flows last seen since then: 30m, 2h or 7d ago, today, yesterday, or 2026-11-20T10:00:00Z')
    .option('--until <TIME>', 'only flows first seen until then: the same words');
}

/** Whether files, a server or agents are named; else there is the lab alone. */
export function namesFlows({ flows, server, agents }: FlowOptions): boolean {
  return flows !== undefined || server !== undefined || agents === true;
}

export interface FlowReading extends Pick<GatherOptions, 'keepsReasons' | 'newSinceMs' | 'pods'> {
  /** What is wanted of a server's flows, so that it need not send all of them. */
  readonly words?: HistoryWords;
}

/** undefined: they could not be read, which has been said. Throws LabError where none are named and no lab runs, HistoryError for a server, ClusterError for agents. */
export async function readFlows(flowOptions: FlowOptions, { words, ...reading }: FlowReading = {}): Promise<FlowGathering | undefined> {
  const { since, until, lenient } = flowOptions;
  const untilMs = until === undefined ? undefined : parseSince(until, Date.now());
  const options = { sinceMs: await timeOf('--since', since), untilMs, ...reading };
  const source = flowSourceOf(flowOptions);
  const gathering = source.kind === 'files' ? await readFlowFiles(source.files, { ...options, lenient }) : await gatherLive(source, words, options);
  if (gathering !== undefined) await noteGathering(gathering);
  return gathering;
}

/** A time that is still to come would read as silence. Throws WordError. */
export async function timeOf(option: '--since' | '--new-since', word: string | undefined): Promise<number | undefined> {
  if (word === undefined) return undefined;
  const nowMs = Date.now();
  const timeMs = parseSince(word, nowMs);
  if (timeMs > nowMs) await writeNote(`bulkhead: ${option} ${word} is still to come\n`);
  return timeMs;
}

export type FlowSource =
  | { readonly kind: 'files'; readonly files: readonly string[] }
  | LiveSource;

export type LiveSource =
  | { readonly kind: 'server'; readonly place: ServerPlace }
  | { readonly kind: 'agents'; readonly place: AgentsPlace }
  | { readonly kind: 'lab'; readonly pid: number | undefined };

/** The lab where none is named. Throws UsageError for two. */
export function flowSourceOf(options: FlowOptions): FlowSource {
  const { flows, agents = false, pid, context, kubeconfig, lenient } = options;
  const server = serverPlaceOf(options);
  const named = [...(flows === undefined ? [] : ['--flows']), ...(server === undefined ? [] : ['--server']), ...(agents ? ['--agents'] : [])];
  if (named.length > 1) throw new UsageError(`${named.join(' and ')} are ${named.length === 2 ? 'two' : 'three'} sources`, 'name one of them');
  if (flows !== undefined) return { kind: 'files', files: flows };
  if (server !== undefined) return { kind: 'server', place: server };
  return agents ? { kind: 'agents', place: { ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(lenient === undefined ? {} : { lenient }) } } : { kind: 'lab', pid };
}

async function gatherLive(source: LiveSource, words: HistoryWords | undefined, options: GatherOptions): Promise<FlowGathering> {
  switch (source.kind) {
    case 'server':
      return gatherServerFlows(source.place, words, options);
    case 'agents':
      return gatherAgentFlows(source.place, options);
    case 'lab':
      return gatherLabFlows(source.pid, options);
  }
}

export function gatherLabFlows(pid: number | undefined, options: GatherOptions): FlowGathering {
  const gathering = new FlowGathering(options);
  for (const [index, line] of readLabFlows(labOf(pid)).split('\n').entries()) gathering.addLine(line, 'lab', index + 1);
  return gathering;
}

function labOf(pid: number | undefined): LabState {
  try {
    return findLab(pid);
  } catch (error) {
    if (pid !== undefined || !(error instanceof LabError) || error.code !== 'no-lab') throw error;
    throw new LabError('no-lab', 'no lab of yours runs here', { help: 'start one with `bulkhead demo`, or name other flows by --flows, --server or --agents', cause: error });
  }
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

async function noteGathering({ leftOut, lost, cutOff, unknownEnds }: FlowGathering): Promise<void> {
  for (const end of unknownEnds) await noteUnknownEnd(end);
  const text = leftOutText(leftOut);
  if (text !== undefined) await writeNote(`bulkhead: lines left out: ${text}\n`);
  if (lost > 0) await writeNote(`bulkhead: ${count(lost)} flows are lost: nothing is known of them\n`);
  for (const file of cutOff) await writeNote(`bulkhead: the last line of ${printable(file)} is not whole, and left out\n`);
}

/** A word that names nobody would read as silence. */
export async function noteUnknownEnd({ word, near }: UnknownEnd): Promise<void> {
  await writeNote(`bulkhead: no flow has an end \`${printable(word)}\`${near === undefined ? '' : `; did you mean ${printable(near)}?`}\n`);
}
