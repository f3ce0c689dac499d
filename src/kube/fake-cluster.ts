// A cluster in memory: it takes and refuses objects, answers lists and watches, and fails, as a real one does.
import { hasErrors } from '../base/finding.ts';
import { classifyKind } from '../read/values/kinds.ts';
import { readManifests, sourceFromText } from '../read/read.ts';
import { groupOf, qualifiedResource, type ApplyOptions, type ClusterApi, type DeleteOptions, type ListEvent, type ListOptions, type NewObject, type ObjectPlace, type PatchOptions, type ServedKind, type ServedKinds, type StoredObject, type WantedObject, type WatchEvent, type WatchOptions, type WholeListEvent, type WriteOptions } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import { FakeHistory, keyOf } from './fake-history.ts';
import { applyFields, conflictsOf, mergePatch } from './fake-merge.ts';
import { meetsSelectors } from './fake-selector.ts';
import { FakeWatch, isOfKind } from './fake-watch.ts';
import { chooseKinds, type ServedResource } from './served-kinds.ts';
import { trimObject } from './trim-object.ts';

type Fields = { readonly [field: string]: unknown };

/** Objects of the real server's first page; the fake forgets a list only behind it. */
const PAGE_OBJECTS = 500;

/** A class, for it lives in time: objects come and go, rights are taken, the server goes away. */
export class FakeCluster implements ClusterApi {
  readonly name: string;
  #resources: readonly ServedResource[] = BUILT_IN;
  readonly #history = new FakeHistory();
  readonly #applied = new Map<string, ReadonlyMap<string, Fields>>();
  readonly #forbidden = new Set<string>();
  readonly #watches = new Set<FakeWatch>();
  #isGone = false;
  #expiries = 0;

  constructor(name = 'fake') {
    this.name = name;
    // A new cluster has these.
    for (const namespace of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) this.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  }

