// What was written to a file, or to the names in a folder, outlives a power cut from here on.
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Throws what the disk says. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
