// Who had an address when: at what moment it passes from one pod to the next, in both families apart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressBook, SLACK_MS } from '../../src/observe/address-book.ts';
import { parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import type { Pod } from '../../src/model/cluster.ts';
import { StoredReader } from '../../src/read/read-stored.ts';

const ip = (text: string): IpAddress => parseIpAddress(text)!;
const [FOUR, SIX] = ['0.0.0.7', '::7'];

function podOf(name: string, ...addresses: readonly string[]): Pod {
  return new StoredReader().readPod({ kind: 'Pod', metadata: { name, namespace: 'shop', labels: { app: name } }, spec: { containers: [] }, status: { podIP: addresses[0]!, podIPs: addresses.map((address) => ({ ip: address })) } }).pod;
}

test('addresses of the same number in both families are two', () => {
  const book = new AddressBook();
  const [four, six, both] = [podOf('four', FOUR), podOf('six', SIX), podOf('both', FOUR, SIX)];
  book.put(four, { nowMs: 0, isDrained: true });
  assert.equal(book.holderAt(ip(SIX), 1), undefined);
  book.put(six, { nowMs: 0, isDrained: true });
  assert.deepEqual([book.holderAt(ip(FOUR), 1), book.holderAt(ip(SIX), 1)], [four, six]);
  book.put(both, { nowMs: 9, isDrained: true });
  assert.deepEqual([book.holderAt(ip(FOUR), 1), book.holderAt(ip(SIX), 1)], [both, both]);
});

test('between one that left and the next one nobody has it', () => {
  const book = new AddressBook();
  const [first, second] = [podOf('first', FOUR), podOf('second', FOUR)];
  book.put(first, { nowMs: 0, isDrained: true });
  book.remove(first, 1000);
  assert.ok(book.isNews(second));
  book.put(second, { nowMs: 2000, isDrained: false });
  const holders = [1000 + SLACK_MS, 1000 + SLACK_MS + 1, 2000 - SLACK_MS - 1, 2000 - SLACK_MS].map((seenMs) => book.holderAt(ip(FOUR), seenMs)?.name);
  assert.deepEqual(holders, ['first', undefined, undefined, 'second']);
  book.forget(1001);
  assert.equal(book.holderAt(ip(FOUR), 1500), second);
});

test('whoever takes an address that was drained has it from the beginning', () => {
  const book = new AddressBook();
  const [first, second] = [podOf('first', FOUR), podOf('second', FOUR)];
  book.put(first, { nowMs: 0, isDrained: true });
  book.put(second, { nowMs: 1000, isDrained: true });
  assert.equal(book.holderAt(ip(FOUR), 0), second);
  book.remove(first, 1100);
  assert.equal(book.holderAt(ip(FOUR), 1200), second, 'of one that no longer has it nothing is taken');
});
