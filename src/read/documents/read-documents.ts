// Reads a file as kubectl does, JSON first and then YAML, and gives the objects in it one by one.
import { addInvalidUtf8, addTooLarge, type Reading } from './document-reading.ts';
import type { FindingList } from '../values/finding-list.ts';
import { parseJson, tryParseJson } from '../text/json-value.ts';
import { listHead, type LooseObject } from '../values/loose-object.ts';
import type { ReadSettings } from '../values/read-settings.ts';
import { readYaml } from './read-yaml.ts';
import { JsonSplitter, type JsonPiece, type JsonStop, type JsonText } from '../text/split-json.ts';
import { TextDocument } from '../text/text-document.ts';
import { addTextProblem } from './text-findings.ts';
import { TextProblem } from '../text/text-problem.ts';
import { decodeUtf8, findInvalidUtf8 } from '../text/utf8.ts';
import { NESTING_MAX } from '../text/yaml-events.ts';
import { isMap, type Value } from '../text/yaml-value.ts';

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
    const value = (reading.settings.keepsWritten === true ? undefined : parsePart(text, piece)) ?? parseJson(text, piece.colons);
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
    addTooLarge(reading, { line: piece.line, column: piece.column });
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
