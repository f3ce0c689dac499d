// Applies the edits of findings to the text they were made for, and finds places of the edited text in it again.
import type { Finding, TextEdit } from '../base/finding.ts';
import { lineStarts, positionAt, type Position } from '../base/source-position.ts';

/** The text with all edits made at once; an edit that overlaps an earlier one is left out, equal edits are made once. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const edit of placeEdits(text, edits)) {
    parts.push(text.slice(done, edit.start), edit.text);
    done = edit.end;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Every edit that the findings of one file carry. */
export function editsOf(findings: readonly Finding[]): TextEdit[] {
  return findings.flatMap((finding) => finding.edits ?? []);
}

/** Gives for a place in the edited text where it stood before; of what an edit wrote, a place within what it took away. */
export function placeBefore(text: string, edits: readonly TextEdit[]): (position: Position) => Position {
  const starts = lineStarts(text);
  const edited = applyEdits(text, edits);
  const editedStarts = lineStarts(edited);
  const placed = placeEdits(text, edits);
  return (position) => {
    const offset = offsetOf(edited, editedStarts, position);
    let shift = 0;
    for (const edit of placed) {
      const start = edit.start + shift;
      if (offset < start) break;
      if (offset < start + edit.text.length) return positionAt(starts, Math.min(edit.start + offset - start, edit.end));
      shift += edit.text.length - (edit.end - edit.start);
    }
    return positionAt(starts, offset - shift);
  };
}

/** The finding with its places as `place` gives them; `related` in other files stays. */
export function moveFinding(finding: Finding, place: (position: Position) => Position): Finding {
  const move = <Place extends { readonly range?: Finding['range'] }>(placed: Place): Place =>
    placed.range === undefined ? placed : { ...placed, range: { start: place(placed.range.start), end: place(placed.range.end) } };
  return {
    ...move(finding),
    ...(finding.related === undefined ? {} : { related: finding.related.map((related) => (related.file === finding.file ? move(related) : related)) }),
    ...(finding.edits === undefined ? {} : { edits: finding.edits.map((edit) => ({ ...edit, ...move(edit) })) }),
  };
}

/** Offsets from 0, end exclusive. */
interface PlacedEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** In the order of the text, without those that overlap an earlier one or repeat it. */
function placeEdits(text: string, edits: readonly TextEdit[]): readonly PlacedEdit[] {
  const starts = lineStarts(text);
  const sorted = edits
    .map((edit): PlacedEdit => ({ start: offsetOf(text, starts, edit.range.start), end: offsetOf(text, starts, edit.range.end), text: edit.text }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const placed: PlacedEdit[] = [];
  for (const edit of sorted) {
    const last = placed[placed.length - 1];
    const isRepeated = last !== undefined && edit.start === last.start && edit.end === last.end && edit.text === last.text;
    if (edit.start >= (last?.end ?? 0) && edit.end >= edit.start && !isRepeated) placed.push(edit);
  }
  return placed;
}

function offsetOf(text: string, starts: readonly number[], position: Position): number {
  const start = starts[position.line - 1];
  if (start === undefined) return text.length;
  const end = starts[position.line] ?? text.length;
  return Math.min(start + position.column - 1, end);
}
