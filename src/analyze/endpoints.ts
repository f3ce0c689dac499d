// The ends that an answer names: workloads, pods or namespaces, and the ranges of the outside that policies tell apart.
import { compareText } from '../base/finding.ts';
import { formatIpAddress, formatIpRange, type IpRange } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import type { Pod } from '../model/cluster.ts';
import { quadKey, quadOfAtom, quadOfDomainName, quadOfGroup, type Quad } from './endpoint.ts';
import { outsideRanges } from './outside-ranges.ts';

export type Grain = 'workload' | 'pod' | 'namespace';

/** As the contract writes it. */
export type Endpoint = PodsEndpoint | OutsideEndpoint;

export interface PodsEndpoint {
  readonly id: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Number of pods it stands for. */
  readonly pods: number;
  readonly hostNetwork: boolean;
}

export type OutsideEndpoint =
  | { readonly id: string; readonly kind: 'Range'; readonly first: string; readonly last: string }
  /** What a name leads to that policies name, `*.x` for all below x: a peer of its own, whose addresses nobody knows. Never a source. */
  | { readonly id: string; readonly kind: 'DomainName'; readonly name: string };

/** Kinds do not tell: a custom resource may be called Range. */
export function isOutside(endpoint: Endpoint): endpoint is OutsideEndpoint {
  return !('pods' in endpoint);
}

/** An endpoint with what decides about it. */
export interface PlacedEndpoint {
  readonly endpoint: Endpoint;
  /** Each with the number of pods behind it; what is outside has one quad and no pods. */
  readonly quads: readonly { readonly quad: Quad; readonly pods: number }[];
  /** Indices of `cluster.pods`. */
  readonly podIndices: readonly number[];
  /** Only of ranges. */
  readonly range: IpRange | undefined;
}

/** Pods' endpoints sorted by id, then the ranges in the order of addresses, IPv4 first, then names of domains. */
export function listEndpoints(program: Program, by: Grain): readonly PlacedEndpoint[] {
  return [
    ...podEndpoints(program, by),
    ...outsideRanges(program).map((range) => rangeEndpoint(program, range)),
    ...program.domainNames.map((name) => domainNameEndpoint(program, name)),
  ];
}

/** Without the outside; sorted by id. `isWanted` takes either all pods that share a name, or none: names are told apart by their likes. */
export function podEndpoints(program: Program, by: Grain, isWanted: (pod: Pod) => boolean = () => true): readonly PlacedEndpoint[] {
  const drafts = new Map<string, Draft>();
  const quadIds = new Map<string, number>();
  const quadOfGroups: number[] = [];
  const quadOf = (group: number): number => {
    if (quadOfGroups[group] !== undefined) return quadOfGroups[group];
    const key = quadKey(quadOfGroup(program, group));
    const id = quadIds.get(key) ?? quadIds.size;
    quadIds.set(key, id);
    return (quadOfGroups[group] = id);
  };
  for (const [index, pod] of program.cluster.pods.entries()) {
    if (!isWanted(pod)) continue;
    const group = program.groupOfPod[index]!;
    const { key, subject } = subjectOf(pod, by);
    const draftKey = by === 'workload' ? `${key}\n${quadOf(group)} ${pod.hostNetwork}` : key;
    let draft = drafts.get(draftKey);
    if (draft === undefined) drafts.set(draftKey, (draft = { subject, pods: 0, hostNetwork: true, podIndices: [], groups: new Map() }));
    draft.pods += pod.replicas;
    draft.hostNetwork &&= pod.hostNetwork;
    draft.podIndices.push(index);
    draft.groups.set(group, (draft.groups.get(group) ?? 0) + pod.replicas);
  }
  return nameDrafts([...drafts.values()])
    .map(({ id, draft }) => placeDraft(program, id, draft))
    .sort((a, b) => compareText(a.endpoint.id, b.endpoint.id));
}

interface Subject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Draft {
  readonly subject: Subject;
  pods: number;
  hostNetwork: boolean;
  readonly podIndices: number[];
  readonly groups: Map<number, number>;
}

function subjectOf(pod: Pod, by: Grain): { readonly key: string; readonly subject: Subject } {
  switch (by) {
    case 'workload':
      return { key: subjectKey(pod.workload), subject: pod.workload };
    case 'pod': {
      // A pod of a controller in a file has no name of its own yet: it goes by the controller's name and kind.
      const kind = pod.workload.kind !== 'Pod' && pod.name === pod.workload.name ? pod.workload.kind : 'Pod';
      const subject = { kind, namespace: pod.namespace, name: pod.name };
      return { key: subjectKey(subject), subject };
    }
    case 'namespace':
      return { key: pod.namespace, subject: { kind: 'Namespace', namespace: pod.namespace, name: pod.namespace } };
  }
}

function subjectKey(subject: Subject): string {
  return `${subject.kind}\n${subject.namespace}\n${subject.name}`;
}

/** `ns/name`; with the kind where two kinds share it; with `#1`, `#2` … where pods of one controller differ in policy. */
function nameDrafts(drafts: readonly Draft[]): { readonly id: string; readonly draft: Draft }[] {
  const byId = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const id = plainId(draft.subject);
    const same = byId.get(id);
    if (same === undefined) byId.set(id, [draft]);
    else same.push(draft);
  }
  const named: { readonly id: string; readonly draft: Draft }[] = [];
  for (const [id, same] of byId) {
    if (same.length === 1) named.push({ id, draft: same[0]! });
    else named.push(...same.map((draft) => ({ id: tellApart(id, draft, same), draft })));
  }
  return named;
}

/** `same`: drafts with one plain id. */
function tellApart(id: string, draft: Draft, same: readonly Draft[]): string {
  const siblings = same.filter(({ subject }) => subject.kind === draft.subject.kind);
  const suffix = siblings.length > 1 ? `#${siblings.indexOf(draft) + 1}` : '';
  return `${id}${suffix}${siblings.length < same.length ? ` (${draft.subject.kind})` : ''}`;
}

function plainId(subject: Subject): string {
  return subject.kind === 'Namespace' ? subject.name : `${subject.namespace}/${subject.name}`;
}

function placeDraft(program: Program, id: string, draft: Draft): PlacedEndpoint {
  const { kind, namespace, name } = draft.subject;
  return {
    endpoint: { id, kind, namespace, name, pods: draft.pods, hostNetwork: draft.hostNetwork },
    quads: [...draft.groups].map(([group, pods]) => ({ quad: quadOfGroup(program, group), pods })),
    podIndices: draft.podIndices,
    range: undefined,
  };
}

function rangeEndpoint(program: Program, range: IpRange): PlacedEndpoint {
  const { family } = range;
  const atom = program.findAtom({ family, value: range.first });
  return {
    endpoint: {
      id: formatIpRange(range),
      kind: 'Range',
      first: formatIpAddress({ family, value: range.first }),
      last: formatIpAddress({ family, value: range.last }),
    },
    quads: [{ quad: quadOfAtom(program, atom), pods: 0 }],
    podIndices: [],
    range,
  };
}

function domainNameEndpoint(program: Program, name: string): PlacedEndpoint {
  return { endpoint: { id: name, kind: 'DomainName', name }, quads: [{ quad: quadOfDomainName(program, name), pods: 0 }], podIndices: [], range: undefined };
}
