// What belongs beside an answer about who reaches whom: where policies do not do what they seem to say. Answers load this, and not what is weak.
import { sortFindings, type Finding } from '../base/finding.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Engine } from './engines/engine.ts';
import { createLintContext, type LintContext } from './lint-context.ts';
import { lintDirections } from './lint-directions.ts';
import { lintDns } from './lint-dns.ts';
import { lintEngine } from './lint-engine.ts';
import { lintExposure } from './lint-exposure.ts';
import { lintIpBlocks, lintNetworks } from './lint-ip-blocks.ts';
import { lintNamedPorts } from './lint-named-ports.ts';
import { lintSelectors } from './lint-selectors.ts';

export interface LintOptions {
  /** Whether the input is everything there is, as of a live cluster: then what is missing in it does not exist. */
  readonly isWholeCluster?: boolean;
  /** What enforces the policies: adds where it departs from the answer. */
  readonly engine?: Engine | undefined;
}

/** A part of what `lintCluster` finds. Sorted. */
export function lintAnswer(cluster: Cluster, program: Program, options: LintOptions = {}): Finding[] {
  return sortFindings(lintMeaning(createLintContext(cluster, program, options), options));
}

export function lintMeaning(context: LintContext, { engine }: LintOptions): Finding[] {
  const { policies, clusterPolicies } = context.cluster;
  return [
    ...policies.flatMap((policy) => [...lintSelectors(context, policy), ...lintNamedPorts(context, policy), ...lintDirections(context, policy), ...lintIpBlocks(context, policy)]),
    ...clusterPolicies.flatMap((policy) => lintNetworks(context, policy)),
    ...lintDns(context),
    ...lintExposure(context),
    ...(engine === undefined ? [] : lintEngine(context, engine)),
  ];
}
