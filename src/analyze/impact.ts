// What a compromised pod reaches, directly and by hops through what it reaches, and which single wall would cut off most of it.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { listEndpoints, type Endpoint } from './endpoints.ts';
import { quadKey, quadOfGroup, type Quad } from './endpoint.ts';

export interface Impact {
  /** By distance from the compromised pod, nearest first, then by id. */
  readonly reached: readonly ReachedEndpoint[];
  /** Pods reached at any distance; the compromised pod itself is not counted. */
  readonly reachedPods: number;
  /** All other pods of the cluster. */
  readonly otherPods: number;
  /** Percent of the other pods that are reached, 0–100. */
  readonly score: number;
  /** Endpoints whose isolation would cut off most pods, themselves included; most first. */
  readonly walls: readonly Wall[];
}

export interface ReachedEndpoint {
  readonly endpoint: Endpoint;
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
}

export interface ImpactOptions {
  /** Longest chain of connections; without it, as far as it goes. */
  readonly hopsMax?: number;
}

/** Walls named in an answer. */
const WALLS_MAX = 5;

/** `pod` is an index of `cluster.pods`. */
export function findImpact(program: Program, pod: number, options: ImpactOptions = {}): Impact {
  const graph = buildGraph(program, pod);
  const hopsMax = options.hopsMax ?? Number.POSITIVE_INFINITY;
  const search = spread(graph, { hopsMax, without: undefined });
  const otherPods = graph.nodes.reduce((sum, node) => sum + node.pods, 0);
  return {
    reached: nameReached(program, graph, search),
    reachedPods: search.pods,
    otherPods,
    score: otherPods === 0 ? 0 : (100 * search.pods) / otherPods,
    walls: findWalls(graph, search, hopsMax).map(({ node, pods }) => ({ endpoint: graph.nodes[node]!.endpoint, pods })),
  };
}

/** An endpoint that policies treat as one; the compromised pod is node −1 and stands in no node's count. */
interface GraphNode {
  readonly endpoint: Endpoint;
  readonly quad: Quad;
  readonly pods: number;
}

interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly start: Quad;
  readonly ports: (source: Quad, target: Quad) => number;
}

const START = -1;

function buildGraph(program: Program, pod: number): Graph {
  const start = quadOfGroup(program, program.groupOfPod[pod]!);
  const nodes = listEndpoints(program, 'workload').flatMap(({ endpoint, quads, podIndices }) => {
    if (podIndices.length === 0) return [];
    const { quad, pods } = quads[0]!;
    const others = podIndices.includes(pod) ? pods - 1 : pods;
    return others === 0 ? [] : [{ endpoint, quad, pods: others }];
  });
  return { nodes, start, ports: (source, target) => allowedBetween(program, { source, target }) };
}

interface Search {
  /** Number of connections to each node; 0: not reached. */
  readonly distance: Int32Array;
  /** The node from which each was first reached. */
  readonly via: Int32Array;
  readonly pods: number;
}

interface SearchOptions {
  readonly hopsMax: number;
  /** A node that is taken to be isolated. */
  readonly without: number | undefined;
}

/** Breadth first; each node is tested only until the first source that reaches it, and each kind of source only once. */
function spread({ nodes, start, ports }: Graph, { hopsMax, without }: SearchOptions): Search {
  const distance = new Int32Array(nodes.length);
  const via = new Int32Array(nodes.length).fill(START);
  const tried = new Set<string>();
  let unreached = [...nodes.keys()].filter((node) => node !== without);
  let frontier = [START];
  let pods = 0;
  for (let hop = 1; hop <= hopsMax && frontier.length > 0 && unreached.length > 0; hop++) {
    const next: number[] = [];
    for (const source of frontier) {
      const quad = source === START ? start : nodes[source]!.quad;
      const key = quadKey(quad);
      if (tried.has(key)) continue;
      tried.add(key);
      unreached = unreached.filter((target) => {
        if (ports(quad, nodes[target]!.quad) === NO_PORTS_ID) return true;
        distance[target] = hop;
        via[target] = source;
        pods += nodes[target]!.pods;
        next.push(target);
        return false;
      });
    }
    frontier = next;
  }
  return { distance, via, pods };
}

/**
 * What a wall cuts off lies below it in the tree of first hops, so a node with less below it than the best known need
 * not be tried: the answer is exact all the same.
 */
function findWalls(graph: Graph, search: Search, hopsMax: number): { node: number; pods: number }[] {
  const below = podsBelow(graph, search);
  const candidates = [...graph.nodes.keys()].filter((node) => search.distance[node]! > 0).sort((a, b) => below[b]! - below[a]!);
  const walls: { node: number; pods: number }[] = [];
  for (const node of candidates) {
    if (walls.length === WALLS_MAX && below[node]! <= walls.at(-1)!.pods) break;
    walls.push({ node, pods: search.pods - spread(graph, { hopsMax, without: node }).pods });
    walls.sort((a, b) => b.pods - a.pods);
    walls.length = Math.min(walls.length, WALLS_MAX);
  }
  return walls;
}

/** Pods in the subtree of each node, itself included. */
function podsBelow({ nodes }: Graph, { distance, via }: Search): Float64Array {
  const below = Float64Array.from(nodes, ({ pods }, node) => (distance[node]! > 0 ? pods : 0));
  const farthestFirst = [...nodes.keys()].sort((a, b) => distance[b]! - distance[a]!);
  for (const node of farthestFirst) if (via[node]! !== START) below[via[node]!]! += below[node]!;
  return below;
}

function nameReached(program: Program, { nodes, start, ports }: Graph, { distance, via }: Search): ReachedEndpoint[] {
  const reached = [...nodes.keys()].filter((node) => distance[node]! > 0);
  return reached
    .map((node) => {
      const source = via[node] === START ? undefined : nodes[via[node]!]!;
      const id = ports(source?.quad ?? start, nodes[node]!.quad);
      return { endpoint: nodes[node]!.endpoint, distance: distance[node]!, via: source?.endpoint, ports: program.portSets.portSet(id) };
    })
    .sort((a, b) => a.distance - b.distance);
}
