// The lists of a cluster kept in order while single objects come and go.
import { compareText } from '../base/finding.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { Cluster, ClusterNode, Namespace, Pod } from '../model/cluster.ts';
import { comparePrecedence, type ClusterPolicy } from '../model/cluster-policy.ts';
import { compareNames, comparePods, type Named } from '../model/cluster-order.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import { insertNumber, removeNumber } from './number-list.ts';

/** Where an object stands, or would stand. */
export interface Place {
  readonly index: number;
  readonly isThere: boolean;
}

export class LiveCluster {
  readonly namespaces: Namespace[];
  readonly pods: Pod[];
  readonly policies: NetworkPolicy[];
  readonly clusterPolicies: ClusterPolicy[];
  readonly nodes: ClusterNode[];
  /** Pod ranges beside those of nodes. */
  ownPodRanges: readonly IpRange[];
  /** By pod index, its first IPv4 address as a number; NaN where it has none. Has room behind. */
  addresses4: Float64Array;
  private readonly base: Cluster;

  constructor(cluster: Cluster) {
    // Not the lists, which would stay in memory beside their copies.
    this.base = { ...cluster, namespaces: [], pods: [], policies: [], clusterPolicies: [], nodes: [], podRanges: [] };
    this.namespaces = [...cluster.namespaces].sort((a, b) => compareText(a.name, b.name));
    this.pods = [...cluster.pods].sort(comparePods);
    this.policies = [...cluster.policies].sort(compareNames);
    this.clusterPolicies = [...cluster.clusterPolicies].sort(comparePrecedence);
    this.nodes = [...cluster.nodes].sort((a, b) => compareText(a.name, b.name));
    this.ownPodRanges = withoutRanges(cluster.podRanges, cluster.nodes.flatMap(({ podRanges }) => podRanges));
    this.addresses4 = Float64Array.from(this.pods, address4);
  }

  /** A view: its lists change with this one. */
  toCluster(): Cluster {
    const { namespaces, pods, policies, clusterPolicies, nodes, podRanges } = this;
    return { ...this.base, namespaces, pods, policies, clusterPolicies, nodes, podRanges };
  }

  get podRanges(): readonly IpRange[] {
    return [...this.ownPodRanges, ...this.nodes.flatMap(({ podRanges }) => podRanges)];
  }

  findPod(pod: Pod): Place {
    return search(this.pods, (other) => comparePods(other, pod));
  }

  findPolicy(named: Named): Place {
    return search(this.policies, (other) => compareNames(other, named));
  }

  findNamespace(name: string): Place {
    return search(this.namespaces, (other) => compareText(other.name, name));
  }

  findNode(name: string): Place {
    return search(this.nodes, (other) => compareText(other.name, name));
  }

  /** Clusters have tens of these. */
  findClusterPolicy({ kind, name }: Pick<ClusterPolicy, 'kind' | 'name'>): ClusterPolicy | undefined {
    return this.clusterPolicies.find((policy) => policy.kind === kind && policy.name === name);
  }

  addClusterPolicy(policy: ClusterPolicy): void {
    this.clusterPolicies.push(policy);
    this.clusterPolicies.sort(comparePrecedence);
  }

  insertPod(index: number, pod: Pod): void {
    this.addresses4 = insertNumber(this.addresses4, { index, count: this.pods.length, value: address4(pod) });
    this.pods.splice(index, 0, pod);
  }

  replacePod(index: number, pod: Pod): void {
    this.pods[index] = pod;
    this.addresses4[index] = address4(pod);
  }

  removePod(index: number): void {
    removeNumber(this.addresses4, { index, count: this.pods.length });
    this.pods.splice(index, 1);
  }

  /** First index and the one behind the last. */
  podsOfNamespace(name: string): { readonly start: number; readonly end: number } {
    const start = search(this.pods, (pod) => (pod.namespace < name ? -1 : 1)).index;
    return { start, end: search(this.pods, (pod) => (pod.namespace <= name ? -1 : 1)).index };
  }
}

/** Each range of `others` is taken out once. */
function withoutRanges(ranges: readonly IpRange[], others: readonly IpRange[]): IpRange[] {
  const rest = [...ranges];
  for (const other of others) {
    const place = rest.findIndex((range) => isSameRange(range, other));
    if (place >= 0) rest.splice(place, 1);
  }
  return rest;
}

export function isSameRange(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.first === b.first && a.last === b.last;
}

/** Whether it can be told as one end whose policies have changed, and not as one that went and one that came. */
export function isSameEnd(a: Pod, b: Pod): boolean {
  return (
    a.hostNetwork === b.hostNetwork &&
    a.nodeName === b.nodeName &&
    a.replicas === b.replicas &&
    haveSameAddresses(a, b)
  );
}

/** Whether rules for nodes see the same in both. */
export function isSameNode(a: ClusterNode | undefined, b: ClusterNode | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.labels.size === b.labels.size && [...a.labels].every(([key, value]) => b.labels.get(key) === value) && haveSameAddresses(a, b);
}

function haveSameAddresses(a: Pick<Pod, 'addresses'>, b: Pick<Pod, 'addresses'>): boolean {
  return a.addresses.length === b.addresses.length && a.addresses.every(({ family, value }, place) => b.addresses[place]!.family === family && b.addresses[place]!.value === value);
}

export function namesNodes({ egress, ingress }: ClusterPolicy): boolean {
  return [...ingress, ...egress].some(({ peers }) => peers.kind === 'listed' && peers.peers.some(({ kind }) => kind === 'nodes'));
}

function address4({ addresses }: Pod): number {
  const address = addresses.find(({ family }) => family === 4);
  return address === undefined ? Number.NaN : Number(address.value);
}

/** `compare` gives less than 0 for what stands before the place that is looked for. */
function search<Item>(list: readonly Item[], compare: (item: Item) => number): Place {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle]!) < 0) low = middle + 1;
    else high = middle;
  }
  return { index: low, isThere: low < list.length && compare(list[low]!) === 0 };
}
