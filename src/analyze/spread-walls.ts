// Which single workload, walled off, would cut off most of a spread.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Pod } from '../model/cluster.ts';
import { START, type Spread } from './pod-spread.ts';
import { WorkloadShares, type Share, type WorkloadPart } from './workload-shares.ts';

/**
 * A wall lets nobody into the pods of a workload, but for what no policy refuses: the host network of their own node.
 * Pods that are themselves on the host network are taken off it.
 */
export interface PartWall {
  readonly part: WorkloadPart;
  /** Pods that are no longer reached, those of the workload included. */
  readonly pods: number;
}

/** Walls that are given. */
const WALLS_MAX = 5;

/**
 * Most first. What a wall cuts off lies below it in the tree of first hops, so a workload with less below it than the
 * best known need not be tried: the answer is exact all the same.
 */
export function findPartWalls(spread: Spread, pods: readonly Pod[], start: number): PartWall[] {
  const tree = growTree(spread);
  const candidates = sharesOf(spread, pods, start).map((part) => ({ part, ...boundOf(tree, spread, part) }));
  const best: PartWall[] = [];
  const fifth = (): number => best[WALLS_MAX - 1]?.pods ?? 0;
  const consider = (part: WorkloadPart): void => {
    best.push({ part, pods: podsCutOff(spread, tree, part) });
    best.sort((a, b) => b.pods - a.pods);
    best.length = Math.min(best.length, WALLS_MAX);
  };
  for (const { part, most } of candidates.filter(({ most, own }) => most > own).sort((a, b) => b.most - a.most)) {
    if (most <= fifth()) break;
    consider(part);
  }
  for (const { part, most, own } of candidates) if (most === own && most > fifth()) consider(part);
  return best.filter((wall) => wall.pods > 0);
}

function sharesOf({ cells, distance }: Spread, pods: readonly Pod[], start: number): readonly WorkloadPart[] {
  const shares = new WorkloadShares((cell) => cells.quadOf[cell]! * 2 + (cells.isHost[cell]! ? 1 : 0));
  for (const [index, { workload, replicas }] of pods.entries()) {
    const cell = cells.cellOfPod[index]!;
    const others = index === start ? replicas - 1 : replicas;
    if (distance[cell] !== 0 && others > 0) shares.add({ index, pods: others, workload }, cell);
  }
  return shares.parts;
}

/** First hops as a tree: who was first reached from each cell. */
interface HopTree {
  readonly children: readonly (readonly number[])[];
  /** Pods in the subtree of each cell, itself included. */
  readonly podsBelow: Float64Array;
}

function growTree({ pods, via, levels }: Spread): HopTree {
  const podsBelow = Float64Array.from(pods);
  const children: number[][] = pods.map(() => []);
  for (const level of levels) for (const cell of level) if (via[cell] !== START) children[via[cell]!]!.push(cell);
  for (const level of levels.toReversed()) for (const cell of level) if (via[cell] !== START) podsBelow[via[cell]!]! += podsBelow[cell]!;
  return { children, podsBelow };
}

/** Where others of a cell are left, these go on in its stead. */
function isWhole({ pods }: Spread, share: Share): boolean {
  return share.pods === pods[share.cell];
}

function boundOf({ podsBelow }: HopTree, spread: Spread, { shares }: WorkloadPart): { readonly most: number; readonly own: number } {
  let [most, own] = [0, 0];
  for (const share of shares) {
    own += share.pods;
    most += isWhole(spread, share) ? podsBelow[share.cell]! : share.pods;
  }
  return { most, own };
}

/** Whoever is not below the wall is reached as before; of those below it, all whom another reaches in time are still reached. */
function podsCutOff(spread: Spread, { children }: HopTree, { shares }: WorkloadPart): number {
  const { pods } = spread;
  const closed = new Set(shares.filter((share) => isWhole(spread, share)).map(({ cell }) => cell));
  const below = new Set(closed);
  for (const cell of below) for (const child of children[cell]!) below.add(child);
  const regained = regainCells(spread, below, closed);
  const lost = [...below].reduce((sum, cell) => (regained.has(cell) ? sum : sum + pods[cell]!), 0);
  const partly = shares.filter((share) => !isWhole(spread, share) && !isEnteredByNode(spread, share.cell, (host) => hopsTo(spread, host, { below, regained })));
  return partly.reduce((sum, share) => sum + share.pods, lost);
}

/** Cells below a wall that others reach, with the number of connections that it takes. */
function regainCells(spread: Spread, below: ReadonlySet<number>, closed: ReadonlySet<number>): ReadonlyMap<number, number> {
  const { cells, hops, startCell, hopsMax, levels, distance } = spread;
  const regained = new Map<number, number>();
  if (below.size === closed.size) {
    for (const cell of below) if (isEnteredByNode(spread, cell, (host) => distance[host]! || undefined)) regained.set(cell, distance[cell]!);
    return regained;
  }
  const open = hops.openTargetsOf([...below].filter((cell) => !closed.has(cell)).map((cell) => cells.quadOf[cell]!));
  const byNode = new Set([...below].filter((cell) => cells.neighborsOf(cell).length > 0));
  const tried = new Uint8Array(hops.sourceCount);
  let found: number[] = [];
  for (let hop = 1; hop <= hopsMax && (open.count > 0 || byNode.size > 0) && (hop <= levels.length + 1 || found.length > 0); hop++) {
    const next: number[] = [];
    const regain = (cell: number): void => {
      if (!below.has(cell) || regained.has(cell)) return;
      regained.set(cell, hop);
      byNode.delete(cell);
      next.push(cell);
    };
    const goFrom = (cell: number): void => {
      const kind = hops.sourceOf[cells.quadOf[cell]!]!;
      if (open.count > 0 && tried[kind] === 0) {
        tried[kind] = 1;
        for (const quad of hops.takeReached(kind, open)) for (const target of cells.withQuad[quad]!) if (!closed.has(target)) regain(target);
      }
      if (byNode.size > 0) cells.eachNeighborReached(cell, (target) => (closed.has(target) && cells.isHost[target] ? undefined : regain(target)));
    };
    if (hop === 1) goFrom(startCell);
    else for (const cell of levels[hop - 2] ?? []) if (!below.has(cell)) goFrom(cell);
    for (const cell of found) goFrom(cell);
    found = next;
  }
  return regained;
}

interface Walled {
  readonly below: ReadonlySet<number>;
  readonly regained: ReadonlyMap<number, number>;
}

/** Connections to a cell beside the wall; undefined: it is reached no longer. */
function hopsTo({ distance }: Spread, cell: number, { below, regained }: Walled): number | undefined {
  return below.has(cell) ? regained.get(cell) : distance[cell]! || undefined;
}

/** Whether the host network of its own node lets somebody into a cell, whatever its policies say. */
function isEnteredByNode({ cells, startCell, hopsMax }: Spread, cell: number, hopsOf: (host: number) => number | undefined): boolean {
  if (cells.isHost[cell]) return false;
  return cells.neighborsOf(cell).some((host) => {
    const hops = host === startCell ? 0 : hopsOf(host);
    return hops !== undefined && hops < hopsMax && cells.portsToNeighbor(host, cell) !== NO_PORTS_ID;
  });
}
