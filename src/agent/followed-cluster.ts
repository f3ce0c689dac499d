// A cluster as its watches tell it: from what happens to single objects to the changes that a Program takes.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import { compareText } from '../base/finding.ts';
import type { ClusterObject, ServedKind, WatchEvent } from '../kube/cluster-api.ts';
import { comparePrecedence, type ClusterPolicy } from '../model/cluster-policy.ts';
import { compareNames, comparePods } from '../model/cluster-order.ts';
import type { Cluster, ClusterNode, Namespace, Pod } from '../model/cluster.ts';
import { asksForAudit } from '../model/namespace-audit.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import type { Labels } from '../model/selector.ts';
import { StoredReader } from '../read/read-stored.ts';
import type { PolicyIdentity } from './agent-state.ts';
import { FollowedObjects } from './followed-objects.ts';
import type { ToldChange, ToldPolicy } from './told.ts';

type PolicyKind = NetworkPolicy['kind'] | ClusterPolicy['kind'];

/** A policy in the state that the API server told last. */
interface FollowedPolicy {
  readonly told: ToldPolicy;
  readonly model: NetworkPolicy | ClusterPolicy;
}

/** A class, for it lives in time. */
export class FollowedCluster {
  readonly #allowsAudit: boolean;
  readonly #reader = new StoredReader();
  readonly #namespaces = new FollowedObjects<Namespace>();
  readonly #nodes = new FollowedObjects<ClusterNode>();
  /** A pod waits here until its namespace is known: without its labels nobody knows who selects the pod. */
  readonly #pods = new FollowedObjects<Pod>();
  readonly #policies: Readonly<Record<PolicyKind, FollowedObjects<FollowedPolicy>>> = {
    NetworkPolicy: new FollowedObjects(),
    ClusterNetworkPolicy: new FollowedObjects(),
    AdminNetworkPolicy: new FollowedObjects(),
    BaselineAdminNetworkPolicy: new FollowedObjects(),
  };
  /** Deleted namespaces of which pods are still known. */
  readonly #leaving = new Map<string, Namespace>();

  constructor(allowsAudit: boolean) {
    this.#allowsAudit = allowsAudit;
  }

  /** Everything that is known and enforced. */
  toCluster(): Cluster {
    const nodes = [...this.#nodes.values()].sort((a, b) => compareText(a.name, b.name));
    const models = Object.values(this.#policies).flatMap((policies) => [...policies.values()].filter((policy) => !this.#isAudited(policy)).map(({ model }) => model));
    return {
      namespaces: [...this.#namespaces.values(), ...this.#leaving.values()].sort((a, b) => compareText(a.name, b.name)),
      pods: [...this.#pods.values()].filter(({ namespace }) => this.#isKnown(namespace)).sort(comparePods),
      services: [],
      endpointSlices: [],
      ingresses: [],
      ingressClasses: [],
      nodes,
      policies: models.filter((model) => model.kind === 'NetworkPolicy').sort(compareNames),
      clusterPolicies: models.filter((model) => model.kind !== 'NetworkPolicy').sort(comparePrecedence),
      podRanges: nodes.flatMap(({ podRanges }) => podRanges),
      unreadObjects: [],
    };
  }

  *policies(): Generator<ToldPolicy> {
    for (const policies of Object.values(this.#policies)) for (const policy of policies.values()) yield this.#toldOf(policy);
  }

  /** In the order in which a Program is to take them. */
  take(kind: ServedKind, event: WatchEvent): readonly ToldChange[] {
    switch (event.kind) {
      case 'put':
        return this.#put(event.object);
      case 'remove':
        return this.#remove(event.object);
      case 'restart':
        this.#objectsOf(kind).restart();
        return [];
      case 'synced':
        return this.#forgetUntold(kind);
      case 'trouble':
      case 'resumed':
        return [];
    }
  }

  #put(object: ClusterObject): readonly ToldChange[] {
    switch (object.kind) {
      case 'Namespace':
        return this.#putNamespace(this.#reader.readNamespace(object));
      case 'Node':
        return this.#putNode(this.#reader.readNode(object));
      case 'Pod': {
        const { pod, isFinished } = this.#reader.readPod(object);
        return isFinished ? this.#removePod(pod) : this.#putPod(pod);
      }
      default:
        return this.#putPolicy(object, policyKind(object));
    }
  }

  #remove({ kind, metadata: { namespace = '', name } }: Pick<ClusterObject, 'kind' | 'metadata'>): readonly ToldChange[] {
    switch (kind) {
      case 'Namespace':
        return this.#removeNamespace(name);
      case 'Node':
        return this.#removeNode(name);
      case 'Pod':
        return this.#removePod({ namespace, name });
      default:
        return this.#removePolicy(policyKind({ kind }), { namespace, name });
    }
  }

  #forgetUntold(kind: ServedKind): readonly ToldChange[] {
    switch (kind.kind) {
      case 'Namespace':
        return this.#namespaces.untold().flatMap(({ name }) => this.#removeNamespace(name));
      case 'Node':
        return this.#nodes.untold().flatMap(({ name }) => this.#removeNode(name));
      case 'Pod':
        return this.#pods.untold().flatMap((pod) => this.#removePod(pod));
      default: {
        const policies = policyKind(kind);
        return this.#policies[policies].untold().flatMap(({ told }) => this.#removePolicy(policies, told));
      }
    }
  }

  #objectsOf({ kind }: ServedKind): { restart(): void } {
    if (kind === 'Namespace') return this.#namespaces;
    if (kind === 'Node') return this.#nodes;
    return kind === 'Pod' ? this.#pods : this.#policies[policyKind({ kind })];
  }

  // --- Namespaces

  #isKnown(namespace: string): boolean {
    return this.#namespaces.get(ofCluster(namespace)) !== undefined || this.#leaving.has(namespace);
  }

  #putNamespace(namespace: Namespace): readonly ToldChange[] {
    const { name } = namespace;
    const held = this.#namespaces.get(ofCluster(name));
    if (held !== undefined && haveSameLabels(held, namespace)) {
      this.#namespaces.keep(held);
      return [];
    }
    const waiting = this.#isKnown(name) ? [] : [...this.#pods.of(name)];
    const before = this.#isAuditedNamespace(name);
    this.#leaving.delete(name);
    this.#namespaces.put(ofCluster(name), namespace);
    return [{ change: { kind: 'put-namespace', namespace } }, ...this.#rejudged(name, before), ...waiting.map(putPod)];
  }

  #removeNamespace(name: string): readonly ToldChange[] {
    const held = this.#namespaces.get(ofCluster(name));
    if (held === undefined) return [];
    const before = this.#isAuditedNamespace(name);
    this.#namespaces.remove(ofCluster(name));
    if (this.#pods.countOf(name) === 0) return [{ change: { kind: 'remove-namespace', name } }, ...this.#rejudged(name, before)];
    this.#leaving.set(name, held);
    return [];
  }

  // --- Pods

  #putPod(pod: Pod): readonly ToldChange[] {
    const held = this.#pods.get(pod);
    if (held !== undefined && isSamePod(held, pod)) {
      this.#pods.keep(held);
      return [];
    }
    this.#pods.put(pod, pod);
    if (!this.#isKnown(pod.namespace)) return [];
    // A pod's place among the others is by its workload.
    const isMoved = held !== undefined && comparePods(held, pod) !== 0;
    return isMoved ? [{ change: { kind: 'remove-pod', pod: held } }, putPod(pod)] : [putPod(pod)];
  }

  #removePod({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): readonly ToldChange[] {
    const held = this.#pods.get({ namespace, name });
    if (held === undefined) return [];
    this.#pods.remove(held);
    const changes: ToldChange[] = this.#isKnown(namespace) ? [{ change: { kind: 'remove-pod', pod: held } }] : [];
    const before = this.#isAuditedNamespace(namespace);
    if (this.#pods.countOf(namespace) === 0 && this.#leaving.delete(namespace)) changes.push({ change: { kind: 'remove-namespace', name: namespace } }, ...this.#rejudged(namespace, before));
    return changes;
  }

  // --- Nodes

  #putNode(node: ClusterNode): readonly ToldChange[] {
    const held = this.#nodes.get(ofCluster(node.name));
    if (held !== undefined && isSameNode(held, node)) {
      this.#nodes.keep(held);
      return [];
    }
    this.#nodes.put(ofCluster(node.name), node);
    return [{ change: { kind: 'put-node', node } }];
  }

  #removeNode(name: string): readonly ToldChange[] {
    if (this.#nodes.get(ofCluster(name)) === undefined) return [];
    this.#nodes.remove(ofCluster(name));
    return [{ change: { kind: 'remove-node', name } }];
  }

  // --- Policies

  #putPolicy(object: ClusterObject, kind: PolicyKind): readonly ToldChange[] {
    const identity = identify(object, kind);
    const held = this.#policies[kind].get(identity);
    if (held !== undefined && identity.generation !== 0 && held.told.uid === identity.uid && held.told.generation === identity.generation) {
      this.#policies[kind].keep(held);
      return [];
    }
    const { policy: model, problem } = kind === 'NetworkPolicy' ? this.#reader.readNetworkPolicy(object) : this.#reader.readClusterPolicy(object, kind);
    const told: ToldPolicy = { ...identity, problem };
    this.#policies[kind].put(told, { told, model });
    return [this.#tell({ told, model })];
  }

  #tell(policy: FollowedPolicy): ToldChange {
    const { model } = policy;
    const told = this.#toldOf(policy);
    if (model.kind !== 'NetworkPolicy') return { change: { kind: 'put-cluster-policy', policy: model }, policy: told };
    if (told.audited !== undefined) return { change: { kind: 'remove-policy', namespace: model.namespace, name: model.name }, policy: told };
    return { change: { kind: 'put-policy', policy: model }, policy: told };
  }

  #toldOf(policy: FollowedPolicy): ToldPolicy {
    const { told, model } = policy;
    return model.kind === 'NetworkPolicy' && this.#isAudited(policy) ? { ...told, audited: model } : told;
  }

  /** Of those of a namespace, all at once, where it is now audited or is no longer. */
  #rejudged(namespace: string, wasAudited: boolean): readonly ToldChange[] {
    if (this.#isAuditedNamespace(namespace) === wasAudited) return [];
    return [...this.#policies.NetworkPolicy.of(namespace)].map((policy) => this.#tell(policy));
  }

  /** Policies of the whole cluster never are: who may label a namespace has no say over them. */
  #isAudited({ model }: FollowedPolicy): boolean {
    return model.kind === 'NetworkPolicy' && this.#isAuditedNamespace(model.namespace);
  }

  /** Of one that nobody has told of yet everything is enforced. */
  #isAuditedNamespace(name: string): boolean {
    const namespace = this.#namespaces.get(ofCluster(name)) ?? this.#leaving.get(name);
    return this.#allowsAudit && namespace !== undefined && asksForAudit(namespace.labels);
  }

  #removePolicy(kind: PolicyKind, { namespace, name }: Pick<ToldPolicy, 'namespace' | 'name'>): readonly ToldChange[] {
    if (this.#policies[kind].get({ namespace, name }) === undefined) return [];
    this.#policies[kind].remove({ namespace, name });
    return [{ change: kind === 'NetworkPolicy' ? { kind: 'remove-policy', namespace, name } : { kind: 'remove-cluster-policy', policy: { kind, name } } }];
  }
}

