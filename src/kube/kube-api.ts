// The real cluster: discovery, paged lists, watches and writes over the configuration of kubectl.
import { isPolicyGroup } from '../read/values/engine-kinds.ts';
import { groupOf, type ApplyOptions, type ClusterApi, type DeleteOptions, type ListEvent, type ListOptions, type NewObject, type ObjectPlace, type PatchOptions, type ServedKind, type ServedKinds, type StoredObject, type WantedObject, type WatchEvent, type WatchOptions, type WholeListEvent, type WriteOptions } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import { DISCOVERY_ACCEPT, readAggregated, readGroupVersions, readResourceList, type Discovered } from './discovery.ts';
import { execInPod } from './exec.ts';
import { openConnection, type ClusterChoice, type Connection } from './kube-config.ts';
import { kindPath, objectPath, versionPath, withQuery } from './kube-paths.ts';
import { ANSWER_BYTES_MAX, AnswerError, askServer, askText, retryIn, type KubeRequest } from './kube-request.ts';
import { KubeWatch, REAL_TIMES, type WatchTimes } from './kube-watch.ts';
import { listPages } from './list-pages.ts';
import type { EphemeralContainer, ExecRequest, ExecResult, PodAsking, PodHands, PodPlace, PodQuestion } from './pod-hands.ts';
import { askPodOver, PodConversation } from './port-forward.ts';
import { REAL_PACING, withRetries, type Pacing } from './retry.ts';
import { chooseKinds, type ServedResource } from './served-kinds.ts';
import { trimObject } from './trim-object.ts';

/** Asks nothing yet. Throws ClusterError without a usable configuration, WordError for a context that does not exist. */
export async function openKubeApi(choice: ClusterChoice): Promise<KubeApi> {
  return new KubeApi(await openConnection(choice));
}

const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };

/** What is read of what a container said. */
const LOG_BYTES_MAX = 1024 * 1024;

export interface KubeApiOptions {
  readonly pacing?: Pacing;
  readonly answerBytesMax?: number;
  readonly times?: WatchTimes;
}

/** A class, for it lives as long as its connections, and knows whether the server has ever answered. */
export class KubeApi implements ClusterApi, PodHands, PodAsking {
  readonly name: string;
  readonly #connection: Connection;
  readonly #pacing: Pacing;
  readonly #answerBytesMax: number;
  readonly #times: WatchTimes;
  #hasAnswered = false;

