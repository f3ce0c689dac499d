// Reads single objects of a cluster as its server holds them: none is refused, and one that cannot be understood closes what it selects.
import { RecentMap } from '../base/recent-map.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import type { ClusterNode, ContainerPort, Namespace, Pod, Workload } from '../model/cluster.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import type { Labels } from '../model/selector.ts';
import { deploymentOf } from './assemble-cluster.ts';
import { createFindingList } from './values/finding-list.ts';
import type { OwnerReference } from './objects/gathering.ts';
import type { NamedObject } from './values/named-object.ts';
import type { ObjectContext } from './values/object-context.ts';
import { readStoredClusterPolicy } from './policies/read-cluster-policy.ts';
import { NO_LABELS, readLabels, type LabelCache } from './values/read-labels.ts';
import { readStoredNetworkPolicy } from './policies/read-network-policy.ts';
import { readNode } from './objects/read-node.ts';
import { readPod } from './objects/read-pod.ts';
import { settleOptions } from './values/read-settings.ts';
import { TextDocument } from './text/text-document.ts';
import type { LooseMap, Value } from './text/yaml-value.ts';

/** An object as the API server answers it, trimmed or whole. */
export interface StoredMap {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: Value };
  readonly [field: string]: Value;
}

export interface ReadStored<Policy> {
  readonly policy: Policy;
  /** What of it could not be understood, so that it closes more than it says; undefined: nothing. */
  readonly problem: string | undefined;
}

export interface StoredPod {
  readonly pod: Pod;
  /** Succeeded or Failed: its address may be somebody else's by now. */
  readonly isFinished: boolean;
}

/** Label maps, lists of ports and workloads, each; and texts in them. Beyond, equal ones are made again. */
const SHARED_MAX = 8192;
const TEXTS_MAX = 65_536;

const METADATA_NAME = 'kubernetes.io/metadata.name';
const NO_KEYS: ReadonlySet<string> = new Set();

/** A class, for it remembers: what is equal in many objects becomes one value. */
export class StoredReader {
  readonly #texts = new RecentMap<string>(TEXTS_MAX);
  readonly #ports = new RecentMap<readonly ContainerPort[]>(SHARED_MAX);
  readonly #workloads = new RecentMap<Workload>(SHARED_MAX);
  readonly #labelMaps = new RecentMap<Labels>(SHARED_MAX);
  readonly #labels: LabelCache = {
    get: (text) => this.#labelMaps.get(text),
    keep: (text, labels) => {
      const shared = new Map([...labels].map(([key, value]) => [this.#text(key), this.#text(value)]));
      this.#labelMaps.set(text, shared);
      return shared;
    },
  };

  /** Of its ports those with a name, of its origin nothing: a rule asks for no more. */
  readPod(object: StoredMap): StoredPod {
    const named = namedOf(object);
    const { pod, owner, isFinished } = readPod(contextOf(object), this.#labels, named);
    const { nodeName } = pod;
    return {
      pod: {
        ...pod,
        namespace: this.#text(pod.namespace),
        workload: this.#workloadOf(pod, owner),
        ports: this.#portsOf(pod),
        nodeName: nodeName === undefined ? undefined : this.#text(nodeName),
        origin: NOWHERE,
      },
      isFinished,
    };
  }

  readNamespace(object: StoredMap): Namespace {
    const { name } = object.metadata;
    const value = object.metadata['labels'];
    const labels = value === undefined ? NO_LABELS : readLabels(contextOf(object), this.#labels, value, []);
    // The server puts it there; it is what selectors by name go by.
    const withName = labels.get(METADATA_NAME) === name ? labels : new Map([...labels, [METADATA_NAME, name]]);
    return { name, labels: withName, unknownKeys: NO_KEYS, origin: NOWHERE };
  }

  readNode(object: StoredMap): ClusterNode {
    return readNode(contextOf(object), this.#labels, namedOf(object));
  }

  readNetworkPolicy(object: StoredMap): ReadStored<NetworkPolicy> {
    return readWithProblem(object, (context) => readStoredNetworkPolicy(context, namedOf(object)));
  }

  readClusterPolicy(object: StoredMap, kind: ClusterPolicy['kind']): ReadStored<ClusterPolicy> {
    return readWithProblem(object, (context) => readStoredClusterPolicy(context, namedOf(object), kind));
  }

  #portsOf({ ports }: Pod): readonly ContainerPort[] {
    const named = ports.filter(({ name }) => name !== undefined);
    if (named.length === 0) return NO_PORTS;
    const text = named.map(({ name, protocol, port }) => `${name}/${protocol}/${port}`).join();
    const known = this.#ports.get(text);
    if (known === undefined) this.#ports.set(text, named);
    return known ?? named;
  }

  #workloadOf(pod: Pod, owner: OwnerReference | undefined): Workload {
    if (owner === undefined) return pod.workload;
    const controller = { kind: owner.kind, namespace: pod.namespace, name: owner.name };
    const workload = deploymentOf(controller, pod) ?? controller;
    const text = `${workload.kind}/${workload.namespace}/${workload.name}`;
    const known = this.#workloads.get(text);
    if (known === undefined) this.#workloads.set(text, workload);
    return known ?? workload;
  }

  #text(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }
}

const NO_PORTS: readonly ContainerPort[] = [];
const SETTINGS = settleOptions({ lenient: true, isStored: true });

/** Of objects in which nobody looks for a place. */
const CLUSTER = placeless('cluster');
const NOWHERE = { document: CLUSTER, path: [] };

/** A text that nobody has: everything in it stands at its beginning. */
function placeless(file: string): TextDocument {
  const document = new TextDocument({ file, line: 1, column: 1 }, '');
  document.forget();
  return document;
}

function contextOf({ kind, metadata: { namespace = '', name } }: StoredMap): ObjectContext {
  return { settings: SETTINGS, findings: createFindingList(), document: CLUSTER, object: { kind, namespace, name }, leftOut: 'this part allows nothing', origin: NOWHERE, refusals: 0 };
}

function namedOf(object: StoredMap): NamedObject {
  const { namespace, name } = object.metadata;
  return { map: object as LooseMap, path: [], kind: object.kind, namespace: namespace ?? '', name };
}

function readWithProblem<Policy>(object: StoredMap, read: (context: ObjectContext) => Policy): ReadStored<Policy> {
  const context = contextOf(object);
  const policy = read(context);
  return { policy, problem: context.findings.kept.find(({ severity }) => severity === 'error')?.message };
}
