// Reads a file as kubectl does, JSON first and then YAML, and gives the objects in it one by one.
import type { Position } from '../base/source-position.ts';
import type { Path } from '../model/origin.ts';
import { addFinding, type FindingList } from './finding-list.ts';
import { parseJson, tryParseJson } from './json-value.ts';
import type { ReadSettings } from './read-settings.ts';
import { JsonSplitter, type JsonPiece, type JsonStop, type JsonText } from './split-json.ts';
import { splitYaml, type YamlPiece } from './split-yaml.ts';
import { TextDocument } from './text-document.ts';
import { addTextProblem } from './text-findings.ts';
import { TextProblem } from './text-problem.ts';
import { decodePieces, decodeUtf8, findInvalidUtf8 } from './utf8.ts';
import { NESTING_MAX } from './yaml-events.ts';
import { isMap, parseYaml, type LooseMap, type Value } from './yaml-value.ts';

/** Something that should be a Kubernetes object. */
export interface LooseObject {
  readonly value: Value;
  readonly document: TextDocument;
  readonly path: Path;
  /** What a list of one kind says of its items, for those that do not say it themselves. */
  readonly listKind: string | undefined;
  readonly listApiVersion: string | undefined;
  /** A large list's item: its text need not stay. */
  readonly isStreamed: boolean;
  /** In UTF-16 units. */
  readonly textLength: number;
}

interface Reading {
  readonly file: string;
  readonly settings: ReadSettings;
  readonly findings: FindingList;
  /** The text ended at bytes that cannot be read: its last document is not whole. */
  isCut: boolean;
}

export function* readObjects(file: { readonly name: string; chunks(): Iterable<Uint8Array> }, settings: ReadSettings, findings: FindingList): Generator<LooseObject> {
  const reading: Reading = { file: file.name, settings, findings, isCut: false };
  const chunks = nonEmpty(file.chunks());
  const first = chunks.next();
  if (first.done === true) return;
  const all = prepend(first.value, chunks);
  if (looksLikeJson(first.value)) yield* readJsonFile(reading, all);
  else yield* readYaml(reading, all, 1, undefined);
}

function* nonEmpty(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) if (chunk.length > 0) yield chunk;
}

/** Unlike `for … of`, leaves the iterator open for whoever reads on. */
function prepend(first: Uint8Array, rest: Iterator<Uint8Array>): Iterator<Uint8Array> & Iterable<Uint8Array> {
  let isFirst = true;
  const iterator = {
    next: (): IteratorResult<Uint8Array> => {
      if (!isFirst) return rest.next();
      isFirst = false;
      return { done: false, value: first };
    },
    [Symbol.iterator]: () => iterator,
  };
  return iterator;
}

function looksLikeJson(bytes: Uint8Array): boolean {
  const first = bytes.findIndex((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d));
  return bytes[first] === 0x7b;
}

// --- YAML

function* readYaml(reading: Reading, chunks: Iterable<Uint8Array>, firstLine: number, jsonProblem: TextProblem | undefined): Generator<LooseObject> {
  const pieces = splitYaml(decodeText(reading, chunks, firstLine), { firstLine, lengthMax: reading.settings.fileBytesMax });
  let isFirst = true;
  for (const piece of pieces) {
    if (reading.isCut) return;
    yield* readYamlPiece(reading, piece, isFirst ? jsonProblem : undefined);
    isFirst = false;
  }
}

/** Ends at the first byte that is no UTF-8, with a finding at its place. */
function* decodeText(reading: Reading, chunks: Iterable<Uint8Array>, firstLine: number): Generator<string> {
  let line = firstLine;
  let column = 1;
  for (const piece of decodePieces(chunks)) {
    const text = piece.kind === 'text' ? piece.text : piece.textBefore;
    yield text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line++;
    const lineStart = text.lastIndexOf('\n') + 1;
    column = text.length - lineStart + (lineStart === 0 ? column : 1);
    if (piece.kind === 'text') continue;
    reading.isCut = true;
    addInvalidUtf8(reading, `byte ${piece.byteOffset}`, { line, column });
  }
}

function addInvalidUtf8(reading: Reading, place: string, position: Position): void {
  addFinding(reading.findings, {
    code: 'invalid-utf8',
    severity: reading.settings.refusal,
    message: `${place} is not UTF-8; this document and what follows are not read`,
    file: reading.file,
    range: { start: position, end: position },
    help: 'save the file as UTF-8',
  });
}

