// The workloads that policies are written for, each with a selector that selects its pods and no others, by labels that stay.
import { compareText } from '../../base/finding.ts';
import { compareNames } from '../../model/cluster-order.ts';
import { checkLabelKey, checkLabelValue } from '../../model/names.ts';
import type { Cluster, Pod, Workload } from '../../model/cluster.ts';
import { selects, type Labels, type LabelSet, type Requirement, type Selector } from '../../model/selector.ts';
import { isLasting, preferenceOf } from '../words/lasting-labels.ts';

export interface Subject {
  /** More than one only where no lasting label tells them apart. Sorted by name and kind. */
  readonly workloads: readonly Workload[];
  readonly namespace: string;
  /** Of its policy; no other subject of the namespace has it. */
  readonly name: string;
  readonly selector: Selector;
  /** Indices of `cluster.pods`. */
  readonly pods: readonly number[];
}

/** A workload that no policy can select: `host` has its node's network, `unlabeled` no label that stays, `alike` none that tells it from an unlabeled one. */
export interface Unselectable {
  readonly workload: Workload;
  readonly pods: readonly number[];
  readonly why: 'host' | 'unlabeled' | 'alike';
}

export interface Subjects {
  /** Sorted by namespace and name. */
  readonly all: readonly Subject[];
  readonly unselectable: readonly Unselectable[];
  of(pod: number): Subject | undefined;
  ofWorkload(workload: Workload): Subject | undefined;
}

/** Labels by which the owner of a workload selects its pods; undefined: it has none, or it was not read. */
export type OwnerLabels = (workload: Workload) => Labels | undefined;

export function findSubjects(cluster: Cluster, ownerLabels: OwnerLabels): Subjects {
  const groups = groupByWorkload(cluster.pods);
  const unselectable: Unselectable[] = [];
  const subjects: Subject[] = [];
  for (const members of Map.groupBy(groups, ({ workload }) => workload.namespace).values()) {
    const { drafts, closed } = joinAlike(members.filter(({ isHost }) => !isHost), ownerLabels);
    for (const group of members) {
      if (group.isHost) unselectable.push({ ...group, why: 'host' });
      else if (closed.has(group)) unselectable.push({ ...group, why: isUnlabeled(group) ? 'unlabeled' : 'alike' });
    }
    subjects.push(...nameSubjects(drafts));
  }
  const all = subjects.sort(compareNames);
  const byPod = new Map(all.flatMap((subject) => subject.pods.map((pod) => [pod, subject] as const)));
  const byWorkload = new Map(all.flatMap((subject) => subject.workloads.map((workload) => [workloadKey(workload), subject] as const)));
  return { all, unselectable, of: (pod) => byPod.get(pod), ofWorkload: (workload) => byWorkload.get(workloadKey(workload)) };
}

export function workloadKey({ kind, namespace, name }: Workload): string {
  return `${kind}/${namespace}/${name}`;
}

interface Group {
  readonly workload: Workload;
  readonly pods: readonly number[];
  /** Lasting labels that all of its pods have. */
  readonly labels: Labels;
  /** All labels of its pods, each combination once. */
  readonly labelSets: readonly LabelSet[];
  readonly isHost: boolean;
}

function groupByWorkload(pods: readonly Pod[]): Group[] {
  const indices = Map.groupBy(pods.keys(), (index) => {
    const { workload, hostNetwork } = pods[index]!;
    return `${workload.namespace}/${workload.name}/${workload.kind}/${hostNetwork}`;
  });
  return [...indices.values()].map((own) => {
    const { workload, hostNetwork } = pods[own[0]!]!;
    const members = own.map((index) => pods[index]!);
    const labelSets = [...Map.groupBy(members, ({ labels }) => JSON.stringify([...labels])).values()].map(([first]) => first!);
    return { workload, pods: own, labels: commonLabels(labelSets, workload), labelSets, isHost: hostNetwork };
  });
}

