// The signs of one line as YAML shall see them, each with its place in the raw line; and the edits that make them so.
import type { FindingCode } from '../base/finding-code.ts';

/** A replacement inside one line: columns from 0, end exclusive, in UTF-16 units. */
export interface SignEdit {
  readonly code: FindingCode;
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The part of a line that is neither indentation nor comment, with odd signs replaced.
 * Sign i stands at `places[i]` of the raw line, and at column i behind the indentation once its signs are mended.
 */
export interface CleanText {
  readonly raw: string;
  readonly signs: string[];
  readonly places: number[];
  /** Where the sign ends in the raw line: an entity of HTML is longer than the sign it stands for. */
  readonly ends: number[];
  readonly start: number;
  hasComment: boolean;
}

export function pushSign(text: CleanText, sign: string, place: number, end: number): void {
  text.signs.push(sign);
  text.places.push(place);
  text.ends.push(end);
}

export function signsFrom(text: CleanText, start: number): string {
  return text.signs.slice(start).join('');
}

/** Signs that come in stand where those that go stood, or behind the sign before them. */
export function replaceSigns(text: CleanText, { at, count, signs }: { readonly at: number; readonly count: number; readonly signs: string }): void {
  const place = text.ends[at - 1] ?? text.places[at] ?? text.start;
  const places = [...signs].map(() => place);
  text.signs.splice(at, count, ...signs);
  text.places.splice(at, count, ...places);
  text.ends.splice(at, count, ...places);
}
