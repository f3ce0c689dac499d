// By whom a release is locked: this process, which no other is taken for.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { LockOptions } from '../../release/release-lock.ts';

export function releaseLockOptions(namespace: string, release: string): LockOptions {
  return { namespace, release, holder: `${hostname()}_${process.pid}_${randomUUID()}`, now: () => new Date(), isGone: isGoneHere };
}

/** Of this host, and its process has ended. */
function isGoneHere(holder: string): boolean {
  const [host, pid] = holder.split('_');
  if (host !== hostname() || !/^[0-9]+$/.test(pid ?? '')) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // kill throws nothing else
  }
}
