// The pods of two Programs, paired by name and gathered into ends that both treat alike.
import { compareText } from '../base/finding.ts';
import type { PodsEndpoint } from '../analyze/endpoints.ts';
import { quadNumbers, quadOfGroup, type EndpointRef, type Quad } from '../analyze/endpoint.ts';
import { WorkloadIds } from '../analyze/workload-ids.ts';
import { ListInterner } from '../compile/list-interner.ts';
import { PairTable } from '../compile/pair-table.ts';
import type { Pod, Workload } from '../model/cluster.ts';
import type { JointEndpoint, JointQuad } from './joint-endpoint.ts';
import type { JointRefs, ProgramPair } from './program-pair.ts';
import { ResidenceList, ResidenceReader, type Residence } from './residence.ts';

/** Pods of one workload that both Programs treat alike; sorted by namespace, name, and the order of their first pods. */
export function pairPods(pair: ProgramPair): readonly JointEndpoint[] {
  const { before, after } = pair;
  const ends: JointPods[] = [];
  const ids = new PairTable();
  const workloads = new WorkloadIds();
  const jointQuads = new JointQuadTable(pair);
  const reader = new ResidenceReader(pair);
  eachPodPair(before.cluster.pods, after.cluster.pods, (old, now) => {
    const joint = jointQuads.idOf(old, now);
    const oldPod = old === undefined ? undefined : before.cluster.pods[old]!;
    const nowPod = now === undefined ? undefined : after.cluster.pods[now]!;
    const { workload, hostNetwork } = (nowPod ?? oldPod)!;
    const hosts = (oldPod?.hostNetwork === true ? 1 : 0) + (nowPod?.hostNetwork === true ? 2 : 0);
    const [one, other] = [workloads.idOf(workload), joint * 4 + hosts];
    let id = ids.get(one, other);
    if (id < 0) ids.set(one, other, (id = ends.push(new JointPods({ workload, hostNetwork, quads: jointQuads.quads[joint]!, isHost: HOSTS[hosts]!, hasNodes: reader.hasNodes })) - 1));
    const end = ends[id]!;
    end.add(old, now);
    if (reader.hasNodes) end.residenceList.add(reader.nodesOf(oldPod, nowPod), { old, now, pods: Math.max(oldPod?.replicas ?? 0, nowPod?.replicas ?? 0) });
    end.before += oldPod?.replicas ?? 0;
    end.after += nowPod?.replicas ?? 0;
  });
  return sortEnds(ends);
}

const HOSTS: readonly JointEndpoint['isHost'][] = [0, 1, 2, 3].map((hosts) => ({ before: (hosts & 1) !== 0, after: (hosts & 2) !== 0 }));

interface JointPodsInput extends Pick<JointEndpoint, 'quads' | 'isHost'> {
  readonly workload: Workload;
  readonly hostNetwork: boolean;
  readonly hasNodes: boolean;
}

/** Names and lists are made when asked: there may be as many ends as pods, and few of them differ. */
class JointPods implements JointEndpoint {
  readonly place = 'pods';
  readonly quads: JointQuad;
  readonly isHost: JointEndpoint['isHost'];
  readonly workload: Workload;
  readonly residenceList: ResidenceList;
  /** Replicas in each set. */
  before = 0;
  after = 0;
  /** From 1 on, where pods of one name are several ends; else 0. */
  part = 0;
  private readonly hostNetwork: boolean;
  /** Two pods of each set, so that one can be asked about the other; −1 where it has none. */
  private readonly olds: [number, number] = [MISSING, MISSING];
  private readonly nows: [number, number] = [MISSING, MISSING];

  constructor({ quads, isHost, workload, hostNetwork, hasNodes }: JointPodsInput) {
    this.quads = quads;
    this.isHost = isHost;
    this.workload = workload;
    this.hostNetwork = hostNetwork;
    this.residenceList = hasNodes ? new ResidenceList() : NO_RESIDENCES;
  }

  add(old: number | undefined, now: number | undefined): void {
    if (old !== undefined && this.olds[1] === MISSING) this.olds[this.olds[0] === MISSING ? 0 : 1] = old;
    if (now !== undefined && this.nows[1] === MISSING) this.nows[this.nows[0] === MISSING ? 0 : 1] = now;
  }

  get pods(): number {
    return Math.max(this.before, this.after);
  }

