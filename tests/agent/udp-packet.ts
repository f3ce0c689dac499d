// A UDP datagram as a log group hands it out: an IP header, a UDP header, and what it carries.
import type { IpAddress } from '../../src/base/ip-address.ts';
import { addressBytes } from '../../src/kernel/socket-address.ts';

export function udpPacket({ source, target }: { readonly source: IpAddress; readonly target: IpAddress }, payload: Uint8Array): Buffer {
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(53, 0);
  udp.writeUInt16BE(40_000, 2);
  udp.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([target.family === 4 ? ipv4Header(source, target) : ipv6Header(source, target), udp, payload]);
}

function ipv4Header(source: IpAddress, target: IpAddress): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header[9] = 17;
  // Whoever reads it looks at the target.
  if (source.family === 4) addressBytes(source).copy(header, 12);
  addressBytes(target).copy(header, 16);
  return header;
}

function ipv6Header(source: IpAddress, target: IpAddress): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header[6] = 17;
  if (source.family === 6) addressBytes(source).copy(header, 8);
  addressBytes(target).copy(header, 24);
  return header;
}
