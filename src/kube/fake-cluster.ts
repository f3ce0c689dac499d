// A cluster in memory: it takes and refuses objects, answers lists, and fails, as a real one does.
import { hasErrors } from '../base/finding.ts';
import { classifyKind } from '../read/kinds.ts';
import { readManifests, sourceFromText } from '../read/read.ts';
import { groupOf, qualifiedResource, type ClusterApi, type ListEvent, type ListOptions, type ServedKind, type ServedKinds } from './cluster-api.ts';
import { ClusterError } from './cluster-error.ts';
import { chooseKinds, type ServedResource } from './served-kinds.ts';
import { trimObject } from './trim-object.ts';

/** What somebody wants to be in the cluster: an object as a manifest has it. */
export interface WantedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Objects of the real server's first page; the fake forgets a list only behind it. */
const PAGE_OBJECTS = 500;

/** A class, for it lives in time: objects come and go, rights are taken, the server goes away. */
export class FakeCluster implements ClusterApi {
  readonly name: string;
  readonly #resources: ServedResource[] = [...BUILT_IN];
  readonly #objects = new Map<string, WantedObject>();
  readonly #forbidden = new Set<string>();
  #isGone = false;
  #expiries = 0;

  constructor(name = 'fake') {
    this.name = name;
    // A new cluster has these.
    for (const namespace of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  }

  /** Makes the object, or puts it in place of the one of its name. Throws ClusterError where a server refuses it. */
  apply(object: WantedObject): void {
    this.#answer();
    const resource = this.#resourceOf(object);
    const { namespace } = object.metadata;
    if (resource.isNamespaced && !this.#objects.has(keyOf('v1', 'Namespace', '', namespace ?? 'default'))) throw new ClusterError('not-found', `namespaces "${namespace ?? 'default'}" not found`);
    const stored = withScope(object, resource);
    refuseInvalid(stored);
    this.#objects.set(keyOf(object.apiVersion, object.kind, stored.metadata.namespace ?? '', object.metadata.name), stored);
  }

  /** Throws ClusterError when there is no such object. */
  delete(object: Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>): void {
    this.#answer();
    const { metadata } = withScope(object, this.#resourceOf(object));
    if (!this.#objects.delete(keyOf(object.apiVersion, object.kind, metadata.namespace ?? '', metadata.name))) throw new ClusterError('not-found', `${object.kind} "${metadata.name}" not found`);
  }

  /** As the CustomResourceDefinition of a kind does. */
  serve(kind: ServedKind): void {
    this.#resources.push({ ...kind, verbs: VERBS });
  }

  /** The user may no longer list the resource, `nodes` or `networkpolicies.networking.k8s.io`. */
  forbid(resource: string): void {
    this.#forbidden.add(resource);
  }

  /** The next lists with more than one page are forgotten between their pages, so many times. */
  expire(times: number): void {
    this.#expiries = times;
  }

  /** Nobody answers any more. */
  goAway(): void {
    this.#isGone = true;
  }

  async discover(): Promise<ServedKinds> {
    this.#answer();
    return chooseKinds(this.#resources, []);
  }

  async *list(kind: ServedKind, { namespace }: ListOptions = {}): AsyncGenerator<ListEvent> {
    this.#answer();
    this.#checkRight(kind, namespace);
    const objects = this.#listed(kind, namespace);
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

  #answer(): void {
    if (this.#isGone) throw new ClusterError('unreachable', `the cluster ${this.name} cannot be reached`);
  }

  #checkRight(kind: ServedKind, namespace: string | undefined): void {
    const resource = qualifiedResource(kind);
    if (!this.#forbidden.has(resource)) return;
    const where = kind.isNamespaced && namespace !== undefined ? `in the namespace "${namespace}"` : 'at the cluster scope';
    throw new ClusterError('forbidden', `${resource} is forbidden: User "nobody" cannot list resource "${kind.resource}" in API group "${groupOf(kind.apiVersion)}" ${where}`);
  }

  #listed(kind: ServedKind, namespace: string | undefined): readonly WantedObject[] {
    if (!this.#resources.some(({ apiVersion, resource }) => apiVersion === kind.apiVersion && resource === kind.resource)) throw new ClusterError('not-found', 'the server could not find the requested resource');
    const all = [...this.#objects.values()].filter((object) => object.apiVersion === kind.apiVersion && object.kind === kind.kind);
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

function keyOf(apiVersion: string, kind: string, namespace: string, name: string): string {
  return `${groupOf(apiVersion)}/${kind}/${namespace}/${name}`;
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

/** What Kubernetes 1.34 serves of the kinds that are read; CustomResourceDefinitions add others. */
const BUILT_IN: readonly ServedResource[] = (
  [
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
    ['discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', true],
    ['networking.k8s.io/v1', 'Ingress', 'ingresses', true],
    ['networking.k8s.io/v1', 'IngressClass', 'ingressclasses', false],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', true],
  ] as const
).map(([apiVersion, kind, resource, isNamespaced]) => ({ apiVersion, kind, resource, isNamespaced, verbs: VERBS }));
