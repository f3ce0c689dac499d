// `bulkhead test FILE…`: expectations held against the computed answer, or against real connections in the lab or in a cluster.
import type { Command } from 'commander';
import { PROTOCOL_BASE } from '../../base/port-set.ts';
import { compileCluster } from '../../compile/compile.ts';
import { detectKernel } from '../../kernel/detect-kernel.ts';
import { checkTests, countFailures, type TestReport } from '../../probe/check-expectations.ts';
import type { PolicyTest } from '../../probe/policy-test.ts';
import { TEST_FORMATS, testJson, testJunit, testTap, testText } from '../../report/ask/test-report.ts';
import { choiceOf } from '../options/choice.ts';
import { dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, collect, type InputOptions } from '../../input/input-options.ts';
import { positiveNumber } from '../options/number-words.ts';
import { readTests } from './read-tests.ts';
import { refuseClusterFromInside } from '../../input/open-base.ts';
import { INTERRUPTED_STATUS, listenForInterruption } from '../../terminal/interruption.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { readInputs } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';

const PLACES = ['static', 'lab', 'cluster'] as const;

interface TestOptions extends InputOptions {
  readonly in: (typeof PLACES)[number];
  readonly output: (typeof TEST_FORMATS)[number];
  readonly replicas: number;
  readonly by?: string;
  readonly image?: string;
  readonly outside?: readonly string[];
  readonly pairs: number;
  readonly watch?: boolean;
  readonly every: string;
  readonly metricsAddress: string;
  readonly events?: string;
}

export function defineTest(command: Command): void {
  addInputOptions(command.argument('<FILE...>', 'test files (kind: PolicyTest), or folders of them'))
    .option('--in <PLACE>', `one of: ${PLACES.join(', ')}; lab opens the connections in the kernel of this host, cluster between its real pods`, choiceOf(PLACES), 'static')
    .option('--replicas <NUMBER>', 'in the lab: pods of one workload that are run, at most', positiveNumber, 2)
    .option('--by <MEANS>', 'in a cluster: who opens the connections, the dearest first: agent, ephemeral, exec (default: agent,exec; with --image all three)')
    .option('--image <NAME>', 'in a cluster: for ephemeral containers, which stay listed in the pods: an image with sh and nc or bash')
    .option('--outside <ADDRESS:PORT>', 'in a cluster: a host outside that may be called, and that listens there; repeatable', collect)
    .option('--pairs <NUMBER>', 'in a cluster: pairs of pods that stand for all that policies treat alike', positiveNumber, 3)
    .option('--watch', 'in a cluster: again and again until it is told to end, with metrics; prints what changes')
    .option('--every <TIME>', 'with --watch: from the start of one run to that of the next', '30s')
    .option('--metrics-address <HOST:PORT>', 'with --watch: where /metrics and /healthz are answered to this host, or none', '127.0.0.1:9642')
    .option('--events <NAMESPACE>', 'with --watch: write an Event there when an expectation fails, and when it holds again')
    .option('-o, --output <FORMAT>', `one of: ${TEST_FORMATS.join(', ')}`, choiceOf(TEST_FORMATS), 'text')
    .addHelpText('after', `
The manifests are named with -f.

Exit status: 0 every expectation holds; 1 one fails; 2 a test file or the manifests could not be understood; 3 no lab can run here, or the cluster says no.

Examples:
  bulkhead test -f manifests tests/policies.yaml
  bulkhead test --in cluster tests/policies.yaml`)
    .action(async (files: readonly string[], options: TestOptions) => {
      process.exitCode = await runTest(files, options);
    });
}

async function runTest(files: readonly string[], options: TestOptions): Promise<number> {
  const tests = await readTests(files);
  if (tests === undefined) return 2;
  if (options.watch === true) return watchInCluster(tests, options);
  const report = await testIn(options.in, tests, options);
  if (typeof report === 'number') return report;
  const dated = report.where === 'static' ? report : { ...report, at: new Date().toISOString() };
  await writeAnswer(await formatReport(dated, options));
  return countFailures(report).failed === 0 ? 0 : 1;
}

