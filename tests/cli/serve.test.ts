// What `bulkhead serve` does on the side, of itself.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openHistory } from '../../src/history/history.ts';
import { DAY_MS } from '../../src/history/store/store-schema.ts';
import { batchOf, flow } from '../history/sample-flows.ts';
import { cloneRoot } from '../needs.ts';

test('days are kept in order also where they cannot be exported', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-serve-'));
  const [file, blocked] = [join(folder, 'flows.duckdb'), join(folder, 'blocked')];
  writeFileSync(blocked, 'no folder');
  const store = await openHistory({ file, nowMs: Date.now });
  const seen = Date.now() - 3 * DAY_MS;
  await store.take(batchOf([flow({ firstSeen: seen, lastSeen: seen }), flow({ port: 80, firstSeen: seen, lastSeen: Date.now() })]));
  await store.close();
  const child = spawn(join(cloneRoot, 'bin/bulkhead'), ['serve', '--database', file, '--listen', '127.0.0.1:0', '--export', blocked], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const said: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (/folded|kept in order/.test(line)) break;
    }
    assert.ok(said.some((line) => line.includes('days could not be exported')), said.join('\n'));
    assert.match(said.at(-1)!, /folded/);
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  }
});

test('a file that another server has open is let be', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-serve-'));
  const file = join(folder, 'flows.duckdb');
  const store = await openHistory({ file, nowMs: Date.now });
  try {
    const second = spawnSync(join(cloneRoot, 'bin/bulkhead'), ['serve', '--database', file, '--listen', '127.0.0.1:0'], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(second.status, 3);
    assert.match(second.stderr, /is open in another process/);
    assert.equal((await store.take(batchOf([flow({ firstSeen: Date.now(), lastSeen: Date.now() })]))).lost, 0);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});
