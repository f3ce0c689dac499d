// The SCTP packet that probes send, held to the checksums of the standards.
import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c, readSctpInit, sctpInit } from '../../src/kernel/internal/sctp-packet.ts';

test('the checksum is that of the standards', () => {
  // RFC 3720, appendix B.4, and the check value that catalogs of CRCs give.
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
});

test('an INIT is read back as it was written', () => {
  const init = { sourcePort: 40000, targetPort: 3868, initiateTag: 0xdeadbeef };
  const packet = sctpInit(init);
  assert.deepEqual(readSctpInit(packet), init);
  const checksum = packet.readUInt32LE(8);
  packet.writeUInt32LE(0, 8);
  assert.equal(crc32c(packet), checksum);
});

test('other packets are no INIT', () => {
  const packet = sctpInit({ sourcePort: 1, targetPort: 2, initiateTag: 3 });
  packet[12] = 6;
  assert.equal(readSctpInit(packet), undefined);
  assert.equal(readSctpInit(Buffer.alloc(5)), undefined);
});
