// `bulkhead doctor`: whether policies are enforced here, on which nodes, by whom, and what to type where they are not.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { diagnose, type Diagnosis } from '../doctor/doctor.ts';
import type { ClusterFacts } from '../doctor/facts.ts';
import { loadKnowledge } from '../doctor/known-engines.ts';
import { readFacts } from '../doctor/read-facts.ts';
import { factsInSnapshot } from '../doctor/kept-facts.ts';
import { openKubeApi } from '../kube/kube-api.ts';
import { SUPPORT_FORMATS, supportJson, supportMarkdown, supportText } from '../report/support.ts';
import { choiceOf } from './choice.ts';
import { dataAnswer } from '../terminal/data-answer.ts';
import { UnreadableInput, UsageError } from '../terminal/failures.ts';
import { systemWords } from '../input/list-inputs.ts';
import { writeAnswer } from '../terminal/output.ts';
import { terminalOf } from '../terminal/terminal.ts';

interface DoctorOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly snapshot?: string;
  readonly output: (typeof SUPPORT_FORMATS)[number];
}

export function defineDoctor(command: Command): void {
  command
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig')
    .option('--snapshot <FILE>', 'what `bulkhead snapshot --cluster` kept, in place of the cluster')
    .option('-o, --output <FORMAT>', `one of: ${SUPPORT_FORMATS.join(', ')}`, choiceOf(SUPPORT_FORMATS), 'table')
    .addHelpText('after', `
Reads the API server, and changes nothing: which engines run, how they are switched, node by node.
The NetworkPolicy API is served by every cluster, whether or not anything enforces it.

Exit status: 0 policies are enforced on every node; 1 they are not, or nobody can know; 3 the cluster gives no answer.

Examples:
  bulkhead doctor
  bulkhead doctor -o md > support.md`)
    .action(async (options: DoctorOptions) => {
      process.exitCode = await runDoctor(options);
    });
}

async function runDoctor(options: DoctorOptions): Promise<number> {
  const knowledge = loadKnowledge();
  const facts = options.snapshot === undefined ? await readFacts(await openApi(options), knowledge, new Date()) : keptFacts(options.snapshot, options);
  const diagnosis = diagnose(facts, knowledge);
  await writeAnswer(await formatted(diagnosis, options.output));
  return diagnosis.isEnforced ? 0 : 1;
}

async function openApi({ context, kubeconfig }: DoctorOptions): ReturnType<typeof openKubeApi> {
  return openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
}

function keptFacts(file: string, { context, kubeconfig }: DoctorOptions): ClusterFacts {
  if (context !== undefined || kubeconfig !== undefined) throw new UsageError('a snapshot needs no cluster, and one is named', 'leave --context and --kubeconfig out');
  const facts = factsInSnapshot(readText(file));
  if (facts === undefined) throw new UsageError(`\`${file}\` does not say what enforces policies in its cluster`, 'take it again from the cluster: bulkhead snapshot --cluster');
  return facts;
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UnreadableInput(file, systemWords(error));
  }
}

async function formatted(diagnosis: Diagnosis, output: DoctorOptions['output']): Promise<Iterable<string>> {
  switch (output) {
    case 'table':
    case 'wide':
      return [supportText(diagnosis, terminalOf(process.stdout).style, { isWide: output === 'wide' })];
    case 'md':
      return [supportMarkdown(diagnosis)];
    case 'json':
    case 'yaml':
      return dataAnswer(output, [supportJson(diagnosis)]);
  }
}
