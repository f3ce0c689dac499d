// Findings for a reader: place, severity, code, message, the line with a caret, and what to do.
import type { Finding, Severity } from '../../base/finding.ts';
import type { TextRange } from '../../base/source-position.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';

/** The text of a line (from 1) of a file, where it can be had. */
export type LineLookup = (file: string, line: number) => string | undefined;

export interface FindingLayout {
  readonly style: Style;
  readonly lineOf: LineLookup;
  readonly widthColumns: number;
}

export function findingText(finding: Finding, layout: FindingLayout): string {
  const { style } = layout;
  const place = placeOf(finding.file, finding.range);
  const word = paintSeverity(finding.severity, `${finding.severity}[${finding.code}]`, style);
  const parts = [`${place === '' ? '' : `${style.bold(printable(place))}: `}${word}: ${printable(finding.message)}`];
  if (finding.file !== undefined && finding.range !== undefined) {
    const line = layout.lineOf(finding.file, finding.range.start.line);
    if (line !== undefined) parts.push(...excerpt(line, finding.range, layout));
  }
  for (const related of finding.related ?? []) {
    const where = placeOf(related.file, related.range);
    parts.push(`  ${style.dim('also:')} ${where === '' ? '' : `${printable(where)}: `}${printable(related.message)}`);
  }
  if (finding.help !== undefined) parts.push(`  ${style.cyan('help:')} ${printable(finding.help)}`);
  return `${parts.join('\n')}\n`;
}

/** `2 errors, 1 warning, 3 infos`; empty without findings. */
export function countFindings(findings: readonly Finding[]): string {
  const words: [Severity, string][] = [['error', 'error'], ['warning', 'warning'], ['info', 'info']];
  return words
    .map(([severity, word]) => [findings.filter((finding) => finding.severity === severity).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}${count === 1 ? '' : 's'}`)
    .join(', ');
}

export function paintSeverity(severity: Severity, text: string, style: Style): string {
  switch (severity) {
    case 'error':
      return style.red(style.bold(text));
    case 'warning':
      return style.yellow(style.bold(text));
    case 'info':
      return style.blue(text);
  }
}

/** `file:line:column`, as editors and terminals make it a link. */
export function placeOf(file: string | undefined, range: TextRange | undefined): string {
  if (file === undefined) return '';
  return range === undefined ? file : `${file}:${range.start.line}:${range.start.column}`;
}

// The line is cut around the caret where it is longer than the terminal is wide.
function excerpt(line: string, range: TextRange, layout: FindingLayout): string[] {
  const number = `${range.start.line}`;
  const room = Math.max(20, layout.widthColumns - number.length - 6);
  const start = range.start.column - 1;
  const skipped = start < room - 5 ? 0 : start - Math.floor(room / 2);
  const lead = skipped > 0 ? '…' : '';
  const shown = lead + line.slice(skipped + lead.length, skipped + room);
  const endColumn = range.end.line === range.start.line ? range.end.column - 1 : line.length;
  const caretStart = start - skipped;
  const caretLength = Math.max(1, Math.min(endColumn, skipped + room) - start);
  // Escapes are wider than what they stand for, so the blanks before the caret are counted in printed signs.
  const before = printable(shown.slice(0, caretStart)).length;
  const under = printable(shown.slice(caretStart, caretStart + caretLength)).length;
  const gutter = layout.style.dim(`  ${number} | `);
  const emptyGutter = layout.style.dim(`  ${' '.repeat(number.length)} | `);
  const caret = paintSeverity('error', '^'.repeat(Math.max(1, under)), layout.style);
  return [`${gutter}${printable(shown)}`.trimEnd(), `${emptyGutter}${' '.repeat(before)}${caret}`];
}
