// Where the items of a list stand, so that an edit can write another one or take a dash away.
import type { TextEdit } from '../../base/finding.ts';
import type { Position } from '../../base/source-position.ts';
import { below, locateKey, locateOrigin, type Origin, type SourceDocument } from '../../model/origin.ts';

export interface BlockList {
  /** From 1. */
  readonly dashColumn: number;
  readonly itemColumn: number;
}

/**
 * undefined: the list is in flow style, or its first item does not stand beside its dash.
 * A block list ends with its last item, a flow list behind it.
 */
export function placeBlockList(list: Origin, items: readonly Origin[]): BlockList | undefined {
  const [first, last] = [items[0], items[items.length - 1]];
  if (first === undefined || last === undefined) return undefined;
  const { start, end } = locateOrigin(list).range;
  const { start: itemStart } = locateOrigin(first).range;
  const { end: lastEnd } = locateOrigin(last).range;
  const isBlock = end.line === lastEnd.line && end.column === lastEnd.column;
  if (!isBlock || itemStart.line !== start.line || itemStart.column - start.column < 2) return undefined;
  return { dashColumn: start.column, itemColumn: itemStart.column };
}

/** The lines as a new item, to be put where an item begins now: they push that item down. */
export function itemBefore({ dashColumn, itemColumn }: BlockList, lines: readonly string[]): string {
  const pad = ' '.repeat(itemColumn - 1);
  return `${lines.join(`\n${pad}`)}\n${' '.repeat(dashColumn - 1)}-${' '.repeat(itemColumn - dashColumn - 1)}`;
}

/** Signs that tie a place to another one, or that an edit must not take along: comments, anchors, aliases. */
const TIES = /(^|\s)#|[&*]/;

/** Takes the lines of an item away; none where they hold a comment or are not its own alone. */
export function removeItem(list: Origin, items: readonly Origin[], at: number): TextEdit[] {
  const place = placeBlockList(list, items);
  const { start, end } = locateOrigin(items[at]!).range;
  const next = items[at + 1] === undefined ? undefined : locateOrigin(items[at + 1]!).range.start.line;
  const lines = linesOf(list.document, start.line, end.line);
  const isOwn = place !== undefined && lines !== undefined && lines[0]!.search(/\S/) === place.dashColumn - 1 && (next === undefined || next > end.line);
  if (!isOwn || lines.some((line) => TIES.test(line))) return [];
  const removal: TextEdit = { range: { start: { line: start.line, column: 1 }, end: { line: end.line + 1, column: 1 } }, text: '' };
  return items.length > 1 ? [removal] : emptied(list, removal);
}

/**
 * Takes items away with the comments above each, for these speak of it; none where they share lines with something else.
 * `gone` are positions, from 0.
 */
export function removeItems(list: Origin, items: readonly Origin[], gone: ReadonlySet<number>): TextEdit[] {
  const { range } = locateOrigin(list);
  const isWhole = gone.size === items.length;
  if (list.document.lineAt(range.start.line)?.[range.start.column - 1] === '[') return isWhole ? [{ range, text: '[]' }] : [...gone].map((at) => flowRemoval(items, gone, at));
  const place = placeBlockList(list, items);
  const removals = [...gone].sort((a, b) => a - b).map((at) => place && blockRemoval({ list, items, place }, at));
  const proven = removals.flatMap((removal) => removal ?? []);
  if (proven.length < gone.size) return [];
  return isWhole ? emptied(list, proven[0]!).concat(proven.slice(1)) : proven;
}

/** With the comma before it, or behind it where none is left before. */
function flowRemoval(items: readonly Origin[], gone: ReadonlySet<number>, at: number): TextEdit {
  const rangeOf = (index: number): TextEdit['range'] => locateOrigin(items[index]!).range;
  const isFirst = items.slice(0, at).every((_, index) => gone.has(index));
  return isFirst ? { range: { start: rangeOf(at).start, end: rangeOf(at + 1).start }, text: '' } : { range: { start: rangeOf(at - 1).end, end: rangeOf(at).end }, text: '' };
}

