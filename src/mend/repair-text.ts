// Repairs YAML that was copied from a web page: dashes, quotes, blanks, tabs, line ends, lines at the wrong column, and what the page has put around them.
import { hasErrors, sortFindings, type Finding } from '../base/finding.ts';
import type { FindingCode } from '../base/finding-code.ts';
import type { TextRange } from '../base/source-position.ts';
import { applyEdits, editsOf, moveFinding, placeBefore } from './apply-edits.ts';
import { extractManifests, findManifestBlocks, type ManifestBlock } from './extract-manifests.ts';
import { mendDocument, type MendOptions } from './mend-document.ts';
import { findPasteLines, type PasteLine } from './paste-lines.ts';
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
  const blocks = findManifestBlocks(text);
  const source = blocks.length === 0 ? text : extractManifests(text, blocks);
  const before = readText(file, source);
  const isMendable = hasErrors(before.findings) && !/^\s*\{/.test(source);
  for (const paste of isMendable ? pastesOf(source) : []) {
    const mended = mendLines(file, source, paste);
    const edits = editsOf(mended);
    const repaired = applyEdits(source, edits);
    const after = readText(file, repaired);
    if (repaired === source || !isBetter(before, after)) continue;
    const claimed = blocks.length > 0 ? blocks : bareBlocks(source, paste);
    const claims = lintClaims(file, text, { blocks: claimed, policies: after.policies, placeOf: placeBefore(source, edits) });
    return { text: repaired, findings: sortFindings([...mended, ...claims]), isChanged: true };
  }
  return { text: source, findings: lintClaims(file, text, { blocks, policies: before.policies, placeOf: (position) => position }), isChanged: false };
}

type Paste = readonly (PasteLine | undefined)[];

/** The lines without what the page has put around them, where it has; else, or when that does not help, as they are. */
function pastesOf(source: string): readonly Paste[] {
  const paste = findPasteLines(source.split('\n'));
  return paste.some((line) => line !== undefined) ? [paste, []] : [[]];
}

/** Manifests between sentences without any fence. */
function bareBlocks(source: string, paste: Paste): readonly ManifestBlock[] {
  const lines = source.split('\n');
  const isManifest = lines.map((line, index) => line.trim() !== '' && (paste[index]?.code !== 'pasted-line' || paste[index].length === 0));
  const start = isManifest.indexOf(true);
  const end = isManifest.lastIndexOf(true) + 1;
  return start < 0 || paste.length === 0 ? [] : [{ start, end, outer: { start, end } }];
}

function mendLines(file: string, source: string, paste: Paste): readonly Finding[] {
  const lines = source.split('\n').map((line, index) => line.slice(paste[index]?.length ?? 0));
  const { documents, findings: marks } = splitDocuments(file, lines);
  const mended = documents.flatMap((document) => repairDocument(document).map((finding) => moveFinding(finding, ({ line, column }) => ({ line: line + document.firstLine - 1, column }))));
  const placed = [...marks, ...mended].map((finding) => moveFinding(finding, ({ line, column }) => ({ line, column: column + (paste[line - 1]?.length ?? 0) })));
  return [...pasteFindings(file, paste), ...placed];
}

const PASTE_HELP: Partial<Record<FindingCode, string>> = {
  'pasted-prefix': 'take it away from each line',
  'pasted-line': 'take the line away',
  'yaml-html-sign': 'write the plain sign, and no tags',
};

/** Prefixes of one kind are one finding, at the first of them. */
function pasteFindings(file: string, paste: Paste): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const [index, found] of paste.entries()) {
    if (found === undefined) continue;
    const line = index + 1;
    const range: TextRange = { start: { line, column: 1 }, end: { line, column: found.length + 1 } };
    const key = found.code === 'pasted-prefix' ? found.message : `${line}`;
    const known = findings.get(key);
    const edits = [...(known?.edits ?? []), { range, text: '' }];
    findings.set(key, known === undefined ? { code: found.code, severity: 'error', message: found.message, file, range, help: PASTE_HELP[found.code]!, edits } : { ...known, edits });
  }
  return [...findings.values()];
}

/** The least repair that helps is taken: signs before columns, words last. A tab is as wide as makes sense of the columns. */
const ATTEMPTS: readonly MendOptions[] = [false, true].flatMap((words) => [2, 4, 8].flatMap((tabColumns): MendOptions[] => [{ scope: 'signs', tabColumns, words }, { scope: 'columns', tabColumns, words }]));

/** Without one of them no repair makes an object. */
const NAMES_KIND = /apiVersion|kind/i;

/**
 * The first attempt that leaves no error; else the first after which the text is understood, value errors apart; else
 * what signs alone better. Places are those of the document.
 */
function repairDocument(document: DocumentText): readonly Finding[] {
  const text = document.lines.join('\n');
  if (!NAMES_KIND.test(text)) return [];
  const before = readText(document.file, text);
  if (!hasErrors(before.findings)) return [];
  let understood: readonly Finding[] | undefined;
  let bettered: readonly Finding[] | undefined;
  for (const attempt of ATTEMPTS) {
    if (attempt.tabColumns > 2 && !text.includes('\t')) continue;
    const findings = mendDocument(document, attempt);
    if (findings === undefined || !hasErrors(findings)) continue;
    const after = readText(document.file, applyEdits(text, editsOf(findings)));
    if (!isBetter(before, after)) continue;
    if (!hasErrors(after.findings)) return findings;
    if (!hasFaults(after)) understood ??= findings;
    else if (attempt.scope === 'signs') bettered ??= findings;
  }
  return understood ?? bettered ?? [];
}

/** What wrong signs and columns lead to, beside errors of the parser: fields in places where they are not known. */
const STRUCTURE_CODES: ReadonlySet<FindingCode> = new Set(['unknown-field', 'wrong-type', 'missing-name', 'missing-kind', 'missing-spec', 'empty-peer', 'mixed-peer', 'no-objects']);

function isUnparsed({ code, severity }: Finding): boolean {
  return severity === 'error' && (code.startsWith('yaml-') || code === 'json-syntax');
}

function hasFaults({ findings }: TextReading): boolean {
  return findings.some((finding) => isUnparsed(finding) || (finding.severity === 'error' && STRUCTURE_CODES.has(finding.code)));
}

/** More documents parse, or all that did and with fewer errors; never at the price of another document, nor by a rule that opens. */
function isBetter(before: TextReading, after: TextReading): boolean {
  if (countEmptied(after.text) > countEmptied(before.text)) return false;
  const unparsed = count(after, isUnparsed) - count(before, isUnparsed);
  return unparsed < 0 || (unparsed === 0 && count(after, isError) < count(before, isError));
}

/** A rule or selector with nothing behind it means everybody, every port or every pod: no repair may leave one behind. */
function countEmptied(text: string): number {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  return lines.filter((line, at) => {
    const column = /^(\s*(?:-\s+)*)(?:from|to|ports|except|podSelector|namespaceSelector|matchLabels|matchExpressions):\s*(?:#.*)?$/.exec(line)?.[1]!.length;
    if (column === undefined) return false;
    const next = lines[at + 1] ?? '';
    const indent = next.length - next.trimStart().length;
    // Words that are neither key nor item may be meant to stand there.
    if (next !== '' && !/^\s*(?:-|\.\.\.|["']?[\w./-]+["']?\s*:)/.test(next)) return false;
    return indent < column || (indent === column && !next.trimStart().startsWith('-'));
  }).length;
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

function count({ findings }: TextReading, test: (finding: Finding) => boolean): number {
  return findings.filter(test).length;
}
