// The shortest chain of connections from some ends to others, through whatever pods lie between.
import { NO_PORTS, type PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { allowedPorts } from '../analyze/decide.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import { alikeKey, podName, type NamedEnds } from '../analyze/named-ends.ts';

export interface PathHop {
  readonly source: PathEnd;
  readonly target: PathEnd;
  /** Never empty. */
  readonly ports: PortSet;
}

export interface PathEnd {
  readonly label: string;
  readonly ref: EndpointRef;
}

export interface PathQuestion {
  readonly sources: NamedEnds;
  readonly targets: NamedEnds;
  /** In connections; undefined: any length. */
  readonly hopsMax: number | undefined;
  /** Pods that no path goes through. */
  readonly hiddenPods?: readonly number[];
}

export interface PathAnswer {
  /** undefined: there is none. */
  readonly hops: readonly PathHop[] | undefined;
  /** The ends from which a next connection was looked for, one for all that are alike: the sources, and what they lead to. */
  readonly passed: readonly PathEnd[];
}

/** A pod that is both source and target must be reached from another one. */
export function findPath(program: Program, question: PathQuestion): PathAnswer {
  const search = new PathSearch(program, question);
  const end = search.run(question.hopsMax ?? Number.POSITIVE_INFINITY);
  return { hops: end === undefined ? undefined : search.hopsTo(end), passed: [...search.passed] };
}

/** Pods that are alike, or addresses that are. */
interface Node {
  readonly members: readonly Member[];
  /** Those that the path may end at. */
  readonly wanted: readonly Member[];
}

/** One pod with its number of replicas, or one address for many; `label` names it. */
interface Member extends PathEnd {
  readonly replicas: number;
}

interface State {
  readonly node: Node;
  /** What the chain started from. */
  readonly origin: Member;
  readonly via: State | undefined;
}

/** Breadth first. Each node is visited from two different origins at most, so that excluding any one of them leaves the nearest other. */
class PathSearch {
  readonly passed = new Set<Member>();
  private readonly program: Program;
  private readonly starts: readonly State[];
  private readonly origins = new Map<Node, Member[]>();
  private unreached: Node[];

  constructor(program: Program, { sources, targets, hiddenPods = [] }: PathQuestion) {
    const { pods } = program.cluster;
    const member = (pod: number): Member => ({ label: podName(pods[pod]!), ref: { kind: 'pod', pod }, replicas: pods[pod]!.replicas });
    const members = [...pods.keys()].map(member);
    const isWanted = new Set(targets.ends.flatMap((end) => end.pods));
    const kinds = Map.groupBy([...pods.keys()].filter((pod) => !hiddenPods.includes(pod)), alikeKey(program));
    const podNodes = [...kinds.values()].map((kind): Node => ({ members: kind.map((pod) => members[pod]!), wanted: kind.filter((pod) => isWanted.has(pod)).map((pod) => members[pod]!) }));
    const nodeOfPod = new Map(podNodes.flatMap((node) => node.members.map(({ ref }) => [ref.kind === 'pod' ? ref.pod : -1, node] as const)));
    const ofAddress = (ends: NamedEnds): Member[] => ends.ends.filter(({ ref }) => ref.kind !== 'pod').map(({ label, ref }) => ({ label, ref, replicas: 1 }));
    this.program = program;
    this.unreached = [...podNodes, ...ofAddress(targets).map((end): Node => ({ members: [end], wanted: [end] }))];
    this.starts = [
      ...sources.ends.flatMap((end) => end.pods.slice(0, 2).map((pod): State => ({ node: nodeOfPod.get(pod)!, origin: members[pod]!, via: undefined }))),
      ...ofAddress(sources).map((origin): State => ({ node: { members: [origin], wanted: [] }, origin, via: undefined })),
    ];
  }

  run(hopsMax: number): State | undefined {
    let frontier = this.starts;
    for (let hop = 1; hop <= hopsMax && frontier.length > 0; hop++) {
      const next: State[] = [];
      for (const state of frontier) {
        this.passed.add(state.via === undefined ? state.origin : state.node.members[0]!);
        for (const node of this.unreached) {
          const known = this.origins.get(node) ?? [];
          if (known.includes(state.origin) || !this.isOpen(state, node)) continue;
          const reached = { node, origin: state.origin, via: state };
          if (wantedOf(reached) !== undefined) return reached;
          this.origins.set(node, [...known, state.origin]);
          next.push(reached);
        }
        this.unreached = this.unreached.filter((node) => (this.origins.get(node)?.length ?? 0) < ORIGINS_MAX);
      }
      frontier = next;
    }
    return undefined;
  }

  hopsTo(end: State): readonly PathHop[] {
    const states: State[] = [];
    for (let state: State | undefined = end; state !== undefined; state = state.via) states.unshift(state);
    const last = wantedOf(end)!; // `run` ends at a node that has one
    const ends: Member[] = [end.origin];
    for (const [index, { node }] of states.slice(1).entries()) ends.push(index === states.length - 2 ? last : otherMember(node.members, ends[index]!)!);
    // The pod before the last must be another than the last.
    const before = states.length - 2;
    if (before >= 1) ends[before] = otherMember(states[before]!.node.members, last)!;
    return ends.slice(1).map((target, index) => ({ source: ends[index]!, target, ports: this.portsBetween(ends[index]!, target) }));
  }

  private isOpen({ node: source, origin, via }: State, target: Node): boolean {
    const first = via === undefined ? origin : source.members[0]!;
    const to = otherMember(target.members, first);
    if (to !== undefined) return this.portsBetween(first, to).length > 0;
    return false;
  }

  private portsBetween(source: Member, target: Member): PortSet {
    if (source.ref.kind !== 'pod' && target.ref.kind !== 'pod') return NO_PORTS;
    // Two replicas of one entry are two pods, and what stands between them is judged.
    return allowedPorts(this.program, source.ref, target.ref);
  }
}

const ORIGINS_MAX = 2;

function wantedOf({ node, origin }: State): Member | undefined {
  return otherMember(node.wanted, origin);
}

/** A member that is another pod than the one given: a replica is. */
function otherMember(members: readonly Member[], than: Member): Member | undefined {
  return members.find((member) => member !== than) ?? members.find(({ replicas }) => replicas > 1);
}
