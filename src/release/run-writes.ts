// Writes a plan into the cluster, one object after another, each onto the state that was judged; what stops it leaves a state that is known.
import type { ClusterApi, ObjectPlace, StoredObject, WantedObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { joined, write, type ObjectChange } from './prepare-objects.ts';
import type { WritePlan } from './plan-writes.ts';
import { ReleaseError } from './release-error.ts';
import type { ReleaseLock } from './release-lock.ts';
import { authored, placeLabel, placeOfObject } from './release-object.ts';
import { policyLabel, type AnyPolicy, type Step } from './release.ts';

export type PlannedWrite =
  | { readonly kind: 'put'; readonly place: ObjectPlace; readonly object: WantedObject; readonly how: 'apply' | 'replace'; readonly role: Step['role']; /** Besides, so that the server knows whose fields these are. */ readonly isOwned: boolean }
  | { readonly kind: 'remove'; readonly place: ObjectPlace; readonly role: Step['role'] };

/** In the order of the plan; what is no policy that somebody enforces comes last. `helperObject` gives a helper as the object that the server takes. */
export function plannedWrites(plan: WritePlan, changes: readonly ObjectChange[], helperObject: (policy: AnyPolicy) => WantedObject): readonly PlannedWrite[] {
  const byLabel = new Map(changes.map((change) => [placeLabel(change.place), change]));
  const ofPolicies = plan.steps.map((step): PlannedWrite => {
    if (step.role === 'helper') return helperWrite(step, helperObject);
    const change = byLabel.get(policyLabel(step.policy))!; // the plan was made of them
    return step.role === 'parked' ? parkedWrite(change) : ownWrite(change);
  });
  const staged = changes.filter(({ place }) => place.served.apiVersion.startsWith('bulkhead.dev/'));
  return [...ofPolicies, ...staged.map(ownWrite)];
}

function helperWrite({ kind, policy, role }: Step, helperObject: (policy: AnyPolicy) => WantedObject): PlannedWrite {
  const object = helperObject(policy);
  const place = placeOfObject(object);
  return kind === 'put' ? { kind, place, object, how: 'apply', role, isOwned: false } : { kind, place, role };
}

/** Everything stays but whom it governs: nobody, for no label is two things. */
function parkedWrite({ place, held }: ObjectChange): PlannedWrite {
  const object = authored(held!); // what is parked is there
  const podSelector = { matchExpressions: [{ key: 'bulkhead.dev/nobody', operator: 'Exists' }, { key: 'bulkhead.dev/nobody', operator: 'DoesNotExist' }] };
  return { kind: 'put', place, object: { ...object, spec: { ...(object['spec'] as object), podSelector } }, how: 'replace', role: 'parked', isOwned: false };
}

function ownWrite({ place, held, wanted, how, isRestore }: ObjectChange): PlannedWrite {
  if (wanted === undefined) return { kind: 'remove', place, role: 'wanted' };
  const object = how === 'replace' && !isRestore && held !== undefined ? joined(held, wanted) : wanted;
  return { kind: 'put', place, object, how, role: 'wanted', isOwned: how === 'replace' && !isRestore };
}

export interface RunOptions {
  readonly changes: readonly ObjectChange[];
  readonly lock: Pick<ReleaseLock, 'keep'>;
  /** Asked before each write. */
  readonly isStopped: () => boolean;
  readonly onWrite?: (done: number, next: PlannedWrite) => void;
}

/** How many writes are done. Throws what stops it: ClusterError, or ReleaseError where somebody changed an object since it was judged. */
export async function runWrites(api: ClusterApi, writes: readonly PlannedWrite[], { changes, lock, isStopped, onWrite = () => undefined }: RunOptions): Promise<number> {
  const states = new Map<string, Pick<StoredObject, 'metadata'> | undefined>(changes.map(({ place, held }) => [placeLabel(place), held]));
  for (const [done, planned] of writes.entries()) {
    if (isStopped()) return done;
    await lock.keep();
    onWrite(done, planned);
    const label = placeLabel(planned.place);
    states.set(label, await runWrite(api, planned, states.get(label)));
  }
  return writes.length;
}

async function runWrite(api: ClusterApi, planned: PlannedWrite, held: Pick<StoredObject, 'metadata'> | undefined): Promise<Pick<StoredObject, 'metadata'> | undefined> {
  try {
    if (planned.kind === 'remove') {
      await api.delete(planned.place, { resourceVersion: held?.metadata.resourceVersion });
      return undefined;
    }
    const stored = await write(api, { ...planned, held });
    return planned.isOwned ? await write(api, { ...planned, held: stored, how: 'apply' }) : stored;
  } catch (error) {
    if (error instanceof ClusterError && planned.kind === 'remove' && error.code === 'not-found') return undefined;
    if (error instanceof ClusterError && error.code === 'conflict') throw new ReleaseError('changed-meanwhile', `somebody has changed ${placeLabel(planned.place)} since it was judged`, 'apply again: it is judged anew then');
    throw error;
  }
}
