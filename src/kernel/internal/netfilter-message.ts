// Netlink messages of the netfilter subsystems: written into one growing buffer, read by attribute. Host byte order is little-endian.

/** Of every message: length, type, flags, sequence, port; then family, version, resource of netfilter. */
export const HEADER_BYTES = 20;
const NETLINK_HEADER_BYTES = 16;
const NESTED_FLAG = 0x8000;
const TYPE_MASK = 0x3fff;

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

export const SUBSYSTEM_CONNTRACK = 1;
export const SUBSYSTEM_LOG = 4;
export const SUBSYSTEM_NFTABLES = 10;
export const FAMILY_INET = 1;

export interface MessageHead {
  readonly subsystem: number;
  readonly type: number;
  readonly flags: number;
  readonly family: number;
  readonly sequence: number;
  readonly resource?: number;
}

export class MessageWriter {
  bytes: Buffer;
  size = 0;

  constructor(capacity: number = 4096) {
    this.bytes = Buffer.alloc(capacity);
  }

  /** Writes one message; `body` writes its attributes. */
  message(head: MessageHead, body: () => void): void {
    this.reserve(HEADER_BYTES);
    const start = this.size;
    const { bytes } = this;
    bytes.writeUInt16LE((head.subsystem << 8) | head.type, start + 4);
    bytes.writeUInt16LE(head.flags, start + 6);
    bytes.writeUInt32LE(head.sequence, start + 8);
    bytes.writeUInt32LE(0, start + 12);
    bytes[start + 16] = head.family;
    bytes[start + 17] = 0;
    bytes.writeUInt16BE(head.resource ?? 0, start + 18);
    this.size += HEADER_BYTES;
    body();
    this.bytes.writeUInt32LE(this.size - start, start);
  }

  text(type: number, value: string): void {
    this.attribute(type, value.length + 1, (bytes, at) => {
      bytes.write(value, at, 'latin1');
      bytes[at + value.length] = 0;
    });
  }

  /** Numbers of netfilter's attributes are big-endian. */
  number(type: number, value: number): void {
    this.attribute(type, 4, (bytes, at) => bytes.writeUInt32BE(value, at));
  }

  /** `write` fills `length` bytes from `at`. */
  attribute(type: number, length: number, write: (bytes: Buffer, at: number) => void): void {
    const padded = align(length);
    this.reserve(4 + padded);
    const at = this.size;
    this.bytes.writeUInt16LE(4 + length, at);
    this.bytes.writeUInt16LE(type, at + 2);
    this.bytes.fill(0, at + 4 + length, at + 4 + padded);
    write(this.bytes, at + 4);
    this.size += 4 + padded;
  }

  nest(type: number, body: () => void): void {
    this.reserve(4);
    const at = this.size;
    this.bytes.writeUInt16LE(type | NESTED_FLAG, at + 2);
    this.size += 4;
    body();
    this.bytes.writeUInt16LE(this.size - at, at);
  }

  /** Copies ready attributes. */
  raw(source: Uint8Array): void {
    this.reserve(align(source.length));
    this.bytes.set(source, this.size);
    this.size += align(source.length);
  }

  private reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, this.size + more));
    this.bytes.copy(grown, 0, 0, this.size);
    this.bytes = grown;
  }
}

/** A message that was received; its attributes stand between `start` and `end` of `bytes`. */
export interface Message {
  /** Subsystem and type together, as on the wire. */
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Of the socket that asked, or whose change is told. */
  readonly port: number;
  /** Family of netfilter's header; meaningless in messages of netlink itself. */
  readonly family: number;
  readonly bytes: Buffer;
  /** Where the netlink header ends. */
  readonly payload: number;
  /** Where netfilter's header ends. */
  readonly start: number;
  readonly end: number;
}

export function* readMessages(bytes: Buffer, size: number): Generator<Message> {
  for (let at = 0; at + NETLINK_HEADER_BYTES <= size; ) {
    const length = bytes.readUInt32LE(at);
    if (length < NETLINK_HEADER_BYTES || at + length > size) return;
    yield {
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      port: bytes.readUInt32LE(at + 12),
      family: bytes[at + NETLINK_HEADER_BYTES]!,
      bytes,
      payload: at + NETLINK_HEADER_BYTES,
      start: at + HEADER_BYTES,
      end: at + length,
    };
    at += align(length);
  }
}

/** Calls `visit` with the type and the value's place for each attribute between `start` and `end`. */
export function visitAttributes(bytes: Buffer, start: number, end: number, visit: (type: number, start: number, end: number) => void): void {
  for (let at = start; at + 4 <= end; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > end) return;
    visit(bytes.readUInt16LE(at + 2) & TYPE_MASK, at + 4, at + length);
    at += align(length);
  }
}

function align(length: number): number {
  return (length + 3) & ~3;
}