function* readYamlPiece(reading: Reading, piece: YamlPiece, jsonProblem: TextProblem | undefined): Generator<LooseObject> {
  if (piece.kind === 'document') {
    yield* readYamlDocument(reading, piece.text, piece.line, jsonProblem);
  } else if (piece.kind === 'too-large') {
    addTooLarge(reading, piece.line, 1);
  } else {
    const document = new TextDocument({ file: reading.file, line: piece.line, column: 1 }, piece.text);
    addTextProblem(
      reading,
      document,
      piece.text,
      new TextProblem({ code: 'yaml-syntax', message: 'only a comment may stand behind `---`', start: 3, end: piece.text.trimEnd().length, help: 'move it to a line of its own' }),
    );
  }
}

function* readYamlDocument(reading: Reading, chunk: string, line: number, jsonProblem: TextProblem | undefined): Generator<LooseObject> {
  const text = chunk.startsWith('\ufeff') ? chunk.slice(1) : chunk;
  const document = new TextDocument({ file: reading.file, line, column: 1 }, text);
  try {
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
    yield* looseObjects(values[0] ?? null, document, [], undefined, undefined);
  } catch (error) {
    if (!(error instanceof TextProblem)) throw error;
    addTextProblem(reading, document, text, jsonProblem !== undefined && /^\s*\{\s*"/.test(text) ? jsonProblem : error);
  }
}

/** kubectl takes everything with a list in `items` for a list, whatever its kind. */
function* looseObjects(value: Value, document: TextDocument, path: Path, listKind: string | undefined, listApiVersion: string | undefined): Generator<LooseObject> {
  if (value === null && path.length === 0) return;
  const items = isMap(value) ? value['items'] : undefined;
  if (!isMap(value) || !Array.isArray(items)) {
    yield { value, document, path, listKind, listApiVersion, isStreamed: false, textLength: 0 };
    return;
  }
  const head = listHead(value);
  for (const [index, item] of (items as readonly Value[]).entries()) {
    yield* looseObjects(item, document, [...path, 'items', index], head.kind, head.apiVersion);
  }
}

/** `PodList` says that its items are pods; a `List` says nothing (apimachinery `unstructured`, decodeToList). */
function listHead(value: LooseMap): { readonly kind: string | undefined; readonly apiVersion: string | undefined } {
  const kind = value['kind'];
  const apiVersion = value['apiVersion'];
  if (typeof kind !== 'string' || kind === 'List' || !kind.endsWith('List')) return { kind: undefined, apiVersion: undefined };
  return { kind: kind.slice(0, -'List'.length), apiVersion: typeof apiVersion === 'string' ? apiVersion : undefined };
}

// --- JSON

function* readJsonFile(reading: Reading, chunks: Iterator<Uint8Array>): Generator<LooseObject> {
  const splitter = new JsonSplitter({ bytesMax: reading.settings.fileBytesMax, depthMax: NESTING_MAX });
  let values = 0;
  // Items of a list whose own kind comes behind them, as when a sorted PodList is read.
  let waiting: LooseObject[] = [];
  for (const piece of splitter.split(chunks)) {
    const read = readJsonPiece(reading, piece);
    if (read.kind === 'not-json') {
      yield* waiting;
      yield* readRest(reading, read, splitter, chunks, values);
      return;
    }
    if (read.kind === 'stopped') break;
    if (read.kind === 'item') {
      if (isMap(read.object.value) && Object.hasOwn(read.object.value, 'kind')) yield read.object;
      else waiting.push(read.object);
      continue;
    }
    values++;
    if (read.isList) {
      const head = isMap(read.object.value) ? listHead(read.object.value) : { kind: undefined, apiVersion: undefined };
      for (const item of waiting) yield { ...item, listKind: head.kind, listApiVersion: head.apiVersion };
      waiting = [];
    } else {
      yield read.object;
    }
  }
  yield* waiting;
}

type ReadPiece =
  | { readonly kind: 'item'; readonly object: LooseObject }
  | { readonly kind: 'value'; readonly object: LooseObject; readonly isList: boolean }
  | { readonly kind: 'not-json'; readonly problem: TextProblem; readonly bytes: Uint8Array; readonly line: number; readonly column: number; readonly isInList: boolean; readonly isWhole: boolean }
  | { readonly kind: 'stopped' };

function readJsonPiece(reading: Reading, piece: JsonPiece): ReadPiece {
  return 'why' in piece ? readStop(reading, piece) : readJsonText(reading, piece);
}

function readJsonText(reading: Reading, piece: JsonText): ReadPiece {
  const text = decodeUtf8(piece.bytes);
  if (text === undefined) {
    addInvalidUtf8(reading, `a byte ${findInvalidUtf8(piece.bytes)} behind this`, { line: piece.line, column: piece.column });
    return { kind: 'stopped' };
  }
  const document = new TextDocument({ file: reading.file, line: piece.line, column: piece.column }, text);
  try {
    const value = (reading.settings.keepsWritten ? undefined : parsePart(text, piece)) ?? parseJson(text, piece.colons);
    const object: LooseObject = { value, document, path: [], listKind: undefined, listApiVersion: undefined, isStreamed: true, textLength: text.length };
    return piece.kind === 'item' ? { kind: 'item', object } : { kind: 'value', object, isList: piece.isList };
  } catch (error) {
    if (!(error instanceof TextProblem)) throw error;
    if (piece.kind === 'value' && !piece.isList && error.details.code === 'json-syntax') {
      return { kind: 'not-json', problem: error, bytes: piece.bytes, line: piece.line, column: piece.column, isInList: false, isWhole: true };
    }
    addTextProblem(reading, document, text, error);
    return { kind: 'stopped' };
  }
}

/** The value without what nobody reads of it, null in its place; undefined: the whole has to be looked at. */
function parsePart(text: string, { bytes, leftOut }: JsonText): Value | undefined {
  // Offsets of bytes are offsets of the text only where every sign is one byte.
  if (leftOut === undefined || text.length !== bytes.length) return undefined;
  let kept = '';
  let at = 0;
  for (let index = 0; index < leftOut.ranges.length; index += 2) {
    kept += `${text.slice(at, leftOut.ranges[index]!)}null`;
    at = leftOut.ranges[index + 1]!;
  }
  return tryParseJson(kept + text.slice(at), leftOut.colons);
}

function readStop(reading: Reading, piece: JsonStop): ReadPiece {
  if (piece.kind === 'too-large') {
    addTooLarge(reading, piece.line, piece.column);
    return { kind: 'stopped' };
  }
  const problem = new TextProblem({ code: 'json-syntax', message: `this is no JSON: ${piece.why}`, start: 0 });
  if (piece.kind === 'not-json') return { ...piece, kind: 'not-json', problem, isWhole: false };
  const document = new TextDocument({ file: reading.file, line: piece.line, column: piece.column }, ' ');
  addTextProblem(reading, document, ' ', problem);
  return { kind: 'stopped' };
}

/** Like kubectl, takes what began as JSON for YAML when it is none, unless two values of JSON came before it. */
function* readRest(reading: Reading, stop: Extract<ReadPiece, { kind: 'not-json' }>, splitter: JsonSplitter, chunks: Iterator<Uint8Array>, values: number): Generator<LooseObject> {
  if (stop.isInList || values > 1) {
    addTextProblem(reading, new TextDocument({ file: reading.file, line: stop.line, column: stop.column }, ' '), ' ', stop.problem);
    return;
  }
  const seen = stop.isWhole ? [stop.bytes.slice(), splitter.leftover().slice()] : [stop.bytes.slice()];
  yield* readYaml(reading, chain(seen, chunks), stop.line, stop.problem);
}

function* chain(seen: readonly Uint8Array[], chunks: Iterator<Uint8Array>): Generator<Uint8Array> {
  yield* seen;
  for (let next = chunks.next(); next.done !== true; next = chunks.next()) yield next.value;
}

function addTooLarge(reading: Reading, line: number, column: number): void {
  const position = { line, column };
  addFinding(reading.findings, {
    code: 'file-too-large',
    severity: reading.settings.refusal,
    message: `the document that begins here is larger than ${reading.settings.fileBytesMax} bytes and is not read`,
    file: reading.file,
    range: { start: position, end: position },
    help: 'split it, or write the list as JSON, which is read item by item',
  });
}
