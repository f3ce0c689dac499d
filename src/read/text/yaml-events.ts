// Parses a text into the events of `js-yaml`, and gets over the places where libyaml, with which kubectl reads, goes other ways.
import { EVENT_ID, parseEvents, SCALAR_STYLE, YAMLException, type Event, type ScalarEvent } from 'js-yaml';
import { TextProblem } from './text-problem.ts';
import { findTabLine } from './yaml-tab-lines.ts';

/** Deeper documents are refused; kubectl's own bound is 10,000, no Kubernetes object comes near 100. */
export const NESTING_MAX = 500;

// libyaml refuses these anywhere, comments included (`readerc.go`).
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;
// A byte order mark it passes over at the start of each line; the parser here takes it for text.
const BYTE_ORDER_MARK = '\ufeff';
const STRAY_MARK = /[\n\r\ufeff]\ufeff/;
// Line breaks of YAML 1.1 that YAML 1.2 counts as plain characters; a comment must not hide what follows one.
// The first of them is a line feed in values too, the others stay what they are.
const NEXT_LINE = '\u0085';
const OLD_LINE_BREAKS = /[\u2028\u2029]/g;

export interface YamlEvents {
  readonly events: readonly Event[];
  /** What the values are cut from; offsets are those of the text. */
  readonly source: string;
}

export function parseYamlEvents(text: string): YamlEvents {
  const control = CONTROL.exec(text) ?? (text.includes(BYTE_ORDER_MARK) ? STRAY_MARK.exec(text) : null);
  if (control !== null) {
    const end = control.index + control[0].length;
    const name = `U+${text.charCodeAt(end - 1).toString(16).toUpperCase().padStart(4, '0')}`;
    throw new TextProblem({ code: 'yaml-syntax', message: `the sign ${name} is not allowed here in YAML`, start: end - 1, end, help: 'delete it', repair: { start: end - 1, end, text: '' } });
  }
  const source = text.replaceAll(NEXT_LINE, '\n');
  const events = parseJoined(source.replace(OLD_LINE_BREAKS, '\n'));
  const tabLine = findTabLine(source, events);
  if (tabLine !== undefined) throw new TextProblem({ code: 'yaml-tab', message: 'a tab stands alone in this line, where kubectl takes none', ...tabLine, help: 'delete it', repair: { ...tabLine, text: '' } });
  return { source, events };
}

/** How many UTF-16 units are parsed again, in all, to get over lines that only YAML 1.2 wants indented. */
const REPARSED_LENGTH_MAX: number = 32 * 1024 * 1024;
/** How many such lines a document may have; each is one more parse. */
const JOINS_MAX = 100;

/**
 * libyaml lets lines inside brackets and quotes begin at any column; the parser here wants them indented.
 * Such a line is joined to the one before it, sign for sign in place, so that offsets stay.
 */
function parseJoined(original: string): readonly Event[] {
  const joins: number[] = [];
  let text = original;
  for (let parsed = 0; ; parsed += text.length) {
    try {
      return unfoldLater(parseEvents(text, { maxDepth: NESTING_MAX }), joins);
    } catch (error) {
      const at = isDeficientIndent(error) && parsed < REPARSED_LENGTH_MAX && joins.length < JOINS_MAX ? findJoin(text, error.mark.position) : undefined;
      if (at === undefined) throw syntaxProblem(original, error);
      joins.push(at);
      text = `${text.slice(0, at)} ${text.slice(at + 1)}`;
    }
  }
}

function isDeficientIndent(error: unknown): error is YAMLException & { readonly mark: { readonly position: number } } {
  return error instanceof YAMLException && error.reason === 'deficient indentation' && error.mark !== undefined;
}

/** The line break before a line; undefined behind a line that may end in a comment, which would swallow it. */
function findJoin(text: string, position: number): number | undefined {
  let at = position - 1;
  while (text[at] === ' ' || text[at] === '\t') at--;
  if (text[at] !== '\n' && text[at] !== '\r') return undefined;
  const lineStart = Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1)) + 1;
  return /(^|\s)#/.test(text.slice(lineStart, at)) ? undefined : at;
}

/** Values come from the original text, so scalars across a join must be folded after all. */
function unfoldLater(events: readonly Event[], joins: readonly number[]): readonly Event[] {
  if (joins.length === 0) return events;
  return events.map((event) =>
    event.type === EVENT_ID.SCALAR && joins.some((at) => event.valueStart <= at && at < event.valueEnd) ? { ...event, fast: false } : event,
  );
}

function syntaxProblem(text: string, error: unknown): TextProblem {
  if (error instanceof YAMLException) {
    return new TextProblem({ code: 'yaml-syntax', message: error.reason, start: Math.min(error.mark?.position ?? 0, text.length) });
  }
  // What is left is the engine's own bound, such as the depth of its stack.
  return new TextProblem({ code: 'yaml-syntax', message: `cannot be read: ${error instanceof Error ? error.message : String(error)}`, start: 0 });
}

export function eventStart(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return scalarStart(event);
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    default:
      return -1;
  }
}

/** -1 for an empty scalar without anchor and tag. */
export function scalarStart(event: ScalarEvent): number {
  if (event.valueStart < 0) return Math.max(event.anchorStart - 1, event.tagStart);
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? event.valueStart - 1 : event.valueStart;
}
