// Reads one line of broken YAML as its author meant it: indentation, dashes, key, value, and the signs to mend.
import type { FindingCode } from '../base/finding-code.ts';
import { pushSign, type CleanText, type SignEdit } from './clean-text.ts';
import { KNOWN_FIELDS } from './field-shape.ts';
import { readForeignSign } from './foreign-sign.ts';
import { mendValueEnd, mendWords } from './scan-words.ts';

export interface ScannedLine {
  readonly raw: string;
  /** How many signs of `raw` are indentation, and how many columns they stand for. */
  readonly indentLength: number;
  readonly indentColumns: number;
  /** What is wrong with the signs of the indentation themselves, a tab for instance. */
  readonly indentFault: { readonly code: FindingCode; readonly message: string } | undefined;
  /** Columns behind the indentation at which list dashes stand, and the entry behind them. */
  readonly dashColumns: readonly number[];
  readonly entryColumn: number;
  readonly key: string | undefined;
  /** The value behind the key, or the whole entry where there is no key; without comment and outer blanks. */
  readonly value: string;
  readonly isBlank: boolean;
  readonly isComment: boolean;
  /** Whether a comment ends the line. */
  readonly hasComment: boolean;
  readonly edits: readonly SignEdit[];
}

export interface ScanOptions {
  /** How many columns a tab in the indentation stands for. */
  readonly tabColumns: number;
  /** Whether the line stands below `labels` or `matchLabels`, where any `key:value` lacks its blank. */
  readonly isLabel: boolean;
  /** Whether it stands below `annotations`, where values are sentences. */
  readonly isNote: boolean;
  /** Whether words are mended too: colons, commas, quotes and capitals of known fields. */
  readonly words: boolean;
}

/** Blanks that YAML does not take for blanks. */
const ODD_BLANKS = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/;
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/;
const DASHES: Readonly<Record<string, string>> = {
  '\u2010': 'a hyphen',
  '\u2011': 'a non-breaking hyphen',
  '\u2012': 'a figure dash',
  '\u2013': 'an en dash',
  '\u2014': 'an em dash',
  '\u2015': 'a horizontal bar',
  '\u2212': 'a minus sign',
  '\u2022': 'a bullet',
  '\u00b7': 'a middle dot',
};
const DOUBLE_QUOTES = '\u201c\u201d\u201e\u201f';
const SINGLE_QUOTES = '\u2018\u2019\u201a\u201b';

export function scanLine(raw: string, options: ScanOptions): ScannedLine {
  const edits: SignEdit[] = [];
  const indent = scanIndentation(raw, options.tabColumns);
  const end = scanTrailing(raw, indent.length, edits);
  const isComment = raw[indent.length] === '#';
  const head = { raw, indentLength: indent.length, indentColumns: indent.columns, indentFault: indent.fault };
  if (isComment || indent.length >= end) {
    return { ...head, dashColumns: [], entryColumn: 0, key: undefined, value: '', isBlank: !isComment, isComment, hasComment: isComment, edits };
  }
  const text = readText(raw, { start: indent.length, end }, edits);
  const dashColumns: number[] = [];
  let at = 0;
  for (let dash = readDash(text, at, edits); dash !== undefined; dash = readDash(text, at, edits)) {
    dashColumns.push(dash.column);
    at = dash.next;
  }
  const entryColumn = dashColumns.length === 0 ? 0 : Math.max(at, dashColumns[dashColumns.length - 1]! + 2);
  const entry = readEntry(text, at, { edits, options, hasDash: dashColumns.length > 0 });
  return { ...head, dashColumns, entryColumn, ...entry, isBlank: false, isComment: false, hasComment: text.hasComment, edits };
}

function scanIndentation(raw: string, tabColumns: number): { length: number; columns: number; fault: ScannedLine['indentFault'] } {
  let columns = 0;
  let length = 0;
  let fault: ScannedLine['indentFault'];
  for (; length < raw.length; length++) {
    const sign = raw[length]!;
    if (sign === ' ') columns++;
    else if (sign === '\t') {
      columns += tabColumns - (columns % tabColumns);
      fault = { code: 'yaml-tab', message: 'a tab stands in the indentation, where YAML allows blanks only' };
    } else if (ODD_BLANKS.test(sign)) {
      columns++;
      fault ??= { code: 'yaml-invisible-character', message: `${nameSign(sign)} stands in the indentation in place of a blank` };
    } else if (INVISIBLE.test(sign)) {
      fault ??= { code: 'yaml-invisible-character', message: `the invisible sign ${nameSign(sign)} stands in the indentation` };
    } else {
      const foreign = readForeignSign(raw, length);
      if (foreign?.sign !== ' ') break;
      columns++;
      length = foreign.end - 1;
      fault ??= { code: foreign.code, message: `${foreign.name} stands in the indentation in place of a blank` };
    }
  }
  return { length, columns, fault };
}

