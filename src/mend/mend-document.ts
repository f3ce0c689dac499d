// Mends the signs and the indentation of one YAML document; whether the result is better is for the caller to say.
import type { Finding, Severity, TextEdit } from '../base/finding.ts';
import type { FindingCode } from '../base/finding-code.ts';
import type { TextRange } from '../base/source-position.ts';
import { KINDS, shapeOfKind } from './field-shape.ts';
import { placeLines, type LinePlace } from './place-lines.ts';
import { scanDocument, type DocumentLine } from './scan-document.ts';
import type { DocumentText } from './split-documents.ts';

export interface MendOptions {
  readonly tabColumns: number;
  /** `signs`: dashes, quotes, blanks, tabs. `columns`: also lines at the wrong column. */
  readonly scope: 'signs' | 'columns';
  /** Also lost colons, dashes and quotes, commas too many, and lines that the page has broken. */
  readonly words: boolean;
}

/** One finding for each repair, with the edits that make it, both placed as if the document were the file; undefined where the columns would have to be guessed. */
export function mendDocument(document: DocumentText, options: MendOptions): Finding[] | undefined {
  const lines = scanDocument(document.lines, options);
  const places = options.scope === 'columns' ? placeLines(lines, shapeOfKind(kindOf(lines)), options) : undefined;
  if (options.scope === 'columns' && places === undefined) return undefined;
  return [...mendSigns(document, lines), ...mendIndentation(document, lines, places)];
}

/** The value of the first key `kind` that stands no deeper than any other. */
function kindOf(lines: readonly DocumentLine[]): string {
  const kinds = lines.filter((line) => line.kind === 'entry' && line.key === 'kind' && line.dashColumns.length === 0);
  const outermost = kinds.reduce<DocumentLine | undefined>((a, b) => (a === undefined || b.indentColumns < a.indentColumns ? b : a), undefined);
  const written = outermost?.value.replace(/^["']|["',]+$/g, '') ?? '';
  return KINDS.find((kind) => kind.toLowerCase() === written.toLowerCase()) ?? written;
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
  'yaml-html-sign': 'write the plain sign, and no tags',
  'yaml-full-width-sign': 'write the plain sign',
  'yaml-missing-colon': 'write a colon and a blank',
  'yaml-missing-dash': 'write `- `',
  'yaml-stray-comma': 'take the comma away',
  'yaml-unpaired-quote': 'write both quotes, or none',
  'unknown-field': 'write the field as the API does',
};

function mendSigns(document: DocumentText, lines: readonly DocumentLine[]): Finding[] {
  const findings: Finding[] = [];
  const lineEnds: TextEdit[] = [];
  for (const [index, line] of lines.entries()) {
    for (const edit of line.edits) {
      const textEdit = editOf({ index, start: edit.start, end: edit.end, text: edit.text });
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
    const edit = indentationEdit(line, places?.[index]?.column ?? line.indentColumns, places?.[index]?.insert ?? '');
    if (edit === undefined) continue;
    const cause = line.indentFault === undefined || line.kind === 'content' ? (places?.[index]?.cause ?? index) : index;
    const joined = edits.get(cause) ?? [];
    joined.push(editOf({ index, ...edit }));
    edits.set(cause, joined);
  }
  return [...edits].map(([index, lineEdits]) => placeFinding(document, lines[index]!, { index, place: places?.[index], edits: lineEdits }));
}

function placeFinding(document: DocumentText, line: DocumentLine, { index, place, edits }: { readonly index: number; readonly place: LinePlace | undefined; readonly edits: readonly TextEdit[] }): Finding {
  if (place?.insert === '- ') return finding(document, { code: 'yaml-missing-dash', message: `a dash is missing before ${nameEntry(line)}: ${place.owner} is a list`, edits });
  if (place?.insert === '# ') return finding(document, { code: 'yaml-wrapped-line', message: `\`${line.value}\` goes on from the comment in the line above`, help: 'write `# ` before it', edits });
  if (line.indentFault !== undefined) return finding(document, { ...line.indentFault, edits });
  const { range } = editOf({ index, start: line.indentLength, end: line.indentLength + entryWidth(line), text: '' });
  const blanks = place?.column ?? 0;
  const help = `indent it with ${blanks === 1 ? 'one blank' : `${blanks} blanks`}`;
  const isWrapped = line.key === undefined && line.dashColumns.length === 0;
  if (isWrapped) return finding(document, { code: 'yaml-wrapped-line', message: `\`${line.value}\` goes on from ${place?.owner ?? 'the line above'}`, help, range, edits });
  const message = `${nameEntry(line)} belongs to ${place?.owner ?? 'another object'} and stands at the wrong column`;
  return finding(document, { code: 'yaml-indentation', message, help, range, edits });
}

function indentationEdit(line: DocumentLine, column: number, insert: string): { start: number; end: number; text: string } | undefined {
  // What a text holds behind its own indentation, a tab for instance, is the author's.
  if (line.kind === 'content') {
    const shift = column - line.indentColumns;
    return shift === 0 ? undefined : { start: 0, end: Math.max(0, -shift), text: ' '.repeat(Math.max(0, shift)) };
  }
  if (line.isBlank) return undefined;
  if (column === line.indentLength && line.indentFault === undefined) return insert === '' ? undefined : { start: column, end: column, text: insert };
  return { start: 0, end: line.indentLength, text: `${' '.repeat(column)}${insert}` };
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
function editOf(at: { index: number; start: number; end: number; text: string }): TextEdit {
  const line = at.index + 1;
  return { range: { start: { line, column: at.start + 1 }, end: { line, column: at.end + 1 } }, text: at.text };
}
