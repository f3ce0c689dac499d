// `bulkhead demo`: the whole loop on this host, as named steps: read, repair, reach, enforce, probe, watch.
import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';
import type { Command } from 'commander';
import { hasErrors, sortFindings, type Finding } from '../../base/finding.ts';
import type { Cluster } from '../../model/cluster.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { isOutside } from '../../analyze/endpoints.ts';
import { reach, type Reachability } from '../../analyze/reach.ts';
import { rulesetOf } from '../../emit/elements.ts';
import { detectKernel, type KernelSupport } from '../../kernel/detect-kernel.ts';
import { enterUserNamespace } from '../../lab/enter-user-namespace.ts';
import type { LabPlan } from '../../lab/lab-plan.ts';
import { lintAnswer } from '../../lint/checks/lint-meaning.ts';
import { proveTruthTable } from '../../probe/probe.ts';
import type { TruthTable } from '../../probe/compare-verdicts.ts';
import { readManifests } from '../../read/read.ts';
import { MATRIX_ENDPOINTS_MAX, reachMatrix } from '../../report/reach/reach-matrix.ts';
import { unifiedDiff } from '../../report/text/text-diff.ts';
import { count, countOf, truthDifferences, truthMatrix, truthSummary } from '../../report/text/truth-table.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { INTERRUPTED_STATUS, listenForInterruption, type Interruption } from '../../terminal/interruption.ts';
import { positiveNumber } from '../options/number-words.ts';
import { hasBase, openBase, refuseClusterFromInside } from '../../input/open-base.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { createProgress } from '../../terminal/progress.ts';
import { inputsOfSettings, readOptionsOf } from '../../input/input.ts';
import { repairInputs, type RepairedInput } from '../../input/repair-inputs.ts';
import { planCluster, runLab, shownEnds, type RunningLab } from './run-lab.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { watchFlows } from './watch-flows.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

interface DemoOptions extends InputOptions {
  readonly once?: boolean;
  readonly dns?: boolean;
  readonly replicas?: number;
}

export function defineDemo(command: Command): void {
  addInputOptions(command.argument('[PATH...]', 'manifests (default: those of bulkhead.yaml, else the shipped example, a shop with an attacker)'))
    .option('--once', 'end after the truth table, also on a terminal')
    .option('--dns', 'show the DNS pod that the lab adds')
    .option('--replicas <NUMBER>', 'pods of one workload that are run, at most', positiveNumber)
    .addHelpText('after', `
Broken text is repaired in a copy; the files themselves are never written.
On a terminal it stays up and shows flows until Ctrl-C, which takes every trace away.

Exit status: 0 every verdict of the kernel is the computed one; 1 one is not; 2 the input could not be understood;
3 this host cannot enforce (then the computed part is shown); 130 it was interrupted before it had an answer.`)
    .action(async (paths: readonly string[], options: DemoOptions) => {
      process.exitCode = await runDemo([...(options.file ?? []), ...paths], options);
    });
}

async function runDemo(words: readonly string[], options: DemoOptions): Promise<number> {
  const kernel = detectKernel();
  // As early as can be: nothing was read or printed that would be read or printed once more.
  if (kernel.canEnforce && kernel.how === 'user-namespace') {
    refuseClusterFromInside(options);
    enterUserNamespace();
  }
  const interruption = listenForInterruption();
  try {
    const inputs = await stepRead(words.length > 0 || hasBase(options) ? words : await defaultInputs(options), options);
    await stepRepair(inputs);
    const cluster = await stepUnderstand(inputs, options);
    if (cluster === undefined) return 2;
    await stepReach(cluster);
    if (!kernel.canEnforce) return await stepCannotEnforce(kernel);
    const running = await stepEnforce(cluster, options);
    try {
      const table = await stepProbe(running, { options, interruption });
      if (table === undefined) return await stepInterrupted();
      if (options.once !== true && terminalOf(process.stdout).isInteractive) await stepWatch(running, interruption);
      return table.agrees ? 0 : 1;
    } finally {
      await running.close();
    }
  } finally {
    interruption.stopListening();
  }
}

async function defaultInputs(options: DemoOptions): Promise<readonly string[]> {
  const inputs = await inputsOfSettings(options);
  return inputs.length > 0 ? inputs : [shippedExample()];
}

