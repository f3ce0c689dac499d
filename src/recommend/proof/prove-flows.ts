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

type AnyRule = PolicyRule | TierRule;

/** Policies of the same pods: of one workload, or cut in several because one would have too many rules. */
type Family = readonly AnyPolicy[];

/**
 * No rule refuses, so that a witness of a rule that is taken away goes through where any other rule of its family lets it.
 * In each round some of the rules stay, by their codes, and the witnesses of the others are tried: of any two rules there
 * is a round with the one and without the other. That takes a dozen rounds for a thousand rules.
 */
function countNeeded(question: FlowQuestion): Pick<FlowProof, 'rules' | 'spare'> {
  const families = [...Map.groupBy<string, AnyPolicy>([...question.policies, ...question.clusterPolicies], familyKey).values()];
  let [rules, spare] = [0, 0];
  for (const direction of DIRECTIONS) {
    const tried = families.map((family) => triedFamily(question, family, direction));
    const rounds = tried.reduce((most, { width }) => Math.max(most, width), 0);
    for (let round = 0; round < rounds; round++) tryRound(question, tried, { direction, round });
    const left = tried.flatMap(({ refused }) => [...refused.values()]);
    rules += left.length;
    spare += left.filter((rows) => rows.length === 0).length;
  }
  return { rules, spare };
}

function familyKey(policy: AnyPolicy): string {
  const scope = policy.kind === 'NetworkPolicy' ? [policy.namespace, policy.podSelector] : [policy.subject.namespaceSelector, policy.subject.podSelector];
  return JSON.stringify(scope);
}

function rulesOf(family: Family, direction: Direction): readonly AnyRule[] {
  return family.flatMap((policy): readonly AnyRule[] => policy[direction] ?? []);
}

interface TriedFamily extends Codes {
  readonly family: Family;
  readonly rules: readonly AnyRule[];
  /** Witnesses of each rule that was written for some, by its number: those that no other rule is known to let through. */
  readonly refused: Map<number, readonly number[]>;
}

function triedFamily(question: FlowQuestion, family: Family, direction: Direction): TriedFamily {
  const rules = rulesOf(family, direction);
  const refused = new Map(rules.flatMap((rule, number) => {
    const witnesses = witnessesOf(question, rule);
    return witnesses === undefined ? [] : [[number, witnesses] as const];
  }));
  return { family, rules, refused, ...codesFor(rules.length) };
}

interface Codes {
  /** Binary digits of each code. */
  readonly width: number;
  /** Half of the digits of each are ones, so that none has all the ones of another (Sperner). */
  readonly codes: readonly number[];
}

function codesFor(count: number): Codes {
  for (let width = 1; ; width++) {
    const codes = Array.from({ length: 2 ** width }, (_, code) => code).filter((code) => code.toString(2).replaceAll('0', '').length === Math.floor(width / 2));
    if (codes.length >= count) return { width, codes };
  }
}

function witnessesOf({ connectionOf, table }: FlowQuestion, rule: AnyRule): readonly number[] | undefined {
  const seen = connectionOf.get(rule)?.seen;
  if (seen === undefined) return undefined;
  const witnesses: number[] = [];
  for (let at = 0; at < seen.rows.length && witnesses.length < TRIED; at++) if (hasPort(rule, pairAt(table, seen.rows[at]!).point)) witnesses.push(seen.rows[at]!);
  return witnesses;
}

/** One connection may have several rules, each with a part of its ports. */
function hasPort({ ports }: AnyRule, point: number): boolean {
  return ports.kind === 'every' || ports.ports.some((port) => port.kind === 'range' && pointOf(port.protocol, port.first) <= point && point <= pointOf(port.protocol, port.last));
}

/**
 * Of all workloads at once: no pod is of two, so that what is taken from one says nothing about the others. Without the
 * other direction, which would say no for itself.
 */
function tryRound(question: FlowQuestion, tried: readonly TriedFamily[], { direction, round }: { readonly direction: Direction; readonly round: number }): void {
  const asked = tried.filter(({ width }) => round < width).flatMap(({ family, rules, codes, refused }) => {
    const stays = (number: number): boolean => (codes[number]! & (1 << round)) !== 0;
    const numbers = [...refused.keys()].filter((number) => !stays(number) && refused.get(number)!.length > 0);
    return numbers.length === 0 ? [] : [{ policies: withRules(family, direction, new Set(rules.filter((_, number) => stays(number)))), numbers, refused }];
  });
  if (asked.length === 0) return;
  const rows = asked.flatMap(({ numbers, refused }) => numbers.flatMap((number) => refused.get(number)!));
  const isRefused = judgeRows(question, { policies: asked.flatMap(({ policies }) => policies), direction, rows });
  for (const { numbers, refused } of asked) for (const number of numbers) refused.set(number, refused.get(number)!.filter(isRefused));
}

function withRules(family: Family, direction: Direction, kept: ReadonlySet<AnyRule>): Family {
  return family.map((policy) => {
    const own = onlyIn(policy, direction);
    if (own.kind === 'NetworkPolicy') return { ...own, [direction]: (own[direction] ?? []).filter((rule) => kept.has(rule)) };
    return { ...own, [direction]: own[direction].filter((rule) => kept.has(rule)) };
  });
}

interface AskedRows {
  /** In place of those that have rules for connections. */
  readonly policies: readonly AnyPolicy[];
  readonly direction: Direction;
  readonly rows: readonly number[];
}

/** Whether one of the rows would be refused. What denies by default has no rule that was written for a connection, and stays. */
function judgeRows({ cluster, table, policies, clusterPolicies, connectionOf }: FlowQuestion, asked: AskedRows): (row: number) => boolean {
  const closing = [...policies, ...clusterPolicies].filter((policy) => DIRECTIONS.every((way) => rulesOf([policy], way).every((rule) => !connectionOf.has(rule)))).map((policy) => onlyIn(policy, asked.direction));
  const all = [...asked.policies, ...closing];
  const numbers = [...new Set(asked.rows.flatMap((row) => [table.columns.source[row]!, table.columns.target[row]!]))];
  const numberOf = new Map(numbers.map((end, index) => [end, index]));
  const ofKind = <Kind extends AnyPolicy>(isKind: (policy: AnyPolicy) => policy is Kind): readonly Kind[] => all.filter(isKind);
  const workloads = new Set(numbers.flatMap((end) => workloadOf(table, end) ?? []));
  const pods = cluster.pods.filter(({ workload }) => workloads.has(workloadText(workload)));
  const proposed = { ...cluster, pods, policies: ofKind((policy): policy is NetworkPolicy => policy.kind === 'NetworkPolicy'), clusterPolicies: [...ofKind((policy): policy is ClusterPolicy => policy.kind !== 'NetworkPolicy')].sort(comparePrecedence) };
  const judge = new FlowJudge(proposed, numbers.map((end) => table.ends.all[end]!));
  return (row) => {
    const pair = pairAt(table, row);
    return !judge.isAllowed({ ...pair, source: numberOf.get(pair.source)!, target: numberOf.get(pair.target)! });
  };
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