/** A Job whose template has no labels is known by its name alone, which the controller writes. */
const JOB_NAME = 'batch.kubernetes.io/job-name';

function commonLabels([first, ...others]: readonly LabelSet[], { kind }: Workload): Labels {
  const common = [...first!.labels].filter(([key, value]) => others.every(({ labels }) => labels.get(key) === value));
  const lasting = common.filter(([key, value]) => isLasting(key) && isWritable(key, value));
  return new Map(lasting.length === 0 && kind === 'Job' ? common.filter(([key]) => key === JOB_NAME) : lasting);
}

/** Labels that nobody checked, as those of recorded flows, make selectors that no server takes. */
function isWritable(key: string, value: string): boolean {
  return checkLabelKey(key) === undefined && checkLabelValue(value) === undefined;
}

interface Draft {
  readonly groups: readonly Group[];
  readonly selector: Selector;
}

/** What cannot be told apart becomes one: round by round, until each selector selects its own alone. What would select an unlabeled group is closed with it. */
function joinAlike(groups: readonly Group[], ownerLabels: OwnerLabels): { readonly drafts: readonly Draft[]; readonly closed: ReadonlySet<Group> } {
  const candidates = indexLabels(groups);
  let parts: readonly (readonly Group[])[] = groups.map((group) => [group]);
  for (;;) {
    const partOf = new Map(parts.flatMap((part) => part.map((group) => [group, part] as const)));
    const open = parts.filter((part) => !part.some(isUnlabeled));
    const drafts = open.map((part) => ({ groups: part, selector: chooseSelector(part, candidates, ownerLabels) }));
    const selected = drafts.map(({ selector }) => candidates(labelsOf(selector)).filter((group) => selectsGroup(selector, group)));
    const mixed = selected.find((found, index) => found.some((group) => partOf.get(group) !== open[index]));
    if (mixed === undefined) return { drafts, closed: new Set(groups.filter((group) => partOf.get(group)!.some(isUnlabeled))) };
    const joined = new Set(mixed.map((group) => partOf.get(group)!));
    parts = [...parts.filter((part) => !joined.has(part)), [...joined].flat()];
  }
}

function isUnlabeled({ labels }: Group): boolean {
  return labels.size === 0;
}

/** Groups of which some pod has a label, by the one of the labels that the fewest have. */
type Candidates = (labels: Iterable<readonly [key: string, value: string]>) => readonly Group[];

function indexLabels(groups: readonly Group[]): Candidates {
  const byLabel = new Map<string, Set<Group>>();
  for (const group of groups) {
    for (const { labels } of group.labelSets) {
      for (const [key, value] of labels) {
        const label = `${key}\n${value}`;
        const having = byLabel.get(label) ?? new Set();
        byLabel.set(label, having.add(group));
      }
    }
  }
  return (labels) => {
    const lists = [...labels].map(([key, value]) => byLabel.get(`${key}\n${value}`) ?? new Set<Group>());
    return lists.length === 0 ? groups : [...lists.reduce((least, list) => (list.size < least.size ? list : least))];
  };
}

function labelsOf({ requirements }: Selector): readonly (readonly [string, string])[] {
  return requirements.flatMap((requirement) => (requirement.kind === 'In' ? [[requirement.key, requirement.values[0]!] as const] : []));
}

function selectsGroup(selector: Selector, { labelSets }: Group): boolean {
  return labelSets.some((labels) => selects(selector, labels));
}

