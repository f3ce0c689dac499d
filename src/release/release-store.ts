// The history of releases in a cluster: revisions as ConfigMaps, found by their label, a bounded number of each release.
import type { ClusterApi, StoredObject, WantedObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { ReleaseError } from './release-error.ts';
import { CONFIG_MAP, readRecord, recordObject, recordPlace, RELEASE_LABEL, type KeptRelease, type ReleaseRecord, type ReleaseState } from './release-record.ts';

/** Revisions of one release that are kept; older ones go. */
export const REVISIONS_MAX = 20;

/** By release, then revision, old before new; of all releases where none is named. What cannot be read is left out. */
export async function listReleases(api: ClusterApi, namespace: string, release?: string): Promise<readonly KeptRelease[]> {
  const labelSelector = release === undefined ? RELEASE_LABEL : `${RELEASE_LABEL}=${release}`;
  let found: StoredObject[] = [];
  for await (const event of api.listWhole(CONFIG_MAP, { namespace, labelSelector })) {
    if (event.kind === 'restart') found = [];
    else found.push(event.object);
  }
  const kept = (await Promise.all(found.map(readRecord))).filter((read) => read !== undefined);
  return kept.sort((a, b) => (a.record.release === b.record.release ? a.record.revision - b.record.revision : a.record.release < b.record.release ? -1 : 1));
}

/** Begun: from now on the cluster knows what is done to it, and what was there before. */
export async function keepRecord(api: ClusterApi, namespace: string, record: ReleaseRecord, { dryRun = false }: { readonly dryRun?: boolean } = {}): Promise<KeptRelease> {
  const object = await recordObject(namespace, record, 'writing');
  try {
    return { record, state: 'writing', stored: await api.create(CONFIG_MAP, object, { dryRun }) };
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'conflict') throw new ReleaseError('locked', `somebody else has begun revision ${record.revision} of the release ${record.release}`, 'look at `bulkhead history`');
    throw error;
  }
}

export async function setState(api: ClusterApi, { record, stored }: KeptRelease, state: ReleaseState): Promise<KeptRelease> {
  const next = { ...stored, data: { ...(stored['data'] as object | undefined), state } } as StoredObject & WantedObject; // it is stored, so it has a name
  return { record, state, stored: await api.replace(CONFIG_MAP, next) };
}

/** The oldest beyond the bound; never the newest. */
export async function dropOldRecords(api: ClusterApi, namespace: string, kept: readonly KeptRelease[]): Promise<void> {
  for (const { record } of kept.slice(0, Math.max(0, kept.length - REVISIONS_MAX))) {
    try {
      await api.delete(recordPlace(namespace, record.release, record.revision));
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== 'not-found') throw error;
    }
  }
}

/** Releases whose time is over and whose newest revision still stands. */
export function overdueReleases(kept: readonly KeptRelease[], now: Date): readonly string[] {
  const newest = new Map(kept.map((one) => [one.record.release, one]));
  return [...newest].filter(([, { record, state }]) => (state === 'written' || state === 'failed' || state === 'writing') && record.expires !== undefined && Date.parse(record.expires) <= now.getTime()).map(([release]) => release);
}
