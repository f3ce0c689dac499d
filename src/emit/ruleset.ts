// The elements that put a Program into the kernel: what each map and set of the skeleton holds on one node.
import type { IpAddress, IpFamily, IpRange } from '../base/ip-address.ts';

/**
 * One node's policy as elements, for the skeleton in `kernel/internal/skeleton.ts`. Ids are small positive integers
 * without meaning of their own; an id that is absent from a map means "nothing allowed".
 */
export interface Ruleset {
  /** Pods of this node, each with one address; a pod with two addresses stands here twice. */
  readonly localPods: readonly LocalPod[];
  /** Address ranges of pods: an address in them that is neither local nor classed is refused. */
  readonly podRanges: readonly IpRange[];
  /** Peer class of pod addresses, local and remote, per direction of the local pod's rules. */
  readonly podClasses: readonly AddressClass[];
  /** Peer class of ranges outside the cluster; disjoint. */
  readonly rangeClasses: readonly RangeClass[];
  /** What a local pod may do with a peer class. */
  readonly pairs: readonly Pair[];
  /** What a profile allows. */
  readonly profiles: readonly Profile[];
}

export interface LocalPod {
  readonly address: IpAddress;
  readonly isEgressIsolated: boolean;
  readonly isIngressIsolated: boolean;
}

export interface AddressClass {
  readonly direction: 'egress' | 'ingress';
  readonly address: IpAddress;
  readonly peerClass: number;
}

export interface RangeClass {
  readonly direction: 'egress' | 'ingress';
  readonly range: IpRange;
  readonly peerClass: number;
}

export interface Pair {
  readonly direction: 'egress' | 'ingress';
  readonly address: IpAddress;
  readonly peerClass: number;
  readonly profile: number;
}

/** `ports` are points of the port line (`base/port-set.ts`); `rule` is a hint shown in the ledger. */
export interface Profile {
  readonly id: number;
  readonly ports: readonly number[];
  readonly rule: number;
}

export type { IpFamily };
