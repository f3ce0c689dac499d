// A square of who meets whom, for a terminal: numbered rows, the same numbers as columns, letters for what the legend explains.
import { foldOutside, type CellLookup, type FoldedEnd, type MatrixEnd } from './fold-outside.ts';
import type { LegendEntry, MatrixCell } from './matrix-cell.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import { cutText } from './table.ts';

export interface Matrix {
  readonly ends: readonly MatrixEnd[];
  /** What stands at a source and a target, by index of `ends`; undefined leaves the cell empty. */
  readonly cellAt: CellLookup;
  readonly legend: readonly LegendEntry[];
}

export interface MatrixLayout {
  readonly style: Style;
  readonly widthColumns: number;
}

const LABEL_WIDTH_MAX = 40;
const CELL_WIDTH_MIN = 3;

/** Columns that do not fit beside each other follow below, in blocks of their own. */
export function formatMatrix(matrix: Matrix, layout: MatrixLayout): string {
  const folded = foldOutside(matrix.ends, matrix.cellAt);
  const labels = folded.map((end) => printable(foldedLabel(matrix.ends, end)));
  const sizes = measure(labels, layout.widthColumns);
  const parts: string[] = [];
  for (let start = 0; start < folded.length; start += sizes.columns) {
    parts.push(formatBlock(matrix, { folded, labels, start, sizes, style: layout.style }));
  }
  parts.push(formatLegend(matrix.legend, layout.style));
  const notes = folded.flatMap((end, index) => (end.members.length > 1 ? [formatMembers(matrix.ends, { end, number: index + 1 }, layout)] : []));
  return [...parts, notes.join('')].filter((part) => part !== '').join('\n');
}

interface Sizes {
  readonly number: number;
  readonly label: number;
  readonly cell: number;
  /** Columns in a block. */
  readonly columns: number;
}

function measure(labels: readonly string[], widthColumns: number): Sizes {
  const number = `${labels.length}`.length;
  const cell = Math.max(CELL_WIDTH_MIN, number + 1);
  const longest = labels.reduce((width, label) => Math.max(width, label.length), 0);
  const label = Math.min(longest, LABEL_WIDTH_MAX, Math.max(8, Math.floor(widthColumns / 2) - number - 2));
  return { number, label, cell, columns: Math.max(1, Math.floor((widthColumns - number - label - 2) / cell)) };
}

interface Block {
  readonly folded: readonly FoldedEnd[];
  readonly labels: readonly string[];
  /** First column. */
  readonly start: number;
  readonly sizes: Sizes;
  readonly style: Style;
}

function formatBlock({ cellAt }: Matrix, { folded, labels, start, sizes, style }: Block): string {
  const targets = folded.slice(start, start + sizes.columns);
  const numbers = targets.map((_, offset) => `${start + offset + 1}`.padStart(sizes.cell)).join('');
  const lines = [style.dim(' '.repeat(sizes.number + sizes.label + 2) + numbers)];
  for (const [index, source] of folded.entries()) {
    const cells = targets.map((target) => paintCell(cellAt(source.index, target.index), sizes.cell, style)).join('');
    const label = cutText(labels[index]!, sizes.label).padEnd(sizes.label);
    lines.push(`${style.dim(`${index + 1}`.padStart(sizes.number))} ${label} ${cells}`.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

function foldedLabel(ends: readonly MatrixEnd[], { index, members }: FoldedEnd): string {
  const { label } = ends[index]!;
  return members.length === 1 ? label : `${label} +${members.length - 1}`;
}

function formatLegend(legend: readonly LegendEntry[], style: Style): string {
  return legend.map(({ cell, text }) => `${paintCell(cell, 2, style)}  ${printable(text)}\n`).join('');
}

/** ` 6  10.0.0.0/8, 192.168.0.0/16`, wrapped under itself. */
function formatMembers(ends: readonly MatrixEnd[], { end, number }: { end: FoldedEnd; number: number }, { style, widthColumns }: MatrixLayout): string {
  const head = `${number}`.padStart(2);
  const lines: string[] = [];
  for (const member of end.members) {
    const label = printable(ends[member]!.label);
    const last = lines.at(-1);
    if (last !== undefined && last.length + label.length + 6 <= widthColumns) lines[lines.length - 1] = `${last}, ${label}`;
    else lines.push(label);
  }
  return `${style.dim(head)}  ${lines.join(`,\n${' '.repeat(4)}`)}\n`;
}

function paintCell(cell: MatrixCell | undefined, width: number, style: Style): string {
  if (cell === undefined) return ' '.repeat(width);
  const text = cell.text.padStart(width);
  switch (cell.tone) {
    case 'open':
      return style.red(text);
    case 'some':
      return style.green(text);
    case 'none':
      return style.dim(text);
    case 'wrong':
      return style.bold(style.red(text));
  }
}
