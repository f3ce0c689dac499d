// The NodeEnforcement of a node: what its agent knows as an object that fits into the API server whatever the cluster holds.
import type { ServedKind } from '../kube/cluster-api.ts';
import type { AgentState, PolicyState } from '../agent/agent-state.ts';
import { policyStanding } from './metrics-text.ts';
import type { AgentFacts } from './status.ts';

export const NODE_ENFORCEMENT: ServedKind = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'NodeEnforcement', resource: 'nodeenforcements', isNamespaced: false };

/** As `deploy/crds/nodeenforcements.yaml` has them; together at most 1.2 MB, and etcd takes 1.5 MB of one object. */
const POLICIES_MAX = 1_000;
const MORE_POLICIES_MAX = 12_000;
const TROUBLES_MAX = 32;
const MESSAGE_LENGTH_MAX = 512;

/** Times are ISO 8601 to the second in UTC. A field that is null takes away what stood there. */
export interface EnforcementStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly reportedAt: string;
  readonly nextReportBefore: string;
  readonly ready: boolean;
  readonly enforcing: boolean;
  readonly troubles: readonly { readonly code: string; readonly message: string; readonly since: string }[];
  readonly kernel: { readonly [field: string]: string | number | null };
  readonly pods: AgentState['pods'];
  readonly counts: { readonly known: number; readonly inForce: number; readonly withProblem: number; readonly omitted: number };
  readonly policies: readonly ReportedPolicy[];
  /** `uid generation seconds`, each in force and without a problem. */
  readonly morePolicies: readonly string[];
}

export interface ReportedPolicy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  /** That the agent knows of. */
  readonly generation: number;
  /** Missing: this generation is not in force. */
  readonly since?: string;
  readonly problem?: string;
}

export interface ReportTimes {
  readonly now: Date;
  /** The agent promises to have reported again by then. */
  readonly nextReportBefore: Date;
}

export function enforcementStatus(state: AgentState, facts: AgentFacts, { now, nextReportBefore }: ReportTimes): EnforcementStatus {
  const ordered = state.policies.toSorted(compareUrgency);
  const shown = ordered.slice(0, POLICIES_MAX);
  const more = ordered.slice(POLICIES_MAX).filter((policy) => policyStanding(policy) === 'in_force').slice(0, MORE_POLICIES_MAX);
  const { commits, kernel } = state;
  return {
    version: facts.version,
    startedAt: timeText(facts.startedAt),
    reportedAt: timeText(now),
    nextReportBefore: timeText(nextReportBefore),
    ready: state.isReady,
    enforcing: state.isEnforcing,
    troubles: state.troubles.slice(0, TROUBLES_MAX).map(({ code, message, since }) => ({ code, message: cut(message), since: timeText(since) })),
    kernel: {
      release: facts.kernelRelease,
      nft: facts.nftVersion,
      table: kernel.table,
      driftRepairs: kernel.driftRepairs,
      lastDriftAt: kernel.lastDriftAt === undefined ? null : timeText(kernel.lastDriftAt),
      lastDrift: kernel.lastDrift === undefined ? null : cut(kernel.lastDrift),
      commits: commits.count,
      lastCommitAt: commits.lastAt === undefined ? null : timeText(commits.lastAt),
      generations: commits.generations,
    },
    pods: state.pods,
    counts: {
      known: state.policies.length,
      inForce: state.policies.filter(({ inForceSince }) => inForceSince !== undefined).length,
      withProblem: state.policies.filter(({ problem }) => problem !== undefined).length,
      omitted: state.policies.length - shown.length - more.length,
    },
    policies: shown.map(reportedPolicy),
    morePolicies: more.map(({ uid, generation, inForceSince }) => `${uid} ${generation} ${Math.floor(inForceSince!.getTime() / 1000)}`),
  };
}

/** What is not in force, what has a problem, then what came into force last. */
function compareUrgency(a: PolicyState, b: PolicyState): number {
  return URGENCY[policyStanding(a)] - URGENCY[policyStanding(b)] || (b.inForceSince?.getTime() ?? 0) - (a.inForceSince?.getTime() ?? 0);
}

const URGENCY = { pending: 0, problem: 1, in_force: 2 } as const;

function reportedPolicy({ apiVersion, kind, namespace, name, uid, generation, inForceSince, problem }: PolicyState): ReportedPolicy {
  return {
    apiVersion,
    kind,
    ...(namespace === '' ? {} : { namespace }),
    name,
    uid,
    generation,
    ...(inForceSince === undefined ? {} : { since: timeText(inForceSince) }),
    ...(problem === undefined ? {} : { problem: cut(problem) }),
  };
}

function cut(text: string): string {
  return text.length <= MESSAGE_LENGTH_MAX ? text : `${text.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}

/** To the second, as Kubernetes writes times. */
export function timeText(time: Date): string {
  return time.toISOString().replace(/\.[0-9]+Z$/, 'Z');
}
