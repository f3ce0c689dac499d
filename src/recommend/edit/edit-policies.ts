// The fewest changes to the policies of a cluster with which every recorded flow goes through: a peer or a port more in the workload's own policy, or a policy of its own where it has none; and, where asked, no rule that nothing needed.
import { compareText } from '../../base/finding.ts';
import { FlowJudge } from '../../flow/flow.ts';
import { DENIED_BIT, type FlowTable } from '../../flow/flow-table.ts';
import type { Cluster } from '../../model/cluster.ts';
import { compareNames } from '../../model/cluster-order.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../../model/network-policy.ts';
import { UNWRITTEN, type PolicyDraft, type PolicyPart } from '../../model/policy-draft.ts';
import { canonicalSelector, selects, type Selector } from '../../model/selector.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import { withAdditions, type Addition } from './additions.ts';
import { EXACT, mergeIntervals, type OutsideGrouping } from '../ends/address-groups.ts';
import { endKey, type Connection } from '../ends/connection.ts';
import { policyComment, ruleComment } from '../draft/draft-policies.ts';
import { connectionsOfFlows, pointAt, type Unwritten } from '../flows/flow-connections.ts';
import { flowPlaces, placeFlows } from '../flows/flow-places.ts';
import { dropSpare, type Proposed, type SubjectPieces } from './needed-pieces.ts';
import { peerEnd, planAdditions, ruleFor, sortByPeer, wantedOf } from './plan-additions.ts';
import { ownerLabels } from '../recommend.ts';
import { removeUnused, type Removal, type RemovalOptions } from './remove-unused.ts';
import { findRefusedRows, type RefusedRows } from '../proof/refused-rows.ts';
import { findSubjects, type Subject } from '../ends/subjects.ts';

export interface EditOptions {
  readonly table: FlowTable;
  /** Whether the text of a policy can be changed in a direction; what cannot gets a policy beside it. */
  readonly isEditable: (policy: NetworkPolicy, direction: Direction) => boolean;
  readonly outside?: OutsideGrouping;
  readonly withDenied?: boolean;
  readonly onlyDecided?: boolean;
  /** Whether and where unused rules are taken away; missing: nowhere. */
  readonly removal?: Omit<RemovalOptions, 'table'> | undefined;
}

export interface PolicyEdits {
  readonly table: FlowTable;
  /** With the pods that only the flows know, before and after. */
  readonly before: Cluster;
  readonly after: Cluster;
  /** By namespace and name. */
  readonly edited: readonly EditedPolicy[];
  readonly added: readonly AddedPolicy[];
  readonly removal: Removal | undefined;
  readonly proof: EditProof;
}

export interface EditedPolicy {
  readonly subject: Subject;
  readonly policy: NetworkPolicy;
  readonly additions: readonly Addition[];
}

/** Directions in which the policy governs its pods from now on; another isolated them there. */
export function newlyGoverned({ policy, additions }: Pick<EditedPolicy, 'policy' | 'additions'>): readonly Direction[] {
  return DIRECTIONS.filter((direction) => policy[direction] === undefined && additions.some((addition) => addition.direction === direction));
}

/** For a workload that is isolated and has no policy of its own that can be edited. */
export interface AddedPolicy {
  readonly subject: Subject;
  readonly draft: PolicyDraft & { readonly policy: NetworkPolicy };
  readonly additions: readonly Addition[];
  /** A policy that isolates it. */
  readonly beside: NetworkPolicy;
}

export interface EditProof {
  /** Different flows that are to go through, and how many of them do before and after. */
  readonly wanted: number;
  readonly allowedBefore: number;
  readonly allowed: number;
  /** Peers, ports and rules that were added; without any one of them a flow that it was made for is refused. */
  readonly pieces: number;
  /** Rows that stay refused, with the reason. */
  readonly left: ReadonlyMap<Unwritten | 'cluster-policy' | 'undecided', readonly number[]>;
}

