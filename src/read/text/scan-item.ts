// Finds the end of one item of a JSON list, and what of a pod nobody reads, so that it need not be made into values.

/** Big-endian, as DataView reads. */
const FOUR_SPACES = 0x20202020;
const OPEN_MAP = 0x7b;
const UNICODE_ESCAPE = 0x75;
const ZERO = 0x30;
const NINE = 0x39;

// What a byte is outside of strings, and inside.
const PLAIN = 0;
const BLANK = 1;
const LINE = 2;
const STRING = 3;
const COLON = 4;
const COMMA = 5;
const OPEN = 6;
const CLOSE = 7;
const WIDE = 8;
const ESCAPE = 9;
const BAD = 10;
const OUTSIDE: Uint8Array = tableOf({ '\t\r ': BLANK, '\n': LINE, '"': STRING, ':': COLON, ',': COMMA, '{[': OPEN, '}]': CLOSE });
const IN_STRING: Uint8Array = tableOf({ '"': STRING, '\\': ESCAPE, '\n': LINE });
// Control characters have to be escaped.
IN_STRING.fill(BAD, 0, 0x0a).fill(BAD, 0x0b, 0x20);
const ESCAPABLE: Uint8Array = tableOf({ '"\\/bfnrtu': STRING });
/** The longest escape behind its backslash. */
const ESCAPE_BYTES = 5;

// What may come next.
const VALUE = 0;
const VALUE_OR_END = 1;
const KEY = 2;
const KEY_OR_END = 3;
const PAIR = 4;
const NEXT_OR_END = 5;

/** In ASCII, each closing brace stands two behind its opening one. */
const CLOSE_AFTER_OPEN = 2;

const KIND_KEY = bytesOf('"kind"');
const POD_KIND = bytesOf('"Pod"');

/** Lists and maps of a pod that no reader looks at, wherever they stand in it; text and numbers of these names are kept. */
const UNREAD_KEYS = [
  'affinity', 'annotations', 'args', 'command', 'conditions', 'containerStatuses', 'env', 'envFrom', 'ephemeralContainerStatuses', 'ephemeralContainers',
  'imagePullSecrets', 'initContainerStatuses', 'lifecycle', 'livenessProbe', 'managedFields', 'readinessProbe', 'resources', 'securityContext', 'startupProbe',
  'tolerations', 'topologySpreadConstraints', 'volumeMounts', 'volumes',
];
const UNREAD_BY_LENGTH: readonly (readonly Uint8Array[])[] = byLength(UNREAD_KEYS.map((key) => bytesOf(`"${key}"`)));

/** A part of a buffer: from `at` to before `end`; the item begins at `start`. */
export interface ScanRange {
  readonly start: number;
  readonly at: number;
  readonly end: number;
}

/** Lives as long as its splitter; `begin` starts the next item. Offsets are from the item's first byte, its brace. */
export class ItemScanner {
  readonly #depthMax: number;
  /** The braces that are open, by depth. */
  readonly #opened: Uint8Array;
  #depth = 0;
  #expected = VALUE;
  #isInString = false;
  #isEscaped = false;
  #stringStart = 0;
  #stringEnd = 0;
  #keyStart = 0;
  #keyEnd = 0;
  #isPod = false;
  /** The depth of what is being left out, and where it begins; 0: nothing is. */
  #leftOutDepth = 0;
  #leftOutStart = 0;

