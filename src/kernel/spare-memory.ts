// Gives memory that was freed back to the system, which the C library would keep for what may come.
import { loadLibc } from './libc.ts';

/** Costs some microseconds where nothing is to be given back. Throws where koffi or the C library cannot be loaded. */
export function returnSpareMemory(): void {
  loadLibc().malloc_trim(0);
}
