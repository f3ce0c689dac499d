// Gives memory back to the system that V8 and the C library would keep for what may come.
import { loadLibc } from './libc.ts';

/** What is free already; some microseconds. Nothing without glibc. Throws where koffi or the C library cannot be loaded. */
export function returnFreeMemory(): void {
  loadLibc().malloc_trim?.(0);
}

/** Also garbage, and the pages that V8 keeps empty. Stops everything for half a second where 100,000 pods are known. Does the same as `returnFreeMemory` without `--expose-gc`. */
export function returnSpareMemory(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  returnFreeMemory();
}
