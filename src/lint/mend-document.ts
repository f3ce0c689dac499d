// Mends the signs and the indentation of one YAML document; whether the result is better is for the caller to say.
import type { Finding, Severity, TextEdit } from '../base/finding.ts';
import type { FindingCode } from '../base/finding-code.ts';
import type { TextRange } from '../base/source-position.ts';
import { shapeOfKind } from './field-shape.ts';
import { placeLines, type LinePlace } from './place-lines.ts';
import { scanDocument, type DocumentLine } from './scan-document.ts';
import type { DocumentText } from './split-documents.ts';

export interface MendOptions {
  readonly tabColumns: number;
  /** `signs`: dashes, quotes, blanks, tabs. `columns`: also lines at the wrong column. */
  readonly scope: 'signs' | 'columns';
}

/** One finding for each repair, with the edits that make it; undefined where the columns would have to be guessed. */
export function mendDocument(document: DocumentText, options: MendOptions): Finding[] | undefined {
  const lines = scanDocument(document.lines, options.tabColumns);
  const places = options.scope === 'columns' ? placeLines(lines, shapeOfKind(kindOf(lines))) : undefined;
  if (options.scope === 'columns' && places === undefined) return undefined;
  return [...mendSigns(document, lines), ...mendIndentation(document, lines, places)];
}

/** The value of the first key `kind` that stands no deeper than any other. */
function kindOf(lines: readonly DocumentLine[]): string {
  const kinds = lines.filter((line) => line.kind === 'entry' && line.key === 'kind' && line.dashColumns.length === 0);
  const outermost = kinds.reduce<DocumentLine | undefined>((a, b) => (a === undefined || b.indentColumns < a.indentColumns ? b : a), undefined);
  return outermost?.value.replace(/^["']|["']$/g, '') ?? '';
}

const SEVERITIES: Partial<Record<FindingCode, Severity>> = { 'yaml-trailing-blank': 'info', 'yaml-line-end': 'info' };

/** What to do, for each kind of sign. */
const HELP: Partial<Record<FindingCode, string>> = {
  'yaml-tab': 'indent with blanks',
  'yaml-typographic-dash': 'write `- `',
  'yaml-typographic-quote': 'write straight quotes',
  'yaml-invisible-character': 'write a plain blank, or nothing',
  'yaml-missing-blank': 'write a blank',
  'yaml-trailing-blank': 'remove them',
  'yaml-line-end': 'end lines with a line feed alone',
};

function mendSigns(document: DocumentText, lines: readonly DocumentLine[]): Finding[] {
  const findings: Finding[] = [];
  const lineEnds: TextEdit[] = [];
  for (const [index, line] of lines.entries()) {
    for (const edit of line.edits) {
      const textEdit = editOf(document, { index, start: edit.start, end: edit.end, text: edit.text });
      if (edit.code === 'yaml-line-end') lineEnds.push(textEdit);
      else findings.push(finding(document, { code: edit.code, message: edit.message, edits: [textEdit] }));
    }
  }
  const first = lineEnds[0];
  if (first !== undefined) findings.push(finding(document, { code: 'yaml-line-end', message: 'lines end as on Windows', edits: lineEnds }));
  return findings;
}

/** A line that moves with one above it joins that line's finding. */
function mendIndentation(document: DocumentText, lines: readonly DocumentLine[], places: readonly LinePlace[] | undefined): Finding[] {
  const edits = new Map<number, TextEdit[]>();
  for (const [index, line] of lines.entries()) {
    const edit = indentationEdit(line, places?.[index]?.column ?? line.indentColumns);
    if (edit === undefined) continue;
    const cause = line.indentFault === undefined || line.kind === 'content' ? (places?.[index]?.cause ?? index) : index;
    const joined = edits.get(cause) ?? [];
    joined.push(editOf(document, { index, ...edit }));
    edits.set(cause, joined);
  }
  return [...edits].map(([index, lineEdits]) => {
    const line = lines[index]!;
    if (line.indentFault !== undefined) return finding(document, { ...line.indentFault, edits: lineEdits });
    const message = `${nameEntry(line)} belongs to ${places?.[index]?.owner ?? 'another object'} and stands at the wrong column`;
    const blanks = places?.[index]?.column ?? 0;
    const help = `indent it with ${blanks === 1 ? 'one blank' : `${blanks} blanks`}`;
    const { range } = editOf(document, { index, start: line.indentLength, end: line.indentLength + entryWidth(line), text: '' });
    return finding(document, { code: 'yaml-indentation', message, help, range, edits: lineEdits });
  });
}

function indentationEdit(line: DocumentLine, column: number): { start: number; end: number; text: string } | undefined {
  // What a text holds behind its own indentation, a tab for instance, is the author's.
  if (line.kind === 'content') {
    const shift = column - line.indentColumns;
    return shift === 0 ? undefined : { start: 0, end: Math.max(0, -shift), text: ' '.repeat(Math.max(0, shift)) };
  }
  if (line.isBlank || (column === line.indentLength && line.indentFault === undefined)) return undefined;
  return { start: 0, end: line.indentLength, text: ' '.repeat(column) };
}

/** From the dash or key to the end of the key, or of an item without one. */
function entryWidth(line: DocumentLine): number {
  const end = line.raw.indexOf(line.key ?? line.value, line.indentLength);
  return end < 0 ? 1 : end - line.indentLength + (line.key ?? line.value).length;
}

function nameEntry(line: DocumentLine): string {
  const name = `\`${line.key ?? line.value}\``;
  return line.dashColumns.length > 0 ? `the item ${name}` : name;
}

function finding(document: DocumentText, of: { code: FindingCode; message: string; help?: string; range?: TextRange; edits: readonly TextEdit[] }): Finding {
  const help = of.help ?? HELP[of.code];
  return {
    code: of.code,
    severity: SEVERITIES[of.code] ?? 'error',
    message: of.message,
    file: document.file,
    range: of.range ?? of.edits[0]!.range,
    ...(help === undefined ? {} : { help }),
    edits: of.edits,
  };
}

/** `start` and `end` count from 0 within the line, as in `SignEdit`. */
function editOf(document: DocumentText, at: { index: number; start: number; end: number; text: string }): TextEdit {
  const line = document.firstLine + at.index;
  return { range: { start: { line, column: at.start + 1 }, end: { line, column: at.end + 1 } }, text: at.text };
}
