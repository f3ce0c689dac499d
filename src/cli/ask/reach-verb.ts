// `bulkhead reach`: who can reach whom, on what.
import type { Command } from 'commander';
import { DIRECTIONS } from '../../model/network-policy.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Grain } from '../../analyze/endpoints.ts';
import { reach } from '../../analyze/reach.ts';
import { DATA_FORMATS, formatReach, REACH_FORMATS, ROUTE_FORMATS, type ReachFormat } from '../../report/reach/reach-formats.ts';
import { choiceOf } from '../options/choice.ts';
import { addEngineOption, engineOf, type EngineOption } from '../options/engine-option.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { writeAnswer } from '../../terminal/output.ts';
import type { FocusWords } from './reach-focus.ts';
import { readInputs } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

const GRAINS: readonly Grain[] = ['workload', 'pod', 'namespace'];

interface ReachVerbOptions extends InputOptions, EngineOption, FocusWords {
  readonly output: ReachFormat;
  readonly by: Grain;
  readonly services?: boolean;
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
  const focus = hasFocus(options) ? (await import('./reach-focus.ts')).focusOf(program, options) : undefined;
  if (options.exposure === true) return (await import('./reach-exposure.ts')).answerExposure(input.cluster, focus ?? {}, options);
  const findings = await input.findingsOf(program, { engine });
  const whole = reach(program, { by: options.by });
  const reachability = focus === undefined ? whole : (await import('../../analyze/focus-reach.ts')).focusReach(program, whole, { ...focus, by: options.by, fillsPairs: options.output === 'matrix' });
  const routes = options.services === true ? { routes: (await import('../../analyze/named-routes.ts')).nameRoutes(program, options.by) } : {};
  await writeAnswer(await formatReach(options.output, reachability, { ...terminalOf(process.stdout), findings, ...routes }));
  if (!DATA_FORMATS.includes(options.output)) await writeFindings(findings, input);
  return 0;
}

function hasFocus({ from, to, focus, direction, port }: FocusWords): boolean {
  return [from, to, focus, direction, port].some((word) => word !== undefined);
}
