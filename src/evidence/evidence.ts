// How well the walls of a cluster hold, in figures and as evidence for the controls of frameworks, each derived from who can reach whom.
import { WordError } from '../base/word-error.ts';
import { countPairs, type PairCount } from '../analyze/count-pairs.ts';
import { nameRoutes, type NamedEntrance } from '../analyze/named-routes.ts';
import type { Program } from '../compile/program.ts';
import type { Diagnosis } from '../doctor/doctor.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { DirectedRule } from '../flow/flow.ts';
import { unusedRulesOfTable } from '../flow/group-flows.ts';
import type { TestReport } from '../probe/check-expectations.ts';
import { findRedundancies, type Redundancies } from '../prove/redundancy.ts';
import type { KeptRelease } from '../release/release-record.ts';
import { judgeFramework, type JudgedFramework } from './controls.ts';
import { countPods, coverNamespaces, type NamespaceCoverage } from './coverage.ts';
import type { Framework } from './framework.ts';
import { outsideFinder } from './outside-reach.ts';
import type { Scope } from './scope.ts';
import { findScopeEvidence, type ScopeEvidence } from './scope-ways.ts';
import { findStrangers } from './strangers.ts';
import type { TestRun } from './test-results.ts';
import { rankWorkloads, type WorkloadRisk } from './workload-risks.ts';

export interface EvidenceQuestion {
  readonly program: Program;
  /** What enforces; undefined: nothing was told of it. */
  readonly diagnosis: Diagnosis | undefined;
  readonly scopes: readonly Scope[];
  readonly frameworks: readonly Framework[];
  /** Recorded flows; undefined: none were given. */
  readonly flows: FlowTable | undefined;
  /** Tests that were run against the Program; undefined: none were given. */
  readonly tests: TestReport | undefined;
  /** Earlier runs, the oldest first. */
  readonly testRuns: readonly TestRun[];
  /** When it was so, ISO 8601; undefined: nobody said. */
  readonly at: string | undefined;
  /** Revisions of releases; undefined: no cluster was asked. */
  readonly releases: readonly KeptRelease[] | undefined;
  /** Why more may be there than was read; empty: all of it was. */
  readonly unread: readonly string[];
}

export interface Evidence extends Pick<EvidenceQuestion, 'diagnosis' | 'tests' | 'testRuns' | 'releases' | 'unread'> {
  readonly counts: { readonly namespaces: number; readonly workloads: number; readonly pods: number; readonly networkPolicies: number; readonly clusterPolicies: number; /** That policies name. */ readonly domainNames: number };
  /** Pairs of pods that may talk on any port. */
  readonly pairs: PairCount;
  readonly coverage: readonly NamespaceCoverage[];
  /** The highest score first. */
  readonly workloads: readonly WorkloadRisk[];
  readonly entrances: readonly NamedEntrance[];
  /** A text: why it was not searched for. */
  readonly redundancies: Redundancies | string;
  /** undefined: no flows were given. Where none was recorded, no rule is known to be unused. */
  readonly unused: { readonly flows: number; readonly rules: readonly DirectedRule[] } | undefined;
  readonly scopes: readonly ScopeEvidence[];
  readonly frameworks: readonly JudgedFramework[];
}

/** Throws WordError where a word of a scope names nothing. */
export function gatherEvidence(question: EvidenceQuestion): Evidence {
  const { program, diagnosis, flows, tests, testRuns, at, releases, unread } = question;
  const { cluster } = program;
  const scopes = question.scopes.map((scope) => findScopeEvidence(program, scope));
  const outsideOf = outsideFinder(program);
  const coverage = coverNamespaces(program, findStrangers(cluster), outsideOf);
  const workloads = rankWorkloads(program, outsideOf);
  return {
    counts: { namespaces: cluster.namespaces.length, workloads: workloads.length, pods: countPods(program, cluster.pods.keys()), networkPolicies: cluster.policies.length, clusterPolicies: cluster.clusterPolicies.length, domainNames: program.domainNames.length },
    pairs: countPairs(program),
    coverage,
    workloads,
    entrances: nameRoutes(program, 'workload').entrances,
    redundancies: searchRedundancies(program),
    unused: flows && { flows: flows.size, rules: flows.size === 0 ? [] : unusedRulesOfTable(cluster, flows) },
    scopes,
    frameworks: question.frameworks.map((framework) => judgeFramework(framework, { coverage, scopes, diagnosis, unread, testRuns, at, releases })),
    diagnosis,
    tests,
    testRuns,
    releases,
    unread,
  };
}

/** A control that was judged is not met. */
export function hasUnmetControl({ frameworks }: Evidence): boolean {
  return frameworks.some(({ controls }) => controls.some(({ verdict }) => verdict === 'not-met'));
}

function searchRedundancies({ cluster }: Program): Redundancies | string {
  try {
    return findRedundancies(cluster);
  } catch (error) {
    if (error instanceof WordError) return error.message;
    throw error;
  }
}
