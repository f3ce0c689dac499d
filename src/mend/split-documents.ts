// Cuts a YAML text into its documents, also at marks that a web page has turned into a long dash, or lost.
import type { Finding } from '../base/finding.ts';
import type { TextRange } from '../base/source-position.ts';

export interface DocumentText {
  readonly file: string;
  /** Number of the first line in the file, from 1. */
  readonly firstLine: number;
  /** Without line feeds, and without what the page has put before them; a carriage return is part of its line. */
  readonly lines: readonly string[];
}

export interface SplitText {
  readonly documents: readonly DocumentText[];
  /** The marks that are to be mended; places as in the lines that were split. */
  readonly findings: readonly Finding[];
}

/** `---` after the usual replacement of hyphens: an em dash, or an en dash beside a hyphen. */
const TYPOGRAPHIC_MARK = /^(?:\u2014|\u2014-|-\u2014|\u2013-|-\u2013|\u2014\u2014|\u2013\u2013)[ \t\u00a0\r]*$/;
const HEAD_FIELD = /^[\s\u00a0]*(?:apiVersion|kind|metadata)[\s\u00a0]*:/;

export function splitDocuments(file: string, lines: readonly string[]): SplitText {
  const documents: DocumentText[] = [];
  const findings: Finding[] = [];
  const heads = new HeadFields();
  let start = 0;
  const endAt = (end: number, next: number): void => {
    const own = lines.slice(start, end);
    if (own.some((line) => /\S/.test(line))) documents.push({ file, firstLine: start + 1, lines: own });
    start = next;
    heads.clear();
  };
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('---')) endAt(index, index + 1);
    else if (TYPOGRAPHIC_MARK.test(line) && HEAD_FIELD.test(nextLine(lines, index))) {
      findings.push(dashFinding(file, index, line));
      endAt(index, index + 1);
    } else if (heads.beginsAnew(lines, index)) {
      findings.push(lostFinding(file, index));
      endAt(index, index);
      heads.beginsAnew(lines, index);
    }
  }
  endAt(lines.length, lines.length);
  return { documents, findings };
}

/** Knows which head fields the object has had, to see where the next one begins. */
class HeadFields {
  private readonly seen = new Set<string>();

  clear(): void {
    this.seen.clear();
  }

  /** Whether this line and the next begin another object: the two names come together, and both have been there. */
  beginsAnew(lines: readonly string[], index: number): boolean {
    const field = /^(apiVersion|kind|metadata|spec)[\s\u00a0]*:/.exec(lines[index]!)?.[1];
    if (field === undefined) return false;
    const other = field === 'kind' ? /^apiVersion[\s\u00a0]*:/ : /^kind[\s\u00a0]*:/;
    const isName = field === 'apiVersion' || field === 'kind';
    const isAnew = isName && this.seen.has('metadata') && this.seen.has('apiVersion') && this.seen.has('kind') && other.test(nextLine(lines, index));
    this.seen.add(field);
    return isAnew;
  }
}

/** The next line that is neither blank nor a comment. */
function nextLine(lines: readonly string[], index: number): string {
  for (let at = index + 1; at < lines.length; at++) if (!/^\s*(#|$)/.test(lines[at]!)) return lines[at]!;
  return '';
}

function dashFinding(file: string, index: number, line: string): Finding {
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

function lostFinding(file: string, index: number): Finding {
  const start = { line: index + 1, column: 1 };
  const range: TextRange = { start, end: start };
  return {
    code: 'yaml-missing-mark',
    severity: 'error',
    message: 'another object begins here, and no `---` ends the one before it',
    file,
    range,
    help: 'write `---` on a line of its own',
    edits: [{ range, text: '---\n' }],
  };
}
