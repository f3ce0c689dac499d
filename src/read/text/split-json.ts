// Cuts a stream of JSON into its values, and lists into their items, by watching braces and strings only.
import { ItemScanner } from './scan-item.ts';

export type JsonPiece = JsonText | JsonStop;

export interface JsonText extends JsonPlace {
  /** `item`: of the top level's `items`. `value`: at the top level; of a list, what is left when its items are taken out. */
  readonly kind: 'item' | 'value';
  /** Valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
  /** How many pairs are written in it. */
  readonly colons: number;
  readonly isList: boolean;
  /** Of an item, parts that nobody reads: start and end of each, in order, with the pairs that are outside of them. */
  readonly leftOut?: { readonly ranges: readonly number[]; readonly colons: number };
}

/** Nothing comes behind it. */
export interface JsonStop extends JsonPlace {
  readonly kind: 'not-json' | 'too-large' | 'too-deep';
  readonly why: string;
  /** What has been looked at and not been given out. */
  readonly bytes: Uint8Array;
  readonly isInList: boolean;
}

interface JsonPlace {
  readonly line: number;
  readonly column: number;
}

export interface JsonBounds {
  readonly bytesMax: number;
  readonly depthMax: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;
const ITEMS_KEY = new TextEncoder().encode('"items"');

/** Lives as long as one stream, and holds the bytes of one item at a time. */
export class JsonSplitter {
  readonly #bounds: JsonBounds;
  #buffer: Uint8Array = new Uint8Array(0);
  #isOwnBuffer = true;
  #length = 0;
  /** Offset in the stream of the buffer's first byte. */
  #base = 0;
  /** The next byte to look at, and where the piece in work begins. */
  #at = 0;
  #segment = 0;
  #place: JsonPlace = { line: 1, column: 1 };

  #line = 1;
  #lineStart = 0;
  /** Bytes of the current line that are no UTF-16 unit of their own. */
  #extraBytes = 0;

  #mode: 'outside' | 'value' | 'between-items' | 'item' = 'outside';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #stringStart = 0;
  /** The last sign of weight at the top level of a value. */
  #lastSign = 0;
  #isItemsKey = false;
  #itemColons = 0;
  readonly #scanner: ItemScanner;
  /** The item is a map, which the scanner reads. */
  #isScanning = false;

  /** Of the value in work: the parts around its items. */
  #head: Uint8Array[] = [];
  #headBytes = 0;
  #headColons = 0;
  #headPlace: JsonPlace = { line: 1, column: 1 };
  #isList = false;
  #isItemDue = false;
  #hasItem = false;

  constructor(bounds: JsonBounds) {
    this.#bounds = bounds;
    // An item stands two levels deep.
    this.#scanner = new ItemScanner(bounds.depthMax - 2);
  }

  /** Takes an iterator, so that what is left of it can be read otherwise after a stop. */
  *split(chunks: Iterator<Uint8Array>): Generator<JsonPiece> {
    for (let next = chunks.next(); next.done !== true; next = chunks.next()) {
      this.#append(next.value);
      for (let piece = this.#next(); piece !== undefined; piece = this.#next()) {
        yield piece;
        if (piece.kind !== 'item' && piece.kind !== 'value') return;
      }
      if (this.#mode !== 'outside' && this.#length - this.#segment + this.#headBytes > this.#bounds.bytesMax) {
        yield this.#stop('too-large', 'it is too large');
        return;
      }
    }
    if (this.#mode !== 'outside') yield this.#stop('not-json', 'it ends in the middle');
  }

  /** The bytes behind the piece given out last. */
  leftover(): Uint8Array {
    return this.#buffer.subarray(this.#at, this.#length);
  }

  #append(chunk: Uint8Array): void {
    const from = this.#mode === 'outside' || this.#mode === 'between-items' ? this.#at : this.#segment;
    const kept = this.#length - from;
    if (kept === 0) {
      this.#buffer = chunk;
      this.#isOwnBuffer = false;
    } else {
      this.#makeRoom(from, kept, kept + chunk.length);
      this.#buffer.set(chunk, kept);
    }
    this.#length = kept + chunk.length;
    this.#base += from;
    this.#at -= from;
    this.#stringStart -= from;
    this.#segment = Math.max(this.#segment - from, 0);
  }

