// A store whose process is killed (SIGKILL) in the middle of writing keeps all that it acknowledged, once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { askStore } from '../../src/history/ask/ask-store.ts';
import { openHistory } from '../../src/history/history.ts';
import { cloneRoot } from '../needs.ts';
import { NOON } from './sample-flows.ts';

const ROUNDS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 100 : 5;

/** Kills it some random time after the first acknowledgment; gives those that were read. */
async function ingestAndKill(file: string, first: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [join(cloneRoot, 'tests/history/ingest-until-killed.ts'), file, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    timer ??= setTimeout(() => child.kill('SIGKILL'), Math.random() * 300);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once('close', (...end) => resolve(end)));
  clearTimeout(timer);
  assert.deepEqual([code, signal], [null, 'SIGKILL']);
  return text.split('\n').slice(0, -1).map(Number);
}

test(`${ROUNDS} kills in the middle of writing lose nothing that was acknowledged`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-killed-'));
  const file = join(folder, 'flows.duckdb');
  try {
    const acknowledged = new Set<number>();
    let next = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const sequence of await ingestAndKill(file, next)) acknowledged.add(sequence);
      const counts = await countsOf(file);
      for (const sequence of acknowledged) assert.equal(counts.own.get(sequence), 1, `batch ${sequence} of round ${round}`);
      assert.ok([...counts.own.values()].every((count) => count === 1), 'none counts twice');
      assert.deepEqual(counts.shared, new Set([counts.own.size]), 'a batch is there whole, or not at all');
      next = Math.max(...counts.own.keys()) + 1;
    }
    assert.ok(acknowledged.size >= ROUNDS);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function countsOf(file: string): Promise<{ readonly own: ReadonlyMap<number, number>; readonly shared: ReadonlySet<number> }> {
  const store = await openHistory({ file, nowMs: () => NOON + 60_000 });
  const own = new Map<number, number>();
  const shared = new Set<number>();
  await askStore(store, { readable: 'all' }, async (records) => {
    for (const { source, count } of records) {
      if (source.kind === 'outside') own.set(Number(source.address.value), count);
      else shared.add(count);
    }
  });
  await store.close();
  return { own, shared };
}
