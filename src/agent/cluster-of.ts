// A cluster of what single objects put.
import type { ClusterChange } from '../compile/cluster-change.ts';
import type { Cluster } from '../model/cluster.ts';

/** Changes other than puts have no say; nothing is sorted. */
export function clusterOf(changes: readonly ClusterChange[]): Cluster {
  const nodes = changes.flatMap((change) => (change.kind === 'put-node' ? change.node : []));
  return {
    namespaces: changes.flatMap((change) => (change.kind === 'put-namespace' ? change.namespace : [])),
    pods: changes.flatMap((change) => (change.kind === 'put-pod' ? change.pod : [])),
    policies: changes.flatMap((change) => (change.kind === 'put-policy' ? change.policy : [])),
    clusterPolicies: changes.flatMap((change) => (change.kind === 'put-cluster-policy' ? change.policy : [])),
    nodes,
    podRanges: nodes.flatMap(({ podRanges }) => podRanges),
    services: [],
    endpointSlices: [],
    ingresses: [],
    ingressClasses: [],
    unreadObjects: [],
  };
}
