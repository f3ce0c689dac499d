// Two Programs side by side: pods of the same name paired, ranges of the outside cut at the ends of both.
import type { IpFamily, IpRange } from '../base/ip-address.ts';
import { formatIpAddress, formatIpRange } from '../base/ip-address.ts';
import { compareText } from '../base/finding.ts';
import type { Pod, Workload } from '../model/cluster.ts';
import { PairTable } from '../compile/pair-table.ts';
import type { Endpoint } from '../analyze/endpoints.ts';
import { quadKey, quadOfAtom, quadOfDomainName, quadOfGroup, type EndpointRef, type Quad } from '../analyze/endpoint.ts';
import { outsideRanges } from '../analyze/outside-ranges.ts';
import type { JointRefs, ProgramPair } from './program-pair.ts';
import { addRefs, ResidenceList, ResidenceReader, type DraftRefs, type Residence } from './residence.ts';

/** Ends that both Programs treat alike throughout; undefined where one of the two does not have them. */
export interface JointQuad {
  readonly before: Quad | undefined;
  readonly after: Quad | undefined;
}

export interface JointEndpoint {
  readonly endpoint: Endpoint;
  readonly quads: JointQuad;
  /** Pods behind it: the larger of the two counts. */
  readonly pods: number;
  readonly refs: JointRefs;
  /** Which of the two sets have its pods on the network of their node. */
  readonly isHost: Readonly<Record<keyof ProgramPair, boolean>>;
  /** Where its pods run, each pod once; none where no node matters in either set. */
  readonly residences: readonly Residence[];
}

/** Pods of one workload that both Programs treat alike are one endpoint; sorted by id, then ranges, then names of domains. */
export function pairEndpoints(pair: ProgramPair): readonly JointEndpoint[] {
  return [...pairPods(pair), ...pairRanges(pair), ...pairDomainNames(pair)];
}

interface Draft {
  readonly workload: Workload;
  readonly quads: JointQuad;
  readonly hostNetwork: boolean;
  readonly isHost: JointEndpoint['isHost'];
  readonly residences: ResidenceList;
  readonly refs: DraftRefs;
  before: number;
  after: number;
}

function pairPods(pair: ProgramPair): readonly JointEndpoint[] {
  const { before, after } = pair;
  const drafts = new Map<string, Draft>();
  const jointQuads = new JointQuadTable(pair);
  const reader = new ResidenceReader(pair);
  eachPodPair(before.cluster.pods, after.cluster.pods, (old, now) => {
    const joint = jointQuads.idOf(old, now);
    const oldPod = old === undefined ? undefined : before.cluster.pods[old]!;
    const nowPod = now === undefined ? undefined : after.cluster.pods[now]!;
    const { workload, hostNetwork } = (nowPod ?? oldPod)!;
    const isHost = { before: oldPod?.hostNetwork === true, after: nowPod?.hostNetwork === true };
    const key = `${workload.kind}\n${workload.namespace}\n${workload.name}\n${joint} ${isHost.before} ${isHost.after}`;
    let draft = drafts.get(key);
    if (draft === undefined) drafts.set(key, (draft = { workload, quads: jointQuads.quads[joint]!, hostNetwork, isHost, refs: { before: [], after: [] }, residences: reader.hasNodes ? new ResidenceList() : NO_RESIDENCES, before: 0, after: 0 }));
    addRefs(draft.refs, old, now);
    if (reader.hasNodes) draft.residences.add(reader.nodesOf(oldPod, nowPod), { old, now, pods: Math.max(oldPod?.replicas ?? 0, nowPod?.replicas ?? 0) });
    draft.before += oldPod?.replicas ?? 0;
    draft.after += nowPod?.replicas ?? 0;
  });
  return nameDrafts([...drafts.values()]).sort((a, b) => compareText(a.endpoint.id, b.endpoint.id));
}

