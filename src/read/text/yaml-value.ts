// Turns the text of one YAML document into the value that kubectl makes of it: go.yaml.in/yaml v2 and then JSON.
import { COLLECTION_STYLE, EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type MappingEvent, type ScalarEvent, type SequenceEvent } from 'js-yaml';
import { TextProblem, type TextProblemDetails } from './text-problem.ts';
import { eventStart, NESTING_MAX, parseYamlEvents, scalarStart } from './yaml-events.ts';
import { keyText, mayBeWord, resolvePlain, type Scalar } from './yaml-scalar.ts';

/** A value as JSON has it. Objects have no keys but their own; look keys up by `Object.hasOwn` where the key is the user's. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

export type LooseMap = { readonly [key: string]: Value };

export function isMap(value: Value | undefined): value is LooseMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface YamlDocuments {
  /** One for each document of the text; kubectl reads the first. */
  readonly values: readonly Value[];
  /** Where the second document's content starts. */
  readonly secondStart: number | undefined;
  /** Whether a number is written in a way that shows another to most readers: `010` is 8. */
  readonly hasOddNumbers: boolean;
}

interface Frame {
  /** Offset of the collection. */
  readonly start: number;
  readonly container: Value[] | Record<string, Value> | undefined;
  readonly isMap: boolean;
  readonly isFlow: boolean;
  readonly anchor: Anchor | undefined;
  key: string | undefined;
  keyStart: number;
  isMergeKey: boolean;
  /** Keys that came by `<<`; written ones may replace them without being duplicates. */
  merged: Set<string> | undefined;
  /** Decoding steps inside, aliases written out, as go-yaml counts them. */
  steps: number;
  height: number;
}

interface Anchor {
  value: Value;
  /** A scalar's, for use as a key. */
  scalar: Scalar | undefined;
  isComplete: boolean;
  isMap: boolean;
  steps: number;
  height: number;
}

interface Construction {
  readonly text: string;
  readonly documents: Value[];
  readonly frames: Frame[];
  anchors: Map<string, Anchor>;
  steps: number;
  aliasSteps: number;
  hasOddNumbers: boolean;
}

/** Throws `TextProblem`, and nothing else, for a text that kubectl would not read. */
export function parseYaml(text: string): YamlDocuments {
  const { events, source } = parseYamlEvents(text);
  const construction: Construction = { text: source, documents: [], frames: [], anchors: new Map(), steps: 0, aliasSteps: 0, hasOddNumbers: false };
  let secondStart: number | undefined;
  let documents = 0;
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) documents++;
    else if (documents === 2 && secondStart === undefined && event.type !== EVENT_ID.POP) secondStart = eventStart(event);
    construct(construction, event);
  }
  return { values: construction.documents, secondStart, hasOddNumbers: construction.hasOddNumbers };
}

function construct(state: Construction, event: Event): void {
  switch (event.type) {
    case EVENT_ID.DOCUMENT:
      state.anchors = new Map();
      state.frames.push(openFrame(undefined, false, false, undefined));
      return;
    case EVENT_ID.SEQUENCE:
      open(state, event, false);
      return;
    case EVENT_ID.MAPPING:
      open(state, event, true);
      return;
    case EVENT_ID.SCALAR:
      addScalar(state, event);
      return;
    case EVENT_ID.ALIAS:
      addAlias(state, event.anchorStart, event.anchorEnd);
      return;
    case EVENT_ID.POP:
      close(state);
  }
}

function openFrame(container: Frame['container'], isMap: boolean, isFlow: boolean, anchor: Anchor | undefined, start = 0): Frame {
  return { start, container, isMap, isFlow, anchor, key: undefined, keyStart: 0, isMergeKey: false, merged: undefined, steps: 1, height: 1 };
}

function open(state: Construction, { start, anchorStart, anchorEnd, style }: SequenceEvent | MappingEvent, isMap: boolean): void {
  const container = isMap ? {} : [];
  const anchor = anchorStart < 0 ? undefined : newAnchor(container, isMap);
  if (anchor !== undefined) state.anchors.set(anchorName(state.text, anchorStart, anchorEnd), anchor);
  state.frames.push(openFrame(container, isMap, style === COLLECTION_STYLE.FLOW, anchor, start));
  state.steps++;
}

/** libyaml ends the name at any other sign, and takes what follows for the value. */
function anchorName(source: string, start: number, end: number): string {
  const name = source.slice(start, end);
  if (/^[-0-9A-Za-z_]+$/.test(name)) return name;
  throw new TextProblem({ code: 'yaml-alias', message: 'kubectl takes only letters, digits, `-` and `_` in the name of an anchor', start, end });
}