/** Records what stands behind the last visible sign; gives the offset where that begins. */
function scanTrailing(raw: string, from: number, edits: SignEdit[]): number {
  let lineEnd = raw.length;
  if (raw.endsWith('\r')) {
    lineEnd--;
    edits.push({ code: 'yaml-line-end', message: 'lines end as on Windows', start: lineEnd, end: raw.length, text: '' });
  }
  let end = lineEnd;
  while (end > 0 && (raw[end - 1] === ' ' || raw[end - 1] === '\t' || ODD_BLANKS.test(raw[end - 1]!) || INVISIBLE.test(raw[end - 1]!))) end--;
  const message = end < from ? 'blanks stand in an empty line' : 'blanks stand behind the end of the line';
  if (end < lineEnd) edits.push({ code: 'yaml-trailing-blank', message, start: end, end: lineEnd, text: '' });
  return end;
}

function readText(raw: string, range: { start: number; end: number }, edits: SignEdit[]): CleanText {
  const text: CleanText = { raw, signs: [], places: [], ends: [], start: range.start, hasComment: false };
  let quote = '';
  for (let at = range.start; at < range.end; at++) {
    const sign = raw[at]!;
    if (quote === '' && sign === '#' && isBlankSign(raw[at - 1] ?? ' ')) {
      text.hasComment = true;
      break;
    }
    if (quote !== '') {
      if (sign === quote) quote = '';
    } else if ((sign === '"' || sign === "'") && startsToken(text.signs)) {
      quote = sign;
    } else if (ODD_BLANKS.test(sign)) {
      edits.push({ code: 'yaml-invisible-character', message: `${nameSign(sign)} stands in place of a blank`, start: at, end: at + 1, text: ' ' });
      pushSign(text, ' ', at, at + 1);
      continue;
    } else if (INVISIBLE.test(sign)) {
      edits.push({ code: 'yaml-invisible-character', message: `the invisible sign ${nameSign(sign)} stands in the text`, start: at, end: at + 1, text: '' });
      continue;
    } else {
      const foreign = readForeignSign(raw, at);
      if (foreign !== undefined && foreign.end <= range.end) {
        edits.push({ code: foreign.code, message: foreign.message, start: at, end: foreign.end, text: foreign.sign });
        if (foreign.sign !== '') pushSign(text, foreign.sign, at, foreign.end);
        at = foreign.end - 1;
        continue;
      }
    }
    pushSign(text, sign, at, at + 1);
  }
  while (text.signs.length > 0 && isBlankSign(text.signs[text.signs.length - 1]!)) {
    text.signs.pop();
    text.places.pop();
    text.ends.pop();
  }
  return text;
}

/** A quote opens only where a value or key may begin; elsewhere, as in `don't`, it is a letter. */
function startsToken(signs: readonly string[]): boolean {
  const before = signs[signs.length - 1];
  return before === undefined || isBlankSign(before) || '[{,:'.includes(before);
}

function readDash(text: CleanText, at: number, edits: SignEdit[]): { column: number; next: number } | undefined {
  const sign = text.signs[at];
  if (sign === undefined) return undefined;
  const isBare = at + 1 >= text.signs.length;
  const hasBlank = isBare || isBlankSign(text.signs[at + 1]!);
  const place = text.places[at]!;
  if (sign === '-') {
    if (!hasBlank && !isWordOfPolicy(text.signs.slice(at + 1).join(''))) return undefined;
    if (!hasBlank) edits.push(missingBlank('-', text.ends[at]!));
  } else if (Object.hasOwn(DASHES, sign) || (sign === '*' && hasBlank && !isBare)) {
    const name = DASHES[sign] ?? 'an asterisk';
    const message = `${name} (${nameSign(sign)}) stands where a list needs \`-\``;
    edits.push({ code: 'yaml-typographic-dash', message, start: place, end: place + 1, text: hasBlank ? '-' : '- ' });
  } else return undefined;
  let next = at + 1;
  for (; next < text.signs.length && isBlankSign(text.signs[next]!); next++) {
    const place = text.places[next]!;
    if (text.signs[next] === '\t') edits.push({ code: 'yaml-tab', message: 'a tab stands behind a dash', start: place, end: place + 1, text: ' ' });
  }
  return { column: at, next };
}

