// `bulkhead reach`: who can reach whom, on what.
import type { Command } from 'commander';
import { compileCluster } from '../compile/compile.ts';
import type { Grain } from '../analyze/endpoints.ts';
import { nameRoutes } from '../analyze/named-routes.ts';
import { reach } from '../analyze/reach.ts';
import { MATRIX_ENDPOINTS_MAX } from '../report/reach-matrix.ts';
import { formatReach, REACH_FORMATS, ROUTE_FORMATS, type ReachFormat } from '../report/report.ts';
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
}

export function defineReach(command: Command): void {
  addEngineOption(addInputOptions(command.argument('[PATH...]', 'the same as -f')))
    .option('--by <GRAIN>', `a row for each ${GRAINS.join(', ')}`, choiceOf(GRAINS), 'workload')
    .option('-o, --output <FORMAT>', `one of: ${REACH_FORMATS.join(', ')}`, choiceOf(REACH_FORMATS), 'table')
    .option('--services', 'also where Services lead, and whether policies let in what comes by Ingress, load balancer or node port')
    .addHelpText('after', '\nExample: bulkhead reach -f manifests -o matrix')
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
  const findings = await input.findingsOf(program, { engine });
  const reachability = reach(program, { by: options.by });
  if (options.output === 'matrix' && reachability.endpoints.length > MATRIX_ENDPOINTS_MAX) {
    throw new UsageError(
      `a matrix of ${reachability.endpoints.length} endpoints is more than anybody reads (${MATRIX_ENDPOINTS_MAX} at most)`,
      'use --by namespace, or another output such as -o table',
    );
  }
  await writeAnswer(formatReach(options.output, reachability, { ...terminalOf(process.stdout), findings, ...(options.services === true && { routes: nameRoutes(program, options.by) }) }));
  if (options.output !== 'json') await writeFindings(findings, input);
  return 0;
}
