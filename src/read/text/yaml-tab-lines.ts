// Finds lines of blanks with a tab among them that libyaml refuses and the parser here passes over (`scannerc.go`, scan_to_next_token and scan_plain_scalar).
import { COLLECTION_STYLE, EVENT_ID, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml';

/** Nothing but blanks, or a comment behind them. */
const TAB_LINE = /(?<=^|[\n\r])( *)\t[ \t]*(?=#|[\n\r]|$)/g;

/** Offsets of the blanks, from 0, end exclusive. */
export interface TabLine {
  readonly start: number;
  readonly end: number;
}

/** The first such line, if there is one. */
export function findTabLine(text: string, events: readonly Event[]): TabLine | undefined {
  if (!text.includes('\t')) return undefined;
  for (const match of text.matchAll(TAB_LINE)) {
    const start = match.index;
    if (isRefused(text, events, { start, tab: start + match[1]!.length })) return { start, end: start + match[0].length };
  }
  return undefined;
}

/** What begins last before a place, where it ends, below which column, and how deep in brackets. */
interface Before {
  readonly scalar: ScalarEvent | undefined;
  readonly end: number;
  readonly column: number;
  readonly flowDepth: number;
}

/** Plain scalars and block scalars go on over lines of blanks that reach in far enough; inside brackets and quotes they do no harm. */
function isRefused(text: string, events: readonly Event[], { start, tab }: { readonly start: number; readonly tab: number }): boolean {
  const { scalar, end, column, flowDepth } = lastBefore(text, events, tab);
  const between = text.slice(end, start);
  if (between.trim() === '' && scalar !== undefined) {
    if (scalar.style === SCALAR_STYLE.PLAIN) return tab - start <= column;
    if (scalar.style === SCALAR_STYLE.LITERAL_BLOCK || scalar.style === SCALAR_STYLE.FOLDED_BLOCK) return tab - start < contentColumn(text, scalar);
  }
  return end <= start && flowDepth <= (between.replace(/#.*/g, '').match(/[\]}]/g)?.length ?? 0);
}

/** How far the first line of a block scalar is indented. */
function contentColumn(text: string, { valueStart, valueEnd }: ScalarEvent): number {
  return columnOf(text, valueStart + text.slice(valueStart, valueEnd).search(/\S|$/));
}

function lastBefore(text: string, events: readonly Event[], tab: number): Before {
  const open: { readonly column: number; readonly isFlow: boolean }[] = [];
  let last: Before = { scalar: undefined, end: 0, column: -1, flowDepth: 0 };
  for (const event of events) {
    const start = event.type === EVENT_ID.SCALAR ? event.valueStart : event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING ? event.start : -1;
    if (start >= tab) break;
    if (event.type === EVENT_ID.POP) open.pop();
    else if (event.type === EVENT_ID.DOCUMENT) open.push({ column: -1, isFlow: false });
    else if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) open.push({ column: columnOf(text, start), isFlow: event.style === COLLECTION_STYLE.FLOW });
    if (start < 0) continue;
    const scalar = event.type === EVENT_ID.SCALAR ? event : undefined;
    last = { scalar, end: scalar?.valueEnd ?? start + 1, column: open.findLast(({ isFlow }) => !isFlow)?.column ?? -1, flowDepth: open.filter(({ isFlow }) => isFlow).length };
  }
  return last;
}

function columnOf(text: string, offset: number): number {
  return offset - Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) - 1;
}
