// Where the pods of a cluster are, as one node sees it.
import type { IpRange } from '../../src/base/ip-address.ts';
import type { Placement, PodPlace } from '../../src/emit/placement.ts';
import type { Cluster } from '../../src/model/cluster.ts';

/** `localPodRanges`: where this node's pods get their addresses from; empty where nobody knows. Pods without an address take no part yet: their range keeps them closed. */
export function placementOnNode(cluster: Cluster, node: string, localPodRanges: readonly IpRange[]): Placement {
  const localPods: PodPlace[] = [];
  const remotePods: PodPlace[] = [];
  for (const [pod, { nodeName, addresses }] of cluster.pods.entries()) {
    if (addresses.length > 0) (nodeName === node ? localPods : remotePods).push({ pod, addresses });
  }
  return { localPods, remotePods, podRanges: cluster.podRanges, localPodRanges };
}
