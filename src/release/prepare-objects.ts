// Asks the cluster what it has of each object and what it would make of the new one: a server-side dry run, before anything is judged or written.
import { qualifiedResource, type ClusterApi, type ObjectPlace, type StoredObject, type WantedObject } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import { FIELD_MANAGER, isOurs, readConflicts, type FieldConflict } from './field-owners.ts';
import { findObject } from './find-object.ts';
import { missingRightsError, readMissingRight, type MissingRight } from './missing-rights.ts';
import { authored, isSameAuthored, placeLabel } from './release-object.ts';
import { isDeepEqual } from './same-value.ts';

/** What becomes of one object. */
export interface ObjectChange {
  readonly place: ObjectPlace;
  readonly held: StoredObject | undefined;
  /** undefined: it goes. */
  readonly wanted: WantedObject | undefined;
  /** What the server makes of it; with a dry run on the client, what is wanted. */
  readonly result: StoredObject | WantedObject | undefined;
  /** `apply`: server-side apply. `replace`: whole, for others own fields that would stay otherwise, or because it is to be as it was. */
  readonly how: 'apply' | 'replace';
  /** Fields that somebody else owns with another value. */
  readonly conflicts: readonly FieldConflict[];
  /** It is there, and was never written by us. */
  readonly isAdopted: boolean;
  /** It is to be exactly as it was once. */
  readonly isRestore: boolean;
}

export interface PrepareOptions {
  /** `client`: the server is not asked what it would make of it. */
  readonly dryRun: 'client' | 'server';
  /** Writes objects whole, as they were. */
  readonly isRestore?: boolean;
  /** What this user may not besides. */
  readonly missing?: readonly MissingRight[];
}

export interface WantedChange {
  readonly place: ObjectPlace;
  readonly wanted: WantedObject | undefined;
}

/** Objects that are already as they should be are among them, with `held` like `result`. Fails with ClusterError: what the server does not take, and all rights that are missing as one. */
export async function prepareObjects(api: ClusterApi, wanted: readonly WantedChange[], options: PrepareOptions): Promise<readonly ObjectChange[]> {
  const changes: ObjectChange[] = [];
  const missing: MissingRight[] = [];
  for (const change of wanted) {
    try {
      changes.push(await prepareObject(api, change, options));
    } catch (error) {
      const right = readMissingRight(error);
      if (right === undefined) throw inWords(change.place, error);
      missing.push(right);
    }
  }
  const all = [...missing, ...(options.missing ?? [])];
  if (all.length > 0) throw missingRightsError(all);
  return changes;
}

async function prepareObject(api: ClusterApi, { place, wanted }: WantedChange, { dryRun, isRestore = false }: PrepareOptions): Promise<ObjectChange> {
  const held = await findObject(api, place);
  const plain = { place, held, wanted, conflicts: [], isAdopted: false, isRestore };
  if (wanted === undefined) {
    if (held !== undefined && dryRun === 'server') await api.delete(place, { dryRun: true });
    return { ...plain, result: undefined, how: 'apply' };
  }
  if (isRestore) {
    const result = held !== undefined && isSameAuthored(held, wanted) ? held : dryRun === 'client' ? wanted : await write(api, { place, held, object: wanted, how: 'replace', dryRun: true });
    return { ...plain, result, how: 'replace' };
  }
  const isAdopted = held !== undefined && !isOurs(held.metadata) && held.metadata['managedFields'] !== undefined;
  if (dryRun === 'client') return { ...plain, result: held === undefined ? wanted : joined(held, wanted), how: 'apply', isAdopted };
  const conflicts = await conflictsOf(api, place, wanted);
  const applied = await write(api, { place, held, object: wanted, how: 'apply', dryRun: true });
  if (held === undefined || !keepsForeignFields(applied, wanted)) return { ...plain, result: applied, how: 'apply', conflicts, isAdopted };
  const result = await write(api, { place, held, object: joined(held, wanted), how: 'replace', dryRun: true });
  return { ...plain, result, how: 'replace', conflicts, isAdopted };
}

