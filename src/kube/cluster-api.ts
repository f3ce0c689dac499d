// The contract of a cluster: which of the kinds that decide about traffic it has, and their objects, one by one.

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

export interface ListOptions {
  /** Only the objects of this namespace, and of the Namespaces it alone; other kinds of the whole cluster are not touched by it. */
  readonly namespace?: string;
}

/**
 * What this program asks of a cluster. Watching joins here as one more function, for the agent.
 * Both functions fail with `ClusterError`.
 */
export interface ClusterApi {
  /** How people call the cluster: the context's name. */
  readonly name: string;
  discover(): Promise<ServedKinds>;
  /** In the server's order, page by page; trimmed when they come out. */
  list(kind: ServedKind, options?: ListOptions): AsyncIterable<ListEvent>;
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