function testIn(place: TestOptions['in'], tests: readonly PolicyTest[], options: TestOptions): Promise<TestReport | number> {
  switch (place) {
    case 'static':
      return testStatically(tests, options);
    case 'lab':
      return testInLab(tests, options);
    case 'cluster':
      return testOnce(tests, options);
  }
}

async function watchInCluster(tests: readonly PolicyTest[], options: TestOptions): Promise<number> {
  if (options.in !== 'cluster') throw new UsageError('--watch belongs to --in cluster: what is computed or run on this host does not change by itself');
  if (options.image !== undefined) throw new UsageError('--watch would add a container to the pods with every run, and nobody can take one out', 'leave out --image');
  const [{ prepareClusterRun }, { watchTests }] = await Promise.all([import('./test-cluster.ts'), import('./test-canary.ts')]);
  return watchTests(tests, prepareClusterRun({ ...options, isQuiet: true }), options);
}

async function testOnce(tests: readonly PolicyTest[], options: TestOptions): Promise<TestReport | number> {
  const { prepareClusterRun } = await import('./test-cluster.ts');
  const prepared = prepareClusterRun(options);
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  try {
    return (await prepared.run(tests, stop.signal)) ?? 2;
  } catch (error) {
    if (interruption.hasCome()) return INTERRUPTED_STATUS;
    throw error;
  } finally {
    interruption.stopListening();
  }
}

async function testStatically(tests: readonly PolicyTest[], options: TestOptions): Promise<TestReport | number> {
  const input = await readInputs(options.file ?? [], options);
  return input === undefined ? 2 : checkTests(compileCluster(input.cluster), tests);
}

async function testInLab(tests: readonly PolicyTest[], options: TestOptions): Promise<TestReport | number> {
  const kernel = detectKernel();
  if (!kernel.canEnforce) {
    await writeNote(`bulkhead: no lab can run here: ${kernel.reason}\n  help: ${kernel.remedy}\n`);
    return 3;
  }
  const { enterUserNamespace } = await import('../../lab/enter-user-namespace.ts');
  if (kernel.how === 'user-namespace') {
    refuseClusterFromInside(options);
    enterUserNamespace();
  }
  const input = await readInputs(options.file ?? [], options);
  if (input === undefined) return 2;
  const { planCluster, runLab } = await import('../lab/run-lab.ts');
  const { tryTests } = await import('../../probe/try-expectations.ts');
  const plan = planCluster(input.cluster, { replicasMax: options.replicas, ports: namedPorts(tests) });
  for (const note of plan.notes) await writeNote(`bulkhead: ${note}\n`);
  const running = await runLab(input.cluster, plan);
  try {
    const world = { prober: running.lab.prober, namespaces: running.lab.namespaces, readLedger: () => running.firewall.readLedger({ drain: true }) };
    return await tryTests({ program: running.program, endpoints: plan.endpoints, world, addedPods: plan.dnsPod === undefined ? [] : [plan.dnsPod] }, tests);
  } finally {
    await running.close();
  }
}

/** Numbers that the tests ask about, so that somebody listens there. */
function namedPorts(tests: readonly PolicyTest[]): number[] {
  const words = tests.flatMap(({ expectations }) => expectations).flatMap(({ assertion }) => ('ports' in assertion ? (assertion.ports ?? []) : []));
  return words.flatMap((word) => [...word.matchAll(/(?:^|[/-])([0-9]{1,5})(?=-|$)/g)].map((match) => Number(match[1]))).filter((port) => port >= 1 && port < PROTOCOL_BASE.UDP);
}

async function formatReport(report: TestReport, { output }: TestOptions): Promise<Iterable<string>> {
  switch (output) {
    case 'text':
      return [testText(report, terminalOf(process.stdout).style)];
    case 'tap':
      return [testTap(report)];
    case 'junit':
      return [testJunit(report)];
    case 'json':
    case 'yaml':
      return dataAnswer(output, [testJson(report)]);
  }
}
