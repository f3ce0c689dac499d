// `bulkhead lab`: manifests as network namespaces on this host; a shell in one of them; one connection tried.
import { Option, type Command } from 'commander';
import { parseProbePort } from '../../words/port-words.ts';
import { detectKernel } from '../../kernel/detect-kernel.ts';
import { enterLabUserNamespace, enterUserNamespace } from '../../lab/enter-user-namespace.ts';
import { openShell } from '../../lab/lab-shell.ts';
import { findLab } from '../../lab/lab-state.ts';
import { probeOnce, type OnceVerdict } from '../../lab/probe-once.ts';
import { printable } from '../../report/text/printable.ts';
import type { Style } from '../../report/text/style.ts';
import { count } from '../../report/text/truth-table.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { positiveNumber } from '../options/number-words.ts';
import { refuseClusterFromInside } from '../../input/open-base.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { readInputs } from '../../input/input.ts';
import { planCluster, runLab } from './run-lab.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { watchFlows } from './watch-flows.ts';

interface UpOptions extends InputOptions {
  readonly replicas?: number;
}

interface LabChoice {
  readonly pid?: number;
}

export function defineLab(command: Command): void {
  defineUp(command.command('up').description('Runs the manifests until Ctrl-C, with their policies in force, and shows flows as they happen.'));
  defineShell(command.command('shell').description('Opens a shell, or runs a command, in the network namespace of a pod of the running lab.'));
  defineProbe(command.command('probe').description('Opens one connection in the running lab and says what the kernel did with it.'));
}

function defineUp(command: Command): void {
  addInputOptions(command.argument('[PATH...]', 'the same as -f'))
    .option('--replicas <NUMBER>', 'pods of one workload that are run, at most', positiveNumber)
    .action(async (paths: readonly string[], options: UpOptions) => {
      process.exitCode = await runUp([...(options.file ?? []), ...paths], options);
    });
}

function defineShell(command: Command): void {
  command
    .argument('<POD>', 'namespace/name of a pod, or of a workload for its first pod')
    .argument('[COMMAND...]', 'what to run in place of a shell; put -- before it')
    .addOption(pidOption())
    .addHelpText('after', '\nExit status: that of the shell or command.\n\nExample: bulkhead lab shell shop/attacker -- ip address')
    .action(async (pod: string, words: readonly string[], { pid }: LabChoice) => {
      process.exitCode = await openShell(findLab(pid), pod, words);
    });
}

function defineProbe(command: Command): void {
  command
    .argument('<SOURCE>', 'namespace/name of a pod, or of a workload for its first pod')
    .argument('<TARGET>', 'the same, svc/namespace/name, or an address')
    .argument('<PROTO/PORT>', 'tcp/80, udp/53, sctp/3868')
    .addOption(pidOption())
    .addHelpText('after', '\nExit status: 0 it came through; 1 it was refused, or nothing is known of it.')
    .action(async (source: string, target: string, port: string, { pid }: LabChoice) => {
      process.exitCode = await runProbe({ source, target, port }, pid);
    });
}

function pidOption(): Option {
  return new Option('--pid <PID>', 'the process of the lab, where several run').env('BULKHEAD_LAB_PID').argParser(positiveNumber);
}

async function runUp(words: readonly string[], options: UpOptions): Promise<number> {
  const kernel = detectKernel();
  if (!kernel.canEnforce) {
    await writeNote(`bulkhead: no lab can run here: ${kernel.reason}\n  help: ${kernel.remedy}\n`);
    return 3;
  }
  if (kernel.how === 'user-namespace') {
    refuseClusterFromInside(options);
    enterUserNamespace();
  }
  const input = await readInputs(words, options);
  if (input === undefined) return 2;
  const interruption = listenForInterruption();
  const plan = planCluster(input.cluster, { ...(options.replicas !== undefined && { replicasMax: options.replicas }) });
  const running = await runLab(input.cluster, plan);
  try {
    const { style } = terminalOf(process.stdout);
    for (const note of plan.notes) await writeNote(`bulkhead: ${note}\n`);
    await writeAnswer([`${count(plan.pods.length)} pods are up as process ${process.pid}; Ctrl-C takes them away\n`, ...plan.pods.map(({ name }) => `  ${printable(name)}\n`), '\n']);
    await watchFlows({ running, style, interruption });
  } finally {
    await running.close();
    interruption.stopListening();
  }
  return 0;
}

async function runProbe(words: { source: string; target: string; port: string }, pid: number | undefined): Promise<number> {
  const wish = { source: words.source, target: words.target, ...parseProbePort(words.port) };
  const state = findLab(pid);
  enterLabUserNamespace(state);
  const verdicts = await probeOnce(state, wish);
  if (verdicts.length === 0) throw new UsageError(`\`${words.source}\` and \`${words.target}\` have no address family in common`);
  const { style } = terminalOf(process.stdout);
  await writeAnswer(verdicts.map((verdict) => verdictLine(verdict, words.port, style)));
  return verdicts.every(({ verdict }) => verdict === 'allowed') ? 0 : 1;
}

function verdictLine({ sourceName, targetName, source, target, verdict, evidence, refusal }: OnceVerdict, port: string, style: Style): string {
  const paint = verdict === 'allowed' ? style.green : style.red;
  const how = refusal === undefined ? evidence : `${evidence}: refused by ${refusal}`;
  return `${printable(sourceName)} (${source}) → ${printable(targetName)} (${target}) ${port}: ${paint(verdict)} (${how})\n`;
}
