// One document of a file: its text, where it begins, and the places of the values in it.
import { lineStarts, positionAt, type Position, type TextRange } from '../base/source-position.ts';
import type { Path, SourceDocument } from '../model/origin.ts';
import { findKey, findValue, parsePlaces, type Place, type PlaceNode } from './place-tree.ts';

export interface TextDocument extends SourceDocument {
  /** The range of the key at the end of a path. */
  locateKey(path: Path): TextRange;
  /** Turns offsets into the document's text into a range of the file. */
  rangeOf(place: Place): TextRange;
  /** The text as written at a path; undefined when the text is not kept. */
  writtenAt(path: Path): string | undefined;
  writtenKey(path: Path): string | undefined;
  /** Lets the text go, to save memory: from then on everything in the document stands at its beginning. */
  forget(): void;
}

export interface DocumentStart {
  readonly file: string;
  readonly line: number;
  /** Of the document's first character, in UTF-16 units from 1. */
  readonly column: number;
}

/** The places in it are worked out when first asked for. */
export function createTextDocument(start: DocumentStart, text: string): TextDocument {
  let kept: string | undefined = text;
  let starts: readonly number[] | undefined;
  let places: PlaceNode | undefined;
  let isParsed = false;
  const rangeOf = ({ start: first, end }: Place): TextRange => {
    if (kept === undefined) return beginning(start);
    starts ??= lineStarts(kept);
    return { start: shift(start, positionAt(starts, first)), end: shift(start, positionAt(starts, end)) };
  };
  const find = (path: Path, finder: typeof findValue): Place | undefined => {
    if (kept === undefined) return undefined;
    if (!isParsed) places = parsePlaces(kept);
    isParsed = true;
    return places === undefined ? undefined : finder(kept, places, path);
  };
  const locate = (path: Path, finder: typeof findValue): TextRange => {
    const place = find(path, finder);
    return place === undefined ? beginning(start) : rangeOf(place);
  };
  const written = (path: Path, finder: typeof findValue): string | undefined => {
    const place = find(path, finder);
    return place === undefined ? undefined : kept?.slice(place.start, place.end);
  };
  return {
    file: start.file,
    firstLine: start.line,
    locate: (path) => locate(path, findValue),
    locateKey: (path) => locate(path, findKey),
    rangeOf,
    writtenAt: (path) => written(path, findValue),
    writtenKey: (path) => written(path, findKey),
    forget: () => {
      kept = places = starts = undefined;
    },
  };
}

function beginning(start: DocumentStart): TextRange {
  const position: Position = { line: start.line, column: start.column };
  return { start: position, end: position };
}

/** Only the first line of a document may begin in the middle of a line of the file. */
function shift(start: DocumentStart, position: Position): Position {
  const column = position.line === 1 ? start.column + position.column - 1 : position.column;
  return { line: start.line + position.line - 1, column };
}
