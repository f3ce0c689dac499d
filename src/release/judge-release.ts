// What a release would do to a cluster, before anything is written: connections, what is newly cut, and the order of its writes.
import type { Cluster } from '../model/cluster.ts';
import { comparePrograms, type Comparison } from '../compare/compare.ts';
import { groupChanges, type GroupedChanges } from '../compare/group-changes.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { flowCuts } from './flow-cuts.ts';
import { findCuts, type GuardContext, type GuardWitness } from './guards.ts';
import { harmWitnesses } from './harm-text.ts';
import { namespaceCuts } from './namespace-cuts.ts';
import { planWrites, type WritePlan } from './plan-writes.ts';
import { isUnchanged, type ObjectChange } from './prepare-objects.ts';
import { clusterAfter, policyLabel, type AnyPolicy, type PolicyChange, type Step } from './release.ts';
import { policyOfObject } from './release-object.ts';

export interface Judgment {
  /** Objects that change. */
  readonly changes: readonly ObjectChange[];
  readonly unchanged: readonly ObjectChange[];
  readonly plan: WritePlan;
  readonly difference: { readonly comparison: Comparison; readonly groups: GroupedChanges };
  /** What is newly cut, and what the order of the writes opens or cuts in between. */
  readonly cuts: readonly GuardWitness[];
}

export interface JudgeOptions extends GuardContext {
  /** Policies as the user's files have them, by label: their lines are shown where the server takes them as they are. */
  readonly ofFiles: ReadonlyMap<string, AnyPolicy>;
  readonly helperPrefix: string;
  /** What was seen on the wire; undefined: nobody named any. */
  readonly flows?: FlowTable | undefined;
}

/** `cluster` is what was read of it; of the objects that change, what was read last counts. */
export function judgeRelease(cluster: Cluster, objects: readonly ObjectChange[], options: JudgeOptions): Judgment {
  const policies = objects.map((change) => ({ change, before: change.held === undefined ? undefined : policyOfObject(change.held), after: change.result === undefined ? undefined : asInFile(policyOfObject(change.result), options) }));
  const held = clusterAfter(cluster, policies.flatMap(({ before, after }) => heldStep(before, after)));
  const changing = policies.filter(({ change }) => !isUnchanged(change));
  const effects = changing.flatMap(({ before, after }): PolicyChange[] => (before === undefined && after === undefined ? [] : [{ before, after }]));
  const plan = planWrites(held, effects, options.helperPrefix);
  const pair = { before: plan.before, after: plan.after };
  const comparison = comparePrograms(pair);
  return {
    changes: changing.map(({ change }) => change),
    unchanged: objects.filter(isUnchanged),
    plan,
    difference: { comparison, groups: groupChanges(comparison) },
    cuts: [...findCuts(pair, options), ...namespaceCuts(pair), ...(options.flows === undefined ? [] : flowCuts(pair, options.flows)), ...harmWitnesses(plan)],
  };
}

function heldStep(before: AnyPolicy | undefined, after: AnyPolicy | undefined): readonly Step[] {
  if (before !== undefined) return [{ kind: 'put', policy: before, role: 'wanted' }];
  return after === undefined ? [] : [{ kind: 'remove', policy: after, role: 'wanted' }];
}

function asInFile(policy: AnyPolicy | undefined, { ofFiles }: JudgeOptions): AnyPolicy | undefined {
  const written = policy === undefined ? undefined : ofFiles.get(policyLabel(policy));
  return policy !== undefined && written !== undefined && meaningText(policy) === meaningText(written) ? written : policy;
}

/** All of it but where it stands. */
function meaningText(policy: AnyPolicy): string {
  return JSON.stringify(policy, (key, value: unknown) => (key === 'origin' ? undefined : typeof value === 'bigint' ? `${value}` : value));
}
