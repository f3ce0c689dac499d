// The two states of `drift --since-release`: a cluster as it is, and as it would be with the policies of a release as they were written.
import { fetchCluster, openedCluster } from '../../input/open-base.ts';
import type { InputOptions } from '../../input/input-options.ts';
import type { OpenedSides } from '../../input/open-sides.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { listReleases } from '../../release/release-store.ts';
import { entriesWith, standingObjects } from '../../release/standing-objects.ts';

export interface ReleaseChoice {
  readonly release: string;
  /** The namespace of its history. */
  readonly keepIn: string;
}

export interface SidesSinceRelease extends OpenedSides {
  /** What was amiss when it was written; undefined: it was not kept. */
  readonly gaps: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly writtenMs: number;
}

/** Fails with WordError, ClusterError. */
export async function openSinceRelease({ release, keepIn }: ReleaseChoice, options: InputOptions): Promise<SidesSinceRelease> {
  const { context, kubeconfig, namespace } = options;
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const kept = await sayingRights(listReleases(api, keepIn, release));
  const standing = standingObjects(release, kept).filter(({ place }) => namespace === undefined || place.namespace === undefined || place.namespace === namespace);
  const newest = kept.at(-1)!.record; // else nothing stands
  const { name, read } = await fetchCluster(options);
  return { before: await openedCluster(name, { ...read, entries: entriesWith(read.entries, standing) }), after: await openedCluster(name, read), gaps: newest.gaps, writtenMs: Date.parse(newest.at) };
}
