// Counts of what clients asked for, beside what the ledger counted: what came between the reading of the two is told at the next drain, as one with what came since.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '../../src/kernel/firewall.ts';
import { AskedCounts } from '../../src/kernel/internal/asked-counts.ts';

const judged = (packets: number): LedgerEntry => ({ verdict: 'allowed', source: { family: 4, value: 1n }, target: { family: 4, value: 2n }, protocol: 6, port: 80, asked: undefined, refusal: undefined, profile: 1, packets, idleMs: 0 });
const asked = (service: bigint, packets: number): LedgerEntry => ({ ...judged(packets), asked: { address: { family: 4, value: service }, port: 8080 } });

function drain(early: readonly LedgerEntry[], counted: { readonly judged: number; readonly asked: readonly LedgerEntry[] }): { readonly told: readonly string[]; readonly early: readonly LedgerEntry[] } {
  const counts = new AskedCounts(early);
  for (const entry of counted.asked) counts.add(entry);
  const told = counted.judged === 0 ? [] : counts.split(judged(counted.judged)).map((entry) => `${entry.asked?.address.value ?? 'straight'}: ${entry.packets}`);
  return { told, early: counts.early() };
}

test('what was early and what came since are one', () => {
  const first = drain([], { judged: 5, asked: [asked(9n, 7)] });
  assert.deepEqual(first.told, ['9: 5']);
  const second = drain(first.early, { judged: 6, asked: [asked(9n, 5)] });
  assert.deepEqual(second.told, ['9: 6']);
  assert.deepEqual(drain(second.early, { judged: 1, asked: [] }).told, ['9: 1']);
});

test('each place that was asked for has its part, and what came straight the rest', () => {
  assert.deepEqual(drain([], { judged: 9, asked: [asked(8n, 2), asked(9n, 3)] }).told, ['8: 2', '9: 3', 'straight: 4']);
});

test('what was early and found no record does not wait for ever', () => {
  const first = drain([], { judged: 0, asked: [asked(9n, 2)] });
  const second = drain(first.early, { judged: 0, asked: [] });
  assert.deepEqual([first.early.length, second.early], [1, []]);
});
