// What belongs beside an answer about who reaches whom: where policies do not do what they seem to say. Answers load this, and not what is weak.
import { sortFindings, type Finding } from '../../base/finding.ts';
import type { Program } from '../../compile/program.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import { routeServices } from '../../analyze/services.ts';
import type { Engine } from '../engines/engine.ts';
import { createLintContext, type LintContext } from '../context/lint-context.ts';
import { lintApiCalls } from './lint-api-calls.ts';
import { lintDirections } from './lint-directions.ts';
import { lintDns } from './lint-dns.ts';
import { lintEngine } from './lint-engine.ts';
import { lintExposure } from './lint-exposure.ts';
import { lintIpBlocks, lintNetworks } from './lint-ip-blocks.ts';
import { lintNamedPorts } from './lint-named-ports.ts';
import { lintScrapes } from './lint-scrapes.ts';
import { lintSelectors } from './lint-selectors.ts';

export interface LintOptions {
  /** Whether the input is everything there is: then what is missing in it does not exist. Without it, told by what every cluster has. */
  readonly isWholeCluster?: boolean;
  /** What enforces the policies: adds where it departs from the answer. */
  readonly engine?: Engine | undefined;
  /** Objects of the input that say who calls pods (`saysWhoCalls`): adds where policies lock such callers out. */
  readonly written?: readonly WrittenObject[];
}

/** A part of what `lintCluster` finds. Sorted. */
export function lintAnswer(cluster: Cluster, program: Program, options: LintOptions = {}): Finding[] {
  return sortFindings(lintMeaning(createLintContext(cluster, program, options), options));
}

export function lintMeaning(context: LintContext, { engine, written = [] }: LintOptions): Finding[] {
  const { policies, clusterPolicies } = context.cluster;
  return [
    ...policies.flatMap((policy) => [...lintSelectors(context, policy), ...lintNamedPorts(context, policy), ...lintDirections(context, policy), ...lintIpBlocks(context, policy)]),
    ...clusterPolicies.flatMap((policy) => lintNetworks(context, policy)),
    ...lintDns(context),
    ...lintExposure(context),
    ...(written.length === 0 ? [] : lintCallers(context, written)),
    ...(engine === undefined ? [] : lintEngine(context, engine)),
  ];
}

function lintCallers(context: LintContext, written: readonly WrittenObject[]): Finding[] {
  const routes = routeServices(context.cluster);
  return [...lintScrapes(context, routes, written), ...lintApiCalls(context, routes, written)];
}
