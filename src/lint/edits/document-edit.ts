// Edits that take a document out of its file, or put another one behind it.
import type { TextEdit } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';
import type { Origin } from '../../model/origin.ts';
import { insertion, linesOf } from './block-list.ts';

/** The marks around it stay: one of them may have a comment. None where it holds a comment, or stands in a list. */
export function removeDocument(origin: Origin): TextEdit[] {
  const range = wholeLines(origin);
  const lines = range === undefined ? undefined : linesOf(origin.document, range.start.line, range.end.line - 1);
  if (range === undefined || lines === undefined || lines.some((line) => /(^|\s)#/.test(line))) return [];
  return [{ range, text: '' }];
}

/** The lines become a document behind that of an object; none where it is JSON, or stands in a list. */
export function addDocument({ document, path }: Origin, lines: readonly string[]): TextEdit[] {
  const range = wholeLines({ document, path });
  const last = range === undefined ? undefined : document.lineAt(range.end.line - 1);
  return range === undefined || last === undefined ? [] : [insertion({ line: range.end.line - 1, column: last.length + 1 }, ['', '---', ...lines].join('\n'))];
}

/** From the beginning of its first line to that of the line below it; undefined where it is no block of YAML of its own. */
function wholeLines({ document, path }: Origin): TextRange | undefined {
  const { start, end } = document.locate([]);
  const isBlock = path.length === 0 && start.column === 1 && /^["'\w]/.test(document.lineAt(start.line) ?? '');
  return isBlock ? { start, end: { line: end.line + 1, column: 1 } } : undefined;
}