/** `written` are the objects of the cluster's files. Throws where a flow that something was added for is still refused: that is a bug, whatever the input. */
export function editPolicies(cluster: Cluster, written: readonly WrittenObject[], options: EditOptions): PolicyEdits {
  const { table } = options;
  const placed = placeFlows(cluster, table.ends.all);
  const before = placed.cluster;
  const subjects = findSubjects(before, ownerLabels(written));
  const refused = findRefusedRows(before, table);
  const needed = DIRECTIONS.map((direction) => neededIn(before, direction, { options, refused, places: flowPlaces(placed, subjects) }));
  const taken = new Set(before.policies.map(({ namespace, name }) => `${namespace}/${name}`));
  const editing = { cluster: before, options, taken };
  const pieces = DIRECTIONS.flatMap((direction, index) => planDirection(editing, direction, needed[index]!.grants));
  const plans = [...Map.groupBy(pieces, ({ subject }) => subject)].sort(([a], [b]) => compareText(subjectKey(a), subjectKey(b))).map(([subject, own]) => planSubject(editing, subject, own));
  const edited = plans.flatMap((plan) => plan.edited).sort((a, b) => compareNames(a.policy, b.policy));
  const added = plans.flatMap((plan) => plan.added).sort((a, b) => compareNames(a.draft.policy, b.draft.policy));
  const widened = withEdits(before, edited, added);
  const removal = options.removal === undefined ? undefined : removeUnused(widened, before.policies, { ...options.removal, table });
  const after = removal?.after ?? widened;
  const left = leftRows(needed, refused);
  return { table, before, after, edited, added, removal, proof: proveEdits({ table, after, refused, left, withDenied: options.withDenied === true }, [...edited, ...added]) };
}

function withEdits(cluster: Cluster, edited: readonly EditedPolicy[], added: readonly AddedPolicy[]): Cluster {
  const changed = new Map(edited.map(({ policy, additions }) => [policy, withAdditions(policy, additions)]));
  const policies = [...cluster.policies.map((policy) => changed.get(policy) ?? policy), ...added.map(({ draft }) => draft.policy)];
  return { ...cluster, policies: policies.sort(compareNames) };
}

function subjectKey(subject: Subject): string {
  return endKey({ kind: 'subject', subject });
}

interface Grant {
  readonly subject: Subject;
  readonly connection: Connection;
}

interface Needed {
  readonly grants: readonly Grant[];
  readonly undecided: readonly Connection[];
  readonly unwritten: ReadonlyMap<Unwritten, readonly number[]>;
}

interface Asking {
  readonly options: EditOptions;
  readonly refused: RefusedRows;
  readonly places: ReturnType<typeof flowPlaces>;
}

/** What refused flows show, with the ports that they had and no others. */
function neededIn(cluster: Cluster, direction: Direction, { options, refused, places }: Asking): Needed {
  const { table } = options;
  const needsNone = refused.needsRule[direction].map((needs) => 1 - needs);
  const shown = connectionsOfFlows({ cluster, table, places, needsNone, grouping: options.outside ?? EXACT, withDenied: options.withDenied === true, onlyDecided: options.onlyDecided === true });
  const isUndecided = ({ decision }: Connection): boolean => decision !== undefined && options.onlyDecided === true;
  const exact = shown.connections.filter((connection) => !isUndecided(connection)).map((connection) => (connection.decision === undefined ? { ...connection, ports: seenPorts(table, connection) } : connection));
  const grants = exact.flatMap((connection): readonly Grant[] => {
    const own = direction === 'ingress' ? connection.target : connection.source;
    return own.kind === 'subject' ? [{ subject: own.subject, connection }] : [];
  });
  return { grants, undecided: shown.connections.filter(isUndecided), unwritten: shown.unwritten };
}

function seenPorts(table: FlowTable, { seen }: Connection): Connection['ports'] {
  return mergeIntervals([...new Set((seen?.rows ?? []).map((row) => pointAt(table, row)))].map((point) => [point, point]));
}

interface Editing {
  readonly cluster: Cluster;
  readonly options: EditOptions;
  /** `namespace/name` of policies. */
  readonly taken: Set<string>;
}

interface SubjectPlan {
  readonly edited: readonly EditedPolicy[];
  readonly added: readonly AddedPolicy[];
}

