// A small cluster as somebody would write it: manifests with every form of missing, null and empty, before anything is settled.
import type { RawClusterPolicy } from './raw-cluster-policy.ts';

export interface RawCluster {
  readonly namespaces: readonly RawNamespace[];
  /** Names are unique in a namespace. */
  readonly workloads: readonly RawWorkload[];
  readonly policies: readonly RawPolicy[];
  readonly clusterPolicies: readonly RawClusterPolicy[];
  readonly nodes: readonly RawNode[];
  /** CIDRs of `--pod-cidr`. */
  readonly podRanges: readonly string[];
}

export interface RawNode {
  readonly name: string;
  readonly labels: RawLabels;
  readonly addresses: readonly string[];
}

export interface RawNamespace {
  readonly name: string;
  readonly labels: RawLabels;
  /** Without a Namespace object the name alone is known, from what stands in it. */
  readonly isWritten: boolean;
}

export type RawLabels = Readonly<Record<string, string>>;

export interface RawWorkload {
  readonly kind: 'Pod' | 'Deployment' | 'StatefulSet';
  readonly namespace: string;
  readonly name: string;
  readonly labels: RawLabels;
  /** Of a Pod 1. */
  readonly replicas: number;
  readonly containers: readonly (readonly RawContainerPort[])[];
  readonly hostNetwork: boolean;
  /** Only of a Pod. */
  readonly nodeName: string | undefined;
  /** Only of a Pod: at most one address of each family. */
  readonly addresses: readonly string[];
}

export interface RawContainerPort {
  readonly name?: string;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
}

export interface RawPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly spec?: RawSpec | null;
}

export interface RawSpec {
  readonly podSelector?: RawSelector | null;
  readonly policyTypes?: readonly ('Ingress' | 'Egress')[] | null;
  readonly ingress?: readonly (RawRule<'from'> | null)[] | null;
  readonly egress?: readonly (RawRule<'to'> | null)[] | null;
}

export type RawRule<Word extends 'from' | 'to'> = { readonly [key in Word]?: readonly RawPeer[] | null } & {
  readonly ports?: readonly (RawPort | null)[] | null;
};

export interface RawPeer {
  readonly podSelector?: RawSelector | null;
  readonly namespaceSelector?: RawSelector | null;
  readonly ipBlock?: RawBlock | null;
}

export interface RawBlock {
  readonly cidr: string;
  readonly except?: readonly string[] | null;
}

export interface RawPort {
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | null;
  readonly port?: number | string | null;
  readonly endPort?: number | null;
}

export interface RawSelector {
  readonly matchLabels?: RawLabels | null;
  readonly matchExpressions?: readonly RawExpression[] | null;
}

export interface RawExpression {
  readonly key: string;
  /** `Foo` stands for what nobody understands; only where a server stores it all the same. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Foo';
  readonly values?: readonly string[] | null;
}
