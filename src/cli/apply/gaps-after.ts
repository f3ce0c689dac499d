// What will be amiss in a running cluster once a change is written: kept beside it, so that what comes later can be told from it.
import { compileCluster } from '../../compile/compile.ts';
import { gapsOf } from '../../drift/drift.ts';
import { openedCluster } from '../../input/open-base.ts';
import type { ClusterApi } from '../../kube/cluster-api.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { readCluster } from '../../kube/kube.ts';
import { readManifests } from '../../read/read.ts';
import { placeOfChange, type RecordedChange } from '../../release/release-record.ts';
import { entriesWith } from '../../release/standing-objects.ts';

/** undefined: this user may not see all of the cluster, which is no reason not to write. Fails with ClusterError. */
export async function gapsAfter(api: ClusterApi, changes: readonly RecordedChange[]): Promise<readonly string[] | undefined> {
  try {
    const read = await readCluster(api);
    const entries = entriesWith(read.entries, changes.map((change) => ({ place: placeOfChange(change), object: change.after ?? undefined })));
    const { readFiles } = await openedCluster(api.name, { ...read, entries });
    return gapsOf(compileCluster(readManifests(readFiles, { lenient: true }).cluster));
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'forbidden') return undefined;
    throw error;
  }
}
