// Says what is wrong or weak in a cluster's policies, each with the place where it stands and, where one is sure, the edit that mends it.
import { sortFindings, type Finding } from '../base/finding.ts';
import type { Position, TextRange } from '../base/source-position.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import { createLintContext, type LintContext } from './context/lint-context.ts';
import { lintClusterAddresses } from './checks/lint-cluster-addresses.ts';
import { lintClusterPolicies } from './checks/lint-cluster-policies.ts';
import { lintDnsTcp } from './checks/lint-dns-tcp.ts';
import { lintFamilies } from './checks/lint-families.ts';
import { lintIsolation } from './checks/lint-isolation.ts';
import { lintMeaning, type LintOptions } from './checks/lint-meaning.ts';
import { lintOpenedPorts } from './checks/lint-opened-ports.ts';
import { lintOpenBlocks } from './checks/lint-open-blocks.ts';
import { lintOpenRules } from './checks/lint-open-rules.ts';
import { lintPeerLists } from './checks/lint-peer-lists.ts';
import { lintRedundant } from './checks/lint-redundant.ts';

/** Findings about what the policies mean and where they are weak; cost follows policies and the pods they select, never pods × policies. Sorted. */
export function lintCluster(cluster: Cluster, program: Program, options: LintOptions = {}): Finding[] {
  const context = createLintContext(cluster, program, options);
  return sortFindings(withoutExplained([...lintMeaning(context, options), ...lintWeakness(context)]));
}

function lintWeakness(context: LintContext): Finding[] {
  return [
    ...context.cluster.policies.flatMap((policy) => [
      ...lintPeerLists(context, policy),
      ...lintOpenedPorts(context, policy),
      ...lintOpenBlocks(context, policy),
      ...lintClusterAddresses(context, policy),
    ]),
    ...lintClusterPolicies(context),
    ...lintDnsTcp(context),
    ...lintFamilies(context),
    ...lintRedundant(context),
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