/** What is needed in one direction, workload by workload. */
function planDirection(editing: Editing, direction: Direction, grants: readonly Grant[]): readonly SubjectPieces[] {
  const { cluster, options: { table } } = editing;
  const planned = [...Map.groupBy(grants, ({ subject }) => subject)].map(([subject, own]): SubjectPieces => {
    const connections = own.map(({ connection }) => connection);
    const over = cluster.policies.filter((policy) => policy.namespace === subject.namespace && subject.pods.some((pod) => selects(policy.podSelector, cluster.pods[pod]!)));
    const proposed = targetsOf(editing, { subject, over, direction }).map(({ policy, isNew }): Proposed => {
      const additions = isNew ? sortByPeer(connections, direction).map((connection) => ruleFor(direction, [wantedOf(connection, direction, subject.namespace)])) : planAdditions({ cluster, policy, direction }, connections);
      return { policy, isNew, additions };
    });
    return { subject, over, proposed };
  });
  return dropSpare({ cluster, table, direction }, planned);
}

/** Both directions of one workload. */
function planSubject(editing: Editing, subject: Subject, pieces: readonly SubjectPieces[]): SubjectPlan {
  const proposed = pieces.flatMap((one) => one.proposed);
  const { over } = pieces[0]!; // a group has one
  const changed = [...Map.groupBy(proposed, ({ policy, isNew }) => (isNew ? canonicalSelector(policy.podSelector) : policy)).values()].map((same) => ({ ...same[0]!, additions: same.flatMap(({ additions }) => additions) }));
  return {
    edited: changed.filter(({ isNew }) => !isNew).map(({ policy, additions }) => ({ subject, policy, additions })),
    added: changed.filter(({ isNew }) => isNew).map(({ policy, additions }) => addPolicy(editing, subject, { base: policy, additions, beside: over.find((one) => additions.some(({ direction }) => one[direction] !== undefined))! })),
  };
}

interface Governing {
  readonly subject: Subject;
  /** The policies that select some of its pods. */
  readonly over: readonly NetworkPolicy[];
  readonly direction: Direction;
}

/**
 * The workload's own policy, even if it did not govern that direction so far, else a new one. It isolates nobody who was not isolated:
 * where only some of the pods are, as some labels come and go, it selects what a policy that isolates them selects.
 */
function targetsOf({ cluster: { pods }, options: { isEditable } }: Editing, { subject, over, direction }: Governing): readonly Pick<Proposed, 'policy' | 'isNew'>[] {
  const isolating = over.filter((policy) => policy[direction] !== undefined);
  const selected = (policy: NetworkPolicy): readonly number[] => subject.pods.filter((pod) => selects(policy.podSelector, pods[pod]!));
  const isolated = new Set(isolating.flatMap(selected));
  const own = over.filter((policy) => isEditable(policy, direction) && isOwn(pods, subject, policy));
  const whole = own.filter((policy) => selected(policy).length === isolated.size && selected(policy).every((pod) => isolated.has(pod)));
  const governing = whole.filter((policy) => policy[direction] !== undefined);
  const best = governing.find((policy) => selected(policy).length === subject.pods.length) ?? governing[0] ?? whole[0];
  if (best !== undefined) return [{ policy: best, isNew: false }];
  if (isolated.size === subject.pods.length) return [{ policy: newPolicy(subject, subject.selector), isNew: true }];
  const left = new Set(isolated);
  return [...own, ...isolating].filter((policy) => policy[direction] !== undefined).flatMap((policy) => {
    const covered = selected(policy).filter((pod) => left.delete(pod));
    const both = { requirements: [...subject.selector.requirements, ...policy.podSelector.requirements] };
    return covered.length === 0 ? [] : [own.includes(policy) ? { policy, isNew: false } : { policy: newPolicy(subject, both), isNew: true }];
  });
}

/** It selects pods of the workload alone, and not merely because there are no others in the namespace. */
function isOwn(pods: Cluster['pods'], subject: Subject, { namespace, podSelector }: NetworkPolicy): boolean {
  const isItsOwn = new Set(subject.pods);
  return podSelector.requirements.length > 0 && pods.every((pod, index) => pod.namespace !== namespace || pod.hostNetwork || isItsOwn.has(index) || !selects(podSelector, pod));
}

