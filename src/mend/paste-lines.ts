// Finds what a page has put before and around the lines of a manifest: numbers, prompts, signs of quotation, commands, sentences.
import type { FindingCode } from '../base/finding-code.ts';
import { endsHeredoc, heredocWord } from './extract-manifests.ts';
import { KNOWN_FIELDS } from './field-shape.ts';

export interface PasteLine {
  /** How many signs at the start of the line belong to the page; all of them where the line does. */
  readonly length: number;
  readonly code: FindingCode;
  readonly message: string;
}

const HEAD_FIELD = /^[\s\u00a0]*["'\u201c\u2018]?(?:apiVersion|kind|metadata)["'\u201d\u2019]?[\s\u00a0]*[:\uff1a]?(?=\s|$|[\u00a0"\u201c])|^[\s\u00a0]*(?:apiVersion|kind):/i;

/** One entry for each line, undefined where nothing of it belongs to the page. */
export function findPasteLines(lines: readonly string[]): readonly (PasteLine | undefined)[] {
  const paste: (PasteLine | undefined)[] = lines.map((line) => commandLine(line));
  dropHeredocEnds(lines, paste);
  for (let round = 0; round < ROUNDS_MAX && addPrefix(lines, paste); round++);
  addTags(lines, paste);
  addSentences(lines, paste);
  keepBehindOpenFields(lines, paste);
  return paste;
}

/** A listing with numbers may quote a terminal; nobody nests deeper. */
const ROUNDS_MAX = 3;

function rest(line: string, paste: PasteLine | undefined): string {
  return line.slice(paste?.length ?? 0);
}

function whole(line: string, message: string): PasteLine {
  return { length: line.replace(/\r$/, '').length, code: 'pasted-line', message };
}

const COMMAND = /^\s*(?:[$%]\s+\S|(?:sudo\s+)?(?:kubectl|oc|cat|tee|vi|vim|nano|helm|curl)\s+[^:]*(?:\s-|<|>|\.ya?ml|$))/;
const ANSWER = /^\s*[a-z0-9.-]+\/[a-z0-9.-]+ (?:serverside-applied|created|configured|unchanged|deleted)\b/;
const BUTTON = /^\s*(?:yaml|yml|copy|copy code|code language: .*)\s*$/i;
const FENCE = /^\s*(?:`{3,}|~{3,})\s*[\w-]*\s*$/;
const TAGS = /^\s*(?:<\/?[a-z][a-z0-9]*(?:\s[^<>]*)?>\s*)+$/i;
/** Behind `...` the rest of the document is not read, so as the last line it may stay. */
const DOTS = /^\s*(?:-\s+)?(?:\.\.\.|\u2026|\[(?:\.\.\.|\u2026)\]|<snip>)\s*$/;

function commandLine(line: string): PasteLine | undefined {
  if (ANSWER.test(line)) return whole(line, 'the line is an answer of kubectl, not a part of the manifest');
  if (COMMAND.test(line) && !/^\s*[$%]\s+\{/.test(line)) return whole(line, 'the line is a command, not a part of the manifest');
  if (FENCE.test(line)) return whole(line, 'the line is a fence of Markdown, not a part of the manifest');
  if (BUTTON.test(line)) return whole(line, 'the line is a label of the page, not a part of the manifest');
  if (TAGS.test(line)) return whole(line, 'the line holds tags of HTML, not a part of the manifest');
  return undefined;
}


/** The word that ends a heredoc, perhaps behind the prompt `>` of the shell. */
function dropHeredocEnds(lines: readonly string[], paste: (PasteLine | undefined)[]): void {
  let word: string | undefined;
  for (const [index, line] of lines.entries()) {
    if (paste[index] !== undefined) word = heredocWord(line) ?? word;
    else if (word !== undefined && endsHeredoc(line, word)) {
      paste[index] = whole(line, 'the line ends a heredoc of the shell, it is no part of the manifest');
      word = undefined;
    }
  }
}

/** Lengths of the prefix of each line, where all lines that are not blank have one. */
type Prefixes = readonly (number | undefined)[];

interface PrefixKind {
  readonly message: string;
  readonly find: (lines: readonly string[]) => Prefixes | undefined;
}

const PREFIX_KINDS: readonly PrefixKind[] = [
  { message: 'a number of the listing stands before the line', find: findNumbers },
  { message: 'a sign of quotation or a prompt (`>`) stands before the line', find: (lines) => findSign(lines, /^\s?>[ ]?/) },
  { message: 'a `+` of a patch stands before the line', find: (lines) => findSign(lines, /^\+/) },
  { message: 'a line of the frame stands before the line', find: (lines) => findSign(lines, /^\s?[|\u2502][ ]?/) },
];

/** Adds one kind of prefix to the lines; false where none is found. */
function addPrefix(lines: readonly string[], paste: (PasteLine | undefined)[]): boolean {
  const kept = lines.flatMap((line, index) => (isDropped(line, paste[index]) || rest(line, paste[index]).trim() === '' ? [] : [index]));
  const span = manifestSpan(kept, lines, paste);
  const texts = span.map((index) => rest(lines[index]!, paste[index]));
  for (const { message, find } of PREFIX_KINDS) {
    const lengths = texts.length < PREFIXED_LINES_MIN ? undefined : find(texts);
    if (lengths === undefined) continue;
    for (const [at, index] of span.entries()) {
      const length = lengths[at]!;
      if (length > 0) paste[index] = { length: (paste[index]?.length ?? 0) + length, code: 'pasted-prefix', message: paste[index]?.message ?? message };
    }
    return true;
  }
  return false;
}

/** Fewer lines show no pattern. */
const PREFIXED_LINES_MIN = 3;

/** The lines from the first that names a head field, whatever stands before it in its line, and those right behind. */
function manifestSpan(kept: readonly number[], lines: readonly string[], paste: readonly (PasteLine | undefined)[]): readonly number[] {
  const isHead = (index: number): boolean => /^.{0,12}\b(?:apiVersion|kind)\s*["\u201d]?[:\uff1a]/i.test(rest(lines[index]!, paste[index]));
  const first = kept.findIndex(isHead);
  if (first < 0) return [];
  // Sentences around a quotation have no prefix; what is like the first line is the manifest.
  const sign = rest(lines[kept[first]!]!, paste[kept[first]!]).trimStart()[0]!;
  const isAlike = (index: number): boolean => /\d/.test(sign) ? /^\s*\d/.test(rest(lines[index]!, paste[index])) : rest(lines[index]!, paste[index]).trimStart().startsWith(sign);
  if (!/[\d>+|\u2502]/.test(sign)) return [];
  return kept.filter(isAlike);
}

function isDropped(line: string, paste: PasteLine | undefined): boolean {
  return paste !== undefined && paste.code === 'pasted-line' && paste.length >= line.replace(/\r$/, '').length;
}

function findSign(lines: readonly string[], pattern: RegExp): Prefixes | undefined {
  const lengths = lines.map((line) => pattern.exec(line)?.[0].length);
  return lengths.every((length) => length !== undefined) ? lengths : undefined;
}

const NUMBER = /^(\s*)(\d{1,4})([.):|]?)(\s*)/;

/** Numbers that count up by one; blank lines of the listing may carry a number alone. */
function findNumbers(lines: readonly string[]): Prefixes | undefined {
  const found = lines.map((line) => NUMBER.exec(line));
  if (!found.every((match) => match !== null)) return undefined;
  const counts = found.every((match, at) => at === 0 || Number(match[2]) > Number(found[at - 1]![2]) && Number(match[2]) - Number(found[at - 1]![2]) <= 2);
  if (!counts) return undefined;
  const ends = found.map((match) => match[1]!.length + match[2]!.length + match[3]!.length);
  const starts = found.map((match) => match[0].length);
  // Other prefixes may stand behind the number.
  const isHead = (text: string): boolean => HEAD_FIELD.test(text) || /^spec\b/.test(text);
  const heads = lines.flatMap((line, at) => (isHead(line.slice(starts[at]).replace(/^[>+|\u2502\s]*/, '')) ? [at] : []));
  const isColumn = new Set(heads.map((at) => starts[at])).size === 1;
  const column = Math.min(...heads.map((at) => starts[at]!));
  const gap = Math.min(...heads.map((at) => starts[at]! - ends[at]!));
  if (heads.length === 0) return undefined;
  return lines.map((line, at) => Math.min(isColumn ? column : ends[at]! + gap, starts[at]!, line.length));
}

/** Tags before the first word of a line, as `<pre><code>` before `apiVersion`. */
function addTags(lines: readonly string[], paste: (PasteLine | undefined)[]): void {
  for (const [index, line] of lines.entries()) {
    if (paste[index] !== undefined) continue;
    const tags = /^(?:<(?:pre|code|div|p|span)(?:\s[^<>]*)?>)+/i.exec(line);
    if (tags !== null) paste[index] = { length: tags[0].length, code: 'yaml-html-sign', message: 'tags of HTML stand before the line' };
  }
}

/** Dots that stand for lines left out, and sentences before the first line of a manifest and behind its last. */
function addSentences(lines: readonly string[], paste: (PasteLine | undefined)[]): void {
  const texts = lines.map((line, index) => rest(line, paste[index]));
  const firstHead = texts.findIndex((text) => HEAD_FIELD.test(text));
  if (firstHead < 0) return;
  let isBehind = true;
  for (let index = lines.length - 1; index >= 0; index--) {
    const text = texts[index]!;
    if (paste[index] !== undefined || text.trim() === '' || /^\s*#/.test(text)) continue;
    if (DOTS.test(text) && mayLeaveOut(texts, index)) paste[index] = whole(lines[index]!, 'dots stand where the page has left lines out');
    else if ((index < firstHead || isBehind) && isSentence(text)) paste[index] = whole(lines[index]!, 'the line is a sentence, not a part of the manifest');
    else if (!text.startsWith('---')) isBehind = false;
  }
}

/** What stands behind a field without a value may be its value: the field is not left empty, for empty may mean everybody. */
function keepBehindOpenFields(lines: readonly string[], paste: (PasteLine | undefined)[]): void {
  let isOpen = false;
  for (const [index, line] of lines.entries()) {
    const text = rest(line, paste[index]);
    if (isOpen && paste[index]?.code === 'pasted-line') paste[index] = undefined;
    else if (!/^\s*(#|$)/.test(text)) isOpen = /:\s*(?:#.*)?$/.test(text);
  }
}

/** At least three words, at the margin, that are no entry of a list or map and name no field. */
function isSentence(text: string): boolean {
  if (!/^["'\u2018\u201c(`*]*\p{L}/u.test(text) || HEAD_FIELD.test(text) || /^[\w./-]+\s*[:\uff1a]/.test(text)) return false;
  const fields = [...text.matchAll(/(\w+)["']?\s*[:\uff1a]/g)].map((match) => match[1]!);
  return !fields.some((field) => KNOWN_FIELDS.has(field)) && text.trim().split(/\s+/).length >= 3;
}

/** Dots may stand for what narrows a rule or a selector: there they stay an error, and so where nothing else would be left. */
function mayLeaveOut(texts: readonly string[], index: number): boolean {
  let column = indentOf(texts[index]!);
  let isFirst = true;
  for (let at = index - 1; at >= 0; at--) {
    const text = texts[at]!;
    if (/^\s*(#|$)/.test(text)) continue;
    if (isFirst && /:\s*$/.test(text)) return false;
    isFirst = false;
    if (indentOf(text) >= column) continue;
    if (NARROWED.test(text)) return false;
    column = indentOf(text);
  }
  return true;
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

const NARROWED = /\b(?:podSelector|namespaceSelector|matchLabels|matchExpressions|values|except|ipBlock|from|to|ports)\s*:/;
