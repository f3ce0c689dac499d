// Writes a judged release: locked, kept before the first write, and marked behind the last one.
import type { ClusterApi } from '../kube/cluster-api.ts';
import type { ObjectChange } from './prepare-objects.ts';
import { ReleaseError } from './release-error.ts';
import { ReleaseLock, type LockOptions } from './release-lock.ts';
import type { KeptRelease, ReleaseRecord } from './release-record.ts';
import { dropOldRecords, keepRecord, listReleases, setState } from './release-store.ts';
import { runWrites, type PlannedWrite, type RunOptions } from './run-writes.ts';

export interface ReleaseWriting extends Pick<RunOptions, 'isStopped' | 'onWrite'> {
  readonly record: ReleaseRecord;
  /** As they were when it was judged. */
  readonly kept: readonly KeptRelease[];
  readonly writes: readonly PlannedWrite[];
  readonly changes: readonly ObjectChange[];
  readonly lock: LockOptions;
}

/** Something was written, or may have been, and the rest was not: `cause` says why. */
export class BrokenOff extends Error {
  constructor(cause: unknown) {
    super('a release broke off', { cause });
    this.name = 'BrokenOff';
  }
}

/** How many writes are done: fewer than all where it was stopped. Fails with BrokenOff once it has begun, before that with ReleaseError and ClusterError. */
export async function writeRelease(api: ClusterApi, { record, kept, writes, changes, lock: options, ...running }: ReleaseWriting): Promise<number> {
  const lock = await ReleaseLock.acquire(api, options);
  try {
    await checkUnchanged(api, options, kept);
    const begun = await keepRecord(api, options.namespace, record);
    const done = await runWrites(api, writes, { ...running, changes, lock }).catch(breakOff);
    if (done === writes.length) await markWritten(api, options, { begun, kept }).catch(breakOff);
    return done;
  } finally {
    await lock.release();
  }
}

function breakOff(cause: unknown): never {
  throw new BrokenOff(cause);
}

async function checkUnchanged(api: ClusterApi, { namespace, release }: LockOptions, kept: readonly KeptRelease[]): Promise<void> {
  const newest = (await listReleases(api, namespace, release)).at(-1);
  const judged = kept.at(-1);
  if (newest?.record.revision === judged?.record.revision && newest?.state === judged?.state) return;
  throw new ReleaseError('changed-meanwhile', `the release ${release} was written by somebody else since it was judged`, 'do it again: it is judged anew then');
}

/** The new one last: until then it counts as broken off, and is gone on with. */
async function markWritten(api: ClusterApi, { namespace }: LockOptions, { begun, kept }: { readonly begun: KeptRelease; readonly kept: readonly KeptRelease[] }): Promise<void> {
  const { undoes } = begun.record;
  for (const earlier of kept) {
    if (undoes !== undefined && earlier.record.revision >= undoes && earlier.state !== 'rolled-back') await setState(api, earlier, 'rolled-back');
    else if (earlier.state === 'writing') await setState(api, earlier, 'resumed');
  }
  await setState(api, begun, 'written');
  await dropOldRecords(api, namespace, [...kept, begun]);
}
