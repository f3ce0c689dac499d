// Where an object, a rule or a peer was written, kept cheap: positions are worked out only for what is shown.
import type { TextRange } from '../base/source-position.ts';

/** A path inside a document, such as `['spec', 'ingress', 0, 'from', 1]`. */
export type Path = readonly (string | number)[];

/** One document of a file; knows how to find a path in its own text. */
export interface SourceDocument {
  readonly file: string;
  /** Number of the document's first line in the file, from 1. */
  readonly firstLine: number;
  /** The range of the value at a path, or of its nearest ancestor that exists. Parses the text again when first asked. */
  locate(path: Path): TextRange;
  /** The range of the key at the end of a path, or as `locate`. */
  locateKey(path: Path): TextRange;
  /** A line of the file as it is written; undefined where it is not the document's alone, or not kept. */
  lineAt(line: number): string | undefined;
}

/** For what nobody wrote: everything in it stands at its beginning. */
export function unwrittenDocument(file: string): SourceDocument {
  const range: TextRange = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  return { file, firstLine: 1, locate: () => range, locateKey: () => range, lineAt: () => undefined };
}

export interface Origin {
  readonly document: SourceDocument;
  readonly path: Path;
}

export function locateOrigin(origin: Origin): { readonly file: string; readonly range: TextRange } {
  return { file: origin.document.file, range: origin.document.locate(origin.path) };
}

export function locateKey({ document, path }: Origin): TextRange {
  return document.locateKey(path);
}

/** A place below an origin: `below(policy.origin, 'spec', 'podSelector')`. */
export function below(origin: Origin, ...path: Path): Origin {
  return { document: origin.document, path: [...origin.path, ...path] };
}
