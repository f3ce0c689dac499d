// The real cluster: discovery and paged lists over the configuration of kubectl.
import { isPolicyGroup } from '../read/engine-kinds.ts';
import { groupOf, type ClusterApi, type ListEvent, type ListOptions, type ServedKind, type ServedKinds } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import { DISCOVERY_ACCEPT, readAggregated, readGroupVersions, readResourceList, type Discovered } from './discovery.ts';
import { openConnection, type ClusterChoice, type Connection } from './kube-config.ts';
import { ANSWER_BYTES_MAX, AnswerError, askServer } from './kube-request.ts';
import { REAL_PACING, withRetries, type Pacing } from './retry.ts';
import { chooseKinds, type ServedResource } from './served-kinds.ts';
import { trimObject } from './trim-object.ts';

/** Objects in one page of a list. */
const PAGE_OBJECTS = 500;
/** How often a list that the server has forgotten is begun again in pages; after that it is asked for whole. */
const LIST_RESTARTS_MAX = 2;
/** A page too large to hold is asked for again with so many times fewer objects. */
const PAGE_SHRINK = 8;

/** Asks nothing yet. Throws ClusterError without a usable configuration, WordError for a context that does not exist. */
export async function openKubeApi(choice: ClusterChoice): Promise<KubeApi> {
  return new KubeApi(await openConnection(choice));
}

export interface KubeApiOptions {
  readonly pacing?: Pacing;
  readonly answerBytesMax?: number;
}

/** A class, for it lives as long as its connections, and knows whether the server has ever answered. */
export class KubeApi implements ClusterApi {
  readonly name: string;
  readonly #connection: Connection;
  readonly #pacing: Pacing;
  readonly #answerBytesMax: number;
  #hasAnswered = false;

  constructor(connection: Connection, { pacing = REAL_PACING, answerBytesMax = ANSWER_BYTES_MAX }: KubeApiOptions = {}) {
    this.name = connection.name;
    this.#connection = connection;
    this.#pacing = pacing;
    this.#answerBytesMax = answerBytesMax;
  }

  async discover(): Promise<ServedKinds> {
    const [core, groups] = await Promise.all([this.#discoverRoot('/api'), this.#discoverRoot('/apis')]);
    const silent = [...core.silentGroups, ...groups.silentGroups];
    const unknown = silent.filter(isPolicyGroup);
    if (unknown.length > 0) {
      throw new ClusterError('server-error', `the API group \`${unknown[0]}\` of the cluster does not answer, so nobody knows which policies it holds`, {
        help: `look at its server: kubectl get apiservices | grep ${unknown[0]}`,
      });
    }
    return chooseKinds([...core.resources, ...groups.resources], silent);
  }

  async *list(kind: ServedKind, { namespace }: ListOptions = {}): AsyncGenerator<ListEvent> {
    if (kind.kind === 'Namespace' && kind.apiVersion === 'v1' && namespace !== undefined) {
      // Who may read one namespace may read its object, and not the list of all.
      yield* objectsOf(kind, [await this.#ask(`/api/v1/namespaces/${encodeURIComponent(namespace)}`)]);
      return;
    }
    let limit = PAGE_OBJECTS;
    let restarts = 0;
    let place: string | undefined;
    for (;;) {
      const page = await this.#fetchPage(listPath(kind, namespace, limit, place));
      if (page.kind === 'too-large') {
        if (limit === 1) throw page.error;
        limit = limit === 0 ? PAGE_OBJECTS : Math.max(1, Math.floor(limit / PAGE_SHRINK));
      } else if (page.kind === 'expired') {
        if (restarts > LIST_RESTARTS_MAX) throw page.error;
        if (restarts === LIST_RESTARTS_MAX) limit = 0;
        restarts++;
        place = undefined;
        yield { kind: 'restart' };
      } else {
        yield* objectsOf(kind, page.items);
        place = page.next;
        if (place === undefined) return;
      }
    }
  }

  async #discoverRoot(path: '/api' | '/apis'): Promise<Discovered> {
    const document = await this.#ask(path, DISCOVERY_ACCEPT);
    const aggregated = readAggregated(document);
    if (aggregated !== undefined) return aggregated;
    const versions = path === '/api' ? ['v1'] : readGroupVersions(document);
    const resources: ServedResource[] = [];
    const silentGroups: string[] = [];
    for (const version of versions) {
      const found = await this.#discoverVersion(version);
      if (found === undefined) silentGroups.push(groupOf(version));
      else resources.push(...found);
    }
    return { resources, silentGroups };
  }

  /** undefined: the group's own server does not answer. */
  async #discoverVersion(apiVersion: string): Promise<readonly ServedResource[] | undefined> {
    try {
      return readResourceList(apiVersion, await this.#ask(versionPath(apiVersion)));
    } catch (error) {
      // A group behind another server: what stands before it answers 503, and 404 while it goes away.
      if (error instanceof AnswerError && (error.status === 503 || error.status === 404)) return undefined;
      throw error;
    }
  }

  async #fetchPage(path: string): Promise<Page> {
    try {
      return readPage(await this.#ask(path));
    } catch (error) {
      if (error instanceof ClusterError && (error.code === 'expired' || error.code === 'too-large')) return { kind: error.code, error };
      throw error;
    }
  }

  async #ask(path: string, accept?: string): Promise<unknown> {
    const act = async (): Promise<unknown> => {
      const answer = await askServer(this.#connection, { path, ...(accept === undefined ? {} : { accept }), answerBytesMax: this.#answerBytesMax });
      this.#hasAnswered = true;
      return answer;
    };
    return withRetries(act, (error) => this.#retryIn(error), this.#pacing);
  }

  /** A server that never answered is not waited for: whoever mistyped an address wants to hear of it. */
  #retryIn(error: unknown): number | undefined {
    if (error instanceof AnswerError) return RETRIED_STATUS.has(error.status) ? (error.retryAfterMs ?? 0) : undefined;
    return error instanceof ClusterError && error.code === 'unreachable' && this.#hasAnswered ? 0 : undefined;
  }
}

/** Too many requests, and what a server or a proxy before it says while it starts, stops or is overloaded. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

type Page = FullPage | { readonly kind: 'expired'; readonly error: ClusterError } | { readonly kind: 'too-large'; readonly error: ClusterError };

interface FullPage {
  readonly kind: 'page';
  readonly items: readonly unknown[];
  readonly next: string | undefined;
}

function readPage(document: unknown): FullPage {
  const { items, metadata } = document as { readonly items?: unknown; readonly metadata?: { readonly continue?: unknown } }; // looked at below
  if (items !== null && items !== undefined && !Array.isArray(items)) throw new ClusterError('server-error', 'the API server answers a list without items');
  const next = metadata?.continue;
  return { kind: 'page', items: (items ?? []) as readonly unknown[], next: typeof next === 'string' && next !== '' ? next : undefined };
}

function* objectsOf(kind: ServedKind, items: readonly unknown[]): Generator<ListEvent> {
  for (const item of items) {
    const object = trimObject(kind, item);
    if (object !== undefined) yield { kind: 'object', object };
  }
}

function versionPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** `limit` 0: everything at once. */
function listPath({ apiVersion, resource, isNamespaced }: ServedKind, namespace: string | undefined, limit: number, place: string | undefined): string {
  const scope = isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const query = new URLSearchParams({ ...(limit === 0 ? {} : { limit: `${limit}` }), ...(place === undefined ? {} : { continue: place }) });
  return `${versionPath(apiVersion)}${scope}/${resource}${query.size === 0 ? '' : `?${query.toString()}`}`;
}
