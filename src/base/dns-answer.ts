// Reads the answer to a question for addresses from a DNS message (RFC 1035): which name was asked for, and the addresses that its chain of aliases leads to.
import type { IpAddress } from './ip-address.ts';

/** `name` is the one that was asked for: lower case, without the dot behind. */
export interface DnsAnswer {
  readonly name: string;
  /** Of the family that was asked for; empty where the name has none. At most `RECORDS_MAX`. */
  readonly addresses: readonly DnsAddress[];
  /** The server left records out. */
  readonly isCutShort: boolean;
}

export interface DnsAddress {
  readonly address: IpAddress;
  /** The least on the way from the name to the address. */
  readonly ttlSeconds: number;
}

/** Records of one answer that are read, and links of one chain of aliases. */
export const RECORDS_MAX = 256;
const LINKS_MAX = 16;

/**
 * undefined: it is no good answer to one question for addresses (type A or AAAA, class IN), or is not formed as one.
 * Never throws, and reads each byte a bounded number of times, whatever the bytes are.
 */
export function readDnsAnswer(message: Uint8Array): DnsAnswer | undefined {
  const reader = new MessageReader(message);
  const head = readHead(reader);
  if (head === undefined) return undefined;
  const question = readQuestion(reader);
  if (question === undefined) return undefined;
  const records = readRecords(reader, head.answerCount);
  // Of an answer that was cut short the last record may be cut as well.
  if (records === undefined || (!records.isWhole && !head.isCutShort)) return undefined;
  const addresses = followAliases(question, records.records);
  return addresses === undefined ? undefined : { name: question.name, addresses, isCutShort: head.isCutShort };
}

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const CLASS_IN = 1;

interface Head {
  readonly isCutShort: boolean;
  readonly answerCount: number;
}

/** Of a reply to a standard query, without an error. */
function readHead(reader: MessageReader): Head | undefined {
  reader.number16();
  const flags = reader.number16();
  const [questionCount, answerCount] = [reader.number16(), reader.number16()];
  reader.skip(4);
  const isGoodReply = flags !== undefined && (flags & 0x8000) !== 0 && (flags & 0x7800) === 0 && (flags & 0x000f) === 0;
  if (!isGoodReply || questionCount !== 1 || answerCount === undefined || answerCount > RECORDS_MAX) return undefined;
  return { isCutShort: (flags & 0x0200) !== 0, answerCount };
}

interface Question {
  readonly name: string;
  readonly type: number;
}

function readQuestion(reader: MessageReader): Question | undefined {
  const name = reader.name();
  const [type, kind] = [reader.number16(), reader.number16()];
  return name === undefined || kind !== CLASS_IN || (type !== TYPE_A && type !== TYPE_AAAA) ? undefined : { name, type };
}

type DnsRecord = { readonly name: string; readonly ttlSeconds: number } & ({ readonly type: typeof TYPE_A | typeof TYPE_AAAA; readonly address: IpAddress } | { readonly type: typeof TYPE_CNAME; readonly alias: string });

interface Records {
  readonly records: readonly DnsRecord[];
  /** The message did not end before the last of them. */
  readonly isWhole: boolean;
}

/** Those of the three types; undefined where one is not formed as it should be. */
function readRecords(reader: MessageReader, count: number): Records | undefined {
  const records: DnsRecord[] = [];
  for (let left = count; left > 0; left--) {
    const name = reader.name();
    const [type, kind, ttl, size] = [reader.number16(), reader.number16(), reader.number32(), reader.number16()];
    const end = reader.at + (size ?? 0);
    if (reader.isPastEnd || end > reader.size) return { records, isWhole: false };
    if (name === undefined) return undefined;
    // RFC 2181, section 8: a TTL with its first bit set counts as 0.
    const record = kind === CLASS_IN ? readData(reader, { type: type!, name, ttlSeconds: ttl! > 0x7fffffff ? 0 : ttl!, end }) : 'other';
    if (record === undefined) return undefined;
    if (record !== 'other') records.push(record);
    reader.at = end;
  }
  return { records, isWhole: true };
}

