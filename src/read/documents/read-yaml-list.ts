// Reads the pieces of a long list of YAML: what the whole would say, without ever holding it.
import { addAliasOutOfItem, addTooLarge, type Reading } from './document-reading.ts';
import { listHead, looseObjects, type LooseObject } from '../values/loose-object.ts';
import type { YamlPiece } from '../text/split-yaml.ts';
import type { YamlListPiece } from '../text/split-yaml-list.ts';
import { TextDocument } from '../text/text-document.ts';
import { addTextProblem } from './text-findings.ts';
import { TextProblem } from '../text/text-problem.ts';
import { isMap, parseYaml, type Value } from '../text/yaml-value.ts';

export function isListPiece(piece: YamlPiece): piece is YamlListPiece {
  return piece.kind === 'list-head' || piece.kind === 'list-items' || piece.kind === 'list-tail';
}

/** Throws TextProblem; kubectl reads no second document behind `...`. */
export function parseSingle(document: TextDocument, text: string): Value {
  const { values, secondStart, hasOddNumbers } = parseYaml(text);
  document.hasOddNumbers = hasOddNumbers;
  if (values.length > 1 && values.slice(1).some((value) => value !== null)) {
    throw new TextProblem({
      code: 'yaml-syntax',
      message: 'kubectl does not read what stands behind `...`',
      start: secondStart ?? 0,
      help: 'begin the next document with `---`',
    });
  }
  return values[0] ?? null;
}

/** Lives as long as one file; a list that cannot be read ends at its first piece that cannot. */
export class YamlListReader {
  readonly #reading: Reading;
  #head: YamlListPiece | undefined;
  /** Items of a list whose own kind may come behind them. */
  #waiting: { readonly value: Value; readonly document: TextDocument; readonly index: number }[] = [];

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  *read(piece: YamlListPiece): Generator<LooseObject> {
    if (piece.kind === 'list-head') this.#open(piece);
    else if (this.#head !== undefined && piece.kind === 'list-items') yield* this.#readItems(piece);
    else if (this.#head !== undefined) yield* this.#close(this.#head, piece);
  }

  #open(piece: YamlListPiece): void {
    const head = { ...piece, text: withoutMark(piece.text) };
    this.#waiting = [];
    this.#head = undefined;
    try {
      const value = parseSingle(new TextDocument({ file: this.#reading.file, line: head.line, column: 1 }, head.text), head.text);
      // Otherwise the line stands inside of something, and only the whole can say of what.
      if (isMap(value) && Object.hasOwn(value, 'items') && value['items'] === null) this.#head = head;
    } catch (error) {
      if (!(error instanceof TextProblem)) throw error;
    }
    if (this.#head === undefined) addTooLarge(this.#reading, { line: piece.line, column: 1 });
  }

  *#readItems({ text, line }: YamlListPiece): Generator<LooseObject> {
    const document = new TextDocument({ file: this.#reading.file, line, column: 1 }, text);
    const items = this.#parse(document, text);
    if (!Array.isArray(items)) return;
    for (const [index, value] of (items as readonly Value[]).entries()) {
      const isWhole = isMap(value) && Object.hasOwn(value, 'kind') && Object.hasOwn(value, 'apiVersion');
      if (!isWhole) this.#waiting.push({ value, document, index });
      else for (const object of looseObjects(value, document, [index], undefined, undefined)) yield { ...object, isStreamed: true, textLength: text.length };
    }
  }

  /** The keys around the items are read together, each at its own line: one that stands there twice must come to light. */
  *#close(head: YamlListPiece, tail: YamlListPiece): Generator<LooseObject> {
    const gap = '\n'.repeat(Math.max(tail.line - head.line - (head.text.split('\n').length - 1), 0));
    const text = head.text + gap + tail.text;
    const value = this.#parse(new TextDocument({ file: this.#reading.file, line: head.line, column: 1 }, text), text);
    const { kind, apiVersion } = isMap(value) ? listHead(value) : { kind: undefined, apiVersion: undefined };
    for (const { value: item, document, index } of this.#waiting) yield* looseObjects(item, document, [index], kind, apiVersion);
    this.#waiting = [];
    this.#head = undefined;
  }

  /** undefined: it cannot be read, which has been said, and nothing behind it is. */
  #parse(document: TextDocument, text: string): Value | undefined {
    try {
      return parseSingle(document, text);
    } catch (error) {
      if (!(error instanceof TextProblem)) throw error;
      this.#head = undefined;
      this.#waiting = [];
      if (error.details.code === 'yaml-alias') addAliasOutOfItem(this.#reading, document.rangeOf({ start: error.details.start, end: error.details.start }).start);
      else addTextProblem(this.#reading, document, text, error);
      return undefined;
    }
  }
}

export function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
