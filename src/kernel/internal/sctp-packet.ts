// An SCTP packet that asks for an association (INIT, RFC 9260 section 3.3.2), for hosts whose kernel has no SCTP sockets.

export interface SctpInit {
  readonly sourcePort: number;
  readonly targetPort: number;
  /** Not 0; the target would put it into its answer, and a watcher knows the packet by it. */
  readonly initiateTag: number;
}

const COMMON_HEADER_BYTES = 12;
const INIT_CHUNK_BYTES = 20;
const INIT_CHUNK = 1;
const RECEIVER_WINDOW_BYTES = 65536;

export function sctpInit({ sourcePort, targetPort, initiateTag }: SctpInit): Buffer {
  const packet = Buffer.alloc(COMMON_HEADER_BYTES + INIT_CHUNK_BYTES);
  packet.writeUInt16BE(sourcePort, 0);
  packet.writeUInt16BE(targetPort, 2);
  packet[12] = INIT_CHUNK;
  packet.writeUInt16BE(INIT_CHUNK_BYTES, 14);
  packet.writeUInt32BE(initiateTag, 16);
  packet.writeUInt32BE(RECEIVER_WINDOW_BYTES, 20);
  packet.writeUInt16BE(1, 24);
  packet.writeUInt16BE(1, 26);
  packet.writeUInt32BE(initiateTag, 28);
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}

/** The ports and the tag of an INIT; undefined when it is something else. */
export function readSctpInit(packet: Buffer): SctpInit | undefined {
  if (packet.length < COMMON_HEADER_BYTES + INIT_CHUNK_BYTES || packet[12] !== INIT_CHUNK) return undefined;
  return { sourcePort: packet.readUInt16BE(0), targetPort: packet.readUInt16BE(2), initiateTag: packet.readUInt32BE(16) };
}

/** CRC-32C (Castagnoli), which SCTP puts into its header least significant byte first (RFC 9260, appendix A). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

const CASTAGNOLI_REVERSED = 0x82f63b78;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI_REVERSED : crc >>> 1;
  return crc;
});
