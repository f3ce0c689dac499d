// A store whose disk is full refuses, keeps what it had acknowledged, and goes on when there is room.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';

test('a disk that is full loses nothing that was acknowledged', needs('userns'), () => {
  const script = 'mount -t tmpfs -o size=24m none /mnt && exec "$0" "$1" /mnt';
  const ran = spawnSync('unshare', ['-rm', 'sh', '-c', script, process.execPath, join(cloneRoot, 'tests/history/fill-disk.ts')], { encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  const { code, again, refused, expected, flows, judgments } = JSON.parse(ran.stdout) as { readonly code: string; readonly again: string; readonly refused: number; readonly expected: number; readonly flows: number; readonly judgments: number };
  assert.deepEqual([code, again], ['store-failed', 'store-failed']);
  assert.ok(refused > 0, 'some was taken before');
  assert.deepEqual([flows, judgments], [expected, expected]);
});

test('an export to a disk that is full leaves nothing on it', needs('userns'), () => {
  const script = 'mount -t tmpfs -o size=256k none /mnt && exec "$0" "$1" /mnt';
  const ran = spawnSync('unshare', ['-rm', 'sh', '-c', script, process.execPath, join(cloneRoot, 'tests/history/fill-export.ts')], { encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  const { message, left } = JSON.parse(ran.stdout) as { readonly message: string; readonly left: readonly string[] };
  assert.match(message, /no space left/i);
  assert.deepEqual(left, []);
});
