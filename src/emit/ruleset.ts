// One node's policy as values: who is local, which class each peer address has, and what each pair of them may do.
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Direction } from '../model/network-policy.ts';

/**
 * What the maps and sets of the skeleton hold on one node. Ids are positive integers up to `ID_MAX` without meaning of
 * their own. What is absent is refused: an address without a class, a class without a pair.
 */
export interface Ruleset {
  /** Pods of this node by address; a pod with two addresses stands here twice. */
  readonly localPods: readonly LocalPod[];
  /** Ranges that *this node's* pods get their addresses from: an address in them that is no local pod's is refused. Disjoint. */
  readonly podRanges: readonly IpRange[];
  /** Peer class of single addresses (pods, local and remote, and nodes), by direction of the local pod's rules. */
  readonly podClasses: readonly AddressClass[];
  /** Peer class of ranges outside the cluster; disjoint within a direction. Asked only for an address without a class of its own. */
  readonly rangeClasses: readonly RangeClass[];
  /** What an isolated local pod may do with a peer class. */
  readonly pairs: readonly Pair[];
  /** What each profile that stands in a pair allows. */
  readonly profiles: readonly Profile[];
}

export interface LocalPod {
  readonly address: IpAddress;
  readonly isEgressIsolated: boolean;
  readonly isIngressIsolated: boolean;
  /** Whether the pod reaches itself through a Service whatever its pairs say: NetworkPolicy does not judge that, tiers do. */
  readonly isSelfAllowed: boolean;
}

/** `peerClass` 0 is a class without pairs: it keeps an address from being looked up among the ranges. */
export interface AddressClass {
  readonly direction: Direction;
  readonly address: IpAddress;
  readonly peerClass: number;
}

export interface RangeClass {
  readonly direction: Direction;
  readonly range: IpRange;
  readonly peerClass: number;
}

/** `address` is the local pod's. */
export interface Pair {
  readonly direction: Direction;
  readonly address: IpAddress;
  readonly peerClass: number;
  readonly profile: number;
}

/** The id also stands in the ledger beside what the profile let through. Ports of an id never change. */
export interface Profile {
  readonly id: number;
  readonly ports: PortSet;
}

/** Above it stand the refusal codes of the ledger and the two bits of a profile. */
export const ID_MAX = 0x00feffff;

export const EMPTY_RULESET: Ruleset = {
  localPods: [],
  podRanges: [],
  podClasses: [],
  rangeClasses: [],
  pairs: [],
  profiles: [],
};
