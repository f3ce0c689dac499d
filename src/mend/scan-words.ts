// Mends the words of a line that its signs leave unreadable: a lost colon, a comma or quote too many or too few, a capital.
import { replaceSigns, signsFrom, type CleanText, type SignEdit } from './clean-text.ts';
import { HOLDING_FIELDS, KNOWN_FIELDS } from './field-shape.ts';

export interface WordOptions {
  readonly edits: SignEdit[];
  /** Below `labels` or `matchLabels` any word is a key. */
  readonly isLabel: boolean;
  /** Below `annotations` it is one too, but words without a colon are not taken for one. */
  readonly isNote: boolean;
  readonly hasDash: boolean;
}

/** Known fields by their small letters. */
const FIELDS_BY_LOWER: ReadonlyMap<string, string> = new Map([...KNOWN_FIELDS].map((field) => [field.toLowerCase(), field]));

/** Mends what stands from `start` on before the entry is taken apart. */
export function mendWords(text: CleanText, start: number, options: WordOptions): void {
  mendColon(text, start, options);
  mendCapitals(text, start, options);
}

function mendColon(text: CleanText, start: number, { edits, isLabel, isNote, hasDash }: WordOptions): void {
  const entry = signsFrom(text, start);
  const label = isLabel && !isNote ? /^([A-Za-z0-9][A-Za-z0-9._/-]*)(\s*=\s*|\s+)([A-Za-z0-9][A-Za-z0-9._-]*)$/.exec(entry) : null;
  const field = label ?? /^([A-Za-z]+)(\s+)([^\s:=]+)$/.exec(entry);
  if (field !== null && (label !== null || KNOWN_FIELDS.has(field[1]!))) {
    const at = start + field[1]!.length;
    const blanks = field[2]!.includes('=') ? field[2]!.length : 0;
    replaceSigns(text, { at, count: blanks, signs: blanks === 0 ? ':' : ': ' });
    edits.push({ code: 'yaml-missing-colon', message: `a colon is missing behind \`${field[1]}\``, start: text.ends[at - 1]!, end: blanks === 0 ? text.ends[at - 1]! : text.places[at + 2]!, text: blanks === 0 ? ':' : ': ' });
    return;
  }
  // Among `policyTypes` the word is a value.
  const isHolder = HOLDING_FIELDS.has(entry) && !(hasDash && /^(in|e)gress$/.test(entry));
  if (!isHolder) return;
  const at = start + entry.length;
  edits.push({ code: 'yaml-missing-colon', message: `a colon is missing behind \`${entry}\``, start: text.ends[at - 1]!, end: text.ends[at - 1]!, text: ':' });
  replaceSigns(text, { at, count: 0, signs: ':' });
}

function mendCapitals(text: CleanText, start: number, { edits, isLabel }: WordOptions): void {
  const entry = signsFrom(text, start);
  const match = /^([A-Za-z]+)\s*:(\s*)(?=\S|$)/.exec(entry);
  const written = match?.[1] ?? '';
  const field = FIELDS_BY_LOWER.get(written.toLowerCase());
  const holdsNothing = match !== null && match[0].length === entry.length;
  if (match === null || field === undefined || field === written || KNOWN_FIELDS.has(written) || (isLabel && !holdsNothing)) return;
  edits.push({ code: 'unknown-field', message: `the field \`${written}\` is written \`${field}\``, start: text.places[start]!, end: text.ends[start + written.length - 1]!, text: field });
  for (const [at, sign] of [...field].entries()) text.signs[start + at] = sign;
}

/** A comma behind the value, and a quote that has no partner. */
export function mendValueEnd(text: CleanText, start: number, { edits, isKnown }: { readonly edits: SignEdit[]; readonly isKnown: boolean }): void {
  if (!isKnown) return;
  const last = text.signs.length - 1;
  if (last > start && text.signs[last] === ',' && !/^[^[{]*[[{][^\]}]*$/.test(signsFrom(text, start))) {
    edits.push({ code: 'yaml-stray-comma', message: 'a comma stands behind the value', start: text.places[last]!, end: text.ends[last]!, text: '' });
    replaceSigns(text, { at: last, count: 1, signs: '' });
  }
  mendQuotePair(text, start, edits);
}

function mendQuotePair(text: CleanText, start: number, edits: SignEdit[]): void {
  const value = signsFrom(text, start);
  const last = text.signs.length - 1;
  const opened = /^(["'])[^"'\s]+$/.exec(value)?.[1];
  const closed = /^[^"'\s[{]+(["'])$/.exec(value)?.[1];
  if (opened !== undefined) {
    edits.push({ code: 'yaml-unpaired-quote', message: `the quote \`${opened}\` is not closed`, start: text.ends[last]!, end: text.ends[last]!, text: opened });
    replaceSigns(text, { at: last + 1, count: 0, signs: opened });
  } else if (closed !== undefined) {
    edits.push({ code: 'yaml-unpaired-quote', message: `the quote \`${closed}\` closes nothing`, start: text.places[last]!, end: text.ends[last]!, text: '' });
    replaceSigns(text, { at: last, count: 1, signs: '' });
  }
}
