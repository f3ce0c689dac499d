// Rules, peers and ports that no recorded flow needs, taken away from policies whose workloads went on talking and showed nothing new: every flow that went through still does.
import { FlowJudge } from '../../flow/flow.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { selects } from '../../model/selector.ts';
import { workloadOf, workloadText } from '../proof/prove-flows.ts';
import { findUnused, withoutParts, type UnusedPart } from './unused-parts.ts';

export interface Removal {
  /** By namespace and name of the policy, ingress before egress. */
  readonly removed: readonly UnusedPart[];
  /** Unused as well: `learning` where a workload below showed something new or was not seen for so long, `unwritable` where the text cannot be changed. */
  readonly kept: readonly (UnusedPart & { readonly why: 'learning' | 'unwritable' })[];
  readonly after: Cluster;
}

export interface RemovalOptions {
  readonly table: FlowTable;
  /** Each workload that a policy selects was seen for so long after the last new flow of it. */
  readonly stableMs: number;
  readonly isRemovable: (part: UnusedPart) => boolean;
}

/**
 * `policies` are those whose rules are asked about, `cluster` has them with what was added at the end of their sections. A flow counts,
 * allowed or refused as it was recorded: what would pass now was perhaps let in since. Throws where one that passes would be refused:
 * that is a bug, whatever the input.
 */
export function removeUnused(cluster: Cluster, policies: readonly NetworkPolicy[], { table, stableMs, isRemovable }: RemovalOptions): Removal {
  const stable = stableWorkloads(table, stableMs);
  const unused = findUnused(cluster, policies, table);
  const isLearned = new Map(unused.map(({ policy }) => [policy, isAllStable(cluster, policy, stable)]));
  const removed = restoreNeeded(cluster, table, unused.filter((one) => isLearned.get(one.policy) === true && isRemovable(one)));
  const kept = unused.flatMap((one): Removal['kept'] => (isLearned.get(one.policy) !== true ? [{ ...one, why: 'learning' }] : isRemovable(one) ? [] : [{ ...one, why: 'unwritable' }]));
  return { removed, kept, after: withoutParts(cluster, removed) };
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
function restoreNeeded(cluster: Cluster, table: FlowTable, candidates: readonly UnusedPart[]): readonly UnusedPart[] {
  const wanted = new FlowJudge(cluster, table.ends.all).allowedRows(table);
  for (let left = candidates; ; ) {
    const kept = new FlowJudge(withoutParts(cluster, left), table.ends.all).allowedRows(table);
    const refused = [...wanted.keys()].filter((row) => wanted[row] === 1 && kept[row] === 0);
    if (refused.length === 0) return left;
    const ends = new Set(refused.flatMap((row) => [table.columns.source[row]!, table.columns.target[row]!].flatMap((end) => workloadOf(table, end) ?? [])));
    const next = left.filter(({ policy }) => !selectsSome(cluster, policy, ends));
    if (next.length === left.length) throw new Error('bug: a recorded flow would be refused without a part of a policy that does not govern its ends');
    left = next;
  }
}

function selectsSome({ pods }: Cluster, policy: NetworkPolicy, workloads: ReadonlySet<string>): boolean {
  return pods.some((pod) => pod.namespace === policy.namespace && workloads.has(workloadText(pod.workload)) && selects(policy.podSelector, pod));
}