  get endpoint(): PodsEndpoint {
    const { kind, namespace, name } = this.workload;
    const id = `${namespace}/${name}${this.part === 0 ? '' : `#${this.part}`}`;
    return { id, kind, namespace, name, pods: this.pods, hostNetwork: this.hostNetwork };
  }

  get refs(): JointRefs {
    return { before: refsOf(this.olds), after: refsOf(this.nows) };
  }

  get residences(): readonly Residence[] {
    return this.residenceList.list;
  }
}

/** Nothing is ever added to it. */
const NO_RESIDENCES = new ResidenceList();

function refsOf(pods: readonly number[]): EndpointRef[] {
  return pods.filter((pod) => pod !== MISSING).map((pod) => ({ kind: 'pod', pod }));
}

/** By id, as far as names go; ends of one name are numbered. Clusters come sorted, so that little is left to do. */
function sortEnds(ends: readonly JointPods[]): JointPods[] {
  // As texts of ids are: `a-b/x` before `a/x`.
  const names = [...new Set(ends.map(({ workload }) => workload.namespace))].sort((a, b) => compareText(`${a}/`, `${b}/`));
  const rank = new Map(names.map((name, index) => [name, index]));
  const sorted = ends.toSorted(({ workload: a }, { workload: b }) => (a.namespace === b.namespace ? compareText(a.name, b.name) : rank.get(a.namespace)! - rank.get(b.namespace)!));
  for (let index = 1; index < sorted.length; index++) {
    const [previous, end] = [sorted[index - 1]!, sorted[index]!];
    if (previous.workload.name !== end.workload.name || previous.workload.namespace !== end.workload.namespace) continue;
    previous.part ||= 1;
    end.part = previous.part + 1;
  }
  return sorted;
}

/** Equal quads on both sides have one id; groups are asked once for each pair of them. */
class JointQuadTable {
  readonly quads: JointQuad[] = [];
  private readonly byGroups = new PairTable();
  private readonly byContent = new ListInterner();
  private readonly pair: ProgramPair;

  constructor(pair: ProgramPair) {
    this.pair = pair;
  }

  /** Indices of pods. */
  idOf(old: number | undefined, now: number | undefined): number {
    const { before, after } = this.pair;
    const [oldGroup, nowGroup] = [old === undefined ? MISSING : before.groupOfPod[old]!, now === undefined ? MISSING : after.groupOfPod[now]!];
    // From 0 on, as the table wants it.
    let id = this.byGroups.get(oldGroup + 1, nowGroup + 1);
    if (id < 0) this.byGroups.set(oldGroup + 1, nowGroup + 1, (id = this.intern(oldGroup, nowGroup)));
    return id;
  }

  private intern(oldGroup: number, nowGroup: number): number {
    const { before, after } = this.pair;
    const quads = { before: oldGroup === MISSING ? undefined : quadOfGroup(before, oldGroup), after: nowGroup === MISSING ? undefined : quadOfGroup(after, nowGroup) };
    // The empty list has the first number.
    const id = this.byContent.intern([...numbersOf(quads.before), ...numbersOf(quads.after)]) - 1;
    if (id === this.quads.length) this.quads.push(quads);
    return id;
  }
}

const MISSING = -1;

/** Equal lists: ends that each Program treats alike. */
function numbersOf(quad: Quad | undefined): readonly number[] {
  return quad === undefined ? [MISSING] : quadNumbers(quad);
}

/** Indices of the pods that have one name, in the order of `before`, then those that `after` alone has. */
function eachPodPair(before: readonly Pod[], after: readonly Pod[], give: (old: number | undefined, now: number | undefined) => void): void {
  const isAligned = before.length === after.length && before.every((pod, index) => pod === after[index] || nameOf(pod) === nameOf(after[index]!));
  if (isAligned) {
    for (const index of before.keys()) give(index, index);
    return;
  }
  const left = new Map(after.map((pod, index) => [nameOf(pod), index]));
  for (const [index, pod] of before.entries()) {
    const name = nameOf(pod);
    give(index, left.get(name));
    left.delete(name);
  }
  for (const index of left.values()) give(undefined, index);
}

function nameOf(pod: Pod): string {
  return `${pod.namespace}\n${pod.workload.kind}\n${pod.workload.name}\n${pod.name}`;
}
