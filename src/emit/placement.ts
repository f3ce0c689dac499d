// Where pods are, as one node sees it: its own pods, everybody else's, and the ranges their addresses come from.
import type { IpAddress, IpRange } from '../base/ip-address.ts';

export interface Placement {
  /** Pods that this node runs, one entry for each replica. Those on the host's network are peers here, never governed. */
  readonly localPods: readonly PodPlace[];
  /** Every other pod that has an address, those on the network of other nodes included. */
  readonly remotePods: readonly PodPlace[];
  /** Ranges of all pods of the cluster: an address in them that is no known pod's is refused, never taken for the outside. */
  readonly podRanges: readonly IpRange[];
  /** The part of `podRanges` from which this node's pods get theirs; all of it when missing, as on a single node. */
  readonly localPodRanges?: readonly IpRange[];
}

export interface PodPlace {
  /** Index in `cluster.pods`. */
  readonly pod: number;
  readonly addresses: readonly IpAddress[];
}