async function stepRead(words: readonly string[], { cluster, snapshot }: DemoOptions): Promise<readonly RepairedInput[]> {
  const inputs = repairInputs(words);
  const base = snapshot ?? (cluster === true ? 'the cluster' : undefined);
  const files = words.length === 0 ? [] : [`${countOf(inputs.length, 'file')} of ${words.join(', ')}`];
  await heading('Read', [...files, ...(base === undefined ? [] : [base])].join(', applied to '));
  return inputs;
}

async function stepRepair(inputs: readonly RepairedInput[]): Promise<void> {
  const repaired = inputs.filter(({ isChanged }) => isChanged);
  if (repaired.length === 0) return;
  const { style } = terminalOf(process.stdout);
  await heading('Repair', 'in a copy; the files themselves are not touched');
  for (const { file, before = '', after = '', findings } of repaired) {
    await writeAnswer([unifiedDiff({ file: file.name, before, after }, style), '\n']);
    await writeAnswer(findings.map((finding) => `${repairLine(finding)}\n`));
  }
}

function repairLine({ range, message }: Finding): string {
  return `  ${range === undefined ? '' : `line ${range.start.line}: `}${message}`;
}

/** undefined: it could not be understood. */
async function stepUnderstand(inputs: readonly RepairedInput[], options: DemoOptions): Promise<Cluster | undefined> {
  const base = await openBase(options);
  const { cluster, findings } = readManifests([...inputs.map(({ readFile }) => readFile), ...(base?.readFiles ?? [])], readOptionsOf(options));
  const textFindings = [...(base?.findings ?? []), ...findings];
  const lines = new Map(inputs.map(({ file, after }) => [file.name, after?.split('\n')]));
  const lineOf = (file: string, line: number): string | undefined => lines.get(file)?.[line - 1] ?? base?.lineOf(file, line);
  const isRefused = hasErrors(textFindings);
  const meaning = isRefused ? [] : lintAnswer(cluster, compileCluster(cluster));
  await writeFindings(sortFindings([...textFindings, ...meaning]), { lineOf });
  if (!isRefused) return cluster;
  await writeNote('bulkhead: nothing was computed: mend the errors above first\n');
  return undefined;
}

async function stepReach(cluster: Cluster): Promise<void> {
  const pods = cluster.pods.reduce((sum, { replicas }) => sum + replicas, 0);
  await heading('Reach', `${countOf(pods, 'pod')} in ${countOf(cluster.namespaces.length, 'namespace')}, ${cluster.policies.length === 1 ? '1 policy' : `${count(cluster.policies.length)} policies`}`);
  await printReach('Before, without policies:', compileCluster({ ...cluster, policies: [] }));
  await printReach('After, with them:', compileCluster(cluster));
}

async function printReach(title: string, program: Program): Promise<void> {
  const terminal = terminalOf(process.stdout);
  const workloads = reach(program, { by: 'workload' });
  const reachability = workloads.endpoints.length > MATRIX_WORKLOADS_MAX ? reach(program, { by: 'namespace' }) : workloads;
  const { open, pairs } = countOpenPairs(workloads);
  const matrix = reachability.endpoints.length > MATRIX_ENDPOINTS_MAX ? '' : reachMatrix(reachability, terminal);
  await writeAnswer([`\n${terminal.style.bold(title)} ${count(open)} of ${count(pairs)} pairs of workloads may talk\n\n`, matrix]);
}

/** Beyond this a matrix of workloads is folded into one of namespaces. */
const MATRIX_WORKLOADS_MAX = 60;

/** Ordered pairs of different workloads, ranges aside. */
function countOpenPairs({ endpoints, rows }: Reachability): { open: number; pairs: number } {
  const isWorkload = (index: number): boolean => !isOutside(endpoints[index]!);
  const workloads = endpoints.filter((endpoint) => !isOutside(endpoint)).length;
  let open = 0;
  for (const { source, target } of rows()) if (source !== target && isWorkload(source) && isWorkload(target)) open++;
  return { open, pairs: workloads * (workloads - 1) };
}

async function stepCannotEnforce({ reason, remedy }: Extract<KernelSupport, { canEnforce: false }>): Promise<number> {
  await heading('Enforce', 'not on this host');
  await writeAnswer([`  ${reason}\n  help: ${remedy}\n\nWhat stands above is computed; nothing of it was tried in a kernel.\n`]);
  return 3;
}

