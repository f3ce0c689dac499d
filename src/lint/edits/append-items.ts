// Writes items behind the last one of a list, in the way in which the list is written.
import type { TextEdit } from '../../base/finding.ts';
import { locateOrigin, type Origin } from '../../model/origin.ts';
import { insertion, linesOf, placeBlockList, type NewItem } from './block-list.ts';

/** The list has items. None where it is laid out in a way of its own. */
export function appendItems(list: Origin, items: readonly Origin[], added: readonly NewItem[]): TextEdit[] {
  const place = placeBlockList(list, items);
  const { end } = locateOrigin(items.at(-1)!).range;
  const line = list.document.lineAt(end.line);
  if (line === undefined) return [];
  if (place === undefined) return isFlowList(list) ? [insertion(end, added.map(({ flow }) => `${separator(list, items)}${flow}`).join(''))] : [];
  return [insertion({ line: end.line, column: line.length + 1 }, blockItems(added, place))];
}

/** Each on lines of its own, the first behind a line that ends. */
export function blockItems(added: readonly NewItem[], { dashColumn, itemColumn }: { readonly dashColumn: number; readonly itemColumn: number }): string {
  const dash = `\n${' '.repeat(dashColumn - 1)}-${' '.repeat(itemColumn - dashColumn - 1)}`;
  const pad = `\n${' '.repeat(itemColumn - 1)}`;
  return added.map(({ block }) => `${dash}${block.join(pad)}`).join('');
}

export function isFlowList(list: Origin): boolean {
  const { start } = locateOrigin(list).range;
  return list.document.lineAt(start.line)?.[start.column - 1] === '[';
}

/** On a line of its own where the last item stands so. */
function separator(list: Origin, items: readonly Origin[]): string {
  const { start } = locateOrigin(items.at(-1)!).range;
  const before = linesOf(list.document, start.line, start.line)?.[0]?.slice(0, start.column - 1) ?? '';
  return /^\s+$/.test(before) ? `,\n${before}` : ', ';
}
