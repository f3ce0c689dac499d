// What stands at a source and a target in a matrix.

export interface MatrixCell {
  /** At most 2 signs. */
  readonly text: string;
  readonly tone: 'open' | 'some' | 'none' | 'wrong';
}

export interface LegendEntry {
  readonly cell: MatrixCell;
  readonly text: string;
}