  /** As somebody else does it, also while nobody answers here: makes the object, or puts it in place of the one of its name, its status included. Throws ClusterError where a server refuses it. */
  put(object: WantedObject): StoredObject {
    const resource = this.#resourceOf(object);
    const { namespace } = object.metadata;
    if (resource.isNamespaced && this.#history.find(keyOf('v1', 'Namespace', '', namespace ?? 'default')) === undefined) throw new ClusterError('not-found', `namespaces "${namespace ?? 'default'}" not found`);
    const scoped = withScope(object, resource);
    refuseInvalid(scoped);
    const stored = this.#history.put(keyOfObject(scoped), scoped);
    this.#wake();
    return stored;
  }

  /** Throws ClusterError when there is no such object. */
  remove(object: Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>): void {
    const key = keyOfObject(withScope(object, this.#resourceOf(object)));
    if (!this.#history.remove(key)) throw new ClusterError('not-found', `${object.kind} "${object.metadata.name}" not found`);
    this.#applied.delete(key);
    this.#wake();
  }

  /** As the CustomResourceDefinition of a kind does. */
  serve(kind: ServedKind): void {
    this.#resources = [...this.#resources, { ...kind, verbs: VERBS }];
    this.#wake();
  }

  /** The CustomResourceDefinition goes, and its objects with it. */
  unserve(kind: ServedKind): void {
    for (const object of [...this.#history.objects].filter((object) => isOfKind(object, kind))) this.remove(object as WantedObject); // what is stored has a name
    this.#resources = this.#resources.filter(({ apiVersion, resource }) => apiVersion !== kind.apiVersion || resource !== kind.resource);
    this.#wake();
  }

  /** The user may no longer list or get the resource, `nodes` or `networkpolicies.networking.k8s.io`. */
  forbid(resource: string): void {
    this.#forbidden.add(resource);
    this.#wake();
  }

  permit(resource: string): void {
    this.#forbidden.delete(resource);
    this.#wake();
  }

  /** The next lists with more than one page are forgotten between their pages, so many times. */
  expire(times: number): void {
    this.#expiries = times;
  }

  /** Nobody answers any more. */
  goAway(): void {
    this.#isGone = true;
    this.#wake();
  }

  comeBack(): void {
    this.#isGone = false;
    this.#wake();
  }

  /** Every watch that goes on is cut, and finds its way back by itself. */
  cutWatches(): void {
    for (const watch of this.#watches) watch.cut();
  }

  /** The history up to now: watches that are behind, or are cut before they hear something new, begin anew (410 Gone). */
  compact(): void {
    this.#history.forget();
    this.cutWatches();
  }

  async discover(): Promise<ServedKinds> {
    this.#answer();
    return chooseKinds(this.#resources, []);
  }

  async *list(kind: ServedKind, { namespace, labelSelector }: ListOptions = {}): AsyncGenerator<ListEvent> {
    this.#answer();
    this.#checkRight(kind, namespace);
    const objects = this.#listed(kind, namespace).filter((object) => meetsSelectors(object, labelSelector === undefined ? {} : { labelSelector }));
    let isForgotten = true;
    while (isForgotten) {
      isForgotten = objects.length > PAGE_OBJECTS && this.#expiries > 0;
      for (const object of isForgotten ? objects.slice(0, PAGE_OBJECTS) : objects) {
        this.#answer();
        const trimmed = trimObject(kind, object);
        if (trimmed !== undefined) yield { kind: 'object', object: trimmed };
      }
      if (!isForgotten) return;
      this.#expiries--;
      yield { kind: 'restart' };
    }
  }

  async *listWhole(kind: ServedKind, { labelSelector, ...options }: ListOptions = {}): AsyncGenerator<WholeListEvent> {
    this.#answer();
    this.#checkRight(kind, options.namespace);
    for (const object of this.#listed(kind, options.namespace)) {
      this.#answer();
      if (meetsSelectors(object, labelSelector === undefined ? {} : { labelSelector })) yield { kind: 'object', object };
    }
  }

  async *watch(kind: ServedKind, options: WatchOptions): AsyncGenerator<WatchEvent> {
    const watch = new FakeWatch(kind, options, { history: this.#history, look: () => this.#look(kind, options) });
    this.#watches.add(watch);
    try {
      yield* watch.events();
    } finally {
      this.#watches.delete(watch);
    }
  }

  async get(place: ObjectPlace): Promise<StoredObject> {
    this.#answer();
    this.#checkRight(place.served, place.namespace);
    return this.#find(place);
  }

  async create(served: ServedKind, object: NewObject, { dryRun = false }: WriteOptions = {}): Promise<StoredObject> {
    this.#answer();
    const { name } = object.metadata ?? {};
    if (typeof name !== 'string' || name === '') throw new ClusterError('invalid', 'name or generateName is required');
    const { status: _, ...wanted } = withScope({ ...object, metadata: { ...object.metadata, name } } as WantedObject, this.#resourceOf(served)); // it has a name
    if (this.#history.find(keyOfObject(wanted)) !== undefined) throw new ClusterError('conflict', `${served.resource} "${name}" already exists`);
    return this.#store(wanted, dryRun);
  }

  async apply(served: ServedKind, object: WantedObject, { fieldManager, force = true, dryRun = false }: ApplyOptions): Promise<StoredObject> {
    this.#answer();
    const { status: _, ...wanted } = withScope(object, this.#resourceOf(served));
    const key = keyOfObject(wanted);
    const held = this.#history.find(key);
    this.#checkVersion(served, object, held);
    const managers = new Map(this.#applied.get(key));
    const before = managers.get(fieldManager) ?? {};
    managers.delete(fieldManager);
    if (!force) refuseConflicts(wanted, managers);
    const joined = applyFields(held ?? {}, { wanted, before, others: [...managers.values()] });
    const stored = this.#store(joined as WantedObject, dryRun); // it has what `wanted` has
    if (!dryRun) this.#applied.set(key, managers.set(fieldManager, wanted));
    return stored;
  }

  async replace(served: ServedKind, object: WantedObject, { dryRun = false }: WriteOptions = {}): Promise<StoredObject> {
    this.#answer();
    const { status: _, ...wanted } = withScope(object, this.#resourceOf(served));
    const held = this.#history.find(keyOfObject(wanted));
    if (held === undefined) throw new ClusterError('not-found', `${served.resource} "${object.metadata.name}" not found`);
    this.#checkVersion(served, object, held);
    return this.#store(held['status'] === undefined ? wanted : { ...wanted, status: held['status'] }, dryRun);
  }

  async patchStatus(place: ObjectPlace, status: Fields, { resourceVersion }: PatchOptions = {}): Promise<StoredObject> {
    this.#answer();
    const held = this.#find(place);
    if (resourceVersion !== undefined) this.#checkVersion(place.served, { ...held, metadata: { name: place.name, resourceVersion } }, held);
    return this.put(mergePatch(held, { status }) as WantedObject); // it is stored
  }

  async delete(place: ObjectPlace, { dryRun = false, resourceVersion }: DeleteOptions = {}): Promise<void> {
    this.#answer();
    const held = this.#find(place) as WantedObject; // it is stored
    if (resourceVersion !== undefined && held.metadata['resourceVersion'] !== resourceVersion) throw new ClusterError('conflict', `the object has been modified: ${place.served.resource} "${place.name}"`);
    if (!dryRun) this.remove(held);
  }

  /** What a server would answer, and stores unless it is only asked. */
  #store(object: WantedObject, dryRun: boolean): StoredObject {
    if (!dryRun) return this.put(object);
    const trial = new FakeCluster();
    trial.#resources = this.#resources;
    for (const namespace of this.#history.objects) if (namespace.kind === 'Namespace') trial.put(namespace as WantedObject); // what is stored has a name
    return trial.put(object);
  }

  /** One that carries none is taken whatever stands there. */
  #checkVersion(served: ServedKind, { metadata }: WantedObject, held: StoredObject | undefined): void {
    if (metadata['resourceVersion'] !== undefined && metadata['resourceVersion'] !== held?.metadata.resourceVersion) throw new ClusterError('conflict', `the object has been modified: ${served.resource} "${metadata.name}"`);
  }

  #find({ served, namespace, name }: ObjectPlace): StoredObject {
    this.#checkServed(served);
    const found = this.#history.find(keyOf(served.apiVersion, served.kind, namespace ?? '', name));
    if (found === undefined) throw new ClusterError('not-found', `${served.resource} "${name}" not found`);
    return found;
  }

  /** As a watch begins: what is there, or why not. */
  #look(kind: ServedKind, { namespace, fieldSelector, labelSelector }: WatchOptions): readonly StoredObject[] {
    this.#answer();
    this.#checkRight(kind, namespace);
    const selectors = { ...(fieldSelector === undefined ? {} : { fieldSelector }), ...(labelSelector === undefined ? {} : { labelSelector }) };
    return this.#listed(kind, namespace).filter((object) => meetsSelectors(object, selectors));
  }

  #wake(): void {
    for (const watch of this.#watches) watch.wake();
  }

  #answer(): void {
    if (this.#isGone) throw new ClusterError('unreachable', `the cluster ${this.name} cannot be reached`);
  }

  #checkRight(kind: ServedKind, namespace: string | undefined): void {
    const resource = qualifiedResource(kind);
    if (!this.#forbidden.has(resource)) return;
    const where = kind.isNamespaced && namespace !== undefined ? `in the namespace "${namespace}"` : 'at the cluster scope';
    throw new ClusterError('forbidden', `${resource} is forbidden: User "nobody" cannot list resource "${kind.resource}" in API group "${groupOf(kind.apiVersion)}" ${where}`);
  }

  #checkServed(kind: ServedKind): void {
    if (!this.#resources.some(({ apiVersion, resource }) => apiVersion === kind.apiVersion && resource === kind.resource)) throw new ClusterError('not-found', 'the server could not find the requested resource');
  }

  #listed(kind: ServedKind, namespace: string | undefined): readonly StoredObject[] {
    this.#checkServed(kind);
    const all = [...this.#history.objects].filter((object) => isOfKind(object, kind));
    if (namespace === undefined) return all;
    if (kind.isNamespaced) return all.filter(({ metadata }) => metadata.namespace === namespace);
    if (kind.kind !== 'Namespace') return all;
    const named = all.filter(({ metadata }) => metadata.name === namespace);
    if (named.length === 0) throw new ClusterError('not-found', `namespaces "${namespace}" not found`);
    return named;
  }

  #resourceOf({ apiVersion, kind }: Pick<WantedObject, 'apiVersion' | 'kind'>): ServedResource {
    const found = this.#resources.find((resource) => resource.apiVersion === apiVersion && resource.kind === kind);
    if (found === undefined) throw new ClusterError('not-found', `no matches for kind "${kind}" in version "${apiVersion}"`);
    return found;
  }
}

/** In the server's words. */
function refuseConflicts(wanted: Fields, managers: ReadonlyMap<string, Fields>): void {
  const found = [...managers].flatMap(([manager, owned]) => conflictsOf(wanted, owned).map((field) => `conflict with "${manager}": ${field}`));
  if (found.length > 0) throw new ClusterError('conflict', `Apply failed with ${found.length} ${found.length === 1 ? 'conflict' : 'conflicts'}: ${found.join('\n')}`);
}

function keyOfObject({ apiVersion, kind, metadata }: Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  return keyOf(apiVersion, kind, metadata.namespace ?? '', metadata.name);
}

/** A namespace of its own for what has one, none for what has none; a namespace carries its name as a label. */
function withScope<T extends Pick<WantedObject, 'metadata' | 'kind' | 'apiVersion'>>(object: T, { isNamespaced }: ServedResource): T {
  const { namespace, ...metadata } = object.metadata;
  const labels = object.kind === 'Namespace' ? { labels: { ...(metadata['labels'] as object | undefined), 'kubernetes.io/metadata.name': object.metadata.name } } : {};
  return { ...object, metadata: { ...metadata, ...labels, ...(isNamespaced ? { namespace: namespace ?? 'default' } : {}) } };
}

/** What reading refuses, a server refuses: `tests/cluster` holds the two against each other. Kinds that are not read are taken as they are. */
function refuseInvalid(object: WantedObject): void {
  if (classifyKind(object.apiVersion, object.kind, {}).kind !== 'read') return;
  const { findings } = readManifests([sourceFromText('object', JSON.stringify(object))]);
  if (hasErrors(findings)) throw new ClusterError('invalid', findings.find(({ severity }) => severity === 'error')!.message);
}

const VERBS: readonly string[] = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** What Kubernetes 1.34 serves of the kinds that are read, and of those that we write; CustomResourceDefinitions add others. */
const BUILT_IN: readonly ServedResource[] = (
  [
    ['v1', 'ConfigMap', 'configmaps', true],
    ['v1', 'Endpoints', 'endpoints', true],
    ['v1', 'Namespace', 'namespaces', false],
    ['v1', 'Node', 'nodes', false],
    ['v1', 'Pod', 'pods', true],
    ['v1', 'ReplicationController', 'replicationcontrollers', true],
    ['v1', 'Service', 'services', true],
    ['apps/v1', 'DaemonSet', 'daemonsets', true],
    ['apps/v1', 'Deployment', 'deployments', true],
    ['apps/v1', 'ReplicaSet', 'replicasets', true],
    ['apps/v1', 'StatefulSet', 'statefulsets', true],
    ['batch/v1', 'CronJob', 'cronjobs', true],
    ['batch/v1', 'Job', 'jobs', true],
    ['coordination.k8s.io/v1', 'Lease', 'leases', true],
    ['discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', true],
    ['networking.k8s.io/v1', 'Ingress', 'ingresses', true],
    ['networking.k8s.io/v1', 'IngressClass', 'ingressclasses', false],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', true],
  ] as const
).map(([apiVersion, kind, resource, isNamespaced]) => ({ apiVersion, kind, resource, isNamespaced, verbs: VERBS }));
