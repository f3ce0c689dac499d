// One document of a file: its text, where it begins, and the places of the values in it.
import { lineStarts, positionAt, type Position, type TextRange } from '../../base/source-position.ts';
import type { Path, SourceDocument } from '../../model/origin.ts';
import { findKey, findValue, parsePlaces, type Place, type PlaceNode } from './place-tree.ts';

export interface DocumentStart {
  readonly file: string;
  readonly line: number;
  /** Of the document's first character, in UTF-16 units from 1. */
  readonly column: number;
}

/** A class, because there is one for each item of a large list: places are worked out when first asked for, and the text can be let go. */
export class TextDocument implements SourceDocument {
  readonly file: string;
  readonly firstLine: number;
  readonly #firstColumn: number;
  /** Whether a number stands in it that is written otherwise than it is read. */
  hasOddNumbers = false;
  #text: string | undefined;
  #places: Places | undefined;

  constructor({ file, line, column }: DocumentStart, text: string) {
    this.file = file;
    this.firstLine = line;
    this.#firstColumn = column;
    this.#text = text;
  }

  /** The range of the value at a path. */
  locate(path: Path): TextRange {
    return this.#rangeOrStart(this.#find(path, findValue));
  }

  /** The range of the key at the end of a path. */
  locateKey(path: Path): TextRange {
    return this.#rangeOrStart(this.#find(path, findKey));
  }

  lineAt(line: number): string | undefined {
    const index = line - this.firstLine;
    const starts = this.#parsed()?.lineStarts;
    const start = starts?.[index];
    if (starts === undefined || start === undefined || (index === 0 && this.#firstColumn > 1)) return undefined;
    return this.#text?.slice(start, starts[index + 1] ?? this.#text.length).replace(/\r?\n$/, '');
  }

  /** Turns offsets into the document's text into a range of the file. */
  rangeOf({ start, end }: Place): TextRange {
    const places = this.#parsed();
    if (places === undefined) return this.#start();
    return { start: this.#shift(positionAt(places.lineStarts, start)), end: this.#shift(positionAt(places.lineStarts, end)) };
  }

  /** The text as written at a path; undefined when it is not kept. */
  writtenAt(path: Path): string | undefined {
    return this.#written(this.#find(path, findValue));
  }

  writtenKey(path: Path): string | undefined {
    return this.#written(this.#find(path, findKey));
  }

  /** Lets the text go, to save memory: from then on everything in the document stands at its beginning. */
  forget(): void {
    this.#text = undefined;
    this.#places = undefined;
  }

  #find(path: Path, finder: typeof findValue): Place | undefined {
    const root = this.#parsed()?.root;
    return root === undefined || this.#text === undefined ? undefined : finder(this.#text, root, path);
  }

  #parsed(): Places | undefined {
    if (this.#text === undefined) return undefined;
    this.#places ??= { lineStarts: lineStarts(this.#text), root: parsePlaces(this.#text) };
    return this.#places;
  }

  #written(place: Place | undefined): string | undefined {
    return place === undefined ? undefined : this.#text?.slice(place.start, place.end);
  }

  #rangeOrStart(place: Place | undefined): TextRange {
    return place === undefined ? this.#start() : this.rangeOf(place);
  }

  #start(): TextRange {
    const position: Position = { line: this.firstLine, column: this.#firstColumn };
    return { start: position, end: position };
  }

  /** Only the first line of a document may begin in the middle of a line of the file. */
  #shift(position: Position): Position {
    const column = position.line === 1 ? this.#firstColumn + position.column - 1 : position.column;
    return { line: this.firstLine + position.line - 1, column };
  }
}

interface Places {
  readonly lineStarts: readonly number[];
  readonly root: PlaceNode | undefined;
}