/** Nothing is ever added to it. */
const NO_RESIDENCES = new ResidenceList();

/** Equal quads on both sides have one id; groups are asked once for each pair of them. */
class JointQuadTable {
  readonly quads: JointQuad[] = [];
  private readonly byGroups = new PairTable();
  private readonly byContent = new Map<string, number>();
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
    const key = jointQuadKey(quads);
    let id = this.byContent.get(key);
    if (id === undefined) this.byContent.set(key, (id = this.quads.push(quads) - 1));
    return id;
  }
}

const MISSING = -1;

/** Equal texts: ends that each Program treats alike. */
function jointQuadKey({ before, after }: JointQuad): string {
  return `${before === undefined ? '' : quadKey(before)}\n${after === undefined ? '' : quadKey(after)}`;
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

function nameDrafts(drafts: readonly Draft[]): JointEndpoint[] {
  const parts = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const { namespace, name } = draft.workload;
    const siblings = parts.get(`${namespace}/${name}`);
    if (siblings === undefined) parts.set(`${namespace}/${name}`, [draft]);
    else siblings.push(draft);
  }
  return [...parts].flatMap(([name, siblings]) =>
    siblings.map((draft, index) => {
      const pods = Math.max(draft.before, draft.after);
      const id = siblings.length === 1 ? name : `${name}#${index + 1}`;
      return { endpoint: { id, ...draft.workload, pods, hostNetwork: draft.hostNetwork }, quads: draft.quads, pods, refs: draft.refs, isHost: draft.isHost, residences: draft.residences.list };
    }),
  );
}

/** What is outside runs on no node. */
const NOWHERE: Pick<JointEndpoint, 'isHost' | 'residences'> = { isHost: { before: false, after: false }, residences: [] };

function pairRanges({ before, after }: ProgramPair): readonly JointEndpoint[] {
  return ([4, 6] as const).flatMap((family) => cutRanges(family, outsideRanges(before), outsideRanges(after))).flatMap((range) => {
    const first = { family: range.family, value: range.first };
    const [old, now] = [before.findAtom(first), after.findAtom(first)];
    const quads = {
      before: before.atoms[old]!.isPodRange ? undefined : quadOfAtom(before, old),
      after: after.atoms[now]!.isPodRange ? undefined : quadOfAtom(after, now),
    };
    const last = formatIpAddress({ family: range.family, value: range.last });
    const endpoint = { id: formatIpRange(range), kind: 'Range' as const, first: formatIpAddress(first), last };
    const ref: EndpointRef = { kind: 'address', address: first };
    const refs = { before: quads.before === undefined ? [] : [ref], after: quads.after === undefined ? [] : [ref] };
    return quads.before === undefined && quads.after === undefined ? [] : [{ endpoint, quads, pods: 0, refs, ...NOWHERE }];
  });
}

/** Each Program has something to say of every name, also of one that only the other's policies name. */
function pairDomainNames({ before, after }: ProgramPair): readonly JointEndpoint[] {
  const names = [...new Set([...before.domainNames, ...after.domainNames])].sort(compareText);
  return names.map((name) => {
    const refs: readonly EndpointRef[] = [{ kind: 'domain-name', name }];
    const quads = { before: quadOfDomainName(before, name), after: quadOfDomainName(after, name) };
    return { endpoint: { id: name, kind: 'DomainName' as const, name }, quads, pods: 0, refs: { before: refs, after: refs }, ...NOWHERE };
  });
}

/** The ranges of one family, cut at all starts of both lists. */
function cutRanges(family: IpFamily, a: readonly IpRange[], b: readonly IpRange[]): IpRange[] {
  const ranges = [...a, ...b].filter((range) => range.family === family);
  const starts = [...new Set(ranges.flatMap(({ first, last }) => [first, last + 1n]))].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
  return starts.slice(0, -1).map((first, index) => ({ family, first, last: starts[index + 1]! - 1n }));
}
