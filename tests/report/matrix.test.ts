// Matrices whose ranges fold, and labels of ranges.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeLabel } from '../../src/base/range-label.ts';
import { foldOutside } from '../../src/report/text/fold-outside.ts';
import type { MatrixCell } from '../../src/report/text/matrix-cell.ts';

test('ranges are named as shortly as can be', () => {
  const rows: readonly [string, Parameters<typeof rangeLabel>[0]][] = [
    ['any IPv4 address', { family: 4, first: 0n, last: (1n << 32n) - 1n }],
    ['any IPv6 address', { family: 6, first: 0n, last: (1n << 128n) - 1n }],
    ['10.0.0.0/8', { family: 4, first: 0x0a000000n, last: 0x0affffffn }],
    ['10.0.0.1', { family: 4, first: 0x0a000001n, last: 0x0a000001n }],
    ['10.0.0.1-10.0.0.2', { family: 4, first: 0x0a000001n, last: 0x0a000002n }],
    ['::/1', { family: 6, first: 0n, last: (1n << 127n) - 1n }],
  ];
  for (const [label, range] of rows) assert.equal(rangeLabel(range), label);
});

test('only ends outside that show alike in both directions are folded', () => {
  const ends = [
    { label: 'pod', isOutside: false },
    { label: 'range 1', isOutside: true },
    { label: 'range 2', isOutside: true },
    { label: 'range 3', isOutside: true },
    { label: 'pod like another', isOutside: false },
  ];
  const open: MatrixCell = { text: '●', tone: 'open' };
  const cellAt = (source: number, target: number): MatrixCell | undefined => (source === 0 && (target === 1 || target === 3) ? open : undefined);
  assert.deepEqual(
    foldOutside(ends, cellAt).map(({ members }) => members),
    [[0], [1, 3], [2], [4]],
  );
});
