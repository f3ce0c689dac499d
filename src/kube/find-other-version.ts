// Finds out whether a cluster serves a kind in another version than the one that is read.
import { groupOf, type ServedKind } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import { readGroupVersions, readResourceList } from './discovery.ts';
import { versionPath } from './kube-paths.ts';

/** undefined: in none. `ask` gives the parsed answer, and fails with ClusterError. */
export async function findOtherVersion(ask: (path: string) => Promise<unknown>, { apiVersion, resource }: ServedKind): Promise<string | undefined> {
  const group = groupOf(apiVersion);
  if (group === '') return undefined;
  const document = await unlessMissing(() => ask(`/apis/${group}`));
  const versions = document === undefined ? [] : readGroupVersions({ groups: [document] });
  for (const version of versions.filter((other) => other !== apiVersion)) {
    const listed = await unlessMissing(() => ask(versionPath(version)));
    if (listed !== undefined && readResourceList(version, listed).some((served) => served.resource === resource)) return version;
  }
  return undefined;
}

async function unlessMissing(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return undefined;
    throw error;
  }
}
