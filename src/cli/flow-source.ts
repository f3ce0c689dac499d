// Where a verb takes recorded flows from, files or the lab that runs here, and what it says of those that it could not take.
import { Option, type Command } from 'commander';
import { FlowGathering, leftOutText, type GatherOptions } from '../flow/gather-flows.ts';
import { collect } from '../input/input-options.ts';
import { readFlowFiles } from '../input/flow-files.ts';
import { findLab } from '../lab/lab-state.ts';
import { readLabFlows } from '../lab/lab-records.ts';
import { writeNote } from '../terminal/output.ts';
import { parseSince } from '../words/time-words.ts';
import { printable } from '../report/printable.ts';
import { count } from '../report/truth-table.ts';
import { positiveNumber } from './number-words.ts';

export interface FlowOptions {
  readonly flows?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly pid?: number;
  readonly lenient?: boolean;
}

/** Files of them alone. */
export function addFlowOptions(command: Command): Command {
  return addTimeOptions(command).option('--flows <FILE|->', 'recorded flows, a line of JSON each: those of `bulkhead flows -o jsonl`, or the export of Hubble; repeatable', collect);
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

/** undefined: they could not be read, which has been said. Throws LabError where none are named and no lab runs. */
export async function readFlows({ flows, since, until, pid, lenient }: FlowOptions, { keepsReasons }: Pick<GatherOptions, 'keepsReasons'> = {}): Promise<FlowGathering | undefined> {
  const timeOf = (word: string | undefined): number | undefined => (word === undefined ? undefined : parseSince(word, Date.now()));
  const options = { sinceMs: timeOf(since), untilMs: timeOf(until), keepsReasons };
  const gathering = flows === undefined ? gatherLabFlows(pid, options) : await readFlowFiles(flows, { ...options, lenient });
  if (gathering !== undefined) await noteGathering(gathering);
  return gathering;
}

export function gatherLabFlows(pid: number | undefined, options: GatherOptions): FlowGathering {
  const gathering = new FlowGathering(options);
  for (const [index, line] of readLabFlows(findLab(pid)).split('\n').entries()) gathering.addLine(line, 'lab', index + 1);
  return gathering;
}

async function noteGathering({ leftOut, lost, cutOff }: FlowGathering): Promise<void> {
  const text = leftOutText(leftOut);
  if (text !== undefined) await writeNote(`bulkhead: lines left out: ${text}\n`);
  if (lost > 0) await writeNote(`bulkhead: ${count(lost)} flows are lost: nothing is known of them\n`);
  for (const file of cutOff) await writeNote(`bulkhead: the last line of ${printable(file)} is not whole, and left out\n`);
}
