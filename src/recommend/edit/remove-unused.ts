// Rules that no recorded flow needs, taken away from policies whose workloads went on talking and showed nothing new: every flow that went through still does.
import { compareText } from '../../base/finding.ts';
import { FlowJudge } from '../../flow/flow.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../../model/network-policy.ts';
import { selects } from '../../model/selector.ts';
import { pairAt, workloadOf, workloadText } from '../proof/prove-flows.ts';

/** A rule of a policy of the input. */
export interface UnusedPolicyRule {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  /** From 0. */
  readonly rule: number;
}

export interface Removal {
  /** By namespace and name of the policy, ingress before egress. */
  readonly removed: readonly UnusedPolicyRule[];
  /** Unused as well: `learning` where a workload below showed something new or was not seen for so long, `unwritable` where the text cannot be changed. */
  readonly kept: readonly (UnusedPolicyRule & { readonly why: 'learning' | 'unwritable' })[];
  readonly after: Cluster;
}

export interface RemovalOptions {
  readonly table: FlowTable;
  /** Each workload that a policy selects was seen for so long after the last new flow of it. */
  readonly stableMs: number;
  readonly isRemovable: (rule: UnusedPolicyRule) => boolean;
}

/**
 * `policies` are those whose rules are asked about, `cluster` has them with what was added at the end of their sections. A flow counts,
 * allowed or refused as it was recorded: what would pass now was perhaps let in since. Throws where one that passes would be refused:
 * that is a bug, whatever the input.
 */
export function removeUnused(cluster: Cluster, policies: readonly NetworkPolicy[], { table, stableMs, isRemovable }: RemovalOptions): Removal {
  const stable = stableWorkloads(table, stableMs);
  const unused = unusedOf(cluster, policies, table);
  const isLearned = new Map(unused.map(({ policy }) => [policy, isAllStable(cluster, policy, stable)]));
  const removed = restoreNeeded(cluster, table, unused.filter((one) => isLearned.get(one.policy) === true && isRemovable(one)));
  const kept = unused.flatMap((one): Removal['kept'] => (isLearned.get(one.policy) !== true ? [{ ...one, why: 'learning' }] : isRemovable(one) ? [] : [{ ...one, why: 'unwritable' }]));
  return { removed, kept, after: withoutRules(cluster, removed) };
}

/** The policies without these rules; what is left is numbered anew. */
export function withoutRules(cluster: Cluster, removed: readonly UnusedPolicyRule[]): Cluster {
  const gone = Map.groupBy(removed, ({ policy }) => policyKey(policy));
  return { ...cluster, policies: cluster.policies.map((policy) => withoutOwn(policy, gone.get(policyKey(policy)) ?? [])) };
}

function withoutOwn(policy: NetworkPolicy, gone: readonly UnusedPolicyRule[]): NetworkPolicy {
  return DIRECTIONS.reduce((all, direction) => {
    const own = new Set(gone.filter((one) => one.direction === direction).map(({ rule }) => rule));
    return own.size === 0 ? all : { ...all, [direction]: (policy[direction] ?? []).filter(({ index }) => !own.has(index)).map((rule, index) => ({ ...rule, index })) };
  }, policy);
}

function policyKey({ namespace, name }: NetworkPolicy): string {
  return `${namespace}/${name}`;
}

function unusedOf(cluster: Cluster, policies: readonly NetworkPolicy[], table: FlowTable): readonly UnusedPolicyRule[] {
  const judge = new FlowJudge(cluster, table.ends.all);
  const used = new Set<string>();
  for (let row = 0; row < table.size; row++) {
    for (const { kind, namespace, name, index, direction } of judge.rulesOf(pairAt(table, row))) if (kind === 'NetworkPolicy') used.add(`${direction} ${index} ${namespace}/${name}`);
  }
  const all = policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).map(({ index }): UnusedPolicyRule => ({ policy, direction, rule: index }))));
  return all.filter(({ policy, direction, rule }) => !used.has(`${direction} ${rule} ${policyKey(policy)}`)).sort((a, b) => compareText(policyKey(a.policy), policyKey(b.policy)));
}

/** Workloads that were seen for so long after the last flow of theirs that had not been seen before. One that fell silent shows nothing. */
function stableWorkloads(table: FlowTable, stableMs: number): ReadonlySet<string> {
  const { source, target, firstSeen, lastSeen } = table.columns;
  const known = new Map<string, { lastNew: number; last: number }>();
  for (let row = 0; row < table.size; row++) {
    for (const end of new Set([source[row]!, target[row]!])) {
      const key = workloadOf(table, end);
      if (key === undefined) continue;
      const state = known.get(key) ?? { lastNew: -Infinity, last: -Infinity };
      known.set(key, { lastNew: Math.max(state.lastNew, firstSeen[row]!), last: Math.max(state.last, lastSeen[row]!) });
    }
  }
  return new Set([...known].flatMap(([key, { lastNew, last }]) => (last - lastNew >= stableMs ? [key] : [])));
}

/** A policy that selects nobody is not known to be spare. */
function isAllStable({ pods }: Cluster, policy: NetworkPolicy, stable: ReadonlySet<string>): boolean {
  const own = pods.filter((pod) => pod.namespace === policy.namespace && !pod.hostNetwork && selects(policy.podSelector, pod));
  return own.length > 0 && own.every(({ workload }) => stable.has(workloadText(workload)));
}

/** Of a workload whose pods differ a verdict names the rules of one: what another needs is found by its flows. */
function restoreNeeded(cluster: Cluster, table: FlowTable, candidates: readonly UnusedPolicyRule[]): readonly UnusedPolicyRule[] {
  const wanted = new FlowJudge(cluster, table.ends.all).allowedRows(table);
  for (let left = candidates; ; ) {
    const kept = new FlowJudge(withoutRules(cluster, left), table.ends.all).allowedRows(table);
    const refused = [...wanted.keys()].filter((row) => wanted[row] === 1 && kept[row] === 0);
    if (refused.length === 0) return left;
    const ends = new Set(refused.flatMap((row) => [table.columns.source[row]!, table.columns.target[row]!].flatMap((end) => workloadOf(table, end) ?? [])));
    const next = left.filter(({ policy }) => !selectsSome(cluster, policy, ends));
    if (next.length === left.length) throw new Error('bug: a recorded flow would be refused without a rule that does not govern its ends');
    left = next;
  }
}

function selectsSome({ pods }: Cluster, policy: NetworkPolicy, workloads: ReadonlySet<string>): boolean {
  return pods.some((pod) => pod.namespace === policy.namespace && workloads.has(workloadText(pod.workload)) && selects(policy.podSelector, pod));
}
