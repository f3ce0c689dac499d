// Elements of maps and sets as attributes of nfnetlink, and back.
import { LAST_ADDRESS } from '../../base/ip-address.ts';
import { NOTE_LENGTH_MAX, type Element, type Key } from '../../emit/element.ts';
import type { FieldKind, SetShape } from '../../emit/set-shape.ts';
import { visitAttributes, type Message, type MessageWriter } from './netfilter-message.ts';

export const NFTA_SET_ELEM_LIST_TABLE = 1;
export const NFTA_SET_ELEM_LIST_SET = 2;
export const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
export const NFTA_LIST_ELEM = 1;
export const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_SET_ELEM_EXPIRATION = 5;
const NFTA_SET_ELEM_USERDATA = 6;
const NFTA_SET_ELEM_EXPR = 7;
const NFTA_SET_ELEM_KEY_END = 10;
const NFTA_SET_ELEM_EXPRESSIONS = 11;
const NFTA_DATA_VALUE = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_COUNTER_PACKETS = 2;
const NFT_SET_ELEM_INTERVAL_END = 1;
/** libnftnl: what `nft` shows as the comment of an element; type, length with the zero behind, text. */
const UDATA_COMMENT = 0;
const COMMENT_FRAME_BYTES = 3;

const FIELD_BYTES: Readonly<Record<FieldKind, number>> = { address4: 4, address6: 16, id: 4, protocol: 4, port: 4 };

/** An upper bound of what one element takes in a message. */
export function elementBytesMax(shape: SetShape): number {
  const key = 8 + keyBytes(shape);
  const note = shape.notedForSeconds === undefined ? 0 : 4 + NOTE_LENGTH_MAX + COMMENT_FRAME_BYTES;
  const fixed = 4 + key + 12 + 8 + note;
  return shape.isInterval ? fixed + key + 12 : fixed;
}

export function keyBytes(shape: SetShape): number {
  return shape.fields.reduce((sum, field) => sum + FIELD_BYTES[field], 0);
}

/** `withData` false for a removal: the key says which. */
export function writeElement(writer: MessageWriter, shape: SetShape, element: Element, withData: boolean): void {
  const isConcatenation = shape.fields.length > 1;
  writer.nest(NFTA_LIST_ELEM, () => {
    writeKey(writer, NFTA_SET_ELEM_KEY, shape, element.key);
    if (shape.isInterval && isConcatenation) writeKey(writer, NFTA_SET_ELEM_KEY_END, shape, element.last!);
    if (withData && element.data !== undefined) writeData(writer, element.data);
    if (withData && element.note !== undefined) writeNote(writer, element.note);
  });
  // A range of one field is two elements: its start, and the first key behind it marked as an end. Nothing is behind the last address.
  if (!shape.isInterval || isConcatenation || element.last![0] === lastOf(shape)) return;
  writer.nest(NFTA_LIST_ELEM, () => {
    writeKey(writer, NFTA_SET_ELEM_KEY, shape, [(element.last![0] as bigint) + 1n]);
    writer.number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  });
}

function lastOf(shape: SetShape): bigint {
  return LAST_ADDRESS[shape.fields[0] === 'address4' ? 4 : 6];
}

export function writeKey(writer: MessageWriter, type: number, shape: SetShape, key: Key): void {
  writer.nest(type, () => {
    writer.attribute(NFTA_DATA_VALUE, keyBytes(shape), (bytes, start) => {
      let at = start;
      for (let index = 0; index < shape.fields.length; index++) {
        writeField(bytes, at, shape, index, key[index]!);
        at += FIELD_BYTES[shape.fields[index]!];
      }
    });
  });
}

function writeData(writer: MessageWriter, data: number): void {
  writer.nest(NFTA_SET_ELEM_DATA, () => writer.attribute(NFTA_DATA_VALUE, 4, (bytes, at) => bytes.writeUInt32LE(data, at)));
}

