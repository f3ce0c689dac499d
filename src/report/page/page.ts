// A page as values: headings, figures and tables, which HTML, Markdown and CSV are written from alike.

export interface Page {
  readonly title: string;
  /** Under the title, name and value. */
  readonly about: readonly PageFigure[];
  readonly sections: readonly PageSection[];
}

export interface PageSection {
  /** Unlike those of the others; letters and dashes. */
  readonly id: string;
  readonly title: string;
  /** Sentences with their stops. */
  readonly intro: string;
  readonly figures?: readonly PageFigure[];
  readonly tables: readonly PageTable[];
  /** Sentences without final stops. */
  readonly notes?: readonly string[];
}

export interface PageFigure {
  readonly name: string;
  readonly value: string;
  readonly tone?: Tone;
}

/** How a value is to be taken; the text says it as well. */
export type Tone = 'good' | 'bad' | 'unsure';

export interface PageTable {
  readonly caption: string;
  readonly columns: readonly PageColumn[];
  /** As many cells as there are columns; the first names the row. */
  readonly rows: readonly (readonly PageCell[])[];
  /** In place of the table where it has no rows. */
  readonly empty: string;
}

export interface PageColumn {
  readonly name: string;
  readonly isNumber?: boolean;
}

export interface PageCell {
  /** One paragraph each. */
  readonly lines: readonly string[];
  readonly tone?: Tone;
  /** A part of a whole, 0–1, to be drawn beside the text. */
  readonly share?: number;
  /** An address that the first line links to; starts with `https://`. */
  readonly link?: string;
}

/** One line. */
export function cell(text: string | number, tone?: Tone): PageCell {
  return { lines: [`${text}`], ...(tone === undefined ? {} : { tone }) };
}

/** Rows of a table that a page shows; the rest is counted, and is in the answers for programs. */
export const PAGE_ROWS_MAX = 200;
