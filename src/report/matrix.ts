// A square of who meets whom, for a terminal: numbered rows, the same numbers as columns, letters for what the legend explains.
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import { cutText } from './table.ts';

export interface Matrix {
  readonly sources: readonly MatrixLabel[];
  readonly targets: readonly MatrixLabel[];
  /** What stands at a source and a target, by index; undefined leaves the cell empty. */
  cellAt(source: number, target: number): MatrixCell | undefined;
  readonly legend: readonly { readonly cell: MatrixCell; readonly text: string }[];
}

/** The same number stands for the same thing in rows and columns. */
export interface MatrixLabel {
  readonly number: number;
  readonly text: string;
}

export interface MatrixCell {
  /** At most 2 signs. */
  readonly text: string;
  readonly tone: 'open' | 'some' | 'none' | 'wrong';
}

const LABEL_WIDTH_MAX = 40;
const CELL_WIDTH_MIN = 3;

/** Columns that do not fit beside each other follow below, in blocks of their own. */
export function formatMatrix(matrix: Matrix, layout: { readonly style: Style; readonly widthColumns: number }): string {
  const { style, widthColumns } = layout;
  const numberWidth = Math.max(0, ...[...matrix.sources, ...matrix.targets].map((label) => `${label.number}`.length));
  const cellWidth = Math.max(CELL_WIDTH_MIN, numberWidth + 1);
  const texts = matrix.sources.map((label) => printable(label.text));
  const longest = Math.max(0, ...texts.map((text) => text.length));
  const labelWidth = Math.min(longest, LABEL_WIDTH_MAX, Math.max(8, Math.floor(widthColumns / 2) - numberWidth - 2));
  const perBlock = Math.max(1, Math.floor((widthColumns - numberWidth - labelWidth - 2) / cellWidth));
  const lines: string[] = [];
  for (let start = 0; start < matrix.targets.length; start += perBlock) {
    const columns = matrix.targets.slice(start, start + perBlock);
    if (start > 0) lines.push('');
    lines.push(style.dim(' '.repeat(numberWidth + labelWidth + 2) + columns.map((label) => `${label.number}`.padStart(cellWidth)).join('')));
    for (const [source, label] of matrix.sources.entries()) {
      const cells = columns.map((_, offset) => paintCell(matrix.cellAt(source, start + offset), cellWidth, style));
      const head = `${style.dim(`${label.number}`.padStart(numberWidth))} ${cutText(texts[source]!, labelWidth).padEnd(labelWidth)} `;
      lines.push((head + cells.join('')).trimEnd());
    }
  }
  const shownOnlyAsTarget = matrix.targets.filter((label) => !matrix.sources.some((source) => source.number === label.number));
  for (const label of shownOnlyAsTarget) {
    lines.push(`${style.dim(`${label.number}`.padStart(numberWidth))} ${printable(label.text)}`);
  }
  if (matrix.legend.length > 0) lines.push('');
  for (const { cell, text } of matrix.legend) lines.push(`${paintCell(cell, 2, style)}  ${printable(text)}`);
  return `${lines.join('\n')}\n`;
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
