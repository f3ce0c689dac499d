// Cuts a YAML text into documents at the lines where kubectl's reader cuts it (apimachinery `util/yaml`, YAMLReader).
import { YamlListSplitter, type YamlListPiece } from './split-yaml-list.ts';

export type YamlPiece = YamlDocumentPiece | YamlListPiece;

export type YamlDocumentPiece =
  | { readonly kind: 'document'; readonly text: string; readonly line: number }
  /** A line that begins with `---` and goes on with something other than a comment. */
  | { readonly kind: 'bad-separator'; readonly text: string; readonly line: number }
  | { readonly kind: 'too-large'; readonly line: number };

interface Splitting {
  readonly parts: string[];
  size: number;
  documentLine: number;
  line: number;
  isTooLarge: boolean;
  /** Of a document that is too long and a list: its items go out one by one. */
  list: YamlListSplitter | undefined;
}

/** `line` counts from 1 and says where a document's text begins. Documents, and pieces of those that are lists, are at most `lengthMax` UTF-16 units long. */
export function* splitYaml(pieces: Iterable<string>, options: { readonly firstLine: number; readonly lengthMax: number }): Generator<YamlPiece> {
  const state: Splitting = { parts: [], size: 0, documentLine: options.firstLine, line: options.firstLine, isTooLarge: false, list: undefined };
  let carried = '';
  for (const piece of pieces) {
    const text = carried + piece;
    const end = text.lastIndexOf('\n') + 1;
    yield* splitLines(state, text.slice(0, end), options.lengthMax);
    carried = text.slice(end);
    if (carried.length > options.lengthMax) {
      yield { kind: 'too-large', line: state.line };
      return;
    }
  }
  yield* splitLines(state, carried, options.lengthMax);
  yield* endDocument(state);
}

/** `text` is whole lines, but for the last line of the file. */
function* splitLines(state: Splitting, text: string, lengthMax: number): Generator<YamlPiece> {
  let from = 0;
  for (let at = nextSeparator(text, 0); at >= 0; at = nextSeparator(text, from)) {
    yield* append(state, text.slice(from, at), lengthMax);
    yield* endDocument(state);
    const lineEnd = text.indexOf('\n', at);
    const line = text.slice(at, lineEnd < 0 ? text.length : lineEnd);
    const behind = line.slice(3).trim();
    if (behind !== '' && !behind.startsWith('#')) yield { kind: 'bad-separator', text: line, line: state.line };
    from = lineEnd < 0 ? text.length : lineEnd + 1;
    state.line++;
    state.documentLine = state.line;
  }
  yield* append(state, text.slice(from), lengthMax);
}

function nextSeparator(text: string, from: number): number {
  if (text.startsWith('---', from)) return from;
  const at = text.indexOf('\n---', from);
  return at < 0 ? -1 : at + 1;
}

function* append(state: Splitting, text: string, lengthMax: number): Generator<YamlPiece> {
  if (text === '') return;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) state.line++;
  if (state.isTooLarge) return;
  if (state.list !== undefined) {
    yield* feedList(state, state.list, text);
    return;
  }
  state.size += text.length;
  state.parts.push(text);
  if (state.size <= lengthMax) return;
  const opened = YamlListSplitter.open(state.parts.join(''), { line: state.documentLine, lengthMax });
  state.parts.length = 0;
  state.isTooLarge = opened === undefined;
  if (opened === undefined) return;
  state.list = opened.splitter;
  yield opened.splitter.head;
  yield* feedList(state, opened.splitter, opened.rest);
}

function* feedList(state: Splitting, list: YamlListSplitter, text: string): Generator<YamlPiece> {
  yield* list.feed(text);
  if (!list.isTooLarge) return;
  state.isTooLarge = true;
  state.documentLine = list.line;
}

function* endDocument(state: Splitting): Generator<YamlPiece> {
  if (state.isTooLarge) yield { kind: 'too-large', line: state.documentLine };
  else if (state.list !== undefined) yield* state.list.end();
  else if (state.size > 0) yield { kind: 'document', text: state.parts.join(''), line: state.documentLine };
  state.parts.length = 0;
  state.size = 0;
  state.isTooLarge = false;
  state.list = undefined;
}
