// Netlink messages and attributes as bytes, and the answers to them read back.

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_CREATE = 0x400;

/** An attribute with its header, padded to 4 bytes. */
export type Attribute = Buffer;

export function attribute(kind: number, payload: Buffer): Attribute {
  const bytes = Buffer.alloc(align(4 + payload.length));
  bytes.writeUInt16LE(4 + payload.length, 0);
  bytes.writeUInt16LE(kind, 2);
  payload.copy(bytes, 4);
  return bytes;
}

/** An attribute made of attributes, behind a fixed header where it has one. */
export function nested(kind: number, attributes: readonly Attribute[], header: Buffer = NOTHING): Attribute {
  return attribute(kind, Buffer.concat([header, ...attributes]));
}

export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly header: Buffer;
  readonly attributes: readonly Attribute[];
}

export function netlinkRequest({ type, flags, sequence, header, attributes }: NetlinkRequest): Buffer {
  const start = Buffer.alloc(HEADER_BYTES);
  const body = [start, header, ...attributes];
  start.writeUInt32LE(body.reduce((sum, part) => sum + part.length, 0), 0);
  start.writeUInt16LE(type, 4);
  start.writeUInt16LE(flags, 6);
  start.writeUInt32LE(sequence, 8);
  return Buffer.concat(body);
}

export interface NetlinkReply {
  readonly sequence: number;
  /** 0: done. */
  readonly errno: number;
  /** The kernel's own words, where it has some. */
  readonly message: string | undefined;
}

/** The acknowledgments and errors in what one read gave. */
export function* readReplies(bytes: Buffer): Generator<NetlinkReply> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > bytes.length) return;
    if (bytes.readUInt16LE(at + 4) === NLMSG_ERROR) {
      const errno = -bytes.readInt32LE(at + HEADER_BYTES);
      const message = errno === 0 ? undefined : extendedMessage(bytes.subarray(at, at + length));
      yield { sequence: bytes.readUInt32LE(at + 8), errno, message };
    }
    at += align(length);
  }
}

// Behind the error stand the request (its header alone when capped) and the attributes of the extended answer.
function extendedMessage(reply: Buffer): string | undefined {
  const flags = reply.readUInt16LE(6);
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const request = HEADER_BYTES + 4;
  const skipped = (flags & NLM_F_CAPPED) === 0 ? align(reply.readUInt32LE(request)) : HEADER_BYTES;
  for (let at = request + skipped; at + 4 <= reply.length; ) {
    const length = reply.readUInt16LE(at);
    if (length < 4) return undefined;
    if (reply.readUInt16LE(at + 2) === NLMSGERR_ATTR_MSG) return reply.toString('utf8', at + 4, at + length - 1);
    at += align(length);
  }
  return undefined;
}

function align(length: number): number {
  return (length + 3) & ~3;
}

const NOTHING = Buffer.alloc(0);

// linux/netlink.h
const HEADER_BYTES = 16;
const NLMSG_ERROR = 2;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
