// Holds the written policies against the recorded flows: each that went through still does, and none of the rules is one too many.
import type { IpFamily } from '../../base/ip-address.ts';
import { pointOf } from '../../base/port-set.ts';
import { flowPoint } from '../../flow/flow-protocol.ts';
import { FlowJudge } from '../../flow/flow.ts';
import { DENIED_BIT, IPV6_BIT, type FlowTable } from '../../flow/flow-table.ts';
import type { Cluster, Workload } from '../../model/cluster.ts';
import { comparePrecedence, type ClusterPolicy, type TierRule } from '../../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../../model/network-policy.ts';
import type { Connection } from '../ends/connection.ts';

/** Policies of one kind, and the connection that each rule was written for. */
export interface WrittenPolicies {
  readonly policies: readonly NetworkPolicy[];
  readonly clusterPolicies: readonly ClusterPolicy[];
  readonly connectionOf: ReadonlyMap<PolicyRule | TierRule, Connection>;
}

export interface FlowProof {
  /** Different flows that were recorded. */
  readonly flows: number;
  /** Of these, the ones that went through and still would. */
  readonly allowed: number;
  /** Of these, the ones that a cluster-wide policy of the input would refuse, whatever is written here. */
  readonly refusedByOthers: number;
  /** Rules that have witnesses; without any one of them at least one of its witnesses would be refused, but for `spare`. */
  readonly rules: number;
  /** Rules whose witnesses another rule allows as well. */
  readonly spare: number;
}

export interface FlowQuestion extends WrittenPolicies {
  /** As it was read. */
  readonly cluster: Cluster;
  readonly table: FlowTable;
  readonly connections: readonly Connection[];
}

/** Throws where a flow that a rule was written for would be refused: that is a bug, whatever the input. */
export function proveFlows(question: FlowQuestion): FlowProof {
  const { cluster, table, policies, clusterPolicies, connections } = question;
  const judge = new FlowJudge({ ...cluster, policies, clusterPolicies }, table.ends.all);
  const allowed = judge.allowedRows(table);
  const rows = new Set(connections.flatMap(({ seen }) => seen?.rows ?? []));
  const fault = [...rows].find((row) => allowed[row] === 0);
  if (fault !== undefined) throw new Error(`bug: a recorded flow would be refused: ${JSON.stringify({ ...table.recordAt(fault), reason: judge.reasonOf(pairAt(table, fault)) }, (_, value: unknown) => (value instanceof Map ? [...value] : typeof value === 'bigint' ? `${value}` : value))}`);
  const byOthers = cluster.clusterPolicies.length === 0 ? allowed : new FlowJudge({ ...cluster, policies, clusterPolicies: [...cluster.clusterPolicies, ...clusterPolicies].sort(comparePrecedence) }, table.ends.all).allowedRows(table);
  let [kept, refusedByOthers] = [0, 0];
  for (let row = 0; row < table.size; row++) {
    if ((table.columns.flags[row]! & DENIED_BIT) !== 0 || allowed[row] === 0) continue;
    if (byOthers[row] === 1) kept++;
    else refusedByOthers++;
  }
  return { flows: table.size, allowed: kept, refusedByOthers, ...countNeeded(question) };
}

export function pairAt({ columns }: FlowTable, row: number): { readonly source: number; readonly target: number; readonly family: IpFamily; readonly point: number } {
  return { source: columns.source[row]!, target: columns.target[row]!, family: (columns.flags[row]! & IPV6_BIT) === 0 ? 4 : 6, point: flowPoint(columns.protocol[row]!, columns.port[row]!) };
}

/** Witnesses of a rule that are tried; one that is refused without it is enough. */
const TRIED = 8;

type AnyPolicy = NetworkPolicy | ClusterPolicy;

/** Policies of the same pods: of one workload, or cut in several because one would have too many rules. */
type Family = readonly AnyPolicy[];

/**
 * Takes one rule of every workload away at a time, and asks for the witnesses of these rules: no pod is of two workloads,
 * so that what is taken from one says nothing about the others. Without the other direction, which would say no for itself.
 */
function countNeeded(question: FlowQuestion): Pick<FlowProof, 'rules' | 'spare'> {
  const families = [...Map.groupBy<string, AnyPolicy>([...question.policies, ...question.clusterPolicies], familyKey).values()];
  let [rules, spare] = [0, 0];
  for (const direction of DIRECTIONS) {
    const longest = families.reduce((most, family) => Math.max(most, rulesOf(family, direction).length), 0);
    for (let number = 0; number < longest; number++) {
      const round = families.flatMap((family) => takeAway(question, family, { direction, number }) ?? []);
      if (round.length === 0) continue;
      rules += round.length;
      spare += countSpare(question, round, direction);
    }
  }
  return { rules, spare };
}

