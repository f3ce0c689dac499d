// The lists of a cluster kept in order while single objects come and go.
import { compareText } from '../base/finding.ts';
import type { Cluster, Namespace, Pod } from '../model/cluster.ts';
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
  /** By pod index, its first IPv4 address as a number; NaN where it has none. Has room behind. */
  addresses4: Float64Array;
  private readonly base: Cluster;

  constructor(cluster: Cluster) {
    this.base = cluster;
    this.namespaces = [...cluster.namespaces].sort((a, b) => compareText(a.name, b.name));
    this.pods = [...cluster.pods].sort(comparePods);
    this.policies = [...cluster.policies].sort(compareNames);
    this.clusterPolicies = [...cluster.clusterPolicies].sort(comparePrecedence);
    this.addresses4 = Float64Array.from(this.pods, address4);
  }

  /** A view: its lists change with this one. */
  toCluster(): Cluster {
    const { namespaces, pods, policies, clusterPolicies } = this;
    return { ...this.base, namespaces, pods, policies, clusterPolicies };
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
