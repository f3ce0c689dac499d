// The number of files this process may hold open, raised as far as the host lets it.
import { readdirSync } from 'node:fs';
import { loadLibc } from '../../kernel/libc.ts';

/** Raises the limit to what is wanted where that is allowed; gives how many more descriptors can be opened now. */
export function raiseDescriptorLimit(wantedFree: number): number {
  const used = readdirSync('/proc/self/fd').length;
  const libc = loadLibc();
  const held = Buffer.alloc(16);
  if (libc.prlimit(0, RLIMIT_NOFILE, null, held) !== 0) return 0;
  const soft = held.readBigUInt64LE(0);
  const hard = held.readBigUInt64LE(8);
  const wanted = BigInt(used + wantedFree);
  if (soft >= wanted) return Number(soft < LIMIT_SHOWN_MAX ? soft : LIMIT_SHOWN_MAX) - used;
  // Root may raise the hard limit as well; others get what the hard limit leaves.
  const limit = [wanted, hard].find((candidate) => candidate >= soft && setLimit(candidate, candidate > hard ? candidate : hard)) ?? soft;
  return Number(limit) - used;
}

function setLimit(soft: bigint, hard: bigint): boolean {
  const limits = Buffer.alloc(16);
  limits.writeBigUInt64LE(soft, 0);
  limits.writeBigUInt64LE(hard, 8);
  return loadLibc().prlimit(0, RLIMIT_NOFILE, limits, null) === 0;
}

// asm-generic/resource.h; "unlimited" is 2⁶⁴ − 1
const RLIMIT_NOFILE = 7;
const LIMIT_SHOWN_MAX = 1n << 30n;
