// Whatever the input, lint ends, without a throw and within 512 MB; `BULKHEAD_NIGHTLY=1` draws 200,000 inputs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloneRoot } from '../needs.ts';

const INPUTS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 200_000 : 3_000;
const SEED = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** A process is ended when one input takes longer. */
const HANG_MS = 30_000;
const MEMORY_KIB_MAX = 512 * 1024;

interface Outcome {
  /** The input at which the process was, and how it ended. */
  readonly at: number;
  readonly end: 'done' | 'hang' | string;
  readonly slow: readonly string[];
  readonly memoryKib: number;
}

function runInputs(seed: number, first: number, count: number): Promise<Outcome> {
  // The bound of the heap leaves room for code, stacks and buffers within the 512 MB.
  const words = ['--max-old-space-size=384', '--max-semi-space-size=16', join(cloneRoot, 'tests/mend/fuzz-child.ts'), `${seed}`, `${first}`, `${count}`];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve) => {
    const slow: string[] = [];
    let [at, memoryKib, errors, rest, isHanging] = [first, 0, '', '', false];
    const hang = (): void => {
      isHanging = true;
      child.kill('SIGKILL');
    };
    let watchdog = setTimeout(hang, HANG_MS);
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(hang, HANG_MS);
      const lines = (rest + piece).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const [word, number, more] = line.split(' ');
        if (word === 'at') at = Number(number);
        else if (word === 'slow') slow.push(`input ${number}: ${more} ms`);
        else memoryKib = Number(number);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
    child.once('close', (status) => {
      clearTimeout(watchdog);
      resolve({ at, end: isHanging ? 'hang' : status === 0 ? 'done' : errors.slice(0, 4000), slow, memoryKib });
    });
  });
}

test('no input throws, hangs or takes more than 512 MB', async (t) => {
  const { at, end, slow, memoryKib } = await runInputs(SEED, 0, INPUTS);
  for (const line of slow) t.diagnostic(`slow, seed ${SEED}, ${line}`);
  assert.equal(end, 'done', `seed ${SEED}, input ${at}: ${end}`);
  assert.ok(memoryKib > 0 && memoryKib <= MEMORY_KIB_MAX, `seed ${SEED}: ${memoryKib} KiB`);
});
