// Lines of columns: each as wide as its widest cell.

export interface Cell {
  /** What counts for the width. */
  readonly text: string;
  /** What is printed, when that carries colors. */
  readonly painted?: string;
}

/** Rows under each other, columns two blanks apart, no blanks at the end of a line. Cells longer than `cellMax` move what follows them, and make no column wider. */
export function alignColumns(rows: readonly (readonly (Cell | string)[])[], cellMax: number = Infinity): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      const { length } = textOf(cell);
      widths[column] = Math.max(widths[column] ?? 0, length > cellMax ? 0 : length);
    }
  }
  return rows.map((row) => joinCells(row, widths));
}

/** Left as it is when it fits; else cut, the last sign an ellipsis. */
export function cutText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function joinCells(row: readonly (Cell | string)[], widths: readonly number[]): string {
  const last = row.length - 1;
  return row
    .map((cell, column) => paintedOf(cell) + (column < last ? ' '.repeat(Math.max(0, widths[column]! - textOf(cell).length)) : ''))
    .join('  ')
    .trimEnd();
}

function textOf(cell: Cell | string): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function paintedOf(cell: Cell | string): string {
  return typeof cell === 'string' ? cell : (cell.painted ?? cell.text);
}