function blockRemoval({ list, items, place }: { readonly list: Origin; readonly items: readonly Origin[]; readonly place: BlockList }, at: number): TextEdit | undefined {
  const { start, end } = locateOrigin(items[at]!).range;
  const next = items[at + 1] === undefined ? undefined : locateOrigin(items[at + 1]!).range.start.line;
  const lines = linesOf(list.document, start.line, end.line);
  if (lines === undefined || lines[0]!.search(/\S/) !== place.dashColumn - 1 || (next !== undefined && next <= end.line)) return undefined;
  let first = start.line;
  while (isCommentAt(list.document.lineAt(first - 1), place.dashColumn)) first--;
  return { range: { start: { line: first, column: 1 }, end: { line: end.line + 1, column: 1 } }, text: '' };
}

function isCommentAt(line: string | undefined, column: number): boolean {
  return line !== undefined && line.search(/\S/) === column - 1 && line[column - 1] === '#';
}

/** A list without its last item is `[]`, behind its key. */
function emptied(list: Origin, removal: TextEdit): TextEdit[] {
  const { end } = locateKey(list);
  const isAlone = /^:\s*$/.test(list.document.lineAt(end.line)?.slice(end.column - 1) ?? '');
  return isAlone ? [insertion({ line: end.line, column: end.column + 1 }, ' []'), removal] : [];
}

/** Writes `-` before the later of the two fields of an item, so that there are two items. */
export function splitItem(list: Origin, items: readonly Origin[], { item, fields }: { readonly item: Origin; readonly fields: readonly [string, string] }): TextEdit[] {
  const place = placeBlockList(list, items);
  const [first, second] = fields.map((field) => below(item, field)).sort((a, b) => comparePlaces(locateKey(a).start, locateKey(b).start)) as [Origin, Origin];
  const { start } = locateKey(second);
  const { start: itemStart } = locateOrigin(item).range;
  if (place === undefined) return [];
  if (start.line > itemStart.line && start.column === place.itemColumn) return [{ range: { start: { line: start.line, column: place.dashColumn }, end: start }, text: `-${' '.repeat(place.itemColumn - place.dashColumn - 1)}` }];
  const { end } = locateOrigin(first).range;
  const between = end.line === start.line && itemStart.line === end.line ? list.document.lineAt(end.line)?.slice(end.column - 1, start.column - 1) : undefined;
  const isFlow = between !== undefined && /^\s*,\s*$/.test(between) && itemStart.column === place.itemColumn;
  return isFlow ? [{ range: { start: end, end: start }, text: ` }\n${' '.repeat(place.dashColumn - 1)}-${' '.repeat(place.itemColumn - place.dashColumn - 1)}{ ` }] : [];
}

function comparePlaces(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}

/** undefined: not all of them are the document's own. */
export function linesOf(document: SourceDocument, first: number, last: number): readonly string[] | undefined {
  const lines = Array.from({ length: last - first + 1 }, (_, index) => document.lineAt(first + index));
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

/** An item as it is written in the one style, line by line, and in the other. */
export interface NewItem {
  readonly block: readonly string[];
  readonly flow: string;
}

/** Writes an item before the one at a place; none where the list is laid out in a way of its own. */
export function addItem(list: Origin, items: readonly Origin[], at: number, { block, flow }: NewItem): TextEdit[] {
  const { start } = locateOrigin(items[at]!).range;
  const place = placeBlockList(list, items);
  if (place !== undefined) return [insertion(start, itemBefore(place, block))];
  const { start: listStart, end } = locateOrigin(list).range;
  const isFlow = listStart.line === start.line && start.column > listStart.column && end.line === start.line;
  return isFlow ? [insertion(start, `${flow}, `)] : [];
}

export function insertion(start: TextEdit['range']['start'], text: string): TextEdit {
  return { range: { start, end: start }, text };
}
