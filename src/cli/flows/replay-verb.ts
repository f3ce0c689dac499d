// `bulkhead replay`: recorded flows held against proposed policies, before anybody applies them.
import type { Command } from 'commander';
import { replayFlows, type Replay } from '../../flow/replay.ts';
import type { Cluster } from '../../model/cluster.ts';
import { sarifLog } from '../../report/findings/finding-sarif.ts';
import { replayFindings } from '../../report/flows/replay-findings.ts';
import { REPLAY_FORMATS, replayGithub, replayJson, replayJunit, replayLines, replayMarkdown, replayTable } from '../../report/flows/replay.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { readInputs } from '../../input/input.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { choiceOf } from '../options/choice.ts';
import { addFlowSourceOptions, readFlows, type FlowOptions } from './flow-source.ts';
import { positiveNumber } from '../options/number-words.ts';
import { packageVersion } from '../package-version.ts';

interface ReplayVerbOptions extends InputOptions, FlowOptions {
  readonly lenient?: boolean;
  readonly output: (typeof REPLAY_FORMATS)[number];
  readonly limit: number;
}

export function defineReplay(command: Command): void {
  addFlowSourceOptions(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .option('--limit <NUMBER>', 'flows that are shown, in table, md and github; the rest is counted', positiveNumber, 50)
    .option('-o, --output <FORMAT>', `one of: ${REPLAY_FORMATS.join(', ')}`, choiceOf(REPLAY_FORMATS), 'table')
    .addHelpText('after', `
Policies are named with -f; with --cluster or --snapshot: as if they were applied to it. A pod or workload that the
input has stands as it is there; any other as it was when the flow was seen. Without --flows or --server, the flows are
those of the lab that runs here.

Exit status: 0 no flow that went through would be refused; 1 one would be; 2 the input could not be understood.

Examples:
  bulkhead replay -f policies --flows flows.jsonl
  bulkhead replay --snapshot cluster.yaml -f policies --flows flows.jsonl -o junit`)
    .action(async (paths: readonly string[], options: ReplayVerbOptions) => {
      process.exitCode = await runReplay([...(options.file ?? []), ...paths], options);
    });
}

async function runReplay(words: readonly string[], options: ReplayVerbOptions): Promise<number> {
  const input = await readInputs(words, options);
  if (input === undefined) return 2;
  const gathering = await readFlows(options);
  if (gathering === undefined) return 2;
  const replay = replayFlows(input.cluster, gathering.table);
  await writeAnswer(await format(replay, input.cluster, options));
  return replay.refused.flows === 0 ? 0 : 1;
}

async function format(replay: Replay, cluster: Cluster, { output, limit }: ReplayVerbOptions): Promise<Iterable<string>> {
  switch (output) {
    case 'table':
      return [replayTable(replay, { ...terminalOf(process.stdout), limit })];
    case 'json':
    case 'yaml':
      return dataAnswer(output, replayJson(replay));
    case 'jsonl':
      return replayLines(replay);
    case 'md':
      return [replayMarkdown(replay, limit)];
    case 'github':
      return [replayGithub(replay, limit)];
    case 'sarif':
      return [sarifLog(replayFindings(cluster, replay.refused.records(), 'error'), packageVersion())];
    case 'junit':
      return replayJunit(replay);
  }
}