/** A server that does not count generations: each change of the object is one. */
function identify({ apiVersion, metadata }: ClusterObject, kind: PolicyKind): PolicyIdentity {
  const { name, namespace = '', uid, generation, resourceVersion } = metadata;
  return { apiVersion, kind, namespace, name, uid: `${uid ?? ''}`, generation: Number(generation ?? 0), resourceVersion: `${resourceVersion ?? ''}` };
}

function policyKind({ kind }: { readonly kind: string }): PolicyKind {
  switch (kind) {
    case 'NetworkPolicy':
    case 'ClusterNetworkPolicy':
    case 'AdminNetworkPolicy':
    case 'BaselineAdminNetworkPolicy':
      return kind;
    default:
      throw new Error(`nobody asked to watch the kind ${kind}`);
  }
}

function ofCluster(name: string): { readonly namespace: string; readonly name: string } {
  return { namespace: '', name };
}

function putPod(pod: Pod): ToldChange {
  return { change: { kind: 'put-pod', pod } };
}

function isSamePod(a: Pod, b: Pod): boolean {
  return (
    comparePods(a, b) === 0 &&
    a.hostNetwork === b.hostNetwork &&
    a.nodeName === b.nodeName &&
    haveSameLabels(a, b) &&
    isSameList(a.addresses, b.addresses, isSameAddress) &&
    isSameList(a.ports, b.ports, (one, other) => one.name === other.name && one.port === other.port && one.protocol === other.protocol)
  );
}

function isSameNode(a: ClusterNode, b: ClusterNode): boolean {
  const isSameRange = (one: IpRange, other: IpRange): boolean => one.family === other.family && one.first === other.first && one.last === other.last;
  return haveSameLabels(a, b) && isSameList(a.addresses, b.addresses, isSameAddress) && isSameList(a.podRanges, b.podRanges, isSameRange);
}

function isSameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

function haveSameLabels({ labels: a }: { readonly labels: Labels }, { labels: b }: { readonly labels: Labels }): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}

function isSameList<Item>(a: readonly Item[], b: readonly Item[], isSame: (a: Item, b: Item) => boolean): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => isSame(item, b[index]!)));
}
