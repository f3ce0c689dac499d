// Which lines a comment is about, and what is no comment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits, editsOf } from '../../src/mend/apply-edits.ts';
import { readSuppressions, suppressFindings } from '../../src/lint/settings/suppressions.ts';

const MARK = '# bulkhead: ignore selects-no-pods -- known';

/** Wanted first and last line of each comment, name, text. */
const ROWS: readonly (readonly [extents: readonly (readonly [number, number])[], name: string, text: string])[] = [
  [[[1, 1]], 'behind something', `a: 1 ${MARK}\nb: 2\n`],
  [[[2, 3]], 'before the first line of a document', `${MARK}\na: 1\nb: 2\n---\na: 1\n`],
  [[[4, 5]], 'before the second document', `a: 1\n---\n${MARK}\nb: 2\nc: 3\n`],
  [[[4, 5]], 'before a field', `a:\n  b: 1\n  ${MARK}\n  c:\n    d: 1\n  e: 1\n`],
  [[[3, 4]], 'before a list in the column of its key', `a: 1\n${MARK}\nb:\n- 1\nc: 1\n`],
  [[[3, 4]], 'before an item', `a:\n${MARK}\n- b: 1\n  c: 1\n- d: 1\n`],
  [[[4, 4], [4, 4]], 'two comments, and a line of another', `a:\n  ${MARK}\n  ${MARK}\n  b: 1\n`],
  [[], 'in quotes', `a: "${MARK}"\n`],
  [[], 'in a block of text', `a: |\n  ${MARK}\nb: 1\n`],
  [[[2, 2]], 'below everything', `a: 1\n${MARK}\n`],
];

for (const [extents, name, text] of ROWS) {
  test(name, () => {
    assert.deepEqual(readSuppressions('a.yaml', text).map(({ firstLine, lastLine }) => [firstLine, lastLine]), extents);
  });
}

test('taking an unused comment away leaves the rest as it was', () => {
  const text = `a: 1 ${MARK}\n${MARK}\nb: 2\n`;
  assert.equal(applyEdits(text, editsOf(suppressFindings([], readSuppressions('a.yaml', text)))), 'a: 1 \nb: 2\n');
});

test('no text makes it throw', () => {
  const part = fc.oneof(fc.constantFrom(MARK, '# bulkhead: ignore', '- ', '\n', '  ', '---\n', '"', '|\n', '{', '\t', '\u001f', '\ufeff'), fc.string({ unit: 'binary' }));
  fc.assert(fc.property(fc.array(part), (parts) => void readSuppressions('a.yaml', parts.join(''))), { numRuns: 500 });
});
