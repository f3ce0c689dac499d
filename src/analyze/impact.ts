// What a compromised pod reaches, directly and by hops through what it reaches, and which single wall would cut off most of it.
import type { PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { podEndpoints, type Endpoint, type PlacedEndpoint } from './endpoints.ts';
import { START, spreadFrom, spreadGround, type Spread } from './pod-spread.ts';
import { findPartWalls } from './spread-walls.ts';

export interface Impact {
  /** Pods by the number of connections that it takes to reach them; the first are those that are reached directly. */
  readonly podsByHop: readonly number[];
  /** Pods reached at any distance; the compromised pod itself is not counted. */
  readonly reachedPods: number;
  /** All other pods of the cluster. */
  readonly otherPods: number;
  /** Percent of the other pods that are reached, 0–100. */
  readonly score: number;
  /** Endpoints whose isolation would cut off most pods, themselves included; most first. */
  readonly walls: readonly Wall[];
  /** By distance from the compromised pod, nearest first, then by id. Made when asked: the names of a large cluster take longer than the search. */
  reached(): readonly ReachedEndpoint[];
}

/** Pods of an endpoint; where some of them are reached otherwise than others it is named more than once. */
export interface ReachedEndpoint {
  readonly endpoint: Endpoint;
  readonly pods: number;
  /** Number of connections it takes; 1 is direct. */
  readonly distance: number;
  /** The endpoint from which the last hop goes; undefined: from the compromised pod. */
  readonly via: Endpoint | undefined;
  /** What the last hop may use. */
  readonly ports: PortSet;
}

export interface Wall {
  readonly endpoint: Endpoint;
  /** Pods that the compromised pod would no longer reach. */
  readonly pods: number;
  /** The pods to isolate, as indices of `cluster.pods`. */
  readonly podIndices: readonly number[];
  /** How they are first reached, of indices of `cluster.pods`. */
  readonly firstHop: { readonly source: number; readonly target: number };
}

export interface ImpactOptions {
  /** Longest chain of connections; without it, as far as it goes. */
  readonly hopsMax?: number;
}

/** `pod` is an index of `cluster.pods`. */
export function findImpact(program: Program, pod: number, options: ImpactOptions = {}): Impact {
  const spread = spreadFrom(spreadGround(program), pod, options.hopsMax ?? Number.POSITIVE_INFINITY);
  const podsByHop = spread.levels.map((level) => level.reduce((sum, cell) => sum + spread.pods[cell]!, 0));
  const reachedPods = podsByHop.reduce((sum, pods) => sum + pods, 0);
  const otherPods = spread.pods.reduce((sum, pods) => sum + pods, 0);
  return {
    podsByHop,
    reachedPods,
    otherPods,
    score: otherPods === 0 ? 0 : (100 * reachedPods) / otherPods,
    walls: nameWalls(program, pod, spread),
    reached: () => nameReached(program, pod, spread),
  };
}

function nameWalls(program: Program, pod: number, spread: Spread): Wall[] {
  const { cluster: { pods } } = program;
  const walls = findPartWalls(spread, pods, pod);
  const firstPods = walls.map(({ part }) => part.shares[0]!.firstPod);
  const names = new Set(firstPods.map((first) => pods[first]!.workload.name));
  const placed = podEndpoints(program, 'workload', ({ workload }) => names.has(workload.name));
  return walls.map(({ part, pods: cut }, index) => {
    const { endpoint, podIndices } = placed.find((one) => one.podIndices.includes(firstPods[index]!))!;
    // A hop that policies judge, where there is one: no wall of a policy keeps out the own node.
    const share = part.shares.find(({ cell }) => !isByNode(spread, cell)) ?? part.shares[0]!;
    return { endpoint, pods: cut, podIndices, firstHop: { source: podOf(spread, spread.via[share.cell]!, pod), target: share.firstPod } };
  });
}

function isByNode({ cells, via, startCell }: Spread, cell: number): boolean {
  const source = via[cell] === START ? startCell : via[cell]!;
  return cells.neighborsOf(cell).includes(source);
}

/** The first pod of a cell that is not the compromised one. */
function podOf({ cells, startCell }: Spread, cell: number, compromised: number): number {
  if (cell === START) return compromised;
  return cells.cellOfPod.findIndex((of, index) => of === cell && (cell !== startCell || index !== compromised));
}

function nameReached(program: Program, compromised: number, spread: Spread): ReachedEndpoint[] {
  const { cells, distance, via } = spread;
  const placed = podEndpoints(program, 'workload');
  const sources = sourcesOf(placed, spread, compromised);
  const portsOf = hopPorts(program, spread);
  const reached = placed.flatMap((one) => {
    const rows = new Map<string, ReachedEndpoint & { pods: number }>();
    for (const pod of one.podIndices) {
      const cell = cells.cellOfPod[pod]!;
      const pods = program.cluster.pods[pod]!.replicas - (pod === compromised ? 1 : 0);
      if (distance[cell] === 0 || pods === 0) continue;
      const source = via[cell] === START ? undefined : sources.get(via[cell]!)!;
      const ports = portsOf(cell);
      const key = `${distance[cell]} ${ports} ${source?.id ?? ''}`;
      const row = rows.get(key);
      if (row !== undefined) row.pods += pods;
      else rows.set(key, { endpoint: one.endpoint, pods, distance: distance[cell]!, via: source, ports: program.portSets.portSet(ports) });
    }
    return [...rows.values()];
  });
  return reached.sort((a, b) => a.distance - b.distance);
}

/** By cell, the endpoint of its first pod, from which its hops go. */
function sourcesOf(placed: readonly PlacedEndpoint[], { cells, startCell }: Spread, compromised: number): ReadonlyMap<number, Endpoint> {
  const first = new Map<number, { readonly pod: number; readonly endpoint: Endpoint }>();
  for (const { endpoint, podIndices } of placed) {
    for (const pod of podIndices) {
      const cell = cells.cellOfPod[pod]!;
      const known = first.get(cell);
      if ((cell !== startCell || pod !== compromised) && (known === undefined || pod < known.pod)) first.set(cell, { pod, endpoint });
    }
  }
  return new Map(Array.from(first, ([cell, { endpoint }]) => [cell, endpoint]));
}

/** Port set id of the hop by which each cell was first reached. */
function hopPorts(program: Program, { cells, via, startCell }: Spread): (cell: number) => number {
  const known = new Map<number, number>();
  const compute = (cell: number): number => {
    const source = via[cell] === START ? startCell : via[cell]!;
    if (cells.neighborsOf(cell).includes(source)) return cells.portsToNeighbor(source, cell);
    return allowedBetween(program, { source: cells.quads[cells.quadOf[source]!]!, target: cells.quads[cells.quadOf[cell]!]! });
  };
  return (cell) => {
    let ports = known.get(cell);
    if (ports === undefined) known.set(cell, (ports = compute(cell)));
    return ports;
  };
}
