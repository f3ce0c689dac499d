// Each range outside the cluster gets an address that Linux can route, or a reason why not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatIpAddress, parseIpAddress, type IpRange } from '../../src/base/ip-address.ts';
import { chooseOutsideHosts, OUTSIDE_HOSTS_MAX } from '../../src/lab/outside-host.ts';
import { cidr } from './example-cluster.ts';

function rangeOf(text: string): IpRange {
  const [first, last] = text.split('-').map((part) => parseIpAddress(part)!) as [{ family: 4 | 6; value: bigint }, { family: 4 | 6; value: bigint }];
  return { family: first.family, first: first.value, last: last.value };
}

// Wanted address first; each range holds addresses that Linux routes.
for (const [wanted, range] of [
  ['203.0.113.1', '0.0.0.0-255.255.255.255'],
  ['2001:db8::1', '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['1.0.0.1', '0.0.0.0-9.255.255.255'],
  ['10.0.0.1', '10.0.0.0-10.255.255.255'],
  ['10.1.2.0', '10.1.2.0-10.1.2.0'],
  ['10.1.2.255', '10.1.2.255-10.1.2.255'],
  ['10.1.3.1', '10.1.2.255-10.1.3.255'],
  ['203.0.113.7', '203.0.113.7-203.0.113.200'],
  ['240.0.0.1', '224.0.0.0-255.255.255.255'],
  ['128.0.0.1', '126.255.255.255-128.0.0.255'],
  ['::1:0:1', '::-0:0:0:0:0:1:0:5'],
  ['fd00::1', 'fd00::-fd00::ffff'],
  ['169.254.169.254', '169.254.0.0-169.254.255.255'],
] as const) {
  test(`${range} is stood for by ${wanted}`, () => {
    const { hosts, leftOut } = chooseOutsideHosts([rangeOf(range)], []);
    assert.deepEqual(leftOut, []);
    assert.equal(formatIpAddress(hosts[0]!.address), wanted);
  });
}

// What cannot be routed is left out, with the reason.
for (const range of ['127.0.0.0-127.255.255.255', '0.0.0.0-0.255.255.255', '224.0.0.0-239.255.255.255', '255.255.255.255-255.255.255.255', '::-::1', 'ff02::1-ff02::2', 'fe80::-fe80::1', '::ffff:1.2.3.4-::ffff:1.2.3.5']) {
  test(`${range} has no host`, () => {
    assert.deepEqual(chooseOutsideHosts([rangeOf(range)], []), { hosts: [], leftOut: [{ range: rangeOf(range), reason: 'no address in it can be routed' }] });
  });
}

test("keeps out of the lab's own ranges", () => {
  const taken = [cidr('10.244.0.0/20')];
  assert.equal(formatIpAddress(chooseOutsideHosts([cidr('10.244.0.0/16')], taken).hosts[0]!.address), '10.244.16.1');
  assert.deepEqual(chooseOutsideHosts([cidr('10.244.3.0/24')], taken).leftOut.map(({ reason }) => reason), ["the lab's own addresses fill it"]);
});

test('takes so many and counts the rest', () => {
  const ranges = Array.from({ length: OUTSIDE_HOSTS_MAX + 5 }, (_, index) => cidr(`20.${index}.0.0/16`));
  const { hosts, leftOut } = chooseOutsideHosts(ranges, []);
  assert.equal(hosts.length, OUTSIDE_HOSTS_MAX);
  assert.equal(leftOut.length, 5);
  assert.match(leftOut[0]!.reason, /more than 64/);
});
