// Addresses: what is read, what is refused, and the text form of RFC 5952.
import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpAddress, formatIpRange, LAST_ADDRESS, parseIpAddress } from '../../src/base/ip-address.ts';

function checkFormat(expected: string, text: string): void {
  const address = parseIpAddress(text);
  assert.ok(address, text);
  assert.equal(formatIpAddress(address), expected);
}

test('addresses are printed in the form of RFC 5952', () => {
  checkFormat('10.0.0.1', '10.0.0.1');
  checkFormat('::', '0:0:0:0:0:0:0:0');
  checkFormat('::1', '::1');
  // The first of two equally long runs of zeros is shortened.
  checkFormat('2001:db8::1:0:0:1', '2001:db8:0:0:1:0:0:1');
  // A single zero group is not.
  checkFormat('2001:db8:0:1:1:1:1:1', '2001:DB8:0:1:1:1:1:1');
  checkFormat('fd00::', 'fd00::');
  checkFormat('::ffff:10.0.0.1', '::ffff:a00:1');
  checkFormat('64:ff9b::a00:1', '64:ff9b::10.0.0.1');
});

test('what is no address is refused', () => {
  for (const text of ['', '1', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.-4', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', 'fe80::1%eth0', '12345::', '::1.2.3', '1.2.3.4::', 'g::']) {
    assert.equal(parseIpAddress(text), undefined, text);
  }
});

test('every address survives being printed and read, and the host agrees that it is one', () => {
  fc.assert(
    fc.property(fc.constantFrom(4 as const, 6 as const), fc.bigInt({ min: 0n, max: LAST_ADDRESS[6] }), (family, value) => {
      const address = { family, value: value & LAST_ADDRESS[family] };
      const text = formatIpAddress(address);
      assert.deepEqual(parseIpAddress(text), address);
      assert.ok(family === 4 ? isIPv4(text) : isIPv6(text));
    }),
  );
});

test('a range is named by both of its ends', () => {
  assert.equal(formatIpRange({ family: 4, first: 0n, last: LAST_ADDRESS[4] }), '0.0.0.0-255.255.255.255');
  assert.equal(formatIpRange({ family: 6, first: 0n, last: LAST_ADDRESS[6] }), '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
});
