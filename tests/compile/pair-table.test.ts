// A table of pairs keeps them apart, whatever the numbers, and gives back what was put last.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PairTable } from '../../src/compile/pair-table.ts';

const some = fc.oneof(fc.nat(3), fc.nat(0x7fffffff), fc.constantFrom(2 ** 21, 2 ** 22, 2 ** 22 + 1, 2 ** 31 - 1));

test('pairs have the number that was put last, and others none', () => {
  fc.assert(fc.property(fc.array(fc.tuple(some, some, fc.integer({ min: -1, max: 9 })), { maxLength: 60 }), fc.array(fc.tuple(some, some)), (puts, others) => {
    const table = new PairTable();
    const model = new Map<string, number>();
    for (const [a, b, value] of puts) {
      table.set(a, b, value);
      model.set(`${a} ${b}`, value);
    }
    for (const [a, b] of [...puts.map(([first, second]) => [first, second] as const), ...others]) assert.equal(table.get(a, b), model.get(`${a} ${b}`) ?? -1);
  }));
});

test('also where the table has grown, and numbers are large', () => {
  const table = new PairTable();
  for (let b = 0; b < 5_000; b++) table.set(2 ** 22 + (b % 3), b, b);
  for (let b = 0; b < 5_000; b++) assert.equal(table.get(2 ** 22 + (b % 3), b), b);
  assert.equal(table.get(2 ** 22, 5_001), -1);
});
