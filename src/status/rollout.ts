// Which generation of each policy is in force on which node since when, as the agents report it, and what nobody can know of it.
import { compareText } from '../base/finding.ts';
import { NO_LOSSES, type FlowLosses } from '../flow/flow-losses.ts';
import type { ClusterObject } from '../kube/cluster-api.ts';
import { overdueSince } from '../model/time-to-live.ts';
import type { EnforcementStatus, ReportedAudit } from './node-enforcement.ts';

/** What an API server holds at one moment, as a watch tells it. */
export interface RolloutObjects {
  readonly nodes: readonly ClusterObject[];
  readonly enforcements: readonly ClusterObject[];
  /** Of all kinds, with uid and generation. */
  readonly policies: readonly ClusterObject[];
}

export interface Rollout {
  /** By name. */
  readonly nodes: readonly NodeStanding[];
  /** By kind, namespace and name. */
  readonly policies: readonly PolicyRollout[];
  /** By namespace. */
  readonly audits: readonly AuditRollout[];
  /** Every policy is in force on every node in its newest generation, without a problem, and every agent is ready. */
  readonly isComplete: boolean;
}

/** `silent`: its agent has not reported when it had promised to, or by a clock that is ahead; its rules stay as they were. `no-agent`: it never did. */
export interface NodeStanding {
  readonly node: string;
  readonly standing: 'ready' | 'not-ready' | 'silent' | 'no-agent';
  readonly isEnforcing: boolean | undefined;
  readonly version: string | undefined;
  readonly reportedAt: string | undefined;
  readonly troubles: readonly string[];
  /** Missing: none that it tells of. */
  readonly losses?: NodeLosses;
}

/** Those that are, and since when they are counted. */
export interface NodeLosses extends Partial<FlowLosses> {
  readonly since: string;
}

export interface PolicyRollout {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** That the API server holds. */
  readonly generation: number;
  /** It was to stand until then, and stands. */
  readonly overdueSince?: string;
  /** By node. */
  readonly nodes: readonly PolicyOnNode[];
}

/**
 * `in-force`: this very generation, since `since`. `pending`: the agent does not say so of this generation.
 * `audited`: judged, and not enforced. `unknown`: nobody can say, for `why`.
 */
export interface PolicyOnNode {
  readonly node: string;
  readonly standing: 'in-force' | 'pending' | 'audited' | 'unknown';
  readonly since?: string;
  /** What the agent found wrong with it: what it selects is closed. */
  readonly problem?: string;
  readonly why?: string;
}

export function rolloutOf({ nodes, enforcements, policies }: RolloutObjects, now: Date): Rollout {
  const statuses = new Map(enforcements.map((object) => [object.metadata.name, object['status'] as Partial<EnforcementStatus> | undefined])); // an older or newer agent's: every field is looked at
  const reports = nodes.map(({ metadata }) => reportOf(metadata.name, statuses.get(metadata.name), now)).sort((a, b) => compareText(a.standing.node, b.standing.node));
  const rollouts = policies.map((policy) => rolloutOfPolicy(policy, reports, now)).sort(comparePolicies);
  const audits = auditsOf(nodes.flatMap(({ metadata }) => statuses.get(metadata.name)?.audits ?? []));
  const isComplete = reports.length > 0 && reports.every(({ standing }) => standing.standing === 'ready') && rollouts.every(isInForceEverywhere);
  return { nodes: reports.map(({ standing }) => standing), policies: rollouts, audits, isComplete };
}

/** Without a problem, on all nodes. */
function isInForceEverywhere({ nodes }: PolicyRollout): boolean {
  return nodes.every(({ standing, problem }) => standing === 'in-force' && problem === undefined);
}

/** What the policies of a namespace that is audited would refuse, summed over the nodes that audit it. */
export interface AuditRollout extends Pick<ReportedAudit, 'judged' | 'wouldRefuse' | 'unknown' | 'witnesses'> {
  readonly namespace: string;
  readonly nodes: number;
  /** The latest of their beginnings. */
  readonly since: string;
}

const WITNESSES_MAX = 5;

/** An older or newer agent's: every field is looked at. */
function auditsOf(reported: readonly (Partial<ReportedAudit> & Pick<ReportedAudit, 'namespace'>)[]): readonly AuditRollout[] {
  const names = [...new Set(reported.map(({ namespace }) => namespace))].sort(compareText);
  return names.map((namespace): AuditRollout => {
    const parts = reported.filter((part) => part.namespace === namespace);
    const sum = (field: 'judged' | 'wouldRefuse' | 'unknown'): number => parts.reduce((total, part) => total + (part[field] ?? 0), 0);
    const witnesses = parts.flatMap((part) => part.witnesses ?? []).sort((a, b) => b.judged - a.judged).slice(0, WITNESSES_MAX);
    return { namespace, nodes: parts.length, since: parts.map(({ since = '' }) => since).sort().at(-1)!, judged: sum('judged'), wouldRefuse: sum('wouldRefuse'), unknown: sum('unknown'), witnesses };
  });
}

