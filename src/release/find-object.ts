// An object of the cluster, or that there is none.
import type { ClusterApi, ObjectPlace, StoredObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';

/** undefined: there is none of the name, or its kind is not served. Fails with ClusterError for anything else. */
export async function findObject(api: Pick<ClusterApi, 'get'>, place: ObjectPlace): Promise<StoredObject | undefined> {
  try {
    return await api.get(place);
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return undefined;
    throw error;
  }
}
