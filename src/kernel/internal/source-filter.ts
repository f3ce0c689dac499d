// A socket filter (classic BPF) that takes packets from a few source addresses and drops all others.
import type { IpAddress } from '../../base/ip-address.ts';
import { addressBytes } from '../socket-address.ts';

/** `struct sock_filter`s of linux/filter.h in this host's byte order. All addresses are of one family; of none, everything is dropped. */
export function sourceFilter(sources: readonly IpAddress[]): Buffer {
  return Buffer.concat([...sources.map(takeFrom), instruction(RETURN, 0)]);
}

/** Falls through to what follows when the packet is somebody else's. */
function takeFrom(source: IpAddress): Buffer {
  const bytes = addressBytes(source);
  const words = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
  const start = source.family === 4 ? IPV4_SOURCE : IPV6_SOURCE;
  const tests = words.flatMap((word, index) => {
    // Behind the last test stands the return.
    const toNextSource = 2 * (words.length - index - 1) + 1;
    return [instruction(LOAD_WORD, (NETWORK_HEADER + start + index * 4) >>> 0), instruction(JUMP_IF_EQUAL, word, toNextSource)];
  });
  return Buffer.concat([...tests, instruction(RETURN, WHOLE_PACKET)]);
}

function instruction(code: number, value: number, jumpIfNot = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(jumpIfNot, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

// linux/bpf_common.h, linux/filter.h (SKF_NET_OFF), RFC 791, RFC 8200
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const WHOLE_PACKET = 0xffffffff;
const NETWORK_HEADER = -0x100000;
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;
