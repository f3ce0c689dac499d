// The lab's own addresses meet no ipBlock where that can be had.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatIpRange, type IpFamily } from '../../src/base/ip-address.ts';
import { chooseAddressBlocks, describeMetBlocks } from '../../src/lab/address-block.ts';
import { overlaps } from '../../src/lab/range-list.ts';
import type { Peer } from '../../src/model/network-policy.ts';
import { blockPeer, cidr, cluster, pod, policy, rule } from './example-cluster.ts';

function blocksBeside(peers: readonly Peer[], families: readonly IpFamily[] = [4, 6]): ReturnType<typeof chooseAddressBlocks> {
  return chooseAddressBlocks(cluster({ pods: [pod('a/x')], policies: [policy('a/p', { egress: [rule(peers)] })] }), families);
}

// Without ipBlocks, what people expect to see.
test('takes the usual ranges where no ipBlock is', () => {
  assert.deepEqual(blocksBeside([], [4]).map(({ use, range }) => `${use} ${formatIpRange(range)}`), [
    'pods 10.244.0.0-10.244.15.255',
    'services 10.96.0.0-10.96.15.255',
    'nodes 172.18.0.0-172.18.15.255',
  ]);
});

// Each row: blocks of the input that leave some private range free.
for (const [name, peers] of [
  ['one block over the preferred ranges', [blockPeer('10.0.0.0/8')]],
  ['every private range of RFC 1918', [blockPeer('10.0.0.0/8'), blockPeer('172.16.0.0/12'), blockPeer('192.168.0.0/16')]],
  ['everything but what is excepted', [blockPeer('0.0.0.0/0', '10.0.0.0/8', '192.168.0.0/16'), blockPeer('::/0', 'fd00::/8')]],
  ['a hole of one block in the middle of 10/8', [blockPeer('0.0.0.0/0', '10.77.16.0/20', '10.99.0.0/19')]],
  ['most of fd00::/8', [blockPeer('::/0', 'fdaa::/16')]],
] as const) {
  test(`meets no ipBlock: ${name}`, () => {
    const blocks = blocksBeside(peers);
    const met = blocks.filter(({ metBlocks }) => metBlocks.length > 0);
    assert.deepEqual(met, []);
    for (const [index, a] of blocks.entries()) for (const b of blocks.slice(index + 1)) assert.ok(!overlaps(a.range, b.range), 'blocks overlap');
    assert.deepEqual(describeMetBlocks(blocks), []);
  });
}

test('says which ipBlocks it meets where nothing is free', () => {
  const blocks = blocksBeside([blockPeer('0.0.0.0/0', '169.254.169.254/32')]);
  assert.deepEqual(blocks.filter(({ metBlocks }) => metBlocks.length > 0).map(({ use, range }) => `${use} ${range.family}`), ['pods 4', 'services 4', 'nodes 4']);
  assert.match(describeMetBlocks(blocks)[0]!, /pods stand in 10\.244\.0\.0.*0\.0\.0\.0\/0 except 169\.254\.169\.254\/32/);
});

test('overlap knows families apart', () => {
  assert.equal(overlaps(cidr('0.0.0.0/0'), cidr('::/0')), false);
});