/** It governs nothing yet. */
function newPolicy({ namespace, name }: Subject, podSelector: Selector): NetworkPolicy {
  return { kind: 'NetworkPolicy', namespace, name, podSelector, ingress: undefined, egress: undefined, origin: UNWRITTEN };
}

interface Adding extends Pick<AddedPolicy, 'additions' | 'beside'> {
  readonly base: NetworkPolicy;
}

function addPolicy({ taken }: Editing, subject: Subject, { base, additions, beside }: Adding): AddedPolicy {
  const policy = withAdditions({ ...base, name: freeName(taken, base.namespace, base.name) }, additions);
  const comments = new Map<PolicyPart, string>([[policy, policyComment(subject, { ingress: [], egress: [] }).replace(/:.*/, '')]]);
  for (const direction of DIRECTIONS) {
    const own = additions.filter((addition) => addition.direction === direction);
    own.forEach(({ connections }, index) => comments.set(policy[direction]![index]!, connections.map((connection) => ruleComment(peerEnd(connection, direction), connection)).join('\n')));
  }
  return { subject, draft: { policy, comments }, additions, beside };
}

function freeName(taken: Set<string>, namespace: string, wanted: string): string {
  let name = wanted;
  for (let number = 2; taken.has(`${namespace}/${name}`); number++) name = `${wanted}-${number}`;
  taken.add(`${namespace}/${name}`);
  return name;
}

function leftRows(needed: readonly Needed[], { byTiers }: RefusedRows): EditProof['left'] {
  const left = new Map<Unwritten | 'cluster-policy' | 'undecided', Set<number>>();
  const add = (why: Unwritten | 'cluster-policy' | 'undecided', rows: Iterable<number>): void => void left.set(why, new Set([...(left.get(why) ?? []), ...rows]));
  for (const { unwritten, undecided } of needed) {
    for (const [why, rows] of unwritten) if (why !== 'needs-none') add(why, rows);
    for (const { seen } of undecided) add('undecided', seen?.rows ?? []);
  }
  add('cluster-policy', [...byTiers.keys()].filter((row) => byTiers[row] === 1));
  return new Map([...left].flatMap(([why, rows]) => (rows.size === 0 ? [] : [[why, [...rows].sort((a, b) => a - b)] as const])));
}

interface Proving {
  readonly table: FlowTable;
  readonly after: Cluster;
  readonly refused: RefusedRows;
  readonly left: EditProof['left'];
  readonly withDenied: boolean;
}

function proveEdits({ table, after, refused, left, withDenied }: Proving, changed: readonly Pick<EditedPolicy, 'additions'>[]): EditProof {
  const allowed = new FlowJudge(after, table.ends.all).allowedRows(table);
  const stays = new Set([...left.values()].flat());
  let [wanted, allowedBefore, allowedAfter] = [0, 0, 0];
  for (let row = 0; row < table.size; row++) {
    if (allowed[row] === 0 && !stays.has(row)) throw new Error(`bug: a recorded flow would be refused: ${JSON.stringify(table.recordAt(row), (_, value: unknown) => (value instanceof Map ? [...value] : typeof value === 'bigint' ? `${value}` : value))}`);
    if ((table.columns.flags[row]! & DENIED_BIT) !== 0 && !withDenied) continue;
    wanted++;
    allowedBefore += refused.allowed[row]!;
    allowedAfter += allowed[row]!;
  }
  const stillRefused = [...left].map(([why, rows]) => [why, rows.filter((row) => allowed[row] === 0)] as const).filter(([, rows]) => rows.length > 0);
  return { wanted, allowedBefore, allowed: allowedAfter, pieces: changed.reduce((sum, { additions }) => sum + countPieces(additions), 0), left: new Map(stillRefused) };
}

function countPieces(additions: readonly Addition[]): number {
  return additions.reduce((sum, addition) => sum + (addition.kind === 'ports' ? addition.ports.length : addition.peers.length), 0);
}
