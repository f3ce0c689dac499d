// How far a compromised pod comes: breadth first over cells of pods, each kind of source tried once.
import type { Program } from '../compile/program.ts';
import { HopTable } from './hop-table.ts';
import { PodCells } from './pod-cells.ts';

/** What spreads from all pods of a Program have in common. */
export interface SpreadGround {
  readonly cells: PodCells;
  readonly hops: HopTable;
}

/** Where a spread begins: one pod, which stands in no cell's count. */
export interface SpreadStart extends SpreadGround {
  readonly startCell: number;
  /** By cell, without the compromised pod. */
  readonly pods: readonly number[];
  readonly hopsMax: number;
}

export interface Spread extends SpreadStart {
  /** Number of connections to each cell; 0: not reached. */
  readonly distance: Int32Array;
  /** The cell from which each was first reached; −1: from the compromised pod. */
  readonly via: Int32Array;
  /** Cells by distance, from 1 on. */
  readonly levels: readonly (readonly number[])[];
}

export const START = -1;

export function spreadGround(program: Program): SpreadGround {
  const cells = new PodCells(program);
  return { cells, hops: new HopTable(program, cells.quads) };
}

/** `pod` is an index of `cluster.pods`. */
export function spreadFrom({ cells, hops }: SpreadGround, pod: number, hopsMax: number): Spread {
  const startCell = cells.cellOfPod[pod]!;
  const start: SpreadStart = { cells, hops, startCell, pods: cells.pods.map((pods, cell) => (cell === startCell ? pods - 1 : pods)), hopsMax };
  const distance = new Int32Array(cells.pods.length);
  const via = new Int32Array(cells.pods.length).fill(START);
  const levels: number[][] = [];
  const open = start.hops.openTargets();
  const tried = new Uint8Array(start.hops.sourceCount);
  let frontier = [START];
  while (frontier.length > 0 && levels.length < hopsMax) {
    const next: number[] = [];
    for (const source of frontier) {
      for (const cell of reachedFrom(start, source, { open, tried })) {
        if (distance[cell] !== 0 || start.pods[cell] === 0) continue;
        distance[cell] = levels.length + 1;
        via[cell] = source;
        next.push(cell);
      }
    }
    if (next.length > 0) levels.push(next);
    frontier = next;
  }
  return { ...start, distance, via, levels };
}

export interface Trial {
  readonly open: ReturnType<HopTable['openTargets']>;
  /** By kind of source. */
  readonly tried: Uint8Array;
}

/** Cells one connection away, some of which were reached before; kinds that were tried give nothing more than their neighbors. */
function reachedFrom({ cells, hops, startCell }: SpreadStart, source: number, { open, tried }: Trial): number[] {
  const cell = source === START ? startCell : source;
  const kind = hops.sourceOf[cells.quadOf[cell]!]!;
  const reached: number[] = [];
  if (tried[kind] === 0 && open.count > 0) {
    tried[kind] = 1;
    for (const quad of hops.takeReached(kind, open)) for (const target of cells.withQuad[quad]!) reached.push(target);
    reached.sort((a, b) => a - b);
  }
  cells.eachNeighborReached(cell, (target) => reached.push(target));
  return reached;
}
