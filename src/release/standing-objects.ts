// What a release has left in a cluster: each object that its kept revisions tell of, as the newest of them wrote it.
import { WordError } from '../base/word-error.ts';
import type { ClusterObject, ObjectPlace, WantedObject } from '../kube/cluster-api.ts';
import { compareEntries, snapshotEntry, type SnapshotEntry } from '../kube/snapshot.ts';
import { isPolicyKind } from '../read/values/kinds.ts';
import { placeLabel } from './release-object.ts';
import { placeOfChange, type KeptRelease, type RecordedChange, type ReleaseRecord } from './release-record.ts';

export interface StandingObject {
  readonly place: ObjectPlace;
  /** undefined: it was taken away. */
  readonly object: WantedObject | undefined;
}

/** `kept` is of one release, old before new. Throws WordError where there is none, or its newest revision did not come to its end. */
export function standingObjects(release: string, kept: readonly KeptRelease[]): readonly StandingObject[] {
  const last = kept.at(-1);
  if (last === undefined) throw new WordError(`there is no release \`${release}\` in the history`, '`bulkhead history` lists them; --keep-in says where it is kept');
  if (last.state === 'writing') throw new WordError(`revision ${last.record.revision} of \`${release}\` did not come to its end`, 'apply it again, or take it back with `bulkhead rollback`');
  const standing = new Map<string, StandingObject>();
  const put = (change: RecordedChange, object: WantedObject | null): void => {
    const place = placeOfChange(change);
    standing.set(placeLabel(place), { place, object: object ?? undefined });
  };
  for (const { record } of kept) {
    // What others had taken away meanwhile is no change of a rollback.
    for (const undone of undoneBy(record, kept)) for (const change of undone.changes) put(change, change.before);
    for (const change of record.changes) put(change, change.after);
  }
  return [...standing.values()];
}

/** New before old. */
function undoneBy({ revision, undoes = Infinity }: ReleaseRecord, kept: readonly KeptRelease[]): readonly ReleaseRecord[] {
  return kept.map(({ record }) => record).filter((other) => other.revision >= undoes && other.revision < revision).toReversed();
}

/** A cluster as it would be with them. Of staged policies no answer is computed. */
export function entriesWith(entries: readonly SnapshotEntry[], standing: readonly StandingObject[]): readonly SnapshotEntry[] {
  const policies = standing.filter(({ place }) => isPolicyKind(place.served.kind));
  const theirs = new Set(policies.map(({ place: { served, namespace = '', name } }) => keyOf({ ...served, namespace, name })));
  const written = policies.flatMap(({ object }) => (object === undefined ? [] : [snapshotEntry(object as ClusterObject)])); // as the server answered
  return [...entries.filter((entry) => !theirs.has(keyOf(entry))), ...written].sort(compareEntries);
}

function keyOf({ apiVersion, kind, namespace, name }: Omit<SnapshotEntry, 'text'>): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`;
}