/** What may stand right behind a dash that lacks its blank: known fields and the few values that policies list. */
function isWordOfPolicy(rest: string): boolean {
  const field = /^([A-Za-z]+)\s*:/.exec(rest)?.[1];
  if (field !== undefined) return KNOWN_FIELDS.has(field);
  return /^["']?(Ingress|Egress)["']?$/.test(rest) || /^["']?\d{1,3}(\.\d{1,3}){3}\/\d{1,2}["']?$/.test(rest);
}

interface EntryOptions {
  readonly edits: SignEdit[];
  readonly options: ScanOptions;
  readonly hasDash: boolean;
}

function readEntry(text: CleanText, start: number, { edits, options, hasDash }: EntryOptions): { key: string | undefined; value: string } {
  mendQuotes(text, start, edits);
  if (options.words) mendWords(text, start, { edits, isLabel: options.isLabel, isNote: options.isNote, hasDash });
  const entry = text.signs.slice(start).join('');
  const key = /^(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_$][A-Za-z0-9_.$/-]*))\s*:(?=\s|$)/.exec(entry);
  if (key !== null) {
    const valueStart = start + key[0].length + (entry.length - key[0].length - entry.slice(key[0].length).trimStart().length);
    return { key: key[1] ?? key[2] ?? key[3]!, value: readValue(text, valueStart, { edits, options, key: key[1] ?? key[2] ?? key[3]! }) };
  }
  const glued = /^([A-Za-z0-9][A-Za-z0-9._/-]*):(\S.*)$/.exec(entry);
  const isLabel = options.isLabel && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(glued?.[2] ?? '');
  if (glued === null || !(KNOWN_FIELDS.has(glued[1]!) || isLabel)) return { key: undefined, value: readValue(text, start, { edits, options, key: undefined }) };
  const valueStart = start + glued[1]!.length + 1;
  edits.push(missingBlank(`${glued[1]}:`, text.places[valueStart]!));
  return { key: glued[1]!, value: readValue(text, valueStart, { edits, options, key: glued[1]! }) };
}

function readValue(text: CleanText, start: number, { edits, options, key }: { readonly edits: SignEdit[]; readonly options: ScanOptions; readonly key: string | undefined }): string {
  if (key !== undefined) mendQuotes(text, start, edits);
  if (options.words) mendValueEnd(text, start, { edits, isKnown: key === undefined || (options.isLabel && !options.isNote) || KNOWN_FIELDS.has(key) });
  return text.signs.slice(start).join('');
}

/** Curly quotes around a whole key or value, or anywhere in a flow list, become straight ones. */
function mendQuotes(text: CleanText, start: number, edits: SignEdit[]): void {
  const first = text.signs[start];
  if (first === undefined) return;
  if (first === '[' || first === '{') {
    for (let at = start; at < text.signs.length; at++) mendQuote(text, at, edits);
    return;
  }
  const family = DOUBLE_QUOTES.includes(first) ? DOUBLE_QUOTES : SINGLE_QUOTES.includes(first) ? SINGLE_QUOTES : undefined;
  if (family === undefined) return;
  for (let at = start + 1; at < text.signs.length; at++) {
    if (!family.includes(text.signs[at]!)) continue;
    const rest = text.signs.slice(at + 1).join('').trimStart();
    if (rest !== '' && !rest.startsWith(':')) return;
    mendQuote(text, start, edits);
    mendQuote(text, at, edits);
    return;
  }
}

function mendQuote(text: CleanText, at: number, edits: SignEdit[]): void {
  const sign = text.signs[at]!;
  const straight = DOUBLE_QUOTES.includes(sign) ? '"' : SINGLE_QUOTES.includes(sign) ? "'" : undefined;
  if (straight === undefined) return;
  const place = text.places[at]!;
  const message = `a typographic quote (${nameSign(sign)}) stands where YAML needs \`${straight}\``;
  edits.push({ code: 'yaml-typographic-quote', message, start: place, end: place + 1, text: straight });
  text.signs[at] = straight;
}

function missingBlank(behind: string, place: number): SignEdit {
  return { code: 'yaml-missing-blank', message: `a blank is missing behind \`${behind}\``, start: place, end: place, text: ' ' };
}

function isBlankSign(sign: string): boolean {
  return sign === ' ' || sign === '\t' || ODD_BLANKS.test(sign);
}

function nameSign(sign: string): string {
  const code = sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return sign === '\u00a0' ? `a non-breaking blank (U+${code})` : `U+${code}`;
}
