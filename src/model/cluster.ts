// A cluster: namespaces, pods, Services, nodes and policies.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { ClusterPolicy } from './cluster-policy.ts';
import type { EndpointSlice } from './endpoint-slice.ts';
import type { Ingress, IngressClass } from './ingress.ts';
import type { NetworkPolicy } from './network-policy.ts';
import type { Origin } from './origin.ts';
import type { Labels, LabelSet } from './selector.ts';

export interface Cluster {
  /** Sorted by name; every namespace that an object stands in is here, with `kubernetes.io/metadata.name`. */
  readonly namespaces: readonly Namespace[];
  /** Sorted by namespace, workload, name; a pod is known by its index here. */
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly ingresses: readonly Ingress[];
  readonly ingressClasses: readonly IngressClass[];
  readonly nodes: readonly ClusterNode[];
  /** Sorted by namespace and name; a policy is known by its index here. */
  readonly policies: readonly Policy[];
  /** Of both tiers, sorted by tier, priority and name. */
  readonly clusterPolicies: readonly ClusterPolicy[];
  /** Address ranges that pods of this cluster get (`--pod-cidr`, node objects); empty when not known. */
  readonly podRanges: readonly IpRange[];
  /** Objects of kinds that are not read, whose controllers may create pods all the same: one of each kind and namespace. */
  readonly unreadObjects: readonly UnreadObject[];
}

export interface UnreadObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The policies of a namespace; cluster-wide kinds are `ClusterPolicy`. */
export type Policy = NetworkPolicy;

export interface Namespace extends LabelSet {
  readonly name: string;
  /** undefined: no Namespace object was read, only objects that stand in it. */
  readonly origin: Origin | undefined;
}

/** One pod, or `replicas` pods of one controller that nothing tells apart. */
export interface Pod extends LabelSet {
  readonly namespace: string;
  /** The pod's name where it is known; else the controller's. */
  readonly name: string;
  /** What the pod is shown under: its topmost known controller, or itself. */
  readonly workload: Workload;
  /** 1 or more; a workload scaled to zero or suspended counts as 1. */
  readonly replicas: number;
  /** Ports of containers and sidecars (init containers with `restartPolicy: Always`), in order, `containerPort` only. */
  readonly ports: readonly ContainerPort[];
  readonly hostNetwork: boolean;
  /** Empty when not known; of a hostNetwork pod, its node's. */
  readonly addresses: readonly IpAddress[];
  readonly nodeName: string | undefined;
  readonly origin: Origin;
}

export interface Workload {
  /** `Pod` for a pod without a controller. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ContainerPort {
  readonly name: string | undefined;
  readonly protocol: Protocol;
  /** 1–65535. */
  readonly port: number;
}

export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  readonly isHeadless: boolean;
  readonly clusterIps: readonly IpAddress[];
  /** undefined: no selector; whoever it leads to is not known from the Service. */
  readonly selector: Labels | undefined;
  readonly ports: readonly ServicePort[];
  readonly annotations?: Labels;
  /** Only of an ExternalName: the name outside the cluster that it stands for. */
  readonly externalName?: string;
  /** `Local`: what comes from outside keeps the address of its client; else it arrives with a node's. Missing is `Cluster`. */
  readonly externalTrafficPolicy?: 'Cluster' | 'Local';
  /** `loadBalancerSourceRanges`: the only clients that the load balancer takes; missing is everybody. */
  readonly sourceRanges?: readonly IpRange[];
  readonly origin: Origin;
}

export interface ServicePort {
  readonly name: string | undefined;
  readonly protocol: Protocol;
  readonly port: number;
  /** A container port's number or name. */
  readonly targetPort: number | string;
  readonly nodePort: number | undefined;
}

export interface ClusterNode {
  readonly name: string;
  readonly labels: Labels;
  readonly addresses: readonly IpAddress[];
  readonly podRanges: readonly IpRange[];
}
