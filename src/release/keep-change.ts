// Keeps a change that was judged elsewhere in the history of a release: what was there before is known before the first write.
import type { ClusterApi } from '../kube/cluster-api.ts';
import { ReleaseError } from './release-error.ts';
import { ReleaseLock, type LockOptions } from './release-lock.ts';
import { placeLabel, placeOfObject } from './release-object.ts';
import { keptGaps, type NamedObject, type RecordedChange } from './release-record.ts';
import { dropOldRecords, keepRecord, listReleases, setState } from './release-store.ts';

export interface KeptChange {
  readonly changes: readonly RecordedChange[];
  readonly reason: string;
  readonly lock: LockOptions;
  /** What is amiss behind it; undefined: nobody knows. */
  readonly gaps?: readonly string[] | undefined;
}

/** `act` makes the change. Fails with ReleaseError where somebody writes the release, or it broke off; else as `act` does. */
export async function keepChange(api: ClusterApi, { changes, reason, lock: options, gaps }: KeptChange, act: () => Promise<void>): Promise<void> {
  const { namespace, release } = options;
  const lock = await ReleaseLock.acquire(api, options);
  try {
    const kept = await listReleases(api, namespace, release);
    const newest = kept.at(-1);
    const broken = newest?.state === 'writing' ? newest : undefined;
    if (newest !== undefined && broken !== undefined && newest.record.reason !== reason) throw new ReleaseError('broken-off', `revision ${newest.record.revision} of the release ${release} broke off`, `\`bulkhead rollback ${release}\` takes it back, or the command that wrote it goes on`);
    const members = membersAfter(newest?.record.members ?? [], changes);
    const begun = broken ?? await keepRecord(api, namespace, { version: 1, release, revision: (newest?.record.revision ?? 0) + 1, action: 'apply', at: options.now().toISOString(), reason, changes, members, helpers: [], ...(gaps === undefined ? {} : keptGaps(gaps)) });
    await act();
    await setState(api, begun, 'written');
    await dropOldRecords(api, namespace, [...kept, begun]);
  } finally {
    await lock.release();
  }
}

/** Of one that broke off behind its last write. */
export async function completeChange(api: ClusterApi, { reason, lock: { namespace, release } }: Pick<KeptChange, 'reason' | 'lock'>): Promise<void> {
  const newest = (await listReleases(api, namespace, release)).at(-1);
  if (newest?.state === 'writing' && newest.record.reason === reason) await setState(api, newest, 'written');
}

function membersAfter(before: readonly NamedObject[], changes: readonly RecordedChange[]): readonly NamedObject[] {
  const labelOf = (object: NamedObject): string => placeLabel(placeOfObject(object));
  const gone = new Set(changes.flatMap((change) => (change.after === null && change.before !== null ? [labelOf(change.before)] : [])));
  const fresh = changes.flatMap(({ after }) => (after === null ? [] : [after]));
  const all = [...before.filter((member) => !gone.has(labelOf(member))), ...fresh];
  return [...new Map(all.map((member) => [labelOf(member), { apiVersion: member.apiVersion, kind: member.kind, metadata: { name: member.metadata.name, ...(member.metadata.namespace === undefined ? {} : { namespace: member.metadata.namespace }) } }])).values()];
}
