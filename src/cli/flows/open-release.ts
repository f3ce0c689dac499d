// The two states of `drift --since-release`: a cluster as it is, and as it would be with the policies of a release as they were written.
import { fetchCluster, openedCluster } from '../../input/open-base.ts';
import type { InputOptions } from '../../input/input-options.ts';
import type { OpenedSides } from '../../input/open-sides.ts';
import type { ClusterObject } from '../../kube/cluster-api.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { compareEntries, snapshotEntry, type SnapshotEntry } from '../../kube/snapshot.ts';
import { isPolicyKind } from '../../read/values/kinds.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { listReleases } from '../../release/release-store.ts';
import { standingObjects, type StandingObject } from '../../release/standing-objects.ts';

export interface ReleaseChoice {
  readonly release: string;
  /** The namespace of its history. */
  readonly keepIn: string;
}

export interface SidesSinceRelease extends OpenedSides {
  /** What was amiss when it was written; undefined: it was not kept. */
  readonly gaps: readonly string[] | undefined;
}

/** Fails with WordError, ClusterError. */
export async function openSinceRelease({ release, keepIn }: ReleaseChoice, options: InputOptions): Promise<SidesSinceRelease> {
  const { context, kubeconfig, namespace } = options;
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const kept = await sayingRights(listReleases(api, keepIn, release));
  const standing = standingObjects(release, kept).filter(({ place }) => namespace === undefined || place.namespace === undefined || place.namespace === namespace);
  const { name, read } = await fetchCluster(options);
  return { before: await openedCluster(name, { ...read, entries: asWritten(read.entries, standing) }), after: await openedCluster(name, read), gaps: kept.at(-1)?.record.gaps };
}

/** Of staged policies no answer is computed. */
function asWritten(entries: readonly SnapshotEntry[], standing: readonly StandingObject[]): readonly SnapshotEntry[] {
  const policies = standing.filter(({ place }) => isPolicyKind(place.served.kind));
  const theirs = new Set(policies.map(({ place: { served, namespace = '', name } }) => keyOf({ ...served, namespace, name })));
  const written = policies.flatMap(({ object }) => (object === undefined ? [] : [snapshotEntry(object as ClusterObject)])); // as the server answered
  return [...entries.filter((entry) => !theirs.has(keyOf(entry))), ...written].sort(compareEntries);
}

function keyOf({ apiVersion, kind, namespace, name }: Omit<SnapshotEntry, 'text'>): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`;
}