function readData(reader: MessageReader, { type, name, ttlSeconds, end }: { readonly type: number; readonly name: string; readonly ttlSeconds: number; readonly end: number }): DnsRecord | 'other' | undefined {
  if (type === TYPE_CNAME) {
    const alias = reader.name();
    return alias === undefined || reader.at !== end ? undefined : { type, name, ttlSeconds, alias };
  }
  if (type !== TYPE_A && type !== TYPE_AAAA) return 'other';
  const family = type === TYPE_A ? 4 : 6;
  if (end - reader.at !== (family === 4 ? 4 : 16)) return undefined;
  return { type, name, ttlSeconds, address: { family, value: reader.bigNumber(end) } };
}

/** undefined: a name has two aliases, or the chain has no end. */
function followAliases({ name, type }: Question, records: readonly DnsRecord[]): readonly DnsAddress[] | undefined {
  let [at, ttlSeconds] = [name, Infinity];
  for (let links = 0; links <= LINKS_MAX; links++) {
    const aliases = records.flatMap((record) => (record.type === TYPE_CNAME && record.name === at ? [record] : []));
    if (aliases.some(({ alias }) => alias !== aliases[0]!.alias)) return undefined;
    if (aliases.length === 0) {
      const ends = records.flatMap((record) => (record.type !== TYPE_CNAME && record.type === type && record.name === at ? [record] : []));
      return ends.map(({ address, ttlSeconds: own }) => ({ address, ttlSeconds: Math.min(own, ttlSeconds) }));
    }
    for (const alias of aliases) ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
    at = aliases[0]!.alias;
  }
  return undefined;
}

/** RFC 1035, sections 2.3.4 and 4.1.4. */
const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;
const POINTER_BITS = 0xc0;

/** Numbers are undefined, and names too, where the message ends first. */
class MessageReader {
  at = 0;
  isPastEnd = false;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.size) this.isPastEnd = true;
  }

  number16(): number | undefined {
    const { at } = this;
    this.skip(2);
    return this.isPastEnd ? undefined : (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  number32(): number | undefined {
    const [high, low] = [this.number16(), this.number16()];
    return high === undefined || low === undefined ? undefined : high * 65536 + low;
  }

  /** The bytes up to `end`, which is inside the message. */
  bigNumber(end: number): bigint {
    let value = 0n;
    for (; this.at < end; this.at++) value = (value << 8n) | BigInt(this.bytes[this.at]!);
    return value;
  }

  /** A pointer leads to before the labels that it follows, so the walk ends. */
  name(): string | undefined {
    const labels: string[] = [];
    let [place, limit, total, behind] = [this.at, this.at, 0, -1];
    for (;;) {
      const size = this.bytes[place];
      if (size === undefined) return this.failName();
      if ((size & POINTER_BITS) === POINTER_BITS) {
        const low = this.bytes[place + 1];
        if (low === undefined) return this.failName();
        const target = ((size & ~POINTER_BITS) << 8) | low;
        if (behind < 0) behind = place + 2;
        if (target >= limit) return this.failForm(behind);
        place = limit = target;
        continue;
      }
      total += size + 1;
      if (size > LABEL_BYTES_MAX || total > NAME_BYTES_MAX) return this.failForm(behind < 0 ? place : behind);
      if (size === 0) break;
      if (place + 1 + size > this.size) return this.failName();
      labels.push(formatLabel(this.bytes.subarray(place + 1, place + 1 + size)));
      place += size + 1;
    }
    this.at = behind < 0 ? place + 1 : behind;
    return labels.join('.');
  }

  private failName(): undefined {
    this.isPastEnd = true;
    return undefined;
  }

  private failForm(at: number): undefined {
    this.at = at;
    return undefined;
  }
}

/** Lower case; what stands in no name of a host is written as its number, a dot inside a label too. */
function formatLabel(label: Uint8Array): string {
  let text = '';
  for (const byte of label) {
    const sign = String.fromCharCode(byte).toLowerCase();
    text += /^[a-z0-9_-]$/.test(sign) ? sign : `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}