  /** Pairs in the item, and those outside of what is left out. */
  colons = 0;
  keptColons = 0;
  /** Start and end of each value left out, in order. */
  leftOut: number[] = [];
  /** Whether all of it was seen to be JSON; otherwise it may be, and only parsing the whole can tell. */
  isSureJson = true;
  /** Line feeds so far; the offset behind the last one; bytes behind it that are no UTF-16 unit of their own. */
  lineFeeds = 0;
  lineStart = 0;
  extraBytes = 0;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
    this.#opened = new Uint8Array(depthMax + 1);
  }

  begin(): void {
    this.#depth = 0;
    this.#expected = VALUE;
    this.#isInString = false;
    this.#isEscaped = false;
    this.#isPod = false;
    this.#leftOutDepth = 0;
    this.colons = 0;
    this.keptColons = 0;
    this.leftOut = [];
    this.isSureJson = true;
    this.lineFeeds = 0;
    this.lineStart = 0;
    this.extraBytes = 0;
  }

  /** `at` of the answer: where to read on; `end`: the item ends before it. One loop, for each byte of a large list passes here. */
  scan(buffer: Uint8Array, { start, at, end }: ScanRange): { readonly at: number; readonly found: 'end' | 'too-deep' | undefined } {
    const words = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    let place = this.#isInString ? this.#scanString(buffer, { start, at, end }) : at;
    while (place < end) {
      const byte = buffer[place++]!;
      switch (OUTSIDE[byte]) {
        case BLANK:
          break;
        case LINE:
          this.#feedLine(place - start);
          // The blanks of an indented line.
          while (place + 4 <= end && words.getUint32(place) === FOUR_SPACES) place += 4;
          break;
        case STRING:
          this.#stringStart = place - 1 - start;
          place = this.#scanString(buffer, { start, at: place, end });
          break;
        case COLON:
          this.#takeColon();
          break;
        case COMMA:
          if (this.#expected !== NEXT_OR_END) this.isSureJson = false;
          this.#expected = this.#opened[this.#depth] === OPEN_MAP ? KEY : VALUE;
          break;
        case OPEN:
          if (!this.#takeOpen(buffer, start, place)) return { at: place, found: 'too-deep' };
          break;
        case CLOSE:
          if (this.#takeClose(byte, place - start)) return { at: place, found: 'end' };
          break;
        default:
          place = this.#scanWord(buffer, place - 1, end);
      }
    }
    return { at: place, found: undefined };
  }

  #scanString(buffer: Uint8Array, { start, at, end }: ScanRange): number {
    let place = this.#isEscaped ? at + 1 : at;
    this.#isInString = true;
    this.#isEscaped = false;
    while (place < end) {
      const byte = buffer[place++]!;
      const kind = IN_STRING[byte];
      if (kind === PLAIN) continue;
      if (kind === STRING) {
        this.#isInString = false;
        this.#stringEnd = place - start;
        this.#takeString(buffer, start);
        return place;
      }
      if (kind === ESCAPE) {
        if (!isEscape(buffer, place, end)) this.isSureJson = false;
        if (place < end) place++;
        else this.#isEscaped = true;
      } else if (kind === WIDE) {
        this.#countWide(byte);
      } else {
        this.isSureJson = false;
        if (kind === LINE) this.#feedLine(place - start);
      }
    }
    return place;
  }

  #takeString(buffer: Uint8Array, start: number): void {
    const expected = this.#expected;
    if (expected === KEY || expected === KEY_OR_END) {
      this.#expected = PAIR;
      this.#keyStart = this.#stringStart;
      this.#keyEnd = this.#stringEnd;
      return;
    }
    if (expected > VALUE_OR_END) this.isSureJson = false;
    this.#expected = NEXT_OR_END;
    // Only what says that it is a pod before its parts come is read in part.
    if (this.#depth === 1 && this.#isKey(buffer, start, KIND_KEY)) this.#isPod = holdsAt(buffer, start + this.#stringStart, this.#stringEnd - this.#stringStart, POD_KIND);
  }

  #takeColon(): void {
    if (this.#expected !== PAIR) this.isSureJson = false;
    this.colons++;
    if (this.#leftOutDepth === 0) this.keptColons++;
    this.#expected = VALUE;
  }

  /** false: too deep. */
  #takeOpen(buffer: Uint8Array, start: number, place: number): boolean {
    if (this.#expected > VALUE_OR_END) this.isSureJson = false;
    const isInMap = this.#opened[this.#depth] === OPEN_MAP;
    if (++this.#depth > this.#depthMax) return false;
    const byte = buffer[place - 1]!;
    this.#opened[this.#depth] = byte;
    this.#expected = byte === OPEN_MAP ? KEY_OR_END : VALUE_OR_END;
    if (this.#isPod && isInMap && this.#leftOutDepth === 0 && this.#isUnread(buffer, start)) {
      this.#leftOutDepth = this.#depth;
      this.#leftOutStart = place - 1 - start;
    }
    return true;
  }

  /** Whether the item ends here. */
  #takeClose(byte: number, offset: number): boolean {
    const isEmpty = this.#expected === VALUE_OR_END || this.#expected === KEY_OR_END;
    if ((this.#expected !== NEXT_OR_END && !isEmpty) || byte !== this.#opened[this.#depth]! + CLOSE_AFTER_OPEN) this.isSureJson = false;
    if (this.#depth === this.#leftOutDepth) {
      this.leftOut.push(this.#leftOutStart, offset);
      this.#leftOutDepth = 0;
    }
    this.#expected = NEXT_OR_END;
    return --this.#depth === 0;
  }

  /** A number, true, false or null; one that may go on behind the buffer is left to the parser. */
  #scanWord(buffer: Uint8Array, first: number, end: number): number {
    let place = first;
    while (place < end && (OUTSIDE[buffer[place]!] === PLAIN || OUTSIDE[buffer[place]!] === WIDE)) {
      if (buffer[place]! >= 0x80) this.#countWide(buffer[place]!);
      place++;
    }
    if (this.#expected > VALUE_OR_END || place === end || !isWord(buffer, first, place)) this.isSureJson = false;
    this.#expected = NEXT_OR_END;
    return place;
  }

  #isKey(buffer: Uint8Array, start: number, key: Uint8Array): boolean {
    return holdsAt(buffer, start + this.#keyStart, this.#keyEnd - this.#keyStart, key);
  }

  #isUnread(buffer: Uint8Array, start: number): boolean {
    return UNREAD_BY_LENGTH[this.#keyEnd - this.#keyStart]?.some((key) => this.#isKey(buffer, start, key)) ?? false;
  }

  #feedLine(offset: number): void {
    this.lineFeeds++;
    this.lineStart = offset;
    this.extraBytes = 0;
  }

  /** Sequences of two and three bytes are one UTF-16 unit, of four bytes two. */
  #countWide(byte: number): void {
    if ((byte & 0xc0) === 0x80) this.extraBytes++;
    else if (byte >= 0xf0) this.extraBytes--;
  }
}

// RFC 8259, sections 3 and 6.
const WORDS: readonly Uint8Array[] = ['true', 'false', 'null'].map(bytesOf);
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/;
/** Longer ones are left to the parser. */
const WORD_BYTES_MAX = 64;

function isWord(buffer: Uint8Array, first: number, end: number): boolean {
  let place = first;
  while (place < end && buffer[place]! >= ZERO && buffer[place]! <= NINE) place++;
  if (place === end) return buffer[first] !== ZERO || end === first + 1;
  if (WORDS.some((word) => holdsAt(buffer, first, end - first, word))) return true;
  return end - first <= WORD_BYTES_MAX && NUMBER.test(String.fromCharCode(...buffer.subarray(first, end)));
}

/** One that may go on behind the buffer is left to the parser. */
function isEscape(buffer: Uint8Array, at: number, end: number): boolean {
  if (at + ESCAPE_BYTES > end || ESCAPABLE[buffer[at]!] !== STRING) return false;
  if (buffer[at] !== UNICODE_ESCAPE) return true;
  return /^[0-9a-fA-F]{4}$/.test(String.fromCharCode(...buffer.subarray(at + 1, at + ESCAPE_BYTES)));
}

function holdsAt(buffer: Uint8Array, at: number, length: number, wanted: Uint8Array): boolean {
  if (length !== wanted.length) return false;
  for (let index = 0; index < length; index++) if (buffer[at + index] !== wanted[index]) return false;
  return true;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function byLength(keys: readonly Uint8Array[]): Uint8Array[][] {
  const lists: Uint8Array[][] = [];
  for (const key of keys) (lists[key.length] ??= []).push(key);
  return lists;
}

/** By byte; those of longer sequences are wide. */
function tableOf(bySign: Readonly<Record<string, number>>): Uint8Array {
  const table = new Uint8Array(256).fill(WIDE, 0x80);
  for (const [signs, kind] of Object.entries(bySign)) for (const sign of signs) table[sign.charCodeAt(0)] = kind;
  return table;
}
