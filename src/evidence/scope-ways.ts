// The ways into a scope and out of it: who may open connections to its pods, directly or through those that may, and whom they may reach.
import type { IpRange } from '../base/ip-address.ts';
import { overlaps, withoutRanges } from '../base/known-ranges.ts';
import { allowedBetween } from '../analyze/decide.ts';
import { quadOfAtom, quadOfDomainName, type Quad } from '../analyze/endpoint.ts';
import { podEndpoints } from '../analyze/endpoints.ts';
import { outsideRanges } from '../analyze/outside-ranges.ts';
import { joinRanges } from '../analyze/outside-ports.ts';
import { isOwnNode } from '../analyze/own-node.ts';
import { PodCells } from '../analyze/pod-cells.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { internetRanges } from '../words/address-words.ts';
import { countPods } from './coverage.ts';
import { entranceWays } from './entrance-ways.ts';
import { nameTogether, podsOfScope, type NamedTogether, type Scope } from './scope.ts';
import type { Way } from './way.ts';

export interface ScopeEvidence {
  readonly scope: Scope;
  /** Replicas counted. */
  readonly pods: number;
  /** Ids of workloads, sorted. */
  readonly workloads: readonly string[];
  readonly waysIn: readonly Way[];
  /** undefined: the scope does not say where its pods may go. */
  readonly waysOut: readonly Way[] | undefined;
  /** Pods on the host network of a node of its pods, beyond the scope: they reach those whatever policies say. */
  readonly nodePods: number;
}

/** Ways that the scope names come last. Throws WordError where a word of the scope names nothing. */
export function findScopeEvidence(program: Program, scope: Scope): ScopeEvidence {
  const own = podsOfScope(program, scope);
  const ground = new WayGround(program, own);
  return {
    scope,
    pods: countPods(program, own),
    workloads: [...new Set([...own].map((pod) => ground.idOf(pod)))].sort(),
    waysIn: waysInto(program, ground, { named: nameTogether(program, scope.from), hopsMax: scope.hopsMax ?? 1 }),
    waysOut: scope.to === undefined ? undefined : inOrder(ground.waysFrom(own, nameTogether(program, scope.to))),
    nodePods: ground.nodePods(),
  };
}

/** Level by level: behind the pods of the scope stand those that are named and reach it, and who reaches them. */
function waysInto(program: Program, ground: WayGround, { named, hopsMax }: { readonly named: NamedTogether; readonly hopsMax: number }): readonly Way[] {
  const ways: Way[] = [];
  const seen = new Set<number>();
  const pathOf = new Map<number, readonly string[]>();
  let targets: ReadonlySet<number> = ground.own;
  for (let hop = 1; hop <= hopsMax && targets.size > 0; hop++) {
    const level = ground.waysTo(targets, named, (pod) => [ground.idOf(pod), ...(pathOf.get(pod) ?? [])]);
    ways.push(...level.ways.filter((way) => hop === 1 || !way.isNamed));
    const next = [...level.namedPods].filter(([pod]) => !seen.has(pod));
    for (const [pod, path] of next) {
      seen.add(pod);
      pathOf.set(pod, path);
    }
    targets = new Set(next.map(([pod]) => pod));
  }
  const pathFrom = (pod: number): readonly string[] | undefined => (ground.own.has(pod) || seen.has(pod) ? [ground.idOf(pod), ...(pathOf.get(pod) ?? [])] : undefined);
  ways.push(...entranceWays(program, { named: named.ranges, hopsMax, pathFrom }));
  return inOrder(ways);
}

function inOrder(ways: readonly Way[]): readonly Way[] {
  return ways.toSorted((a, b) => Number(a.isNamed) - Number(b.isNamed) || a.path.length - b.path.length);
}

interface Level {
  readonly ways: readonly Way[];
  /** Named pods that reach a target, with the path from there. */
  readonly namedPods: ReadonlyMap<number, readonly string[]>;
}

class WayGround {
  readonly own: ReadonlySet<number>;
  private readonly program: Program;
  private readonly cells: PodCells;
  private readonly ids: ReadonlyMap<number, string>;
  private readonly internet: readonly IpRange[];
  private readonly outside: readonly { readonly range: IpRange; readonly quad: Quad }[];

  constructor(program: Program, own: ReadonlySet<number>) {
    this.program = program;
    this.own = own;
    this.cells = new PodCells(program);
    this.ids = new Map(podEndpoints(program, 'workload').flatMap(({ endpoint, podIndices }) => podIndices.map((pod) => [pod, endpoint.id] as const)));
    this.internet = internetRanges(program.cluster);
    this.outside = outsideRanges(program).map((range) => ({ range, quad: quadOfAtom(program, program.findAtom({ family: range.family, value: range.first })) }));
  }

  idOf(pod: number): string {
    return this.ids.get(pod)!;
  }

  waysTo(targets: ReadonlySet<number>, named: NamedTogether, pathTo: (target: number) => readonly string[]): Level {
    const met = this.meetings(targets, (other, own) => ({ source: other, target: own }));
    const namedPods = new Map<number, readonly string[]>();
    for (const pod of named.pods) {
      const meeting = this.own.has(pod) ? undefined : met.ofPod(pod);
      if (meeting !== undefined) namedPods.set(pod, pathTo(meeting.pod));
    }
    return { ways: [...this.podWays(met.ofPod, named, pathTo, targets), ...this.outsideWays(met.of, named, pathTo)], namedPods };
  }

