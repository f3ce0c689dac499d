// Bytes of a file or of standard input, piece by piece, and its lines once more for those who show them.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { UnreadableInput } from '../terminal/failures.ts';
import { systemWords, type InputFile } from './list-inputs.ts';

const CHUNK_BYTES = 1 << 20;
/** Enough to see that a file has ended. */
const END_BYTES = 1 << 12;
/** Lines are shown only of files up to this size. */
const SHOWN_BYTES_MAX = 16 << 20;
/** How long to wait where standard input is not ready and does not block. */
const RETRY_MS = 5;

/** Opens the file when the first chunk is asked for. Throws UnreadableInput when it cannot be read. */
export function* fileChunks(file: InputFile): Generator<Uint8Array> {
  const descriptor = file.kind === 'stdin' ? 0 : attempt(file, () => openSync(file.name, 'r'));
  try {
    let wanted = firstChunkBytes(descriptor);
    for (;;) {
      const buffer = new Uint8Array(wanted);
      const size = attempt(file, () => readWhenReady(descriptor, buffer));
      if (size === 0) return;
      yield buffer.subarray(0, size);
      // A short piece of a file is mostly its last one, and the next only finds the end.
      wanted = size < wanted && wanted < CHUNK_BYTES ? END_BYTES : CHUNK_BYTES;
    }
  } finally {
    if (file.kind === 'file') closeSync(descriptor);
  }
}

/** Thousands of small files need not a large piece of memory each. Of a pipe the size is not known. */
function firstChunkBytes(descriptor: number): number {
  const stats = fstatSync(descriptor);
  return stats.isFile() && stats.size > 0 ? Math.min(CHUNK_BYTES, stats.size + 1) : CHUNK_BYTES;
}

/** Standard input can be read once: what it gave is kept, up to a bound. */
export function keptChunks(file: InputFile): { readonly chunks: () => Iterable<Uint8Array>; readonly text: () => string | undefined } {
  const kept: Uint8Array[] = [];
  let size = 0;
  function* chunks(): Generator<Uint8Array> {
    for (const chunk of fileChunks(file)) {
      size += chunk.length;
      if (size <= SHOWN_BYTES_MAX) kept.push(chunk);
      yield chunk;
    }
  }
  return { chunks, text: () => (size > SHOWN_BYTES_MAX ? undefined : Buffer.concat(kept).toString('utf8')) };
}

/** The file's text for showing lines of it; undefined when it is too large or cannot be read again. */
export function shownText(name: string): string | undefined {
  try {
    const descriptor = openSync(name, 'r');
    try {
      const stats = fstatSync(descriptor);
      return stats.isFile() && stats.size <= SHOWN_BYTES_MAX ? readFileSync(descriptor, 'utf8') : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined; // the finding itself is shown all the same
  }
}

function readWhenReady(descriptor: number, buffer: Uint8Array): number {
  for (;;) {
    try {
      return readSync(descriptor, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function attempt<T>(file: InputFile, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new UnreadableInput(file.name, systemWords(error));
  }
}
