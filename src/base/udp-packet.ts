// Reads a UDP datagram in an IP packet (RFC 768, 791, 8200): who sent it to whom, and what it carries.
import type { IpAddress } from './ip-address.ts';

export interface UdpPacket {
  readonly source: IpAddress;
  readonly target: IpAddress;
  readonly sourcePort: number;
  /** As much of it as there is. */
  readonly payload: Uint8Array;
}

const UDP = 17;
const UDP_HEADER_BYTES = 8;

/** From the IP header on. undefined: it is none, or a fragment, or has extension headers. */
export function readUdpPacket(packet: Uint8Array): UdpPacket | undefined {
  const version = packet.length === 0 ? 0 : packet[0]! >> 4;
  const ip = version === 4 ? readIpv4(packet) : version === 6 ? readIpv6(packet) : undefined;
  if (ip === undefined || packet.length < ip.end + UDP_HEADER_BYTES) return undefined;
  const size = number16(packet, ip.end + 4);
  if (size < UDP_HEADER_BYTES) return undefined;
  return { source: ip.source, target: ip.target, sourcePort: number16(packet, ip.end), payload: packet.subarray(ip.end + UDP_HEADER_BYTES, ip.end + size) };
}

interface IpHeader extends Pick<UdpPacket, 'source' | 'target'> {
  readonly end: number;
}

function readIpv4(packet: Uint8Array): IpHeader | undefined {
  const end = (packet[0]! & 0xf) * 4;
  if (end < 20 || packet.length < end || packet[9] !== UDP || (number16(packet, 6) & 0x1fff) !== 0) return undefined;
  return { source: { family: 4, value: bigNumber(packet, 12, 4) }, target: { family: 4, value: bigNumber(packet, 16, 4) }, end };
}

function readIpv6(packet: Uint8Array): IpHeader | undefined {
  if (packet.length < 40 || packet[6] !== UDP) return undefined;
  return { source: { family: 6, value: bigNumber(packet, 8, 16) }, target: { family: 6, value: bigNumber(packet, 24, 16) }, end: 40 };
}

function number16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function bigNumber(bytes: Uint8Array, at: number, size: number): bigint {
  return bytes.subarray(at, at + size).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
