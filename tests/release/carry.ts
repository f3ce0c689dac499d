// A release into a cluster in memory, as `apply` and `rollback` carry it, which may end in the middle as if the process were killed.
import { readCluster } from '../../src/kube/kube.ts';
import { snapshotText } from '../../src/kube/snapshot.ts';
import type { ClusterApi, StoredObject, WantedObject } from '../../src/kube/cluster-api.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { judgeRelease, type Judgment } from '../../src/release/judge-release.ts';
import { makeRecord } from '../../src/release/make-record.ts';
import { prepareObjects, type WantedChange } from '../../src/release/prepare-objects.ts';
import { placeOfObject } from '../../src/release/release-object.ts';
import type { NamedObject } from '../../src/release/release-record.ts';
import { listReleases } from '../../src/release/release-store.ts';
import { plannedWrites } from '../../src/release/run-writes.ts';
import { writeRelease } from '../../src/release/write-release.ts';
import { networkPolicyObject } from '../../src/report/define/policy-object.ts';

export interface Carried {
  readonly judgment: Judgment;
  readonly writes: number;
}

export interface CarryOptions {
  readonly wanted: readonly WantedChange[];
  readonly members: readonly NamedObject[];
  readonly action?: 'apply' | 'rollback';
  readonly undoes?: number;
  /** Writes through this one, which may fail. */
  readonly writer?: ClusterApi;
  readonly onState?: () => void;
}

export async function clusterOf(api: ClusterApi): Promise<Cluster> {
  const { entries } = await readCluster(api);
  return readManifests([sourceFromText('cluster', [...snapshotText(entries)].join(''))]).cluster;
}

let holders = 0;

export async function carry(api: ClusterApi, { wanted, members, action = 'apply', undoes, writer = api, onState = () => undefined }: CarryOptions): Promise<Carried> {
  const kept = await listReleases(api, 'default', 'r');
  const broken = kept.at(-1)?.state === 'writing' ? kept.at(-1) : undefined;
  const revision = (kept.at(-1)?.record.revision ?? 0) + 1;
  const helpers = (broken?.record.helpers ?? []).map((object): WantedChange => ({ place: placeOfObject(object), wanted: undefined }));
  const objects = await prepareObjects(api, [...wanted, ...helpers], { dryRun: 'server', isRestore: action === 'rollback' });
  const judgment = judgeRelease(await clusterOf(api), objects, { written: [], apiCallers: new Set(), ofFiles: new Map(), helperPrefix: `between-${revision}-` });
  if (judgment.changes.length === 0) return { judgment, writes: 0 };
  const record = makeRecord({ release: 'r', action, members, undoes }, { judgment, revision, broken, at: new Date(0), reason: undefined, gaps: [] });
  const writes = plannedWrites(judgment.plan, judgment.changes, (policy) => networkPolicyObject(policy as never) as WantedObject);
  const holder = `h${++holders}`;
  await writeRelease(writer, { record, kept, writes, changes: judgment.changes, lock: { namespace: 'default', release: 'r', holder, now: () => new Date(), isGone: () => true }, isStopped: () => false, onWrite: onState });
  return { judgment, writes: writes.length };
}

/** Every write beyond the first `writes` fails, and the last one that goes through may do so without an answer. */
export function dying(api: ClusterApi, writes: number, { isAnswered }: { readonly isAnswered: boolean }): ClusterApi {
  let left = writes;
  const guard = async (isDry: boolean, act: () => Promise<unknown>): Promise<unknown> => {
    if (isDry) return act();
    if (left === 0) throw new Error('killed');
    left--;
    const answer = await act();
    if (left === 0 && !isAnswered) throw new Error('killed');
    return answer;
  };
  return {
    name: api.name,
    discover: () => api.discover(),
    list: (...words) => api.list(...words),
    listWhole: (...words) => api.listWhole(...words),
    watch: (...words) => api.watch(...words),
    get: (place) => api.get(place),
    patchStatus: (...words) => api.patchStatus(...words),
    create: (served, object, options) => guard(options?.dryRun === true, () => api.create(served, object, options)) as Promise<StoredObject>,
    apply: (served, object, options) => guard(options.dryRun === true, () => api.apply(served, object, options)) as Promise<StoredObject>,
    replace: (served, object, options) => guard(options?.dryRun === true, () => api.replace(served, object, options)) as Promise<StoredObject>,
    delete: (place, options) => guard(options?.dryRun === true, () => api.delete(place, options)) as Promise<void>,
  };
}
