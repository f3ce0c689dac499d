// Applies the edits of findings to the text they were made for.
import type { Finding, TextEdit } from '../base/finding.ts';
import { lineStarts, type Position } from '../base/source-position.ts';

/** The text with all edits made at once; an edit that overlaps an earlier one is left out, equal edits are made once. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const starts = lineStarts(text);
  const placed = edits
    .map((edit) => ({ start: offsetOf(text, starts, edit.range.start), end: offsetOf(text, starts, edit.range.end), text: edit.text }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const parts: string[] = [];
  let done = 0;
  let last: { start: number; end: number; text: string } | undefined;
  for (const edit of placed) {
    const isRepeated = last !== undefined && edit.start === last.start && edit.end === last.end && edit.text === last.text;
    if (edit.start < done || edit.end < edit.start || isRepeated) continue;
    parts.push(text.slice(done, edit.start), edit.text);
    done = edit.end;
    last = edit;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Every edit that the findings of one file carry. */
export function editsOf(findings: readonly Finding[]): TextEdit[] {
  return findings.flatMap((finding) => finding.edits ?? []);
}

function offsetOf(text: string, starts: readonly number[], position: Position): number {
  const start = starts[position.line - 1];
  if (start === undefined) return text.length;
  const end = starts[position.line] ?? text.length;
  return Math.min(start + position.column - 1, end);
}
