// Says what is wrong or weak in a cluster's policies, each with the place where it stands and, where one is sure, the edit that mends it.
import { sortFindings, type Finding } from '../base/finding.ts';
import type { Position, TextRange } from '../base/source-position.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Engine } from './engines/engine.ts';
import { createLintContext, type LintContext } from './lint-context.ts';
import { lintClusterAddresses } from './lint-cluster-addresses.ts';
import { lintDirections } from './lint-directions.ts';
import { lintDns } from './lint-dns.ts';
import { lintEngine } from './lint-engine.ts';
import { lintExposure } from './lint-exposure.ts';
import { lintFamilies } from './lint-families.ts';
import { lintIpBlocks, lintNetworks } from './lint-ip-blocks.ts';
import { lintIsolation } from './lint-isolation.ts';
import { lintNamedPorts } from './lint-named-ports.ts';
import { lintOpenedPorts } from './lint-opened-ports.ts';
import { lintOpenBlocks } from './lint-open-blocks.ts';
import { lintOpenRules } from './lint-open-rules.ts';
import { lintPeerLists } from './lint-peer-lists.ts';
import { lintSelectors } from './lint-selectors.ts';

export interface LintOptions {
  /** Whether the input is everything there is, as of a live cluster: then what is missing in it does not exist. */
  readonly isWholeCluster?: boolean;
  /** What enforces the policies: adds where it departs from the answer. */
  readonly engine?: Engine | undefined;
}

/** Findings about what the policies mean and where they are weak; cost follows policies and the pods they select, never pods × policies. Sorted. */
export function lintCluster(cluster: Cluster, program: Program, options: LintOptions = {}): Finding[] {
  const context = createLintContext(cluster, program, options);
  return sortFindings(withoutExplained([...lintMeaning(context, options), ...lintWeakness(context)]));
}

/** Those of them that belong beside an answer about who reaches whom: where policies do not do what they seem to say. Sorted. */
export function lintAnswer(cluster: Cluster, program: Program, options: LintOptions = {}): Finding[] {
  return sortFindings(lintMeaning(createLintContext(cluster, program, options), options));
}

function lintMeaning(context: LintContext, { engine }: LintOptions): Finding[] {
  const { policies, clusterPolicies } = context.cluster;
  return [
    ...policies.flatMap((policy) => [...lintSelectors(context, policy), ...lintNamedPorts(context, policy), ...lintDirections(context, policy), ...lintIpBlocks(context, policy)]),
    ...clusterPolicies.flatMap((policy) => lintNetworks(context, policy)),
    ...lintDns(context),
    ...lintExposure(context),
    ...(engine === undefined ? [] : lintEngine(context, engine)),
  ];
}

function lintWeakness(context: LintContext): Finding[] {
  return [
    ...context.cluster.policies.flatMap((policy) => [
      ...lintPeerLists(context, policy),
      ...lintOpenedPorts(context, policy),
      ...lintOpenBlocks(context, policy),
      ...lintClusterAddresses(context, policy),
    ]),
    ...lintFamilies(context),
    ...lintIsolation(context),
    ...lintOpenRules(context),
  ];
}

/** Why a peer matches nothing is said once. */
function withoutExplained(findings: readonly Finding[]): readonly Finding[] {
  const explained = findings.filter(({ code }) => code === 'or-instead-of-and' || code === 'and-instead-of-or');
  if (explained.length === 0) return findings;
  return findings.filter(({ code, file, range }) => code !== 'peer-matches-nothing' || !explained.some((other) => other.file === file && isInside(range, other.range)));
}

function isInside(inner: TextRange | undefined, outer: TextRange | undefined): boolean {
  return inner !== undefined && outer !== undefined && comparePositions(outer.start, inner.start) <= 0 && comparePositions(inner.end, outer.end) <= 0;
}

function comparePositions(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}