  #makeRoom(from: number, kept: number, needed: number): void {
    if (this.#isOwnBuffer && this.#buffer.length >= needed) {
      this.#buffer.copyWithin(0, from, from + kept);
      return;
    }
    const larger = new Uint8Array(2 * needed);
    larger.set(this.#buffer.subarray(from, from + kept));
    this.#buffer = larger;
    this.#isOwnBuffer = true;
  }

  /** The next piece that is complete; undefined when more bytes are needed. */
  #next(): JsonPiece | undefined {
    while (this.#at < this.#length) {
      if (this.#isScanning) {
        const piece = this.#scanItem();
        if (piece !== undefined) return piece;
        continue;
      }
      if (this.#isInString) {
        this.#skipString();
        continue;
      }
      const piece = this.#take(this.#buffer[this.#at]!);
      if (piece !== undefined) return piece;
    }
    return undefined;
  }

  #skipString(): void {
    const buffer = this.#buffer;
    const length = this.#length;
    let at = this.#isEscaped ? this.#at + 1 : this.#at;
    this.#isEscaped = false;
    while (at < length) {
      const byte = buffer[at]!;
      at++;
      if (byte === QUOTE) {
        this.#isInString = false;
        break;
      }
      if (byte === BACKSLASH) {
        if (at < length) at++;
        else this.#isEscaped = true;
      } else if (byte >= 0x80) {
        this.#countWide(byte);
      } else if (byte === 0x0a) {
        this.#newLine(at);
      }
    }
    this.#at = at;
    if (!this.#isInString && this.#mode === 'value' && this.#depth === 1) this.#endTopString();
  }