/** The wanted spec in the held object; labels and annotations of others stay. */
export function joined(held: StoredObject, wanted: WantedObject): WantedObject {
  const { metadata } = authored(held);
  const merged = (field: string): object => ({ ...(metadata[field] as object | undefined), ...(wanted.metadata[field] as object | undefined) });
  return { ...wanted, metadata: { ...metadata, ...wanted.metadata, labels: merged('labels'), annotations: merged('annotations') } };
}

async function conflictsOf(api: ClusterApi, { served }: ObjectPlace, wanted: WantedObject): Promise<readonly FieldConflict[]> {
  try {
    await api.apply(served, wanted, { fieldManager: FIELD_MANAGER, force: false, dryRun: true });
    return [];
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'conflict' && /Apply failed with/.test(error.message)) return readConflicts(error.message);
    throw error;
  }
}

/** A section of a spec that the wanted one does not have, or types that are not those of its sections. */
function keepsForeignFields(applied: StoredObject, wanted: WantedObject): boolean {
  const [is, should] = [applied['spec'], wanted['spec']].map((spec) => (spec ?? {}) as { readonly [field: string]: unknown });
  const types = should!['policyTypes'] ?? ['Ingress', ...(Array.isArray(should!['egress']) && should!['egress'].length > 0 ? ['Egress'] : [])];
  return Object.keys(is!).some((field) => (field === 'policyTypes' ? !isDeepEqual(is![field], types) : field !== 'podSelector' && should![field] === undefined));
}

export interface Write {
  readonly place: ObjectPlace;
  /** What is there, in the state that is meant; undefined: nothing. */
  readonly held: Pick<StoredObject, 'metadata'> | undefined;
  readonly object: WantedObject;
  readonly how: 'apply' | 'replace';
  readonly dryRun?: boolean;
}

/** Fails with `conflict` where what is there is no longer as it was. */
export async function write(api: ClusterApi, { place: { served }, held, object, how, dryRun = false }: Write): Promise<StoredObject> {
  const version = held?.metadata.resourceVersion;
  const dated = version === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion: version } };
  if (how === 'apply') return api.apply(served, dated, { fieldManager: FIELD_MANAGER, dryRun });
  return held === undefined ? api.create(served, object, { dryRun }) : api.replace(served, dated, { dryRun });
}

export function isUnchanged({ held, result }: ObjectChange): boolean {
  return held === undefined || result === undefined ? held === result : isSameAuthored(held, result);
}

/** A kind that nobody serves, a namespace that goes away, a quota: in the words of somebody who wants to apply policies. */
function inWords(place: ObjectPlace, error: unknown): unknown {
  if (!(error instanceof ClusterError)) return error;
  const { message } = error;
  const label = placeLabel(place);
  if (/is being terminated/.test(message)) return new ClusterError(error.code, `the namespace ${place.namespace} is going away, and takes nothing new: ${label} cannot be written`, { help: 'wait until it is gone, or leave its policies out', cause: error });
  if (error.code === 'not-found' && /namespaces? ".*" not found/.test(message)) return new ClusterError('not-found', `there is no namespace ${place.namespace}: ${label} cannot be written`, { help: `kubectl create namespace ${place.namespace}`, cause: error });
  if (error.code === 'not-found') return new ClusterError('not-found', `the cluster does not serve ${qualifiedResource(place.served)} in ${place.served.apiVersion}: ${label} cannot be written`, { help: 'install the CustomResourceDefinition of the kind first, or leave such policies out', cause: error });
  if (/exceeded quota/.test(message)) return new ClusterError('forbidden', `a quota of the namespace ${place.namespace} is used up: ${label} cannot be written: ${message}`, { help: `kubectl describe quota -n ${place.namespace}`, cause: error });
  return new ClusterError(error.code, `${label} is not taken: ${message}`, { cause: error });
}
