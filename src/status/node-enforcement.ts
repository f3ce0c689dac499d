// The NodeEnforcement of a node: what its agent knows as an object that fits into the API server whatever the cluster holds.
import { compareText } from '../base/finding.ts';
import type { FlowLosses } from '../flow/flow-losses.ts';
import type { ServedKind } from '../kube/cluster-api.ts';
import type { AgentState, PolicyState } from '../agent/agent-state.ts';
import type { StagedCount } from '../stage/staged-count.ts';
import { policyStanding } from './metrics-text.ts';
import type { AgentFacts } from './status.ts';

export const NODE_ENFORCEMENT: ServedKind = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'NodeEnforcement', resource: 'nodeenforcements', isNamespaced: false };

/** As `deploy/crds/nodeenforcements.yaml` has them; together at most 1.2 MB, and etcd takes 1.5 MB of one object. */
const POLICIES_MAX = 1_000;
const MORE_POLICIES_MAX = 12_000;
const TROUBLES_MAX = 32;
const AUDITS_MAX = 100;
/** Of one audited namespace. */
const RULES_MAX = 16;
const WITNESSES_MAX = 3;
/** Audited namespaces of which rules and witnesses are told: those with the most that would be refused. */
const DETAILED_MAX = 10;
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
  readonly counts: { readonly known: number; readonly inForce: number; readonly withProblem: number; readonly audited: number; readonly omitted: number };
  readonly policies: readonly ReportedPolicy[];
  /** `uid generation seconds`, each in force and without a problem. */
  readonly morePolicies: readonly string[];
  /** Namespaces whose policies are judged and not enforced here, those with the most that would be refused first. */
  readonly audits: readonly ReportedAudit[];
  /** Since `startedAt`. */
  readonly losses: FlowLosses;
}

export interface ReportedAudit extends Pick<StagedCount, 'judged' | 'wouldRefuse' | 'unknown' | 'rules' | 'witnesses'> {
  readonly namespace: string;
  /** Of the counts; missing as long as nothing was counted. */
  readonly since?: string;
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
  /** Judged and not enforced. */
  readonly audited?: true;
  readonly problem?: string;
}

export interface Reported {
  readonly state: AgentState;
  readonly facts: AgentFacts;
  readonly staged: readonly StagedCount[];
  readonly losses: FlowLosses;
}

export interface ReportTimes {
  readonly now: Date;
  /** The agent promises to have reported again by then. */
  readonly nextReportBefore: Date;
}

/** `staged`: what is counted of audited namespaces is told, and nothing else of it. */
export function enforcementStatus({ state, facts, staged, losses }: Reported, { now, nextReportBefore }: ReportTimes): EnforcementStatus {
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
      audited: state.policies.filter(({ isAudited }) => isAudited).length,
      omitted: state.policies.length - shown.length - more.length,
    },
    policies: shown.map(reportedPolicy),
    morePolicies: more.map(({ uid, generation, inForceSince }) => `${uid} ${generation} ${Math.floor(inForceSince!.getTime() / 1000)}`),
    audits: reportedAudits(state, staged),
    losses,
  };
}

function reportedAudits({ policies }: AgentState, staged: readonly StagedCount[]): readonly ReportedAudit[] {
  const counts = new Map(staged.filter(({ kind }) => kind === 'Namespace').map((count) => [count.name, count]));
  const names = [...new Set(policies.filter(({ isAudited }) => isAudited).map(({ namespace }) => namespace))];
  const refused = (name: string): number => counts.get(name)?.wouldRefuse ?? 0;
  const ordered = names.sort((a, b) => refused(b) - refused(a) || compareText(a, b));
  return ordered.slice(0, AUDITS_MAX).map((name, index) => reportedAudit(name, counts.get(name), index < DETAILED_MAX));
}

function reportedAudit(namespace: string, count: StagedCount | undefined, isDetailed: boolean): ReportedAudit {
  if (count === undefined) return { namespace, judged: 0, wouldRefuse: 0, unknown: 0, rules: [], witnesses: [] };
  const { since, judged, wouldRefuse, unknown, rules, witnesses } = count;
  const details = isDetailed ? { rules: rules.slice(0, RULES_MAX), witnesses: witnesses.slice(0, WITNESSES_MAX) } : { rules: [], witnesses: [] };
  return { namespace, since: timeText(since), judged, wouldRefuse, unknown, ...details };
}

/** What is not in force, what has a problem, what is audited, then what came into force last. */
function compareUrgency(a: PolicyState, b: PolicyState): number {
  return URGENCY[policyStanding(a)] - URGENCY[policyStanding(b)] || (b.inForceSince?.getTime() ?? 0) - (a.inForceSince?.getTime() ?? 0);
}

const URGENCY = { pending: 0, problem: 1, audited: 2, in_force: 3 } as const;

function reportedPolicy({ apiVersion, kind, namespace, name, uid, generation, inForceSince, isAudited, problem }: PolicyState): ReportedPolicy {
  return {
    apiVersion,
    kind,
    ...(namespace === '' ? {} : { namespace }),
    name,
    uid,
    generation,
    ...(inForceSince === undefined ? {} : { since: timeText(inForceSince) }),
    ...(isAudited ? { audited: true as const } : {}),
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
