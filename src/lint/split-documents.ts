// Cuts a YAML text into its documents, also at marks that a web page has turned into a long dash.
import type { Finding } from '../base/finding.ts';

export interface DocumentText {
  readonly file: string;
  /** Number of the first line in the file, from 1. */
  readonly firstLine: number;
  /** Without line feeds; a carriage return is part of its line. */
  readonly lines: readonly string[];
}

export interface SplitText {
  readonly documents: readonly DocumentText[];
  /** The marks that are to be mended. */
  readonly findings: readonly Finding[];
}

/** `---` after the usual replacement of hyphens: an em dash, or an en dash beside a hyphen. */
const TYPOGRAPHIC_MARK = /^(?:\u2014|\u2014-|-\u2014|\u2013-|-\u2013|\u2014\u2014|\u2013\u2013)[ \t\u00a0\r]*$/;
const HEAD_FIELD = /^[\s\u00a0]*(?:apiVersion|kind|metadata)[\s\u00a0]*:/;

export function splitDocuments(file: string, text: string): SplitText {
  const lines = text.split('\n');
  const documents: DocumentText[] = [];
  const findings: Finding[] = [];
  let start = 0;
  const endAt = (end: number): void => {
    const own = lines.slice(start, end);
    if (own.some((line) => /\S/.test(line))) documents.push({ file, firstLine: start + 1, lines: own });
    start = end + 1;
  };
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('---')) endAt(index);
    else if (TYPOGRAPHIC_MARK.test(line) && HEAD_FIELD.test(nextLine(lines, index))) {
      findings.push(markFinding(file, index, line));
      endAt(index);
    }
  }
  endAt(lines.length);
  return { documents, findings };
}

/** The next line that is neither blank nor a comment. */
function nextLine(lines: readonly string[], index: number): string {
  for (let at = index + 1; at < lines.length; at++) if (!/^\s*(#|$)/.test(lines[at]!)) return lines[at]!;
  return '';
}

function markFinding(file: string, index: number, line: string): Finding {
  const number = index + 1;
  const range = { start: { line: number, column: 1 }, end: { line: number, column: line.replace(/\r$/, '').length + 1 } };
  return {
    code: 'yaml-typographic-dash',
    severity: 'error',
    message: 'a typographic dash stands where `---` ends a document',
    file,
    range,
    help: 'write `---`',
    edits: [{ range, text: '---' }],
  };
}
