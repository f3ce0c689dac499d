// Repairs YAML that was copied from a web page: dashes, quotes, blanks, tabs, line ends, and lines at the wrong column.
import { hasErrors, sortFindings, type Finding } from '../base/finding.ts';
import type { FindingCode } from '../base/finding-code.ts';
import { applyEdits, editsOf } from './apply-edits.ts';
import { extractManifests } from './extract-manifests.ts';
import { mendDocument, type MendOptions } from './mend-document.ts';
import { readText, type TextReading } from './read-text.ts';
import { splitDocuments, type DocumentText } from './split-documents.ts';
import { lintClaims } from './text-claims.ts';

export interface Repair {
  /**
   * The text after the repair. Of prose with fenced manifests, the manifests alone: on the lines where they stand in
   * the file, so that positions agree; lines of prose are empty, and `---` stands in place of each opening fence.
   */
  readonly text: string;
  /** Each repair by name, with the edits of the file that make it; and what the prose beside a manifest says wrongly. */
  readonly findings: readonly Finding[];
  readonly isChanged: boolean;
}

/** Longer texts are not repaired: nobody copies as much from a page. UTF-16 units. */
export const REPAIR_LENGTH_MAX: number = 4 * 1024 * 1024;

/**
 * Takes a document only where it cannot be read as it is, and keeps a repair only if the result can: it parses, and
 * no field stands where it is not known. A line that could belong to two places is not moved. Never throws.
 */
export function repairText(file: string, text: string): Repair {
  if (text.length > REPAIR_LENGTH_MAX) return { text, findings: [], isChanged: false };
  const manifests = extractManifests(text);
  const source = manifests ?? text;
  const claims = (reading: TextReading): Finding[] => (manifests === undefined ? [] : lintClaims(file, text, reading.policies));
  const before = readText(file, source);
  if (!hasErrors(before.findings) || /^\s*\{/.test(source)) return { text: source, findings: sortFindings(claims(before)), isChanged: false };
  const { documents, findings: marks } = splitDocuments(file, source);
  const mended = [...marks, ...documents.flatMap(repairDocument)];
  const repaired = applyEdits(source, editsOf(mended));
  const after = readText(file, repaired);
  if (repaired === source || !isBetter(before, after)) return { text: source, findings: sortFindings(claims(before)), isChanged: false };
  return { text: repaired, findings: sortFindings([...mended, ...claims(after)]), isChanged: true };
}

/** Signs alone before columns as well: the least repair that helps is taken. A tab is as wide as makes sense of the columns. */
const ATTEMPTS: readonly MendOptions[] = [
  { scope: 'signs', tabColumns: 2 },
  { scope: 'columns', tabColumns: 2 },
  { scope: 'signs', tabColumns: 4 },
  { scope: 'columns', tabColumns: 4 },
  { scope: 'signs', tabColumns: 8 },
  { scope: 'columns', tabColumns: 8 },
];

/** The first attempt that leaves no error; else the first after which the text is understood, value errors apart; else what signs alone better. */
function repairDocument(document: DocumentText): readonly Finding[] {
  const text = document.lines.join('\n');
  const before = readText(document.file, text);
  if (!hasErrors(before.findings)) return [];
  let understood: readonly Finding[] | undefined;
  let bettered: readonly Finding[] | undefined;
  for (const attempt of ATTEMPTS) {
    if (attempt.tabColumns > 2 && !text.includes('\t')) break;
    const findings = mendDocument(document, attempt);
    if (findings === undefined || !hasErrors(findings)) continue;
    const edits = editsOf(findings).map((edit) => ({ ...edit, range: shiftLines(edit.range, 1 - document.firstLine) }));
    const after = readText(document.file, applyEdits(text, edits));
    if (!isBetter(before, after)) continue;
    if (!hasErrors(after.findings)) return findings;
    if (!hasFaults(after)) understood ??= findings;
    else if (attempt.scope === 'signs') bettered ??= findings;
  }
  return understood ?? bettered ?? [];
}

function shiftLines(range: DocumentRange, lines: number): DocumentRange {
  const shift = ({ line, column }: DocumentRange['start']): DocumentRange['start'] => ({ line: line + lines, column });
  return { start: shift(range.start), end: shift(range.end) };
}

type DocumentRange = NonNullable<Finding['range']>;

/** What wrong signs and columns lead to, beside errors of the parser: fields in places where they are not known. */
const STRUCTURE_CODES: ReadonlySet<FindingCode> = new Set(['unknown-field', 'wrong-type', 'missing-name', 'missing-kind', 'missing-spec', 'empty-peer', 'mixed-peer', 'no-objects']);

function isUnparsed({ code, severity }: Finding): boolean {
  return severity === 'error' && (code.startsWith('yaml-') || code === 'json-syntax');
}

function hasFaults({ findings }: TextReading): boolean {
  return findings.some((finding) => isUnparsed(finding) || (finding.severity === 'error' && STRUCTURE_CODES.has(finding.code)));
}

/** More documents parse, or all that did and with fewer errors; never at the price of another document. */
function isBetter(before: TextReading, after: TextReading): boolean {
  const unparsed = count(after, isUnparsed) - count(before, isUnparsed);
  return unparsed < 0 || (unparsed === 0 && count(after, isError) < count(before, isError));
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

function count({ findings }: TextReading, test: (finding: Finding) => boolean): number {
  return findings.filter(test).length;
}
