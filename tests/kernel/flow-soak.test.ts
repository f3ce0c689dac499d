// Twenty thousand new flows a second for a while, the last part by Services: each is told, and the agent does not grow.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../needs.ts';
import { soak, soakTable, TUPLES } from './flow-soak.ts';

/** A minute, and thirty at night. */
const SECONDS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 1800 : 60;
const PARTS = 6;
/** From a clone, where the loader of TypeScript takes its part. */
const RESIDENT_BYTES_MAX = 160 * 2 ** 20;
/** Of what is kept, in the second half of the time. */
const GROWTH_BYTES_MAX = 8 * 2 ** 20;

test('a flood of new flows is told whole, in a memory that stays', needs('kernel'), async (context) => {
  const points = await soak({ seconds: SECONDS, parts: PARTS, partsByServices: 1, settles: true });
  context.diagnostic(soakTable(points));
  const [half, direct, end] = [points[PARTS / 2], points[PARTS - 1], points[PARTS]];
  assert.equal(end!.told, end!.sent);
  assert.equal(end!.lost, 0);
  assert.deepEqual([direct!.named, end!.named], [0, end!.sent - direct!.sent], 'each of the last part with its Service');
  assert.ok(end!.records <= TUPLES, `${end!.records} records`);
  assert.ok(end!.residentBytes < RESIDENT_BYTES_MAX, `${end!.residentBytes} bytes`);
  assert.ok(end!.keptBytes - half!.keptBytes < GROWTH_BYTES_MAX, `${half!.keptBytes} bytes, then ${end!.keptBytes}`);
});