function writeNote(writer: MessageWriter, note: string): void {
  const text = note.slice(0, NOTE_LENGTH_MAX);
  writer.attribute(NFTA_SET_ELEM_USERDATA, text.length + COMMENT_FRAME_BYTES, (bytes, at) => {
    bytes[at] = UDATA_COMMENT;
    bytes[at + 1] = text.length + 1;
    bytes.write(text, at + 2, 'latin1');
    bytes[at + 2 + text.length] = 0;
  });
}

/** undefined: the first part of it is no comment. */
function readNote(bytes: Buffer, start: number, end: number): string | undefined {
  const length = bytes[start + 1]!;
  return end - start >= 2 + length && length > 0 && bytes[start] === UDATA_COMMENT ? bytes.toString('latin1', start + 2, start + 1 + length) : undefined;
}

function writeField(bytes: Buffer, at: number, shape: SetShape, index: number, value: bigint | number): void {
  switch (shape.fields[index]!) {
    case 'address4':
      bytes.writeUInt32BE(Number(value), at);
      return;
    case 'address6':
      bytes.writeBigUInt64BE((value as bigint) >> 64n, at);
      bytes.writeBigUInt64BE((value as bigint) & 0xffffffffffffffffn, at + 8);
      return;
    case 'id':
      if (isBigEndian(shape)) bytes.writeUInt32BE(Number(value), at);
      else bytes.writeUInt32LE(Number(value), at);
      return;
    case 'protocol':
      bytes.writeUInt32LE(Number(value), at);
      return;
    case 'port':
      bytes.writeUInt32LE(0, at);
      bytes.writeUInt16BE(Number(value), at);
      return;
  }
}

// nft turns priorities around before it asks a map of concatenated ranges, which compares bytes; hash maps take them as they are.
function isBigEndian(shape: SetShape): boolean {
  return shape.isInterval && shape.fields.length > 1;
}

function readField(bytes: Buffer, at: number, shape: SetShape, index: number): bigint | number {
  switch (shape.fields[index]!) {
    case 'address4':
      return BigInt(bytes.readUInt32BE(at));
    case 'address6':
      return (bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8);
    case 'id':
      return isBigEndian(shape) ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    case 'protocol':
      return bytes[at]!;
    case 'port':
      return bytes.readUInt16BE(at);
  }
}

/** One element as the kernel gives it: of a range of one field, its start or its end. */
export interface RawElement {
  readonly key: Key;
  /** A sign for each byte of the key: what the kernel tells elements of a set apart by. */
  readonly keyText: string;
  readonly last: Key | undefined;
  readonly data: number | undefined;
  readonly isIntervalEnd: boolean;
  /** Of sets with counters. */
  readonly packets: number;
  readonly note: string | undefined;
  /** Milliseconds until it ends by itself. */
  readonly endsInMs: number | undefined;
}

export function readElements({ bytes, start, end }: Message, shape: SetShape, elements: RawElement[]): void {
  visitAttributes(bytes, start, end, (type, listStart, listEnd) => {
    if (type !== NFTA_SET_ELEM_LIST_ELEMENTS) return;
    visitAttributes(bytes, listStart, listEnd, (_, from, until) => elements.push(readElement(bytes, from, until, shape)));
  });
}

function readElement(bytes: Buffer, start: number, end: number, shape: SetShape): RawElement {
  let key: Key = [];
  let keyText = '';
  let last: Key | undefined;
  let data: number | undefined;
  let isIntervalEnd = false;
  let packets = 0;
  let note: string | undefined;
  let endsInMs: number | undefined;
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === NFTA_SET_ELEM_KEY) {
      key = readKey(bytes, from, shape);
      keyText = bytes.toString('latin1', from, until);
    } else if (type === NFTA_SET_ELEM_KEY_END) last = readKey(bytes, from, shape);
    else if (type === NFTA_SET_ELEM_DATA) data = bytes.readUInt32LE(from + 4);
    else if (type === NFTA_SET_ELEM_FLAGS) isIntervalEnd = (bytes.readUInt32BE(from) & NFT_SET_ELEM_INTERVAL_END) !== 0;
    else if (type === NFTA_SET_ELEM_EXPIRATION) endsInMs = Number(bytes.readBigUInt64BE(from));
    else if (type === NFTA_SET_ELEM_USERDATA) note = readNote(bytes, from, until);
    else if (type === NFTA_SET_ELEM_EXPR) packets += readCounter(bytes, from, until);
    else if (type === NFTA_SET_ELEM_EXPRESSIONS) visitAttributes(bytes, from, until, (_, a, b) => (packets += readCounter(bytes, a, b)));
  });
  return { key, keyText, last, data, isIntervalEnd, packets, note, endsInMs };
}

