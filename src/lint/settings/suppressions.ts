// Comments that let a finding be, and why: `# bulkhead: ignore CODE -- reason`.
import { Lexer } from 'yaml';
import { FINDING_CODES } from '../../base/finding-code.ts';
import type { Finding, TextEdit } from '../../base/finding.ts';
import { nearestWord } from '../../base/near-miss.ts';
import { lineStarts, positionAt, type TextRange } from '../../base/source-position.ts';
import { SUPPRESSION_MARK } from './suppression-mark.ts';

export interface Suppression {
  readonly file: string;
  /** Of the comment. */
  readonly range: TextRange;
  readonly codes: readonly string[];
  /** undefined: none is given, and then it suppresses nothing. */
  readonly reason: string | undefined;
  /** Lines whose findings it lets be, both inclusive, from 1. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Whether anything but the comment stands on its line. */
  readonly isTrailing: boolean;
}

/** Comments read of one text; of more, the findings stay. */
const COMMENTS_MAX = 1_000;

const COMMENT = /^#\s*bulkhead: ignore\b(.*)$/;

/**
 * Behind something, a comment is about its line; alone in a line, about what begins below it: a field or an item with
 * all that is in it, and before the first line of a document all of that. Throws for no text whatever.
 */
export function readSuppressions(file: string, text: string): Suppression[] {
  if (!text.includes(SUPPRESSION_MARK)) return [];
  const starts = lineStarts(text);
  const lines = text.split(/\r?\n/);
  const comments = documentsOf(text).filter((document) => document.text.includes(SUPPRESSION_MARK)).flatMap(commentsOf);
  return comments.filter(({ comment }) => COMMENT.test(comment)).slice(0, COMMENTS_MAX).map(({ start, comment }) => {
    const words = COMMENT.exec(comment)!; // it was just found
    const range: TextRange = { start: positionAt(starts, start), end: positionAt(starts, start + comment.length) };
    const [codes, reason] = splitOnce(words[1]!, '--');
    const isTrailing = lines[range.start.line - 1]!.slice(0, range.start.column - 1).trim() !== '';
    const extent = isTrailing ? { firstLine: range.start.line, lastLine: range.start.line } : extentBelow(lines, range.start.line);
    return { file, range, codes: codes.split(/[\s,]+/).filter((code) => code !== ''), reason: reason.trim() === '' ? undefined : reason.trim(), isTrailing, ...extent };
  });
}

interface Part {
  readonly text: string;
  /** Offset in the whole. */
  readonly start: number;
}

/** Cut at `---`, which ends a document wherever it begins a line: only those with a comment are taken apart. */
function documentsOf(text: string): Part[] {
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index).filter((index) => index > 0)];
  return starts.map((start, at) => ({ text: text.slice(start, starts[at + 1]), start }));
}

interface Comment {
  /** Offset in the text. */
  readonly start: number;
  readonly comment: string;
}

/** As YAML cuts the text: a `#` inside quotes or a block of text is no comment. */
function commentsOf(part: Part): Comment[] {
  const comments: Comment[] = [];
  let { start } = part;
  let isScalar = false;
  for (const token of new Lexer().lex(part.text)) {
    // The lexer's marks for a document, the end of a flow collection and a scalar stand for no text.
    if (token === '\u0002' || token === '\u0018' || token === '\u001f') {
      isScalar = token === '\u001f';
      continue;
    }
    if (!isScalar && token.startsWith('#')) comments.push({ start, comment: token.trimEnd() });
    isScalar = false;
    start += token.length;
  }
  return comments;
}

function splitOnce(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** `line` from 1. Nothing below it: its own line. */
function extentBelow(lines: readonly string[], line: number): { readonly firstLine: number; readonly lastLine: number } {
  const isContent = (text: string): boolean => !/^\s*(#|$)/.test(text);
  let first = line;
  while (first < lines.length && !isContent(lines[first]!)) first++;
  const text = lines[first];
  if (text === undefined || isMark(text)) return { firstLine: line, lastLine: line };
  let above = line - 2;
  while (above >= 0 && !isContent(lines[above]!)) above--;
  const isDocument = indentOf(text) === 0 && (above < 0 || isMark(lines[above]!));
  const isItem = /^\s*-(\s|$)/.test(text);
  let last = first;
  for (let at = first + 1; at < lines.length && !isMark(lines[at]!); at++) {
    if (!isContent(lines[at]!)) continue;
    const isBelow = indentOf(lines[at]!) > indentOf(text) || (!isItem && indentOf(lines[at]!) === indentOf(text) && /^\s*-(\s|$)/.test(lines[at]!));
    if (!isBelow && !isDocument) break;
    last = at;
  }
  return { firstLine: first + 1, lastLine: last + 1 };
}

function isMark(text: string): boolean {
  return /^(---|\.\.\.)(\s|$)/.test(text);
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** The findings that are left, with those about the suppressions themselves. An error is never let be: every other verb stops at it. */
export function suppressFindings(findings: readonly Finding[], suppressions: readonly Suppression[]): Finding[] {
  const used = new Set<Suppression>();
  const left = findings.filter((finding) => {
    const own = finding.severity === 'error' ? undefined : suppressions.find((suppression) => covers(suppression, finding));
    if (own !== undefined) used.add(own);
    return own?.reason === undefined;
  });
  return [...left, ...suppressions.flatMap((suppression) => aboutSuppression(suppression, used.has(suppression)))];
}

function covers({ file, codes, firstLine, lastLine }: Suppression, finding: Finding): boolean {
  const line = finding.range?.start.line ?? 0;
  return finding.file === file && firstLine <= line && line <= lastLine && codes.includes(finding.code);
}

function aboutSuppression(suppression: Suppression, isUsed: boolean): Finding[] {
  const { file, range, codes, reason } = suppression;
  const known: readonly string[] = FINDING_CODES;
  const unknown = codes.filter((code) => !known.includes(code)).map((code): Finding => {
    const near = nearestWord(code, known);
    return { code: 'suppression-unknown-code', severity: 'warning', message: `\`${code}\` is no code of a finding, so nothing is ignored by it`, file, range, help: near === undefined ? 'the codes stand in docs/reference/findings.md' : `did you mean \`${near}\`?` };
  });
  if (codes.length === 0) return [{ code: 'suppression-unknown-code', severity: 'warning', message: 'the comment names no finding to ignore', file, range, help: 'write `# bulkhead: ignore CODE -- reason`' }];
  if (unknown.length === codes.length) return unknown;
  if (reason === undefined) return [...unknown, { code: 'suppression-without-reason', severity: 'warning', message: `\`${codes.join(', ')}\` is ignored without a reason, so it is still shown`, file, range, help: 'write the reason behind `--`' }];
  if (isUsed) return unknown;
  return [...unknown, { code: 'suppression-unused', severity: 'warning', message: `nothing here is found as \`${codes.join(', ')}\`, so there is nothing to ignore`, file, range, help: 'take the comment away; errors cannot be ignored', edits: [removal(suppression)] }];
}

/** With its line, where it stands alone. */
function removal({ range, isTrailing }: Suppression): TextEdit {
  const { line } = range.start;
  return { range: isTrailing ? range : { start: { line, column: 1 }, end: { line: line + 1, column: 1 } }, text: '' };
}
