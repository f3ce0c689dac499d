// Ranges of the outside that a matrix shows alike become one row and column, so that a dozen excepts do not hide the pods.
import type { MatrixCell } from './matrix-cell.ts';

export interface MatrixEnd {
  readonly label: string;
  readonly isOutside: boolean;
}

/** One row and column. `index` is the end that stands for all of `members`, itself included. */
export interface FoldedEnd {
  readonly index: number;
  readonly members: readonly number[];
}

export type CellLookup = (source: number, target: number) => MatrixCell | undefined;

/** In the order of the first member; only ends outside the cluster are folded. */
export function foldOutside(ends: readonly MatrixEnd[], cellAt: CellLookup): FoldedEnd[] {
  const folded: { index: number; members: number[] }[] = [];
  const known = new Map<string, { index: number; members: number[] }>();
  for (const [index, end] of ends.entries()) {
    const key = end.isOutside ? signature(ends, index, cellAt) : undefined;
    const same = key === undefined ? undefined : known.get(key);
    if (same !== undefined) {
      same.members.push(index);
      continue;
    }
    const fresh = { index, members: [index] };
    folded.push(fresh);
    if (key !== undefined) known.set(key, fresh);
  }
  return folded;
}

/** All that a row and a column show, other ends outside left out: nothing stands between them. */
function signature(ends: readonly MatrixEnd[], index: number, cellAt: CellLookup): string {
  const texts: string[] = [];
  for (const [other, end] of ends.entries()) {
    if (!end.isOutside) texts.push(cellAt(index, other)?.text ?? '', cellAt(other, index)?.text ?? '');
  }
  return texts.join('\n');
}
