// `bulkhead impact`: the same answer for programs, and the bound of hops.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

interface Impacts {
  readonly kind: string;
  readonly impacts: readonly { readonly pod: string; readonly score: number; readonly reached: readonly { readonly id: string; readonly distance: number }[]; readonly walls: readonly { readonly id: string; readonly rules?: readonly { readonly name: string; readonly file: string }[] }[] }[];
}

test('json carries what is reached, the score and the walls with their rules', () => {
  const { status, stdout } = runBulkhead(['impact', 'app/client', '-f', '-', '-o', 'json'], { input: SMALL_CLUSTER });
  assert.equal(status, 0);
  const { kind, impacts } = JSON.parse(stdout) as Impacts;
  assert.equal(kind, 'Impacts');
  assert.deepEqual(impacts.map(({ pod, score }) => [pod, score]), [['app/client', 100]]);
  assert.deepEqual(impacts[0]!.reached.map(({ id, distance }) => [id, distance]), [['app/server', 1]]);
  assert.equal(impacts[0]!.walls[0]!.rules?.[0]?.name, 'server');
});

test('a pod that may open nothing reaches nobody', () => {
  const { stdout } = runBulkhead(['impact', 'app/server', '-f', '-'], { input: SMALL_CLUSTER });
  assert.equal(stdout, 'app/server, broken into, reaches 0 of 1 other pod (0%)\n');
});

test('a number of hops from 1 is wanted', () => {
  const { status, stderr } = runBulkhead(['impact', 'app/server', '--hops', '0', '-f', '-'], { input: SMALL_CLUSTER });
  assert.equal(status, 2);
  assert.match(stderr, /A number from 1 is wanted/);
});