  waysFrom(sources: ReadonlySet<number>, named: NamedTogether): readonly Way[] {
    const met = this.meetings(sources, (other, own) => ({ source: own, target: other }));
    const pathTo = (pod: number): readonly string[] => [this.idOf(pod)];
    const names = this.program.domainNames.flatMap((name): Way[] => {
      const meeting = met.of(quadOfDomainName(this.program, name));
      return meeting === undefined ? [] : [{ end: { kind: 'name', name }, ports: this.program.portSets.portSet(meeting.ports), isNamed: named.names.has(name), path: pathTo(meeting.pod) }];
    });
    return [...this.podWays(met.ofPod, named, pathTo, sources), ...this.outsideWays(met.of, named, pathTo), ...names];
  }

  /** Pods on the host network share the node's address, and no policy keeps a node from its own pods. */
  nodePods(): number {
    const { pods } = this.program.cluster;
    const nodes = new Set([...this.own].map((pod) => pods[pod]!.nodeName));
    return countPods(this.program, [...pods.keys()].filter((pod) => !this.own.has(pod) && pods[pod]!.hostNetwork && nodes.has(pods[pod]!.nodeName) && [...this.own].some((one) => isOwnNode(pods[pod]!, pods[one]!))));
  }

  private meetings(own: ReadonlySet<number>, pairOf: (other: Quad, own: Quad) => { readonly source: Quad; readonly target: Quad }): Meetings {
    const { program, cells } = this;
    const quadIdOf = (pod: number): number => cells.quadOf[cells.cellOfPod[pod]!]!;
    const ownQuads = new Map<number, number>();
    for (const pod of own) if (!ownQuads.has(quadIdOf(pod))) ownQuads.set(quadIdOf(pod), pod);
    const of = (other: Quad): Meeting | undefined => {
      let meeting: Meeting | undefined;
      for (const [id, pod] of ownQuads) {
        const ports = allowedBetween(program, pairOf(other, cells.quads[id]!));
        if (ports !== NO_PORTS_ID) meeting = meeting === undefined ? { pod, ports } : { pod: meeting.pod, ports: program.portSets.union(meeting.ports, ports) };
      }
      return meeting;
    };
    const byQuad = cells.quads.map(() => UNASKED);
    const ofPod = (pod: number): Meeting | undefined => {
      const id = quadIdOf(pod);
      if (byQuad[id] === UNASKED) byQuad[id] = of(cells.quads[id]!) ?? NOTHING;
      return byQuad[id] === NOTHING ? undefined : byQuad[id];
    };
    return { of, ofPod };
  }

  /** By workload; pods of one that the scope names apart from those that it does not. */
  private podWays(meetingOf: Meetings['ofPod'], named: NamedTogether, pathTo: (pod: number) => readonly string[], taken: ReadonlySet<number>): readonly Way[] {
    const { cluster, portSets } = this.program;
    const found = new Map<string, { readonly id: string; readonly isNamed: boolean; readonly pod: number; ports: number; pods: number }>();
    for (const pod of cluster.pods.keys()) {
      const meeting = this.own.has(pod) || taken.has(pod) ? undefined : meetingOf(pod);
      if (meeting === undefined) continue;
      const [id, isNamed] = [this.idOf(pod), named.pods.has(pod)];
      const way = found.get(`${isNamed} ${id}`);
      if (way === undefined) found.set(`${isNamed} ${id}`, { id, isNamed, pod: meeting.pod, ports: meeting.ports, pods: cluster.pods[pod]!.replicas });
      else {
        way.ports = portSets.union(way.ports, meeting.ports);
        way.pods += cluster.pods[pod]!.replicas;
      }
    }
    return Array.from(found.values(), ({ id, isNamed, pod, ports, pods }) => ({ end: { kind: 'workload', id, pods }, ports: portSets.portSet(ports), isNamed, path: pathTo(pod) }));
  }

  /** Addresses together that meet alike. */
  private outsideWays(meetingOf: Meetings['of'], named: NamedTogether, pathTo: (pod: number) => readonly string[]): readonly Way[] {
    const parts = this.outside.flatMap(({ range, quad }) => {
      const meeting = meetingOf(quad);
      if (meeting === undefined) return [];
      const unnamed = withoutRanges(range, named.ranges);
      const rest = withoutRanges(range, unnamed);
      const partOf = (one: IpRange, isNamed: boolean) => ({ one, meeting, isNamed, isInternet: this.internet.some((other) => overlaps(one, other)) });
      return [...unnamed.map((one) => partOf(one, false)), ...rest.map((one) => partOf(one, true))];
    });
    const alike = Map.groupBy(parts, ({ meeting, isInternet, isNamed }) => `${meeting.ports} ${meeting.pod} ${isInternet} ${isNamed}`);
    return Array.from(alike.values(), (members) => {
      const { meeting, isInternet, isNamed } = members[0]!;
      return { end: { kind: 'outside', ranges: joinRanges(members.map(({ one }) => one)), isInternet }, ports: this.program.portSets.portSet(meeting.ports), isNamed, path: pathTo(meeting.pod) };
    });
  }
}

/** With any of some pods: the first of them, and the ports with all of them. */
interface Meeting {
  readonly pod: number;
  /** Port set id. */
  readonly ports: number;
}

interface Meetings {
  readonly of: (other: Quad) => Meeting | undefined;
  readonly ofPod: (pod: number) => Meeting | undefined;
}

const UNASKED: Meeting = { pod: -1, ports: NO_PORTS_ID };
const NOTHING: Meeting = { pod: -2, ports: NO_PORTS_ID };