  #endTopString(): void {
    const isKey = this.#lastSign === OPEN_MAP || this.#lastSign === COMMA;
    if (isKey) this.#isItemsKey = equalBytes(this.#buffer.subarray(this.#stringStart, this.#at), ITEMS_KEY);
    this.#lastSign = QUOTE;
  }

  #take(byte: number): JsonPiece | undefined {
    if (byte <= 0x20) {
      this.#at++;
      if (byte === 0x0a) this.#newLine(this.#at);
      return undefined;
    }
    if (byte >= 0x80) this.#countWide(byte);
    switch (this.#mode) {
      case 'outside':
        return this.#takeOutside(byte);
      case 'between-items':
        return this.#takeBetweenItems(byte);
      case 'value':
      case 'item':
        return this.#takeInside(byte);
    }
  }

  #takeOutside(byte: number): JsonPiece | undefined {
    this.#begin();
    if (byte !== OPEN_MAP) return this.#stop('not-json', 'a value begins with `{`');
    this.#mode = 'value';
    this.#headPlace = this.#place;
    this.#head = [];
    this.#headBytes = 0;
    this.#headColons = 0;
    this.#isList = false;
    this.#isItemsKey = false;
    this.#depth = 1;
    this.#lastSign = OPEN_MAP;
    this.#at++;
    return undefined;
  }

  #takeBetweenItems(byte: number): JsonPiece | undefined {
    if (byte === COMMA || byte === CLOSE_LIST) {
      if (this.#isItemDue || (byte === COMMA && !this.#hasItem)) return this.#stopHere('not-json', 'an item is missing beside a comma');
      if (byte === COMMA) this.#isItemDue = true;
      else this.#closeItems();
      this.#at++;
      return undefined;
    }
    if (this.#hasItem && !this.#isItemDue) return this.#stopHere('not-json', 'a comma is missing between two items');
    this.#begin();
    this.#mode = 'item';
    this.#itemColons = 0;
    this.#isItemDue = false;
    if (byte === OPEN_MAP) {
      this.#isScanning = true;
      this.#scanner.begin();
      return undefined;
    }
    return this.#takeInside(byte);
  }

  #scanItem(): JsonPiece | undefined {
    const scanner = this.#scanner;
    const { at, found } = scanner.scan(this.#buffer, { start: this.#segment, at: this.#at, end: this.#length });
    this.#at = at;
    if (found === undefined) return undefined;
    this.#isScanning = false;
    if (found === 'too-deep') return this.#stop('too-deep', `it nests deeper than ${this.#bounds.depthMax}`);
    this.#line += scanner.lineFeeds;
    if (scanner.lineFeeds > 0) {
      this.#lineStart = this.#base + this.#segment + scanner.lineStart;
      this.#extraBytes = scanner.extraBytes;
    } else {
      this.#extraBytes += scanner.extraBytes;
    }
    this.#itemColons = scanner.colons;
    const piece = this.#giveItem(at);
    return 'why' in piece || scanner.leftOut.length === 0 || !scanner.isSureJson ? piece : { ...piece, leftOut: { ranges: scanner.leftOut, colons: scanner.keptColons } };
  }

  #closeItems(): void {
    this.#mode = 'value';
    this.#depth = 1;
    this.#segment = this.#at;
    this.#lastSign = CLOSE_LIST;
  }

  #takeInside(byte: number): JsonPiece | undefined {
    const isBareItem = this.#mode === 'item' && this.#depth === 2;
    switch (byte) {
      case QUOTE:
        this.#isInString = true;
        this.#stringStart = this.#at;
        break;
      case OPEN_MAP:
      case OPEN_LIST:
        this.#depth++;
        if (this.#depth > this.#bounds.depthMax) return this.#stop('too-deep', `it nests deeper than ${this.#bounds.depthMax}`);
        if (byte === OPEN_LIST && this.#isItemsKey && this.#mode === 'value' && this.#depth === 2 && this.#lastSign === COLON) this.#openItems();
        break;
      case CLOSE_MAP:
      case CLOSE_LIST:
        // A bare word among the items ends where the list does.
        if (isBareItem) return this.#giveItem(this.#at);
        this.#depth--;
        if (this.#mode === 'item' && this.#depth === 2) return this.#giveItem(++this.#at);
        if (this.#depth === 0) return this.#giveValue();
        break;
      case COMMA:
        if (isBareItem) return this.#giveItem(this.#at);
        break;
      case COLON:
        if (this.#mode === 'item') this.#itemColons++;
        else this.#headColons++;
    }
    if (this.#depth === 1 && byte !== QUOTE) this.#lastSign = byte;
    this.#at++;
    return undefined;
  }

  #openItems(): void {
    this.#keepHead(this.#at + 1);
    this.#mode = 'between-items';
    this.#isList = true;
    this.#isItemDue = false;
    this.#hasItem = false;
  }

  #giveItem(end: number): JsonPiece {
    const bytes = this.#buffer.subarray(this.#segment, end);
    this.#mode = 'between-items';
    this.#depth = 2;
    this.#hasItem = true;
    if (bytes.length > this.#bounds.bytesMax) return this.#stop('too-large', 'it is too large');
    return { kind: 'item', bytes, ...this.#place, colons: this.#itemColons, isList: false };
  }

  #giveValue(): JsonPiece {
    this.#at++;
    this.#keepHead(this.#at);
    this.#mode = 'outside';
    this.#segment = this.#at;
    if (this.#headBytes > this.#bounds.bytesMax) return this.#stop('too-large', 'it is too large');
    const bytes = this.#head.length === 1 ? this.#head[0]! : concatenate(this.#head, this.#headBytes);
    return { kind: 'value', bytes, ...this.#headPlace, colons: this.#headColons, isList: this.#isList };
  }

  /** A list's parts are copied: the buffer moves on below them. */
  #keepHead(end: number): void {
    const part = this.#buffer.subarray(this.#segment, end);
    this.#head.push(this.#head.length === 0 && this.#depth === 0 ? part : part.slice());
    this.#headBytes += part.length;
    this.#segment = end;
  }

  #begin(): void {
    this.#segment = this.#at;
    this.#place = { line: this.#line, column: this.#base + this.#at - this.#lineStart - this.#extraBytes + 1 };
  }

  #stopHere(kind: JsonStop['kind'], why: string): JsonPiece {
    this.#begin();
    return this.#stop(kind, why);
  }

  #stop(kind: JsonStop['kind'], why: string): JsonPiece {
    const isInList = this.#isList && this.#mode !== 'outside';
    return { kind, why, bytes: this.#buffer.subarray(this.#segment, this.#length), ...this.#place, isInList };
  }

  #newLine(nextAt: number): void {
    this.#line++;
    this.#lineStart = this.#base + nextAt;
    this.#extraBytes = 0;
  }

  /** Sequences of two and three bytes are one UTF-16 unit, of four bytes two. */
  #countWide(byte: number): void {
    if ((byte & 0xc0) === 0x80) this.#extraBytes++;
    else if (byte >= 0xf0) this.#extraBytes--;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function concatenate(parts: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
