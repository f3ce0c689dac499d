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
}

export interface Origin {
  readonly document: SourceDocument;
  readonly path: Path;
}

export function locateOrigin(origin: Origin): { readonly file: string; readonly range: TextRange } {
  return { file: origin.document.file, range: origin.document.locate(origin.path) };
}

/** A place below an origin: `below(policy.origin, 'spec', 'podSelector')`. */
export function below(origin: Origin, ...path: Path): Origin {
  return { document: origin.document, path: [...origin.path, ...path] };
}