function newAnchor(value: Value, isMap: boolean): Anchor {
  return { value, scalar: undefined, isComplete: false, isMap, steps: 0, height: 0 };
}

function close(state: Construction): void {
  const frame = state.frames.pop()!;
  // A document's own frame: its value has been handed over already, also when it is empty.
  if (frame.container === undefined) return;
  if (frame.anchor !== undefined) {
    frame.anchor.isComplete = true;
    frame.anchor.steps = frame.steps;
    frame.anchor.height = frame.height;
  }
  addValue(state, frame.container, frame);
}

function addScalar(state: Construction, event: ScalarEvent): void {
  const frame = state.frames[state.frames.length - 1]!;
  const isKey = frame.isMap && frame.key === undefined && !frame.isMergeKey;
  const text = getScalarValue(state.text, event);
  if (frame.isFlow && event.style === SCALAR_STYLE.PLAIN) refuseFlowWord(state.text, event, text);
  if (event.style === SCALAR_STYLE.DOUBLE_QUOTED && !event.fast) refuseEscapedBreak(state.text, event);
  state.steps++;
  frame.steps++;
  if (event.tagStart < 0 && event.anchorStart < 0 && (event.style !== SCALAR_STYLE.PLAIN || !mayBeWord(text))) {
    // The common case: a text that is a string and nothing else.
    if (!isKey) addValue(state, text, undefined);
    else if (text === '<<' && event.style === SCALAR_STYLE.PLAIN) markMerge(frame, event);
    else setKey(state, frame, text, event);
    return;
  }
  if (isKey && text === '<<' && isMergeTag(state, event)) return markMerge(frame, event);
  const scalar = resolveScalar(state.text, event, text);
  if (event.anchorStart >= 0) {
    const anchor = newAnchor(null, false);
    Object.assign(anchor, { value: isKey ? null : valueOf(scalar, event), scalar, isComplete: true, steps: 1 });
    state.anchors.set(anchorName(state.text, event.anchorStart, event.anchorEnd), anchor);
  }
  if ((scalar.kind === 'integer' || scalar.kind === 'float') && String(scalar.value) !== text) state.hasOddNumbers = true;
  if (isKey) setScalarKey(state, frame, scalar, event);
  else addValue(state, valueOf(scalar, event), undefined);
}

/** Inside brackets libyaml cuts words at other places than the parser here, which takes these for good. */
function refuseFlowWord(source: string, event: ScalarEvent, text: string): void {
  const tagEnd = event.tagStart >= 0 && FLOW_SIGN.test(source[event.tagEnd] ?? ' ') ? event.tagEnd : -1;
  COLON_BEFORE_SIGN.lastIndex = event.valueEnd;
  const isCutElsewhere = event.valueStart >= 0 && COLON_BEFORE_SIGN.test(source);
  if (!isCutElsewhere && tagEnd < 0 && !text.includes('?') && !text.startsWith(':')) return;
  throw new TextProblem({
    code: 'yaml-syntax',
    message: isCutElsewhere ? 'kubectl takes this colon for a part of the word' : 'kubectl does not take this for one word',
    start: tagEnd < 0 ? event.valueStart : event.tagStart,
    end: isCutElsewhere ? COLON_BEFORE_SIGN.lastIndex - 1 : Math.max(event.valueEnd, tagEnd),
    help: isCutElsewhere ? 'put a blank behind the colon' : 'put it in quotes',
  });
}

const FLOW_SIGN = /[,[\]{}]/;
const COLON_BEFORE_SIGN = /\s*:[,[\]{}]/y;

/** A line break behind a backslash, and then an empty line: each parser makes something else of it. */
function refuseEscapedBreak(source: string, event: ScalarEvent): void {
  const match = /\\(\r\n?|\n)[ \t]*[\r\n]/.exec(source.slice(event.valueStart, event.valueEnd));
  if (match === null) return;
  const start = event.valueStart + match.index;
  throw new TextProblem({ code: 'yaml-syntax', message: 'an empty line stands behind an escaped line break', start, end: start + 1, help: 'write the text on one line' });
}

function markMerge(frame: Frame, event: ScalarEvent): void {
  frame.isMergeKey = true;
  frame.keyStart = Math.max(scalarStart(event), 0);
}

function isMergeTag(state: Construction, event: ScalarEvent): boolean {
  if (event.tagStart < 0) return event.style === SCALAR_STYLE.PLAIN;
  const tag = state.text.slice(event.tagStart, event.tagEnd);
  return tag === '!!merge' || tag === '!';
}

/** What a scalar with its tag and quotes stands for. */
export function resolveScalar(source: string, event: ScalarEvent, text: string): Scalar {
  if (event.tagStart >= 0) return resolveTagged(source.slice(event.tagStart, event.tagEnd), event, text);
  return event.style === SCALAR_STYLE.PLAIN ? resolvePlain(text) : { kind: 'string', value: text };
}

