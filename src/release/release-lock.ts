// One writer of a release at a time: a Lease in the cluster, which runs out by itself when its holder is gone.
import type { ClusterApi, ObjectPlace, ServedKind, StoredObject, WantedObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { findObject } from './find-object.ts';
import { ReleaseError } from './release-error.ts';
import { RELEASE_LABEL } from './release-record.ts';

const LEASE: ServedKind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', resource: 'leases', isNamespaced: true };

/** A holder that has not renewed it for so long is gone. */
export const LEASE_SECONDS = 30;

export interface LockOptions {
  readonly namespace: string;
  readonly release: string;
  /** Who writes: no two processes have the same. */
  readonly holder: string;
  readonly now: () => Date;
  /** Whether a holder is known to be gone, so that nobody has to wait for it. */
  readonly isGone?: (holder: string) => boolean;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly renewTime?: string;
}

/** A class, for it is renewed while the release is written. */
export class ReleaseLock {
  readonly #api: ClusterApi;
  readonly #options: LockOptions;
  #stored: StoredObject;
  #renewedAt: number;

  private constructor(api: ClusterApi, options: LockOptions, stored: StoredObject) {
    this.#api = api;
    this.#options = options;
    this.#stored = stored;
    this.#renewedAt = options.now().getTime();
  }

  /** Throws ReleaseError where somebody else holds it, ClusterError where the cluster says no. */
  static async acquire(api: ClusterApi, options: LockOptions): Promise<ReleaseLock> {
    const place = leasePlace(options);
    const held = await findObject(api, place);
    if (held === undefined) return new ReleaseLock(api, options, await orLocked(options, api.create(LEASE, leaseObject(options))));
    const spec = held['spec'] as LeaseSpec | undefined; // of the Lease API
    if (isHeld(spec, options)) {
      throw new ReleaseError('locked', `the release ${options.release} is being written by ${spec!.holderIdentity}, who said so at ${spec!.renewTime}`, `wait until it is done; a holder that is gone is forgotten after ${LEASE_SECONDS} s`);
    }
    return new ReleaseLock(api, options, await orLocked(options, api.replace(LEASE, leaseObject(options, held))));
  }

  /** Before a write: renewed once a third of its time is over. Throws ReleaseError where it was lost. */
  async keep(): Promise<void> {
    const now = this.#options.now().getTime();
    if (now - this.#renewedAt < (LEASE_SECONDS * 1000) / 3) return;
    this.#stored = await orLocked(this.#options, this.#api.replace(LEASE, leaseObject(this.#options, this.#stored)));
    this.#renewedAt = now;
  }

  /** Never fails: a lock that cannot be given back runs out. */
  async release(): Promise<void> {
    await this.#api.delete(leasePlace(this.#options), { resourceVersion: this.#stored.metadata.resourceVersion }).catch(() => undefined);
  }
}

export function leasePlace({ namespace, release }: Pick<LockOptions, 'namespace' | 'release'>): ObjectPlace {
  return { served: LEASE, namespace, name: `bulkhead-release-${release}` };
}

function isHeld(spec: LeaseSpec | undefined, { holder, now, isGone = () => false }: LockOptions): boolean {
  const { holderIdentity = '', renewTime, leaseDurationSeconds = LEASE_SECONDS } = spec ?? {};
  if (holderIdentity === '' || holderIdentity === holder || renewTime === undefined || isGone(holderIdentity)) return false;
  return Date.parse(renewTime) + leaseDurationSeconds * 1000 > now().getTime();
}

/** Times of a Lease have microseconds (`metav1.MicroTime`). */
function leaseObject({ namespace, release, holder, now }: LockOptions, held?: StoredObject): WantedObject {
  const time = now().toISOString().replace('Z', '000Z');
  const version = held?.metadata.resourceVersion;
  return {
    apiVersion: LEASE.apiVersion,
    kind: LEASE.kind,
    metadata: { name: `bulkhead-release-${release}`, namespace, labels: { [RELEASE_LABEL]: release }, ...(version === undefined ? {} : { resourceVersion: version }) },
    spec: { holderIdentity: holder, leaseDurationSeconds: LEASE_SECONDS, acquireTime: time, renewTime: time },
  };
}

async function orLocked(options: LockOptions, write: Promise<StoredObject>): Promise<StoredObject> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof ClusterError) || (error.code !== 'conflict' && error.code !== 'not-found')) throw error;
    if (/being terminated|namespaces? ".*" not found/.test(error.message)) throw error;
    throw new ReleaseError('locked', `somebody else has begun to write the release ${options.release} at this moment`, 'wait until it is done');
  }
}