async function stepEnforce(cluster: Cluster, options: DemoOptions): Promise<RunningLab> {
  const plan = planCluster(cluster, { ...(options.replicas !== undefined && { replicasMax: options.replicas }) });
  const { pods, outside, services } = plan;
  const progress = createProgress(process.stderr);
  progress.show(`starting ${pods.length} pods`);
  const running = await runLab(cluster, plan).finally(() => progress.clear());
  await heading('Enforce', 'in the kernel of this host, in namespaces of its own');
  const lines = [
    `${countOf(pods.length, 'pod')}, ${countOf(services.length, 'Service')} and ${countOf(outside.hosts.length, 'host')} outside run in network namespaces`,
    `${countOf(rulesetOf(running.firewall.read()).pairs.length, 'pair')} of pod address and peer class stand in nftables, read back from table inet bulkhead`,
    ...(plan.dnsPod === undefined ? [] : [`${plan.pods[plan.dnsPod]!.name} was added to answer names${options.dns === true ? '' : '; it is not in the table below (--dns shows it)'}`]),
    ...plan.notes,
  ];
  await writeAnswer(lines.map((line) => `  ${line}\n`));
  return running;
}

/** undefined: it was interrupted. */
async function stepProbe(running: RunningLab, { options, interruption }: { options: DemoOptions; interruption: Interruption }): Promise<TruthTable | undefined> {
  const { endpoints, namespaces } = shownEnds(running, options.dns === true);
  const progress = createProgress(process.stderr);
  const table = await proveTruthTable(running.program, endpoints, {
    prober: running.lab.prober,
    namespaces,
    readLedger: () => running.firewall.readLedger({ drain: true }),
    onProgress: (done, total) => progress.show(`probing: ${count(done)} of ${count(total)} connections`),
    isCancelled: interruption.hasCome,
  }).finally(() => progress.clear());
  if (interruption.hasCome()) return undefined;
  const terminal = terminalOf(process.stdout);
  await heading('Probe', 'real connections for every ordered pair of pods, TCP and UDP');
  if (endpoints.length <= MATRIX_ENDPOINTS_MAX) await writeAnswer(['\n', truthMatrix(table, terminal), '\n']);
  await writeAnswer([truthSummary(table, terminal.style), truthDifferences(table, terminal.style)]);
  return table;
}

async function stepInterrupted(): Promise<number> {
  await writeNote('bulkhead: interrupted before every connection was tried; nothing is left behind\n');
  return INTERRUPTED_STATUS;
}

async function stepWatch(running: RunningLab, interruption: Interruption): Promise<void> {
  const { style } = terminalOf(process.stdout);
  await heading('Watch', 'flows as they happen; Ctrl-C takes every trace away');
  const commands = suggestCommands(running.plan, running.program.cluster).map((command) => `  ${style.cyan(command)}\n`);
  await writeAnswer(['  try from another terminal:\n', ...commands, '\n']);
  await watchFlows({ running, style, interruption });
  await writeAnswer(['\n']);
}

/** A pod that offers nothing is somebody's client, or an attacker; a pod with a port is worth reaching. */
function suggestCommands({ pods, dnsPod }: LabPlan, cluster: Cluster): string[] {
  const indices = [...pods.keys()].filter((index) => index !== dnsPod);
  const client = indices.find((index) => cluster.pods[index]!.ports.length === 0) ?? indices[0];
  const server = indices.find((index) => index !== client && cluster.pods[index]!.ports.length > 0);
  if (client === undefined) return [];
  const { name } = pods[client]!;
  const command = ownName();
  const shell = `${command} lab shell ${name}`;
  if (server === undefined) return [shell];
  const { protocol, port } = cluster.pods[server]!.ports[0]!;
  return [`${command} lab probe ${name} ${pods[server]!.name} ${protocol.toLowerCase()}/${port}`, shell];
}

async function heading(step: string, text: string): Promise<void> {
  const { style } = terminalOf(process.stdout);
  await writeAnswer([`\n${style.bold(style.cyan(step))}  ${text}\n`]);
}

function shippedExample(): string {
  return nearPath(new URL('../../../examples/shop', import.meta.url));
}

/** What one types to run this program once more: in a clone the launcher, else the installed command. */
function ownName(): string {
  return import.meta.url.endsWith('.ts') ? nearPath(new URL('../../../bin/bulkhead', import.meta.url)) : 'bulkhead';
}

function nearPath(url: URL): string {
  const path = fileURLToPath(url);
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
