// `bulkhead doctor`: whether policies are enforced here, on which nodes, by whom, and what to type where they are not.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { diagnose, type Diagnosis } from '../../doctor/doctor.ts';
import type { ClusterFacts } from '../../doctor/facts.ts';
import { loadKnowledge } from '../../doctor/known-engines.ts';
import { readFacts } from '../../doctor/read-facts.ts';
import { factsInSnapshot } from '../../doctor/kept-facts.ts';
import { CONFORMANCE_CASES } from '../../doctor/conformance-cases.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { CONFORMANCE_FORMATS } from '../../report/state/conformance.ts';
import { type SUPPORT_FORMATS, supportJson, supportMarkdown, supportText } from '../../report/state/support.ts';
import { collect } from '../../input/input-options.ts';
import { PROBE_IMAGE } from '../../doctor/probe-pods.ts';
import { choiceOf } from '../options/choice.ts';
import { positiveNumber } from '../options/number-words.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UnreadableInput, UsageError } from '../../terminal/failures.ts';
import { systemWords } from '../../input/list-inputs.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';

interface DoctorOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly snapshot?: string;
  readonly output: (typeof CONFORMANCE_FORMATS)[number];
  readonly conformance?: boolean;
  readonly cases?: string;
  readonly live?: boolean;
  readonly image: string;
  readonly node?: readonly string[];
  readonly within: number;
}

export function defineDoctor(command: Command): void {
  command
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig')
    .option('--snapshot <FILE>', 'what `bulkhead snapshot --cluster` kept, in place of the cluster')
    .option('--live', 'prove it: pods of our own call one another under policies of our own, and all of it goes again')
    .option('--conformance', `which features the engine really has: ${CONFORMANCE_CASES.length} cases of peers, ports, directions and changes`)
    .option('--cases <TEXT>', 'with --conformance: only the cases with it in their name')
    .option('--image <IMAGE>', 'of the probe pods: one with sh and /agnhost', PROBE_IMAGE)
    .option('--node <NAME>', 'with --live and --conformance: only these nodes; repeatable', collect)
    .option('--within <SECONDS>', 'with --live and --conformance: how long a policy may take to have its effect', positiveNumber, 30)
    .option('-o, --output <FORMAT>', `one of: ${CONFORMANCE_FORMATS.join(', ')}; junit is of --conformance`, choiceOf(CONFORMANCE_FORMATS), 'table')
    .addHelpText('after', `
Reads the API server, and changes nothing: which engines run, how they are switched, node by node.
With --live and --conformance it makes a namespace with probe pods on each node (restricted Pod Security, no rights), tries what policies
refuse and what they allow, and takes it away, also after Ctrl-C; what a crash leaves expires, after an hour or the longest that it may take.
The NetworkPolicy API is served by every cluster, whether or not anything enforces it.

Exit status: 0 policies are enforced on every node; 1 they are not, or nobody can know; 3 the cluster gives no answer, or
lets no probe pod run; 130 it was interrupted.

Examples:
  bulkhead doctor
  bulkhead doctor -o md > support.md
  bulkhead doctor --live --image registry.example/agnhost:2.56
  bulkhead doctor --conformance -o junit > conformance.xml`)
    .action(async (options: DoctorOptions) => {
      process.exitCode = await runDoctor(options);
    });
}

async function runDoctor(options: DoctorOptions): Promise<number> {
  if (options.live === true || options.conformance === true) return tryIt(options);
  const { output } = options;
  if (output === 'junit') throw new UsageError('junit is a format of --conformance', 'add --conformance, or choose another format');
  const knowledge = loadKnowledge();
  const facts = options.snapshot === undefined ? await readFacts(await openApi(options), knowledge, new Date()) : keptFacts(options.snapshot, options);
  const diagnosis = diagnose(facts, knowledge);
  await writeAnswer(await formatted(diagnosis, output));
  return diagnosis.isEnforced ? 0 : 1;
}

async function tryIt(options: DoctorOptions): Promise<number> {
  const { snapshot, live, conformance, output } = options;
  if (snapshot !== undefined) throw new UsageError('a snapshot cannot be probed', 'leave --snapshot out');
  if (live === true && conformance === true) throw new UsageError('--live and --conformance are two questions', 'ask one after the other');
  const { runConformanceCases, runLive } = await import('./doctor-live.ts');
  if (conformance === true) return runConformanceCases(await openApi(options), options, output);
  if (output === 'junit') throw new UsageError('junit is a format of --conformance', 'choose another format');
  return runLive(await openApi(options), options, output);
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

async function formatted(diagnosis: Diagnosis, output: (typeof SUPPORT_FORMATS)[number]): Promise<Iterable<string>> {
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
