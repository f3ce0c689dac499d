// Where a verb takes recorded flows from, and what it says of those that it could not take.
import type { Command } from 'commander';
import { leftOutText, type FlowGathering } from '../flow/gather-flows.ts';
import { collect } from '../input/input-options.ts';
import { readFlowFiles } from '../input/flow-files.ts';
import { writeNote } from '../terminal/output.ts';
import { parseSince } from '../words/time-words.ts';
import { printable } from '../report/printable.ts';
import { count } from '../report/truth-table.ts';

export interface FlowOptions {
  readonly flows?: readonly string[];
  readonly since?: string;
  readonly lenient?: boolean;
}

export function addFlowOptions(command: Command): Command {
  return command
    .option('--flows <FILE|->', 'recorded flows, a line of JSON each: those of `bulkhead flows`, or the export of Hubble; repeatable', collect)
    .option('--since <TIME>', 'only those last seen since then: 30m, 2h, 7d ago, or 2026-11-20T10:00:00Z');
}

/** undefined: they could not be read, which has been said. */
export async function readFlows(words: readonly string[], { since, lenient }: FlowOptions): Promise<FlowGathering | undefined> {
  const gathering = await readFlowFiles(words, { sinceMs: since === undefined ? undefined : parseSince(since, Date.now()), lenient });
  if (gathering !== undefined) await noteGathering(gathering);
  return gathering;
}

async function noteGathering({ leftOut, lost, cutOff }: FlowGathering): Promise<void> {
  const text = leftOutText(leftOut);
  if (text !== undefined) await writeNote(`bulkhead: lines left out: ${text}\n`);
  if (lost > 0) await writeNote(`bulkhead: ${count(lost)} flows are lost: nothing is known of them\n`);
  for (const file of cutOff) await writeNote(`bulkhead: the last line of ${printable(file)} is not whole, and left out\n`);
}
