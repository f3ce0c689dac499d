// `bulkhead flows import`: what Hubble exported as records of ours, folded and judged by the rules.
import type { Command } from 'commander';
import { isAllowedBy, judgedRows } from '../../flow/flow.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import { flowJson } from '../../flow/write-flow.ts';
import type { Cluster } from '../../model/cluster.ts';
import { jsonLine } from '../../report/text/json-line.ts';
import { count, countOf } from '../../report/text/truth-table.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { readInputs } from '../../input/input.ts';
import { hasBase } from '../../input/open-base.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { addTimeOptions, readFlows, type FlowOptions } from './flow-source.ts';

interface ImportOptions extends InputOptions, Pick<FlowOptions, 'since' | 'until'> {
  readonly lenient?: boolean;
}

export function defineImport(command: Command): void {
  addTimeOptions(addInputOptions(command.argument('<FLOWS...>', 'files of `hubble observe -o json` or of Hubble\'s exporter; - is standard input')))
    .addHelpText('after', `
The policies that were in force are named with -f, --cluster or --snapshot; without them no flow has a rule.
Answers to connections are left out, and so is what tells nobody who opened the connection; both are counted.

Exit status: 0; 2 when a line or the policies could not be understood.

Example: hubble observe -o json --last 1000 | bulkhead flows import - --cluster > flows.jsonl`)
    .action(async (words: readonly string[], options: ImportOptions) => {
      process.exitCode = await runImport(words, options);
    });
}

async function runImport(words: readonly string[], options: ImportOptions): Promise<number> {
  const isJudged = options.file !== undefined || hasBase(options);
  if (words.includes('-') && options.file?.includes('-') === true) throw new UsageError('standard input cannot be both flows and policies', 'write one of them into a file');
  const input = isJudged ? await readInputs(options.file ?? [], options) : undefined;
  if (isJudged && input === undefined) return 2;
  const gathering = await readFlows({ ...options, flows: words }, { pods: input?.cluster.pods });
  if (gathering === undefined) return 2;
  const { table } = gathering;
  await writeNote(`bulkhead: ${countOf(gathering.taken, 'flow')}, ${count(table.size)} of them different${input === undefined ? '; no policies are named, so none has its rule' : ''}\n`);
  await (input === undefined ? writeAnswer(plainLines(table)) : writeJudged(input.cluster, table));
  return 0;
}

function* plainLines(table: FlowTable): Generator<string> {
  for (let row = 0; row < table.size; row++) yield `${jsonLine(flowJson(table.recordAt(row)))}\n`;
}

/** What was seen and what the rules say must not differ; where they do, other policies were in force, or something else decided. */
async function writeJudged(cluster: Cluster, table: FlowTable): Promise<void> {
  let different = 0;
  const lines = function* (): Generator<string> {
    for (const record of judgedRows(cluster, table)) {
      if (isAllowedBy(record.reason!) !== (record.verdict === 'allowed')) different++; // judged: it has one
      yield `${jsonLine(flowJson(record))}\n`;
    }
  };
  await writeAnswer(lines());
  if (different > 0) await writeNote(`bulkhead: ${count(different)} went otherwise than these policies say: others were in force, or something else decided\n`);
}
