// Cluster-wide policies as somebody would write them, before anything is settled.
import type { RawSelector } from './raw-cluster.ts';

export type RawClusterPolicyKind = 'ClusterNetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy';

export interface RawClusterPolicy {
  readonly kind: RawClusterPolicyKind;
  readonly name: string;
  readonly spec: RawTierSpec;
}

export interface RawTierSpec {
  /** Of ClusterNetworkPolicy alone. */
  readonly tier?: 'Admin' | 'Baseline';
  /** Not of BaselineAdminNetworkPolicy. */
  readonly priority?: number;
  readonly subject: RawScope;
  readonly ingress?: readonly RawTierRule[] | null;
  readonly egress?: readonly RawTierRule[] | null;
}

export interface RawTierRule {
  readonly name?: string;
  readonly action: 'Accept' | 'Allow' | 'Deny' | 'Pass';
  readonly from?: readonly RawTierPeer[];
  readonly to?: readonly RawTierPeer[];
  /** Of ClusterNetworkPolicy. */
  readonly protocols?: readonly RawProtocol[] | null;
  /** Of the v1alpha1 kinds. */
  readonly ports?: readonly RawAdminPort[] | null;
}

export interface RawScope {
  readonly namespaces?: RawSelector | null;
  readonly pods?: { readonly namespaceSelector?: RawSelector | null; readonly podSelector: RawSelector } | null;
}

export interface RawTierPeer extends RawScope {
  readonly nodes?: RawSelector | null;
  readonly networks?: readonly string[] | null;
  readonly domainNames?: readonly string[] | null;
}

export interface RawProtocol {
  readonly tcp?: RawTransport;
  readonly udp?: RawTransport;
  readonly sctp?: RawTransport;
  readonly destinationNamedPort?: string;
}

export interface RawTransport {
  readonly destinationPort?: { readonly number?: number; readonly range?: RawRange };
}

export interface RawRange {
  readonly start: number;
  readonly end: number;
}

export interface RawAdminPort {
  readonly portNumber?: { readonly protocol?: string; readonly port: number };
  readonly portRange?: RawRange & { readonly protocol?: string };
  readonly namedPort?: string;
}
