// Changes of a cluster, one object at a time, as a watch of the API tells them.
import type { IpRange } from '../base/ip-address.ts';
import type { ClusterNode, Namespace, Pod } from '../model/cluster.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';

/** `put` adds an object or replaces the one of its name; `remove` of an object that is not there changes nothing. */
export type ClusterChange =
  | { readonly kind: 'put-pod'; readonly pod: Pod }
  /** Only what names the pod is looked at: namespace, workload, name. */
  | { readonly kind: 'remove-pod'; readonly pod: Pod }
  | { readonly kind: 'put-policy'; readonly policy: NetworkPolicy }
  | { readonly kind: 'remove-policy'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'put-cluster-policy'; readonly policy: ClusterPolicy }
  | { readonly kind: 'remove-cluster-policy'; readonly policy: Pick<ClusterPolicy, 'kind' | 'name'> }
  | { readonly kind: 'put-namespace'; readonly namespace: Namespace }
  /** Its pods and policies are removed by changes of their own. */
  | { readonly kind: 'remove-namespace'; readonly name: string }
  /** Its pod ranges come to those of the cluster. A hostNetwork pod keeps the addresses that it was put with. */
  | { readonly kind: 'put-node'; readonly node: ClusterNode }
  | { readonly kind: 'remove-node'; readonly name: string }
  /** All pod ranges that the cluster has beside those of its nodes. */
  | { readonly kind: 'set-pod-ranges'; readonly ranges: readonly IpRange[] };
