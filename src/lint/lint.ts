// Says what is wrong or weak in a cluster's policies, each with the place where it stands and, where one is sure, the edit that mends it.
import { sortFindings, type Finding } from '../base/finding.ts';
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Engine } from './engines/engine.ts';
import type { LintContext } from './lint-context.ts';
import { lintDirections } from './lint-directions.ts';
import { lintDns } from './lint-dns.ts';
import { lintEngine } from './lint-engine.ts';
import { lintExposure } from './lint-exposure.ts';
import { lintIpBlocks, lintNetworks } from './lint-ip-blocks.ts';
import { lintNamedPorts } from './lint-named-ports.ts';
import { lintSelectors } from './lint-selectors.ts';
import { findPodCreators } from './pod-creators.ts';
import { createPodIndex } from './pod-index.ts';

export interface LintOptions {
  /** Whether the input is everything there is, as of a live cluster: then what is missing in it does not exist. */
  readonly isWholeCluster?: boolean;
  /** What enforces the policies: adds where it departs from the answer. */
  readonly engine?: Engine | undefined;
}

/** Findings about what the policies mean; cost follows policies and the pods they select, never pods × policies. Sorted. */
export function lintCluster(cluster: Cluster, program: Program, options: LintOptions = {}): Finding[] {
  const creators = findPodCreators(cluster);
  const context: LintContext = {
    cluster,
    program,
    index: createPodIndex(cluster),
    isWholeCluster: options.isWholeCluster ?? false,
    podCreatorsIn: (namespace) => creators.get(namespace) ?? [],
  };
  const findings = cluster.policies.flatMap((policy) => [
    ...lintSelectors(context, policy),
    ...lintNamedPorts(context, policy),
    ...lintDirections(context, policy),
    ...lintIpBlocks(context, policy),
  ]);
  const networks = cluster.clusterPolicies.flatMap((policy) => lintNetworks(context, policy));
  return sortFindings([...findings, ...networks, ...lintDns(context), ...lintExposure(context), ...(options.engine === undefined ? [] : lintEngine(context, options.engine))]);
}
