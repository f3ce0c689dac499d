// A way into a scope or out of it: one connection with an end beyond it, directly or through others.
import type { IpRange } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';

/** One connection between an end beyond the scope and pods of it; of a way in, through those of `path`. */
export interface Way {
  readonly end: WayEnd;
  /** Of the connection that the end takes part in; of all its pods and addresses together. */
  readonly ports: PortSet;
  /** The scope names it. */
  readonly isNamed: boolean;
  /** Into the scope: ids of the workloads from the end to a pod of the scope, which is the last; the first may be a node that an entrance sends through. Out of it: the pod. */
  readonly path: readonly string[];
}

export type WayEnd =
  | { readonly kind: 'workload'; readonly id: string; readonly pods: number }
  | { readonly kind: 'outside'; readonly ranges: readonly IpRange[]; readonly isInternet: boolean }
  | { readonly kind: 'name'; readonly name: string };
