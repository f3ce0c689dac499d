// Two states of a cluster, with what was recorded and what is expected of each, become what has changed for the worse since.
import { compareText } from '../base/finding.ts';
import { checkTests } from '../probe/check-expectations.ts';
import type { PolicyTest } from '../probe/policy-test.ts';
import type { Program } from '../compile/program.ts';
import { trafficText } from '../flow/flow-protocol.ts';
import { endName, policyText, type FlowRecord } from '../flow/flow-record.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { FlowJudge, isAllowedBy, judgedRow } from '../flow/flow.ts';
import { unusedRulesOfTable } from '../flow/group-flows.ts';
import { nearestText, reasonText } from '../flow/reason-text.ts';
import { replayFlows } from '../flow/replay.ts';
import { idlePolicies, policyName, ungovernedWorkloads } from './governed.ts';
import { ruleContent } from './rule-content.ts';

export const DRIFT_KINDS = ['new-denial', 'failed-test', 'unprotected-workload', 'selects-nothing', 'unused-rule'] as const;

/** From the writing of policies until every node refuses by them; what one lets through meanwhile shows nothing. */
const IN_FORCE_MS = 60_000;

export type DriftKind = (typeof DRIFT_KINDS)[number];

export interface Drift {
  readonly kind: DriftKind;
  /** What it is about, the same from run to run: `shop/web → data/db tcp/5432`. */
  readonly subject: string;
  /** Whole. */
  readonly message: string;
}

export interface DriftState {
  readonly program: Program;
  /** undefined, or none: nothing was recorded, so nothing is known of denials and of rules that nobody needs. */
  readonly flows: FlowTable | undefined;
  /** The pods of the Program are not those of then, but of now: what it says of tests is not what was then. */
  readonly hasOtherPods?: boolean;
  /** Of such a state, when it was written: milliseconds since 1970. What went through later was not refused in it. */
  readonly writtenMs?: number | undefined;
  /** Of such a state, as `gapsOf` gave it then; undefined: it was not kept, and the pods of now are taken for those of then. */
  readonly gaps?: readonly string[] | undefined;
}

export interface DriftQuestion {
  /** undefined: only what is now is known, and all that is amiss is told. */
  readonly before: DriftState | undefined;
  readonly now: DriftState;
  readonly tests: readonly PolicyTest[];
}

/** What is amiss now and was not before, the kinds in their order, each sorted by its subject. Unchanged states have none. */
export function findDrift({ before, now, tests }: DriftQuestion): readonly Drift[] {
  const known = new Set(before === undefined ? [] : knownOf(before, tests));
  const opened = before === undefined ? undefined : openedBefore(before, now);
  return amiss(now, tests).filter((drift) => !known.has(keyOf(drift)) && (drift.kind !== 'new-denial' || opened === undefined || opened.has(drift.subject)));
}

/** Workloads that no policy governs, and policies that select nothing, each as one word that stays the same: what of a time outlives its pods. Sorted. */
export function gapsOf(program: Program): readonly string[] {
  return [...unprotected(program), ...selectingNothing(program)].map(keyOf).sort(compareText);
}