interface Report {
  readonly standing: NodeStanding;
  readonly hasOmitted: boolean;
  readonly known: ReadonlyMap<string, { readonly generation: number; readonly since: string | undefined; readonly audited: boolean; readonly problem: string | undefined }>;
}

function reportOf(node: string, status: Partial<EnforcementStatus> | undefined, now: Date): Report {
  const known = new Map((status?.policies ?? []).map(({ uid, generation, since, audited = false, problem }) => [uid, { generation, since, audited, problem }]));
  for (const line of status?.morePolicies ?? []) {
    const [uid, generation, seconds] = line.split(' ');
    known.set(uid!, { generation: Number(generation), since: `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z`, audited: false, problem: undefined });
  }
  const losses = lossesOf(status);
  const standing: NodeStanding = {
    node,
    standing: standingOf(status, now),
    isEnforcing: status?.enforcing,
    version: status?.version,
    reportedAt: status?.reportedAt,
    troubles: (status?.troubles ?? []).map(({ code, message }) => `${code}: ${message}`),
    ...(losses === undefined ? {} : { losses }),
  };
  return { standing, hasOmitted: (status?.counts?.omitted ?? 0) > 0, known };
}

/** An older or newer agent's: every field is looked at. */
function lossesOf({ losses = {}, startedAt = '' }: { readonly losses?: Partial<FlowLosses>; readonly startedAt?: string } = {}): NodeLosses | undefined {
  const whys = Object.keys(NO_LOSSES) as (keyof FlowLosses)[]; // it has these and no others
  const lost = whys.flatMap((why) => ((losses[why] ?? 0) > 0 ? [[why, losses[why]] as const] : []));
  return lost.length === 0 ? undefined : { since: startedAt, ...Object.fromEntries(lost) };
}

function standingOf(status: Partial<EnforcementStatus> | undefined, now: Date): NodeStanding['standing'] {
  if (status?.reportedAt === undefined || status.nextReportBefore === undefined) return 'no-agent';
  const [reported, next] = [Date.parse(status.reportedAt), Date.parse(status.nextReportBefore)];
  if (next < now.getTime() || isAhead(reported, next - reported, now)) return 'silent';
  return status.ready === true ? 'ready' : 'not-ready';
}

/** A promise by a clock that is hours ahead would be kept by an agent that died hours ago. */
function isAhead(reported: number, promisedMs: number, now: Date): boolean {
  return reported - now.getTime() > promisedMs;
}

function rolloutOfPolicy({ apiVersion, kind, metadata }: ClusterObject, reports: readonly Report[], now: Date): PolicyRollout {
  const { name, namespace, uid, generation } = metadata;
  const wanted = Number(generation);
  const since = overdueSince(metadata, now);
  return { apiVersion, kind, namespace, name, generation: wanted, ...(since === undefined ? {} : { overdueSince: since }), nodes: reports.map((report) => onNode(report, { uid: String(uid), generation: wanted, now })) };
}

function onNode({ standing, hasOmitted, known }: Report, { uid, generation, now }: { readonly uid: string; readonly generation: number; readonly now: Date }): PolicyOnNode {
  const { node } = standing;
  if (standing.standing === 'no-agent') return { node, standing: 'unknown', why: 'no agent has ever reported from there' };
  if (standing.standing === 'silent') return { node, standing: 'unknown', why: isAhead(Date.parse(standing.reportedAt!), 0, now) ? `it reports by a clock that is ahead, ${standing.reportedAt}` : `its agent has been silent since ${standing.reportedAt}` };
  const found = known.get(uid);
  if (found === undefined) return hasOmitted ? { node, standing: 'unknown', why: 'its agent knows more policies than its report has room for' } : { node, standing: 'pending' };
  if (found.generation === generation && found.audited) return { node, standing: 'audited' };
  if (found.generation !== generation || found.since === undefined) return { node, standing: 'pending' };
  return { node, standing: 'in-force', since: found.since, ...(found.problem === undefined ? {} : { problem: found.problem }) };
}

function comparePolicies(a: PolicyRollout, b: PolicyRollout): number {
  return compareText(a.kind, b.kind) || compareText(a.namespace ?? '', b.namespace ?? '') || compareText(a.name, b.name);
}
