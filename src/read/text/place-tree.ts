// Finds the place of a path in the text of a document, from the events of the same parser that reads its value.
import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml';
import type { Path } from '../../model/origin.ts';
import { TextProblem } from './text-problem.ts';
import { eventStart, parseYamlEvents } from './yaml-events.ts';
import { keyText } from './yaml-scalar.ts';
import { resolveScalar } from './yaml-value.ts';

/** Offsets into the document's text, from 0, end exclusive. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A node of the text. `start` is −1 for a value that is left out (`key:` with nothing behind it). */
export interface PlaceNode {
  start: number;
  end: number;
  readonly entries: PlaceEntry[];
  readonly items: PlaceNode[];
  readonly isFlow: boolean;
}

export interface PlaceEntry {
  readonly key: string;
  readonly isMerge: boolean;
  readonly place: Place;
  value: PlaceNode;
}

/** undefined when the text has no content, or cannot be parsed. */
export function parsePlaces(text: string): PlaceNode | undefined {
  try {
    const { events, source } = parseYamlEvents(text);
    return buildTree(source, events);
  } catch (error) {
    if (error instanceof TextProblem) return undefined;
    throw error;
  }
}

interface Open {
  readonly node: PlaceNode;
  readonly isMap: boolean;
  key: Omit<PlaceEntry, 'value'> | undefined;
}

function buildTree(text: string, events: readonly Event[]): PlaceNode | undefined {
  const anchors = new Map<string, PlaceNode>();
  const open: Open[] = [];
  let root: PlaceNode | undefined;
  const add = (node: PlaceNode, event: ScalarEvent | undefined): void => {
    const parent = open[open.length - 1];
    if (parent === undefined) root ??= node;
    else if (!parent.isMap) parent.node.items.push(node);
    else if (parent.key === undefined) parent.key = keyOf(text, node, event);
    else {
      parent.node.entries.push({ ...parent.key, value: node });
      parent.key = undefined;
    }
  };
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      if (root !== undefined) break;
    } else if (event.type === EVENT_ID.POP) {
      const closed = open.pop();
      if (closed !== undefined) {
        closed.node.end = endOf(text, closed.node);
        add(closed.node, undefined);
      }
    } else if (event.type === EVENT_ID.ALIAS) {
      const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
      add(aliasNode(event.anchorStart - 1, event.anchorEnd, target), undefined);
    } else {
      const node = event.type === EVENT_ID.SCALAR ? scalarNode(event) : collectionNode(event.start, event.style === 2);
      if (event.anchorStart >= 0) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
      if (event.type === EVENT_ID.SCALAR) add(node, event);
      else open.push({ node, isMap: event.type === EVENT_ID.MAPPING, key: undefined });
    }
  }
  return root;
}

function collectionNode(start: number, isFlow: boolean): PlaceNode {
  return { start, end: start, entries: [], items: [], isFlow };
}

function scalarNode(event: ScalarEvent): PlaceNode {
  const start = eventStart(event);
  const end = event.valueStart < 0 ? start : start < event.valueStart ? event.valueEnd + 1 : event.valueEnd;
  return { start, end, entries: [], items: [], isFlow: false };
}

/** An alias stands where it stands, and what is inside it stands at its anchor. */
function aliasNode(start: number, end: number, target: PlaceNode | undefined): PlaceNode {
  return { start, end, entries: target?.entries ?? [], items: target?.items ?? [], isFlow: false };
}

function keyOf(text: string, node: PlaceNode, event: ScalarEvent | undefined): Omit<PlaceEntry, 'value'> {
  const place = { start: Math.max(node.start, 0), end: Math.max(node.end, 0) };
  if (event === undefined) return { key: '', isMerge: false, place };
  const source = getScalarValue(text, event);
  const isMerge = source === '<<' && event.style === SCALAR_STYLE.PLAIN;
  return { key: keyText(resolveScalar(text, event, source)) ?? '', isMerge, place };
}

function endOf(text: string, node: PlaceNode): number {
  const lastValue = node.items.at(-1) ?? node.entries.at(-1)?.value;
  const lastKey = node.entries.at(-1)?.place.end ?? node.start;
  const inner = Math.max(lastValue?.end ?? -1, lastKey, node.start);
  if (!node.isFlow) return inner === node.start ? inner + 1 : inner;
  const closing = /(?:[\s,:]|#[^\n]*(?=\n))*[\]}]/y;
  closing.lastIndex = inner === node.start ? inner + 1 : inner;
  return closing.test(text) ? closing.lastIndex : inner;
}

/** The place of the value at a path, of its key where the value is left out, or of the nearest ancestor that exists. */
export function findValue(text: string, root: PlaceNode, path: Path): Place {
  return walk(text, root, path).value;
}

/** The place of the key at the end of a path; of the value where it has none. */
export function findKey(text: string, root: PlaceNode, path: Path): Place {
  const found = walk(text, root, path);
  return found.key ?? found.value;
}

function walk(text: string, root: PlaceNode, path: Path): { readonly value: Place; readonly key: Place | undefined } {
  let node = root;
  let value: Place = { start: Math.max(root.start, 0), end: Math.max(root.end, 0) };
  let key: Place | undefined;
  for (const step of path) {
    if (typeof step === 'number') {
      const item = node.items[step];
      if (item === undefined) return { value, key: undefined };
      value = item.start < 0 ? findDash(text, node, step) : item;
      key = undefined;
      node = item;
    } else {
      const entry = findEntry(node, step);
      if (entry === undefined) return { value, key: undefined };
      key = entry.place;
      value = entry.value.start < 0 ? entry.place : entry.value;
      node = entry.value;
    }
  }
  return { value: { start: value.start, end: value.end }, key };
}

/** The last entry wins, as in the value; what `<<` brings counts where no key stands behind it. */
function findEntry(node: PlaceNode, key: string): PlaceEntry | undefined {
  for (let index = node.entries.length - 1; index >= 0; index--) {
    const entry = node.entries[index]!;
    if (!entry.isMerge) {
      if (entry.key === key) return entry;
      continue;
    }
    const sources = entry.value.items.length > 0 ? entry.value.items : [entry.value];
    for (const source of sources) {
      const merged = findEntry(source, key);
      if (merged !== undefined) return merged;
    }
  }
  return undefined;
}

/** An empty list item is shown by its dash. */
function findDash(text: string, list: PlaceNode, index: number): Place {
  const before = index === 0 ? undefined : list.items[index - 1]!;
  if (before === undefined) return { start: list.start, end: list.start + 1 };
  const from = before.start < 0 ? findDash(text, list, index - 1).end : before.end;
  const dash = /\n[ \t]*-/g;
  dash.lastIndex = from;
  const found = dash.exec(text);
  return found === null ? { start: list.start, end: list.start + 1 } : { start: dash.lastIndex - 1, end: dash.lastIndex };
}

/** The first key that stands twice in one map of the text: the second of the two and the first. */
export function findDuplicateKey(root: PlaceNode): { readonly key: string; readonly first: Place; readonly second: Place } | undefined {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const seen = new Map<string, Place>();
    for (const entry of node.entries) {
      const first = seen.get(entry.key);
      if (first !== undefined) return { key: entry.key, first, second: entry.place };
      seen.set(entry.key, entry.place);
      waiting.push(entry.value);
    }
    waiting.push(...node.items);
  }
  return undefined;
}
