// Where the items of a list stand, so that an edit can write another one or take a dash away.
import type { TextEdit } from '../base/finding.ts';
import { locateOrigin, type Origin } from '../model/origin.ts';

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