const CORE_TAG = /^(?:!!|!<tag:yaml\.org,2002:)(str|bool|int|float|null|timestamp|binary)>?$/;

/** Tags as `resolve` in go-yaml takes them: an unknown one leaves the text a string. */
function resolveTagged(rawTag: string, event: ScalarEvent, text: string): Scalar {
  const tag = CORE_TAG.exec(rawTag)?.[1];
  if (tag === undefined || tag === 'str') return { kind: 'string', value: text };
  if (tag === 'binary') return { kind: 'string', value: decodeBinary(text, event) };
  const scalar = resolvePlain(text);
  const found = { string: 'str', boolean: 'bool', integer: 'int', float: 'float', null: 'null' }[scalar.kind];
  if (found === tag) return scalar;
  if (tag === 'float' && scalar.kind === 'integer') return { kind: 'float', value: Number(scalar.value) };
  // kubectl hands the text of a date on; whether it is one we leave to whoever reads the field.
  if (tag === 'timestamp' && /^\d{4}-/.test(text)) return { kind: 'string', value: text };
  throw new TextProblem({ code: 'yaml-syntax', message: `\`${text}\` is not of the type of its tag \`${rawTag}\``, start: event.tagStart, end: event.tagEnd, help: 'delete the tag' });
}

function decodeBinary(text: string, event: ScalarEvent): string {
  const base64 = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    throw new TextProblem({ code: 'yaml-syntax', message: 'the value of `!!binary` is not base64', start: event.tagStart, end: event.tagEnd });
  }
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0)));
}

function valueOf(scalar: Scalar, event: ScalarEvent): Value {
  switch (scalar.kind) {
    case 'null':
      return null;
    case 'integer':
      return Number(scalar.value);
    case 'float':
      // JSON has no such numbers, so kubectl refuses them.
      if (Number.isFinite(scalar.value)) return scalar.value;
      throw new TextProblem({ code: 'yaml-syntax', message: 'kubectl reads this word as a number that JSON does not have', start: event.valueStart, end: event.valueEnd, help: 'put it in quotes' });
    default:
      return scalar.value;
  }
}

function setScalarKey(state: Construction, frame: Frame, scalar: Scalar, event: ScalarEvent): void {
  const text = keyText(scalar);
  if (text === undefined) {
    throw new TextProblem({ code: 'yaml-syntax', message: 'kubectl does not take this key: it is neither text, nor a boolean, nor a number that fits', start: Math.max(scalarStart(event), 0), help: 'put the key in quotes' });
  }
  setKey(state, frame, text, event);
}

function setKey(state: Construction, frame: Frame, key: string, event: ScalarEvent): void {
  frame.keyStart = Math.max(scalarStart(event), 0);
  frame.key = key;
  if (Object.hasOwn(frame.container as object, key) && frame.merged?.has(key) !== true) throw duplicateKey(state.text, frame.keyStart, event, key);
}

function duplicateKey(text: string, start: number, event: ScalarEvent, key: string): TextProblem {
  const isQuoted = start < event.valueStart;
  const end = isQuoted ? event.valueEnd + 1 : event.valueEnd;
  const written = text.slice(start, end);
  const reading = written === key || isQuoted ? '' : `, which kubectl reads as \`${key}\`,`;
  return new TextProblem({
    code: 'yaml-duplicate-key',
    message: `the key \`${written}\`${reading} stands here twice; kubectl would silently keep the last`,
    start,
    end,
    help: 'keep one of the two',
    ...repairOfRepeated(text, start),
  });
}