function familyKey(policy: AnyPolicy): string {
  const scope = policy.kind === 'NetworkPolicy' ? [policy.namespace, policy.podSelector] : [policy.subject.namespaceSelector, policy.subject.podSelector];
  return JSON.stringify(scope);
}

function rulesOf(family: Family, direction: Direction): readonly (PolicyRule | TierRule)[] {
  return family.flatMap((policy): readonly (PolicyRule | TierRule)[] => policy[direction] ?? []);
}

interface TakenAway {
  readonly family: Family;
  readonly witnesses: readonly number[];
}

/** undefined: there is no such rule, or it has no witness. */
function takeAway({ connectionOf, table }: FlowQuestion, family: Family, { direction, number }: { readonly direction: Direction; readonly number: number }): TakenAway | undefined {
  const rule = rulesOf(family, direction)[number];
  const seen = rule === undefined ? undefined : connectionOf.get(rule)?.seen;
  if (rule === undefined || seen === undefined) return undefined;
  const witnesses: number[] = [];
  for (let at = 0; at < seen.rows.length && witnesses.length < TRIED; at++) if (hasPort(rule, pairAt(table, seen.rows[at]!).point)) witnesses.push(seen.rows[at]!);
  return { family: family.map((policy) => without(policy, direction, rule)), witnesses };
}

/** One connection may have several rules, each with a part of its ports. */
function hasPort({ ports }: PolicyRule | TierRule, point: number): boolean {
  return ports.kind === 'every' || ports.ports.some((port) => port.kind === 'range' && pointOf(port.protocol, port.first) <= point && point <= pointOf(port.protocol, port.last));
}

function without(policy: AnyPolicy, direction: Direction, rule: PolicyRule | TierRule): AnyPolicy {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  if (policy.kind === 'NetworkPolicy') return { ...policy, [direction]: (policy[direction] ?? []).filter((own) => own !== rule), [other]: undefined };
  return { ...policy, [direction]: policy[direction].filter((own) => own !== rule), [other]: [] };
}

/** What denies by default has no rule that was written for a connection, and stays. */
function countSpare({ cluster, table, policies, clusterPolicies, connectionOf }: FlowQuestion, round: readonly TakenAway[], direction: Direction): number {
  const changed = round.flatMap(({ family }) => family);
  const closing = [...policies, ...clusterPolicies].filter((policy) => DIRECTIONS.every((way) => rulesOf([policy], way).every((rule) => !connectionOf.has(rule)))).map((policy) => onlyIn(policy, direction));
  const all = [...changed, ...closing];
  const pairs = round.map(({ witnesses }) => witnesses.map((row) => pairAt(table, row)));
  const numbers = [...new Set(pairs.flat().flatMap(({ source, target }) => [source, target]))];
  const numberOf = new Map(numbers.map((end, index) => [end, index]));
  const ofKind = <Kind extends AnyPolicy>(isKind: (policy: AnyPolicy) => policy is Kind): readonly Kind[] => all.filter(isKind);
  const asked = new Set(numbers.flatMap((end) => workloadOf(table, end) ?? []));
  const pods = cluster.pods.filter(({ workload }) => asked.has(workloadText(workload)));
  const proposed = { ...cluster, pods, policies: ofKind((policy): policy is NetworkPolicy => policy.kind === 'NetworkPolicy'), clusterPolicies: [...ofKind((policy): policy is ClusterPolicy => policy.kind !== 'NetworkPolicy')].sort(comparePrecedence) };
  const judge = new FlowJudge(proposed, numbers.map((end) => table.ends.all[end]!));
  const isRefused = (pair: (typeof pairs)[number][number]): boolean => !judge.isAllowed({ ...pair, source: numberOf.get(pair.source)!, target: numberOf.get(pair.target)! });
  return pairs.filter((own) => !own.some(isRefused)).length;
}

export function workloadOf({ ends }: FlowTable, number: number): string | undefined {
  const end = ends.all[number]!;
  return end.kind === 'pod' ? workloadText(end.workload) : undefined;
}

export function workloadText({ kind, namespace, name }: Workload): string {
  return `${kind}/${namespace}/${name}`;
}

function onlyIn(policy: AnyPolicy, direction: Direction): AnyPolicy {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  return policy.kind === 'NetworkPolicy' ? { ...policy, [other]: undefined } : { ...policy, [other]: [] };
}
