// Where the items of a list stand, so that an edit can write another one or take a dash away.
import type { TextEdit } from '../base/finding.ts';
import type { Position } from '../base/source-position.ts';
import { below, locateKey, locateOrigin, type Origin, type SourceDocument } from '../model/origin.ts';

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