/** A line that stands again in one map, word for word, may go, and those like it that follow. */
function repairOfRepeated(text: string, start: number): Pick<TextProblemDetails, 'repair'> {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const line = text.slice(lineStart, endOfLine(text, start)).trimEnd();
  let lineEnd = endOfLine(text, start);
  while (lineEnd < text.length && text.slice(lineEnd, endOfLine(text, lineEnd)).trimEnd() === line) lineEnd = endOfLine(text, lineEnd);
  const indent = line.length - line.trimStart().length;
  if (lineStart + indent !== start || !/^[^#]*:\s+(?:\{[^{}]*\}|\[[^[\]]*\]|[^\s#[{|>&*!].*)$/.test(line)) return {};
  for (const other of text.slice(0, lineStart).split('\n').reverse()) {
    if (other.trimEnd() === line) return { repair: { start: lineStart, end: lineEnd, text: '' } };
    if (other.trim() !== '' && other.length - other.trimStart().length < indent) return {};
  }
  return {};
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

function addAlias(state: Construction, nameStart: number, nameEnd: number): void {
  const name = anchorName(state.text, nameStart, nameEnd);
  const place = { start: nameStart - 1, end: nameEnd };
  const anchor = state.anchors.get(name);
  if (anchor === undefined) throw new TextProblem({ code: 'yaml-alias', message: `the alias \`*${name}\` names no anchor above it`, ...place });
  if (!anchor.isComplete) throw new TextProblem({ code: 'yaml-alias', message: `the alias \`*${name}\` stands inside what it names`, ...place, help: 'write the value out' });
  const frame = state.frames[state.frames.length - 1]!;
  countAlias(state, frame, anchor, place);
  if (frame.isMap && frame.key === undefined && !frame.isMergeKey) {
    const key = anchor.scalar === undefined ? undefined : keyText(anchor.scalar);
    if (key === undefined) throw new TextProblem({ code: 'yaml-syntax', message: 'kubectl takes no list, map or null for a key', ...place });
    frame.key = key;
    frame.keyStart = place.start;
    if (Object.hasOwn(frame.container as object, key) && frame.merged?.has(key) !== true) {
      throw new TextProblem({ code: 'yaml-duplicate-key', message: `the key \`${key}\` stands here twice`, ...place, help: 'keep one of the two' });
    }
    return;
  }
  addValue(state, anchor.value, undefined);
}

// The bound of go-yaml (`decode.go`, allowedAliasRatio): how large a share of the decoding may come from aliases.
const ALIAS_STEPS_FREE = 100;
const STEPS_FREE = 1000;
const RATIO_LOW_STEPS = 400_000;
const RATIO_HIGH_STEPS = 4_000_000;

function countAlias(state: Construction, frame: Frame, anchor: Anchor, place: { start: number; end: number }): void {
  state.steps += 1 + anchor.steps;
  state.aliasSteps += anchor.steps;
  frame.steps += 1 + anchor.steps;
  frame.height = Math.max(frame.height, anchor.height + 1);
  const isExcessive =
    state.aliasSteps > ALIAS_STEPS_FREE && state.steps > STEPS_FREE && state.aliasSteps / state.steps > allowedAliasRatio(state.steps);
  if (isExcessive) throw new TextProblem({ code: 'yaml-alias', message: 'the aliases of this document write out to far more than its text', ...place, help: 'write the values out' });
  if (state.frames.length + anchor.height > NESTING_MAX) {
    throw new TextProblem({ code: 'yaml-alias', message: `the aliases of this document nest deeper than ${NESTING_MAX}`, ...place, help: 'write the values out' });
  }
}

function allowedAliasRatio(steps: number): number {
  if (steps <= RATIO_LOW_STEPS) return 0.99;
  if (steps >= RATIO_HIGH_STEPS) return 0.1;
  return 0.99 - 0.89 * ((steps - RATIO_LOW_STEPS) / (RATIO_HIGH_STEPS - RATIO_LOW_STEPS));
}

/** `inner` is the frame of a collection that has just been closed. */
function addValue(state: Construction, value: Value, inner: Frame | undefined): void {
  const frame = state.frames[state.frames.length - 1]!;
  if (inner !== undefined) {
    frame.steps += inner.steps;
    if (inner.height >= frame.height) frame.height = inner.height + 1;
  }
  if (frame.container === undefined) {
    frame.steps++;
    state.documents.push(value);
  } else if (!frame.isMap) {
    (frame.container as Value[]).push(value);
  } else if (frame.isMergeKey) {
    mergeInto(frame, value);
    frame.isMergeKey = false;
  } else if (frame.key === undefined) {
    throw new TextProblem({ code: 'yaml-syntax', message: 'kubectl takes no list or map for a key', start: inner?.start ?? frame.keyStart });
  } else {
    setOwn(frame.container as Record<string, Value>, frame.key, value);
    frame.merged?.delete(frame.key);
    frame.key = undefined;
  }
}

/** go-yaml merges where the `<<` stands: what it brings replaces what stood before it. */
function mergeInto(frame: Frame, value: Value): void {
  const sources = Array.isArray(value) ? [...(value as readonly Value[])].reverse() : [value];
  const target = frame.container as Record<string, Value>;
  frame.merged ??= new Set();
  for (const source of sources) {
    if (source === null || typeof source !== 'object' || Array.isArray(source)) {
      throw new TextProblem({ code: 'yaml-syntax', message: '`<<` takes a map or a list of maps', start: frame.keyStart });
    }
    for (const [key, merged] of Object.entries(source)) {
      if (!Object.hasOwn(target, key)) frame.merged.add(key);
      setOwn(target, key, merged);
    }
  }
}

function setOwn(target: Record<string, Value>, key: string, value: Value): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
