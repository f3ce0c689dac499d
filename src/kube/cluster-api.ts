// The contract of a cluster: which of the kinds that decide about traffic it has, and their objects, one by one, as they are and as they change; and how to write them.
import type { ClusterError } from './cluster-error.ts';

/** A kind that the cluster serves and that has a say in the answer, in the one version it is read in. */
export interface ServedKind {
  /** `v1`, `networking.k8s.io/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** As paths and roles name it: `networkpolicies`. */
  readonly resource: string;
  readonly isNamespaced: boolean;
}

export interface ServedKinds {
  /** Sorted by API version and kind, each resource once. */
  readonly kinds: readonly ServedKind[];
  /** Kinds that decide nothing and say who calls pods: monitors, webhooks, extension APIs. Sorted. */
  readonly callers: readonly ServedKind[];
  /** API groups whose server does not answer, so that nobody knows what they hold. */
  readonly silentGroups: readonly string[];
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** An object as the server stores it, without what is not read: never env, arguments, data, or annotations that mean nothing here. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly [field: string]: Json;
}

export interface ObjectMetadata {
  readonly name: string;
  /** Missing for kinds of the whole cluster. */
  readonly namespace?: string;
  readonly [field: string]: Json;
}

export type ListEvent =
  | { readonly kind: 'object'; readonly object: ClusterObject }
  /** The server has forgotten the state that was being listed: what came so far is void, and all of it comes again. */
  | { readonly kind: 'restart' };

export type WholeListEvent = { readonly kind: 'object'; readonly object: StoredObject } | Extract<ListEvent, { readonly kind: 'restart' }>;

export interface ListOptions {
  /** Only the objects of this namespace, and of the Namespaces it alone; other kinds of the whole cluster are not touched by it. */
  readonly namespace?: string;
  /** `app=web`; what the server knows. */
  readonly labelSelector?: string;
}

/**
 * What a watch tells. Each telling begins with `restart` and is whole at `synced`; single changes follow, until the next
 * `restart`. An object has `uid`, `resourceVersion` and, where its kind counts them, `generation` in its metadata.
 */
export type WatchEvent =
  | { readonly kind: 'put'; readonly object: ClusterObject }
  | { readonly kind: 'remove'; readonly object: Pick<ClusterObject, 'apiVersion' | 'kind' | 'metadata'> }
  /** Everything is told anew from here on: what is not put again before the next `synced` is gone. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'synced' }
  /** The way to the server is cut, or it says no; the watch goes on by itself. */
  | { readonly kind: 'trouble'; readonly error: ClusterError; readonly retryInMs: number }
  /** After `trouble`: the way is open again, and what was missed follows. A `restart` says the same. */
  | { readonly kind: 'resumed' };

export interface WatchOptions extends ListOptions {
  /** Ends the watch, without an error. */
  readonly signal: AbortSignal;
  /** `spec.nodeName=a`; what the server knows for the kind. */
  readonly fieldSelector?: string;
}

/** What somebody wants to be in the cluster: an object as a manifest has it. */
export interface WantedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** What is to be made, or asked (a TokenReview has no name). */
export type NewObject = Omit<WantedObject, 'metadata'> & { readonly metadata?: { readonly namespace?: string; readonly [field: string]: unknown } };

/** An object whole, as the server answers it: a review has neither name nor uid. */
export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly uid?: string; readonly resourceVersion?: string; readonly generation?: number; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Where one object is. `namespace` is missing for kinds of the whole cluster. */
export interface ObjectPlace {
  readonly served: ServedKind;
  readonly namespace?: string;
  readonly name: string;
}

export interface WriteOptions {
  /** The server judges the write as it would, admission included, and changes nothing. */
  readonly dryRun?: boolean;
}

export interface DeleteOptions extends WriteOptions {
  /** Fails with `conflict` where the object is no longer in this state. */
  readonly resourceVersion?: string | undefined;
}

export interface ApplyOptions extends WriteOptions {
  /** Under this name the server remembers which fields are ours. */
  readonly fieldManager: string;
  /** false: fails with `conflict` where the object gives another value to a field that somebody else owns. */
  readonly force?: boolean;
}

export interface PatchOptions {
  /** The object as it was seen last: where it has changed since, the patch fails with `conflict`. */
  readonly resourceVersion?: string;
  /** Ends the waiting for an answer; the server may have taken the patch. */
  readonly signal?: AbortSignal;
}

/** What this program asks of a cluster. Every function fails with `ClusterError`, but a watch, which tells it. */
export interface ClusterApi {
  /** How people call the cluster: the context's name. */
  readonly name: string;
  discover(): Promise<ServedKinds>;
  /** In the server's order, page by page; trimmed when they come out. */
  list(kind: ServedKind, options?: ListOptions): AsyncIterable<ListEvent>;
  /** The same with each object as it is stored, secrets and all: whoever asks keeps only what is needed. Fails with `not-found` where the kind is not served. */
  listWhole(kind: ServedKind, options?: ListOptions): AsyncIterable<WholeListEvent>;
  /** A kind that is not served has no objects, and is looked for again and again. */
  watch(kind: ServedKind, options: WatchOptions): AsyncIterable<WatchEvent>;
  /** Whole, not trimmed. Fails with `not-found`. */
  get(place: ObjectPlace): Promise<StoredObject>;
  /** Fails with `conflict` where there is one of its name. */
  create(served: ServedKind, object: NewObject, options?: WriteOptions): Promise<StoredObject>;
  /**
   * Server-side apply: the fields given are ours from now on, those of ours that are not given any more go. Where the object
   * carries a `resourceVersion`, it fails with `conflict` when somebody changed it meanwhile.
   */
  apply(served: ServedKind, object: WantedObject, options: ApplyOptions): Promise<StoredObject>;
  /** In place of the one of its name, whose `resourceVersion` it carries. Fails with `conflict` where somebody changed that meanwhile. */
  replace(served: ServedKind, object: WantedObject, options?: WriteOptions): Promise<StoredObject>;
  /** Merged into `status` (JSON merge patch: null takes away, a list stands for the whole list). */
  patchStatus(place: ObjectPlace, status: { readonly [field: string]: unknown }, options?: PatchOptions): Promise<StoredObject>;
  /** Fails with `not-found`. */
  delete(place: ObjectPlace, options?: DeleteOptions): Promise<void>;
}

/** `networking.k8s.io` of `networking.k8s.io/v1`; empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.slice(0, Math.max(apiVersion.indexOf('/'), 0));
}

/** `networkpolicies.networking.k8s.io`, as roles of kubectl name a resource. */
export function qualifiedResource({ apiVersion, resource }: ServedKind): string {
  const group = groupOf(apiVersion);
  return group === '' ? resource : `${resource}.${group}`;
}
