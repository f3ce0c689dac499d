// What a compromised pod reaches, directly and by hops through what it reaches, and which single wall would cut off most of it.
import type { PortSet } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { podEndpoints, type Endpoint } from './endpoints.ts';
import { quadOfGroup, type Quad } from './endpoint.ts';
import { HopTable } from './hop-table.ts';

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
  const search = spread(graph, hopsMax);
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
  readonly hops: HopTable;
}

const START = -1;

function buildGraph(program: Program, pod: number): Graph {
  const start = quadOfGroup(program, program.groupOfPod[pod]!);
  const nodes = podEndpoints(program, 'workload').flatMap(({ endpoint, quads, podIndices }) => {
    const { quad, pods } = quads[0]!;
    const others = podIndices.includes(pod) ? pods - 1 : pods;
    return others === 0 ? [] : [{ endpoint, quad, pods: others }];
  });
  return { nodes, start, hops: new HopTable(program, [...nodes.map(({ quad }) => quad), start]) };
}

interface Search {
  /** Number of connections to each node; 0: not reached. */
  readonly distance: Int32Array;
  /** The node from which each was first reached. */
  readonly via: Int32Array;
  readonly pods: number;
}

/** Breadth first; each kind of target is reached once, and each kind of source tried once. */
function spread({ nodes, hops }: Graph, hopsMax: number): Search {
  const distance = new Int32Array(nodes.length);
  const via = new Int32Array(nodes.length).fill(START);
  const open = hops.openTargets();
  const tried = new Uint8Array(hops.sourceCount);
  let frontier = [START];
  let pods = 0;
  for (let hop = 1; hop <= hopsMax && frontier.length > 0 && open.count > 0; hop++) {
    const next: number[] = [];
    for (const source of frontier) {
      const kind = sourceKind(hops, source);
      if (tried[kind] === 1) continue;
      tried[kind] = 1;
      for (const node of hops.takeReached(kind, open).filter((end) => end < nodes.length).sort((a, b) => a - b)) {
        distance[node] = hop;
        via[node] = source;
        pods += nodes[node]!.pods;
        next.push(node);
      }
    }
    frontier = next;
  }
  return { distance, via, pods };
}

/** The start stands behind all nodes. */
function sourceKind({ sourceOf }: HopTable, node: number): number {
  return node === START ? sourceOf.at(-1)! : sourceOf[node]!;
}

/**
 * What a wall cuts off lies below it in the tree of first hops, so a node with less below it than the best known need
 * not be tried: the answer is exact all the same.
 */
function findWalls(graph: Graph, search: Search, hopsMax: number): { node: number; pods: number }[] {
  const tree = growTree(graph, search);
  const candidates = [...graph.nodes.keys()].filter((node) => search.distance[node]! > 0).sort((a, b) => tree.podsBelow[b]! - tree.podsBelow[a]!);
  const walls: { node: number; pods: number }[] = [];
  for (const node of candidates) {
    if (walls.length === WALLS_MAX && tree.podsBelow[node]! <= walls.at(-1)!.pods) break;
    walls.push({ node, pods: podsCutOff(graph, tree, { node, hopsMax }) });
    walls.sort((a, b) => b.pods - a.pods);
    walls.length = Math.min(walls.length, WALLS_MAX);
  }
  return walls;
}

/** First hops as a tree: who was first reached from each node. */
interface HopTree {
  readonly children: readonly (readonly number[])[];
  /** Pods in the subtree of each node, itself included. */
  readonly podsBelow: Float64Array;
  /** Nodes by distance, the start at 0. */
  readonly byDistance: readonly (readonly number[])[];
}

function growTree({ nodes }: Graph, { distance, via }: Search): HopTree {
  const podsBelow = Float64Array.from(nodes, ({ pods }, node) => (distance[node]! > 0 ? pods : 0));
  const children: number[][] = nodes.map(() => []);
  const byDistance: number[][] = [[START]];
  for (const node of nodes.keys()) {
    if (distance[node] === 0) continue;
    while (byDistance.length <= distance[node]!) byDistance.push([]);
    byDistance[distance[node]!]!.push(node);
    if (via[node] !== START) children[via[node]!]!.push(node);
  }
  for (const level of [...byDistance].reverse()) for (const node of level) if (node !== START && via[node] !== START) podsBelow[via[node]!]! += podsBelow[node]!;
  return { children, podsBelow, byDistance };
}

/** Whoever is not below the wall is reached as before; of those below it, all whom another reaches in time are still reached. */
function podsCutOff({ nodes, hops }: Graph, { children, byDistance }: HopTree, { node: wall, hopsMax }: { readonly node: number; readonly hopsMax: number }): number {
  const below = new Set<number>([wall]);
  for (const node of below) for (const child of children[node]!) below.add(child);
  let lost = 0;
  for (const node of below) lost += nodes[node]!.pods;
  const open = hops.openTargetsOf([...below].filter((node) => node !== wall));
  const tried = new Uint8Array(hops.sourceCount);
  let found: number[] = [];
  for (let hop = 1; hop <= hopsMax && open.count > 0 && (hop <= byDistance.length || found.length > 0); hop++) {
    const next: number[] = [];
    for (const sources of [byDistance[hop - 1] ?? [], found]) {
      for (const source of sources) {
        const kind = sourceKind(hops, source);
        if (open.count === 0 || tried[kind] === 1 || (sources !== found && below.has(source))) continue;
        tried[kind] = 1;
        for (const node of hops.takeReached(kind, open)) if (node !== wall && below.has(node)) next.push(node);
      }
    }
    for (const node of next) lost -= nodes[node]!.pods;
    found = next;
  }
  return lost;
}

function nameReached(program: Program, { nodes, start }: Graph, { distance, via }: Search): ReachedEndpoint[] {
  const reached = [...nodes.keys()].filter((node) => distance[node]! > 0);
  return reached
    .map((node) => {
      const source = via[node] === START ? undefined : nodes[via[node]!]!;
      const id = allowedBetween(program, { source: source?.quad ?? start, target: nodes[node]!.quad });
      return { endpoint: nodes[node]!.endpoint, distance: distance[node]!, via: source?.endpoint, ports: program.portSets.portSet(id) };
    })
    .sort((a, b) => a.distance - b.distance);
}
