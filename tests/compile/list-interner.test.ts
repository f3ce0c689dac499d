// Interning is canonical: equal lists have one id, different ones never share one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ListInterner } from '../../src/compile/list-interner.ts';

test('two lists have one id exactly when they are equal', () => {
  const interner = new ListInterner();
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { maxLength: 5 }), (list) => {
      const id = interner.intern(list);
      const known = seen.get(list.join());
      if (known !== undefined) assert.equal(id, known);
      assert.deepEqual(interner.list(id), list);
      seen.set(list.join(), id);
    }),
    { numRuns: 2000 },
  );
  assert.equal(new Set(seen.values()).size, seen.size);
});

test('lists whose hashes collide are told apart', () => {
  const interner = new ListInterner();
  const ids = new Set<number>();
  for (let a = 0; a < 300; a++) for (let b = 0; b < 300; b++) ids.add(interner.intern([a, b]));
  assert.equal(ids.size, 90000);
  assert.equal(interner.intern([]), 0);
});