  constructor(connection: Connection, { pacing = REAL_PACING, answerBytesMax = ANSWER_BYTES_MAX, times = REAL_TIMES }: KubeApiOptions = {}) {
    this.name = connection.name;
    this.#connection = connection;
    this.#pacing = pacing;
    this.#answerBytesMax = answerBytesMax;
    this.#times = times;
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

  async *list(kind: ServedKind, options: ListOptions = {}): AsyncGenerator<ListEvent> {
    const { namespace } = options;
    if (kind.kind === 'Namespace' && kind.apiVersion === 'v1' && namespace !== undefined) {
      // Who may read one namespace may read its object, and not the list of all.
      yield* objectsOf(kind, [await this.#ask(`/api/v1/namespaces/${encodeURIComponent(namespace)}`)]);
      return;
    }
    for await (const page of listPages((query) => this.#ask(kindPath(kind, options, { ...query, labelSelector: options.labelSelector })))) {
      if (page.kind === 'restart') yield page;
      else yield* objectsOf(kind, page.items);
    }
  }

  async *listWhole(kind: ServedKind, { labelSelector, ...options }: ListOptions = {}): AsyncGenerator<WholeListEvent> {
    for await (const page of listPages((query) => this.#ask(kindPath(kind, options, { ...query, labelSelector })))) {
      if (page.kind === 'restart') yield page;
      // A list names the kind of its items once, for all of them.
      else for (const item of page.items) yield { kind: 'object', object: readStored({ ...(item as object), apiVersion: kind.apiVersion, kind: kind.kind }) };
    }
  }

  watch(kind: ServedKind, options: WatchOptions): AsyncIterable<WatchEvent> {
    return new KubeWatch({ connection: this.#connection, pacing: this.#pacing, times: this.#times }, kind, options).events();
  }

  async get(place: ObjectPlace): Promise<StoredObject> {
    return readStored(await this.#ask(objectPath(place)));
  }

  async create(served: ServedKind, object: NewObject, options: WriteOptions = {}): Promise<StoredObject> {
    const { namespace } = object.metadata ?? {};
    return this.#write({ path: kindPath(served, namespace === undefined ? {} : { namespace }, writeQuery(options)), method: 'POST', body: jsonBody('application/json', object) });
  }

  async apply(served: ServedKind, object: WantedObject, { fieldManager, force = true, ...options }: ApplyOptions): Promise<StoredObject> {
    const { name, namespace } = object.metadata;
    const path = objectPath({ served, name, ...(namespace === undefined ? {} : { namespace }) });
    // JSON is YAML, and older servers know the patch under no other name.
    return this.#write({ path: withQuery(path, { fieldManager, force: `${force}`, ...writeQuery(options) }), method: 'PATCH', body: jsonBody('application/apply-patch+yaml', object) });
  }

  async replace(served: ServedKind, object: WantedObject, options: WriteOptions = {}): Promise<StoredObject> {
    const { name, namespace } = object.metadata;
    const path = objectPath({ served, name, ...(namespace === undefined ? {} : { namespace }) });
    return this.#write({ path: withQuery(path, writeQuery(options)), method: 'PUT', body: jsonBody('application/json', object) });
  }

  async patchStatus(place: ObjectPlace, status: { readonly [field: string]: unknown }, { resourceVersion, signal }: PatchOptions = {}): Promise<StoredObject> {
    const patch = { ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }), status };
    return this.#write({ path: objectPath(place, 'status'), method: 'PATCH', body: jsonBody('application/merge-patch+json', patch), ...(signal === undefined ? {} : { signal }) });
  }

  async delete(place: ObjectPlace, { resourceVersion, ...options }: DeleteOptions = {}): Promise<void> {
    const body = resourceVersion === undefined ? {} : { body: jsonBody('application/json', { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } }) };
    await this.#write({ path: withQuery(objectPath(place), writeQuery(options)), method: 'DELETE', ...body });
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    return execInPod(this.#connection, request);
  }

  async ask(question: PodQuestion): Promise<string> {
    return askPodOver(this.#connection, question);
  }

  /** For many questions to one pod, one after another. */
  converse(): PodConversation {
    return new PodConversation(this.#connection);
  }

  async addEphemeralContainer({ namespace, pod }: PodPlace, container: EphemeralContainer): Promise<void> {
    const path = objectPath({ served: PODS, namespace, name: pod });
    const held = ((await this.#ask(path)) as { readonly spec?: { readonly ephemeralContainers?: readonly { readonly name: string }[] } }).spec?.ephemeralContainers ?? []; // core/v1
    if (held.some(({ name }) => name === container.name)) throw new ClusterError('conflict', `the pod ${namespace}/${pod} has a container \`${container.name}\` already`);
    await this.#write({ path: `${path}/ephemeralcontainers`, method: 'PATCH', body: jsonBody('application/strategic-merge-patch+json', { spec: { ephemeralContainers: [container] } }) });
  }

  async readLog({ namespace, pod }: PodPlace, container: string): Promise<string> {
    const path = `${objectPath({ served: PODS, namespace, name: pod })}/log`;
    return askText(this.#connection, { path: withQuery(path, { container, limitBytes: String(LOG_BYTES_MAX) }), accept: '*/*' });
  }

  /** Not tried again: whoever writes knows what a second time would do. */
  async #write(request: KubeRequest): Promise<StoredObject> {
    return readStored(await askServer(this.#connection, { ...request, answerBytesMax: this.#answerBytesMax }));
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
    return error instanceof AnswerError || this.#hasAnswered ? retryIn(error) : undefined;
  }
}

function jsonBody(type: string, document: object): { readonly type: string; readonly text: string } {
  return { type, text: JSON.stringify(document) };
}

function readStored(document: unknown): StoredObject {
  const { apiVersion, kind, metadata } = (document ?? {}) as { readonly [field: string]: unknown }; // looked at here
  const isObject = typeof apiVersion === 'string' && typeof kind === 'string' && (metadata === undefined || (typeof metadata === 'object' && metadata !== null));
  if (!isObject) throw new ClusterError('server-error', 'the API server answers with something that is no object');
  return { metadata: {}, ...(document as object), apiVersion, kind };
}

function* objectsOf(kind: ServedKind, items: readonly unknown[]): Generator<ListEvent> {
  for (const item of items) {
    const object = trimObject(kind, item);
    if (object !== undefined) yield { kind: 'object', object };
  }
}

/** Kubernetes API, "Dry-run". */
function writeQuery({ dryRun = false }: WriteOptions): { readonly dryRun: string | undefined } {
  return { dryRun: dryRun ? 'All' : undefined };
}
