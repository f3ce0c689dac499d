// Gives memory back to the system that V8 and the C library would keep for what may come.
import { getHeapStatistics } from 'node:v8';
import { loadLibc } from './libc.ts';

/** Of this process. Throws where koffi or the C library cannot be loaded. */
export const spareMemory = {
  /** What is free already; some microseconds. Nothing without glibc. */
  returnFree(): void {
    loadLibc().malloc_trim?.(0);
  },
  /** Also garbage, and the pages that V8 keeps empty. Stops everything for half a second where 100,000 pods are known. Does the same as `returnFree` without `--expose-gc`. */
  returnAll(): void {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    spareMemory.returnFree();
  },
  /** What V8's heap takes, with garbage and pages that it keeps for what may come. */
  heapBytes(): number {
    return getHeapStatistics().total_heap_size;
  },
};
