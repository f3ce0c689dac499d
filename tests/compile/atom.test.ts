// Atoms cover the whole address space once, and know the blocks over each address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LAST_ADDRESS, type IpFamily, type IpRange } from '../../src/base/ip-address.ts';
import { cutAtoms } from '../../src/compile/atom.ts';
import { ListInterner } from '../../src/compile/list-interner.ts';
import type { IpBlockPeer } from '../../src/model/network-policy.ts';
import { unwrittenDocument } from '../../src/model/origin.ts';

const origin = { document: unwrittenDocument('test'), path: [] };

function cidr(family: IpFamily, prefix: number, host: bigint): IpRange {
  const bits = BigInt((family === 4 ? 32 : 128) - prefix);
  const first = (host >> bits) << bits;
  return { family, first, last: first + (1n << bits) - 1n };
}

// Prefixes near the ends and blocks that nest, so that boundaries coincide often.
const range = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.constantFrom(0, 1, 8, 31, 32), fc.constantFrom(0n, 1n, 10n << 24n, LAST_ADDRESS[4]))
  .map(([family, prefix, host]) => cidr(family, prefix, family === 4 ? host : host << 96n));
const block = fc
  .tuple(range, fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.bigInt({ min: 0n, max: 1n << 40n })), { maxLength: 3 }))
  .map(([outer, holes]): IpBlockPeer => {
    const size = outer.last - outer.first + 1n;
    const except = holes.flatMap(([shift, offset]) => {
      const holeSize = size >> BigInt(shift);
      if (holeSize === 0n) return [];
      const first = outer.first + ((offset % (size / holeSize)) * holeSize);
      return [{ family: outer.family, first, last: first + holeSize - 1n }];
    });
    return { kind: 'ip-block', cidr: outer, except, text: '', origin };
  });

function isIn({ family, value }: { family: IpFamily; value: bigint }, ranges: readonly IpRange[]): boolean {
  return ranges.some((candidate) => candidate.family === family && candidate.first <= value && value <= candidate.last);
}

test('atoms are disjoint, in order, and together everything; each knows its blocks and whether it is a pod range', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), fc.array(range, { maxLength: 2 }), (blocks, podRanges) => {
      const lists = new ListInterner();
      const table = cutAtoms(blocks, podRanges, lists);
      const { atoms, blocksOfAtom } = table;
      for (const family of [4, 6] as const) {
        let next = 0n;
        for (const atom of atoms.filter((candidate) => candidate.family === family)) {
          assert.equal(atom.first, next);
          next = atom.last + 1n;
        }
        assert.equal(next, LAST_ADDRESS[family] + 1n);
      }
      for (const [index, atom] of atoms.entries()) {
        for (const value of [atom.first, atom.last]) {
          const address = { family: atom.family, value };
          const over = blocks.flatMap((candidate, id) => (isIn(address, [candidate.cidr]) && !isIn(address, candidate.except) ? [id] : []));
          assert.deepEqual(lists.list(blocksOfAtom[index]!), over);
          assert.equal(atom.isPodRange, isIn(address, podRanges));
          assert.equal(table.find(address), index);
        }
      }
    }),
  );
});
