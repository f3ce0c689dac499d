// The kinds that an agent watches: what decides about the traffic of pods, in the one version it is read in.
import type { ServedKind } from '../kube/cluster-api.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';

export const NAMESPACES: ServedKind = { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces', isNamespaced: false };
export const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };
export const NODES: ServedKind = { apiVersion: 'v1', kind: 'Node', resource: 'nodes', isNamespaced: false };
export const NETWORK_POLICIES: ServedKind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true };

/** Of CustomResourceDefinitions, which a cluster may lack. */
export const CLUSTER_POLICIES: Readonly<Record<ClusterPolicy['kind'], ServedKind>> = {
  ClusterNetworkPolicy: { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', resource: 'clusternetworkpolicies', isNamespaced: false },
  AdminNetworkPolicy: { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', resource: 'adminnetworkpolicies', isNamespaced: false },
  BaselineAdminNetworkPolicy: { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'BaselineAdminNetworkPolicy', resource: 'baselineadminnetworkpolicies', isNamespaced: false },
};

/** Small and decisive ones first: a pod waits for its namespace. */
export const FOLLOWED_KINDS: readonly ServedKind[] = [NAMESPACES, NODES, NETWORK_POLICIES, ...Object.values(CLUSTER_POLICIES), PODS];
