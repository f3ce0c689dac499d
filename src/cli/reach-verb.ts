// `bulkhead reach`: who can reach whom, on what.
import type { Command } from 'commander';
import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { compileCluster } from '../compile/compile.ts';
import type { Program } from '../compile/program.ts';
import type { Grain } from '../analyze/endpoints.ts';
import { nameRoutes } from '../analyze/named-routes.ts';
import { focusReach, isUnfocused, type ReachFocus } from '../analyze/focus-reach.ts';
import type { NamedEnds } from '../analyze/named-ends.ts';
import { findNewPodExposure } from '../analyze/new-pod-exposure.ts';
import { reach } from '../analyze/reach.ts';
import { findEnds } from '../words/endpoint-words.ts';
import { parsePorts } from '../words/port-words.ts';
import { EXPOSURE_FORMATS, exposureJson, exposureMarkdown, exposureTable } from '../report/new-pod-exposure.ts';
import { MATRIX_ENDPOINTS_MAX } from '../report/reach-matrix.ts';
import { encodeReach, REACH_FORMATS, ROUTE_FORMATS, type ReachFormat } from '../report/report.ts';
import { choiceOf } from './choice.ts';
import { addEngineOption, engineOf, type EngineOption } from './engine-option.ts';
import { UsageError } from './failures.ts';
import { addInputOptions, type InputOptions } from './input-options.ts';
import { writeAnswer } from './output.ts';
import { readInputs } from './read-inputs.ts';
import { terminalOf } from './terminal.ts';
import { writeFindings } from './write-findings.ts';

const GRAINS: readonly Grain[] = ['workload', 'pod', 'namespace'];

interface ReachVerbOptions extends InputOptions, EngineOption {
  readonly output: ReachFormat;
  readonly by: Grain;
  readonly services?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly focus?: string;
  readonly direction?: Direction;
  readonly port?: string;
  readonly exposure?: boolean;
}

export function defineReach(command: Command): void {
  addEngineOption(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .option('--by <GRAIN>', `a row for each ${GRAINS.join(', ')}`, choiceOf(GRAINS), 'workload')
    .option('-o, --output <FORMAT>', `one of: ${REACH_FORMATS.join(', ')}`, choiceOf(REACH_FORMATS), 'table')
    .option('--services', 'also where Services lead, and whether policies let in what comes by Ingress, load balancer or node port')
    .option('--from <WORD>', 'only from these: namespace/name, namespace/*, key=value, a CIDR, internet …, as explain takes them')
    .option('--to <WORD>', 'only to these')
    .option('--focus <WORD>', 'only what has these at either end')
    .option('--direction <DIRECTION>', 'of --focus: ingress, what comes in there, or egress, what goes out', choiceOf(DIRECTIONS))
    .option('--port <PROTO/PORT>', 'only on these ports: tcp/80, udp/53, tcp/http')
    .option('--exposure', 'what pods that are not there yet could reach or be reached by, also with labels that rules name')
    .addHelpText('after', `
Examples:
  bulkhead reach -f manifests -o matrix
  bulkhead reach -f manifests --to 'data/*' --port tcp/5432
  bulkhead reach -f manifests --exposure --focus shop/web`)
    .action(async (paths: readonly string[], options: ReachVerbOptions) => {
      process.exitCode = await runReach(paths, options);
    });
}

async function runReach(paths: readonly string[], options: ReachVerbOptions): Promise<number> {
  if (options.services === true && !ROUTE_FORMATS.includes(options.output)) {
    throw new UsageError(`-o ${options.output} has no place for Services`, `with --services take one of: ${ROUTE_FORMATS.join(', ')}`);
  }
  const engine = await engineOf(options);
  const input = await readInputs([...(options.file ?? []), ...paths], options);
  if (input === undefined) return 2;
  const program = compileCluster(input.cluster);
  const focus = focusOf(program, options);
  if (options.exposure === true) return answerExposure(input.cluster, focus, options);
  const findings = await input.findingsOf(program, { engine });
  const whole = reach(program, { by: options.by });
  const reachability = isUnfocused(focus) ? whole : focusReach(program, whole, { ...focus, by: options.by, fillsPairs: options.output === 'matrix' });
  if (options.output === 'matrix' && reachability.endpoints.length > MATRIX_ENDPOINTS_MAX) {
    throw new UsageError(
      `a matrix of ${reachability.endpoints.length} endpoints is more than anybody reads (${MATRIX_ENDPOINTS_MAX} at most)`,
      'use --by namespace, or another output such as -o table',
    );
  }
  await writeAnswer(encodeReach(options.output, reachability, { ...terminalOf(process.stdout), findings, ...(options.services === true && { routes: nameRoutes(program, options.by) }) }));
  if (options.output !== 'json') await writeFindings(findings, input);
  return 0;
}

function focusOf(program: Program, { from, to, focus, direction, port }: ReachVerbOptions): ReachFocus {
  if (direction !== undefined && focus === undefined) throw new UsageError('--direction is that of --focus', 'name the ends with --focus WORD');
  const ends = (word: string | undefined): NamedEnds | undefined => (word === undefined ? undefined : findEnds(program, word));
  const [sources, targets, either] = [ends(from), ends(to), ends(focus)];
  const ports = port === undefined ? undefined : parsePorts(port, program.cluster.pods);
  if (direction === undefined || either === undefined) return { ...(sources && { sources }), ...(targets && { targets }), ...(either && { either }), ...(ports && { ports }) };
  const isIn = direction === 'ingress';
  if ((isIn ? targets : sources) !== undefined) throw new UsageError(`--direction ${direction} with --focus is --${isIn ? 'to' : 'from'}`, 'give one of the two');
  return { ...(isIn ? { targets: either, ...(sources && { sources }) } : { sources: either, ...(targets && { targets }) }), ...(ports && { ports }) };
}

async function answerExposure(cluster: Cluster, { sources, targets, either, ports }: ReachFocus, { output, by }: ReachVerbOptions): Promise<number> {
  if (by !== 'workload' || ports !== undefined || sources !== undefined || targets !== undefined) throw new UsageError('--exposure is told by workload, of all ports, both ways', 'choose the workloads with --focus WORD');
  const format = EXPOSURE_FORMATS.find((one) => one === output);
  if (format === undefined) throw new UsageError(`-o ${output} has no place for what is not there yet`, `with --exposure take one of: ${EXPOSURE_FORMATS.join(', ')}`);
  const names = either === undefined ? undefined : new Set(either.pods.map(({ workload }) => `${workload.kind} ${workload.namespace}/${workload.name}`));
  const exposures = findNewPodExposure(cluster).filter(({ endpoint }) => names === undefined || ('namespace' in endpoint && names.has(`${endpoint.kind} ${endpoint.namespace}/${endpoint.name}`)));
  const { style } = terminalOf(process.stdout);
  await writeAnswer([format === 'json' ? exposureJson(exposures) : format === 'md' ? exposureMarkdown(exposures) : exposureTable(exposures, style)]);
  return 0;
}