/** What an element of a dynamic set counted. */
export interface ElementCount {
  /** As of `RawElement`. */
  readonly keyText: string;
  readonly packets: number;
  readonly endsInMs: number | undefined;
}

/** Most elements that are counted are known from the last time, by their text: no key is read. */
export function readCounts({ bytes, start, end }: Message, counts: ElementCount[]): void {
  visitAttributes(bytes, start, end, (type, listStart, listEnd) => {
    if (type !== NFTA_SET_ELEM_LIST_ELEMENTS) return;
    visitAttributes(bytes, listStart, listEnd, (_, from, until) => counts.push(readCount(bytes, from, until)));
  });
}

function readCount(bytes: Buffer, start: number, end: number): ElementCount {
  let keyText = '';
  let packets = 0;
  let endsInMs: number | undefined;
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === NFTA_SET_ELEM_KEY) keyText = bytes.toString('latin1', from, until);
    else if (type === NFTA_SET_ELEM_EXPIRATION) endsInMs = bytes.readUInt32BE(from) * 2 ** 32 + bytes.readUInt32BE(from + 4);
    else if (type === NFTA_SET_ELEM_EXPR) packets += readCounter(bytes, from, until);
    else if (type === NFTA_SET_ELEM_EXPRESSIONS) visitAttributes(bytes, from, until, (_, a, b) => (packets += readCounter(bytes, a, b)));
  });
  return { keyText, packets, endsInMs };
}

/** `text`: as of `RawElement`. */
export function keyOfText(text: string, shape: SetShape): Key {
  return readKey(Buffer.from(text, 'latin1'), 0, shape);
}

function readKey(bytes: Buffer, start: number, shape: SetShape): Key {
  let at = start + 4;
  return shape.fields.map((field, index) => {
    const value = readField(bytes, at, shape, index);
    at += FIELD_BYTES[field];
    return value;
  });
}

function readCounter(bytes: Buffer, start: number, end: number): number {
  let packets = 0;
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type !== NFTA_EXPR_DATA) return;
    visitAttributes(bytes, from, until, (kind, at) => {
      if (kind === NFTA_COUNTER_PACKETS) packets = bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
    });
  });
  return packets;
}

/** Starts and ends put together again. */
export function joinElements(shape: SetShape, raw: readonly RawElement[]): Element[] {
  if (shape.isInterval && shape.fields.length === 1) return joinIntervals(shape, raw);
  return raw.map(({ key, last, data, note }) => withData({ key, ...(shape.isInterval ? { last: last ?? key } : {}), ...(note === undefined ? {} : { note }) }, data));
}

function joinIntervals(shape: SetShape, raw: readonly RawElement[]): Element[] {
  const sorted = [...raw].sort((a, b) => {
    const [left, right] = [a.key[0] as bigint, b.key[0] as bigint];
    return left < right ? -1 : left > right ? 1 : Number(b.isIntervalEnd) - Number(a.isIntervalEnd);
  });
  const elements: Element[] = [];
  for (const [index, { key, data, isIntervalEnd }] of sorted.entries()) {
    if (isIntervalEnd) continue;
    const next = sorted[index + 1];
    elements.push(withData({ key, last: [next === undefined ? lastOf(shape) : (next.key[0] as bigint) - 1n] }, data));
  }
  return elements;
}

function withData(element: Element, data: number | undefined): Element {
  return data === undefined ? element : { ...element, data };
}