export function keyOf({ kind, subject }: Pick<Drift, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`;
}

/** Keys of what was amiss. */
function knownOf(before: DriftState, tests: readonly PolicyTest[]): readonly string[] {
  const { gaps, hasOtherPods = false } = before;
  const drifts = amiss(before, hasOtherPods ? [] : tests);
  return gaps === undefined ? drifts.map(keyOf) : [...gaps, ...drifts.filter(({ kind }) => kind !== 'unprotected-workload' && kind !== 'selects-nothing').map(keyOf)];
}

/** All that is amiss in one state. */
function amiss(state: DriftState, tests: readonly PolicyTest[]): readonly Drift[] {
  const found = [...denials(state), ...failedTests(state.program, tests), ...unprotected(state.program), ...selectingNothing(state.program), ...unused(state)];
  return found.sort((a, b) => DRIFT_KINDS.indexOf(a.kind) - DRIFT_KINDS.indexOf(b.kind) || compareText(a.subject, b.subject));
}

/** Where nothing was recorded before: what the policies of that time would have let through of what is refused now, and what went through behind it. */
function openedBefore(before: DriftState, { flows }: DriftState): ReadonlySet<string> | undefined {
  if (before.flows !== undefined || flows === undefined) return undefined;
  const opened = new Set([...replayFlows(before.program.cluster, flows).opened.records()].map(connectionText));
  const inForceMs = (before.writtenMs ?? Infinity) + IN_FORCE_MS;
  for (let row = 0; row < flows.size; row++) {
    if (flows.columns.lastSeen[row]! > inForceMs && flows.verdictAt(row) === 'allowed') opened.add(connectionText(flows.recordAt(row)));
  }
  return opened;
}

/** By pair and port, over both families. */
function denials({ program, flows }: DriftState): readonly Drift[] {
  if (flows === undefined) return [];
  const judge = new FlowJudge(program.cluster, flows.ends.all);
  const denied = new Map<string, FlowRecord>();
  for (let row = 0; row < flows.size; row++) {
    if (flows.verdictAt(row) !== 'denied') continue;
    const record = flows.recordAt(row);
    const subject = connectionText(record);
    const known = denied.get(subject);
    denied.set(subject, known === undefined ? judgedRow(judge, flows, row) : { ...known, count: known.count + record.count, lastSeen: Math.max(known.lastSeen, record.lastSeen) });
  }
  return [...denied].map(([subject, record]) => ({ kind: 'new-denial', subject, message: `${subject} ${denialText(record)}` }));
}

/** Of records that are judged. */
function denialText({ count, lastSeen, reason }: FlowRecord): string {
  const seen = `was refused ${count === 1 ? 'once' : `${count} times`}, last at ${new Date(lastSeen).toISOString().slice(0, 19)}Z`;
  if (isAllowedBy(reason!)) return `${seen}; these policies would let it through`;
  const nearest = nearestText(reason!);
  return `${seen}: ${reasonText(reason!)}${nearest === undefined ? '' : `; ${nearest}`}`;
}

function connectionText({ source, target, protocol, port }: FlowRecord): string {
  return `${endName(source)} → ${endName(target)} ${trafficText(protocol, port)}`;
}

function failedTests(program: Program, tests: readonly PolicyTest[]): readonly Drift[] {
  const results = checkTests(program, tests).tests.flatMap(({ test, results: all }) => all.filter(({ holds }) => !holds).map((result) => ({ test, result })));
  return results.map(({ test, result: { expectation, problem } }) => {
    const subject = `${test.name}: ${expectation.sentence}`;
    return { kind: 'failed-test', subject, message: problem === undefined ? `${subject} does not hold` : `${subject} cannot be judged: ${problem.message}` };
  });
}

function unprotected(program: Program): readonly Drift[] {
  return ungovernedWorkloads(program).map(({ name, direction }) => ({ kind: 'unprotected-workload', subject: `${name} ${direction}`, message: `no policy governs the ${direction} of ${name}` }));
}

function selectingNothing(program: Program): readonly Drift[] {
  return idlePolicies(program).map((policy) => ({ kind: 'selects-nothing', subject: policyText(policy), message: `${policyText(policy)} selects no pods` }));
}

/** By what they say: where a rule stands changes with each that is written before it. Of equal ones in a policy the first. */
function unused({ program: { cluster }, flows }: DriftState): readonly Drift[] {
  if (flows === undefined || flows.size === 0) return [];
  const policies = new Map([...cluster.policies, ...cluster.clusterPolicies].map((policy) => [policyText(policyName(policy)), policy]));
  const drifts = new Map<string, Drift>();
  for (const { direction, index, ...policy } of unusedRulesOfTable(cluster, flows)) {
    const rule = policies.get(policyText(policy))![direction]!.find((one) => one.index === index)!; // it is of this cluster
    const subject = `${direction} rule of ${policyText(policy)} ${ruleContent(direction, rule)}`;
    if (!drifts.has(subject)) drifts.set(subject, { kind: 'unused-rule', subject, message: `none of ${flows.size} recorded flows needed ${direction} rule ${index + 1} of ${policyText(policy)}` });
  }
  return [...drifts.values()];
}