/** The owner's labels first; then one more after the other, as long as others are selected and a label leaves some of them out. */
function chooseSelector(own: readonly Group[], candidates: Candidates, ownerLabels: OwnerLabels): Selector {
  const common = new Map([...own[0]!.labels].filter(([key, value]) => own.every(({ labels }) => labels.get(key) === value)));
  const ofOwner = own.length === 1 ? [...(ownerLabels(own[0]!.workload) ?? [])].filter(([key, value]) => common.get(key) === value) : [];
  const ranked = [...common].sort(([a], [b]) => preferenceOf(a) - preferenceOf(b) || compareText(a, b));
  const chosen = new Map(ofOwner.length > 0 ? ofOwner : ranked.slice(0, 1));
  const isOwn = new Set(own);
  let left = candidates(chosen).filter((group) => !isOwn.has(group) && matches(group, chosen));
  while (left.length > 0) {
    const best = ranked.filter(([key]) => !chosen.has(key)).map((label) => ({ label, left: left.filter((group) => matches(group, new Map([label]))) })).sort((a, b) => a.left.length - b.left.length)[0];
    if (best === undefined || best.left.length === left.length) break;
    chosen.set(...best.label);
    left = best.left;
  }
  const requirements: Requirement[] = [...chosen].sort(([a], [b]) => compareText(a, b)).map(([key, value]) => ({ kind: 'In', key, values: [value] }));
  return { requirements: [...requirements, ...absences(own, left)] };
}

function matches({ labelSets }: Group, wanted: ReadonlyMap<string, string>): boolean {
  return labelSets.some(({ labels }) => [...wanted].every(([key, value]) => labels.get(key) === value));
}

/** Keys that the others have and the own pods have not, as few as leave out all that such a key tells. */
function absences(own: readonly Group[], others: readonly Group[]): Requirement[] {
  const requirements: Requirement[] = [];
  let left = others;
  while (left.length > 0) {
    const keys = [...new Set(left.flatMap(({ labels }) => [...labels.keys()]))].filter((key) => isWritable(key, '') && own.every((group) => !hasKey(group, key))).sort(compareText);
    const best = keys.map((key) => ({ key, left: left.filter(({ labels }) => !labels.has(key)) })).sort((a, b) => a.left.length - b.left.length)[0];
    if (best === undefined) break;
    requirements.push({ kind: 'DoesNotExist', key: best.key });
    left = best.left;
  }
  return requirements;
}

function hasKey({ labelSets }: Group, key: string): boolean {
  return labelSets.some(({ labels, unknownKeys }) => labels.has(key) || unknownKeys.has(key));
}

/** The first workload's name, with its kind where another one or the default deny has the name, and a number where that is taken as well. */
function nameSubjects(drafts: readonly Draft[]): Subject[] {
  const parts = drafts.map(({ groups, selector }) => ({
    workloads: groups.map(({ workload }) => workload).sort(compareWorkloads),
    selector,
    pods: groups.flatMap(({ pods }) => pods).sort((a, b) => a - b),
  }));
  const counts = Map.groupBy(parts, ({ workloads }) => plainName(workloads[0]!));
  const taken = new Set([DEFAULT_DENY, ...[...counts].filter(([, same]) => same.length === 1).map(([name]) => name)]);
  return parts.sort((a, b) => compareWorkloads(a.workloads[0]!, b.workloads[0]!)).map((part) => {
    const first = part.workloads[0]!;
    const name = plainName(first);
    const isOwn = counts.get(name)!.length === 1 && name !== DEFAULT_DENY;
    return { ...part, namespace: first.namespace, name: isOwn ? name : freeName(withKind(name, first.kind), taken) };
  });
}

function compareWorkloads(a: Workload, b: Workload): number {
  return compareText(a.name, b.name) || compareText(a.kind, b.kind);
}

/** What is made with `generateName` ends in a dash. */
function plainName({ name }: Workload): string {
  return name.replace(/[-.]+$/, '');
}

/** Leaves room for a number: a name has 253 signs at most. */
const NAME_LENGTH_MAX = 245;

/** The kind as a name may have it. */
function withKind(name: string, kind: string): string {
  const word = kind.toLowerCase().replace(/[^a-z0-9]/g, '').slice(0, 63);
  return `${name.slice(0, NAME_LENGTH_MAX - word.length - 1).replace(/[-.]+$/, '')}${word === '' ? '' : `-${word}`}`;
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  taken.add(name);
  return name;
}

/** The policy of a namespace that closes what no other one speaks of. */
export const DEFAULT_DENY = 'default-deny';
