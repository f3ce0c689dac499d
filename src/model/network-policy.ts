// NetworkPolicy `networking.k8s.io/v1`, settled: a missing section, an empty list and a null each have a kind of their own.
import type { ObjectName } from '../base/finding.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { Origin } from './origin.ts';
import type { Selector } from './selector.ts';

export type Direction = 'ingress' | 'egress';

export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

export interface NetworkPolicy {
  readonly kind: 'NetworkPolicy';
  readonly namespace: string;
  readonly name: string;
  /** Which pods of the policy's own namespace it governs. */
  readonly podSelector: Selector;
  /** undefined: the policy does not govern this direction; a list, also an empty one: it isolates, and the rules allow. */
  readonly ingress: readonly PolicyRule[] | undefined;
  readonly egress: readonly PolicyRule[] | undefined;
  readonly origin: Origin;
}

/** Allows what is both to (or from) one of the peers and on one of the ports. */
export interface PolicyRule {
  /** Position in its section, from 0. */
  readonly index: number;
  readonly peers: RulePeers;
  readonly ports: RulePorts;
  readonly origin: Origin;
}

/** `everybody`: in and outside the cluster. */
export type RulePeers = { readonly kind: 'everybody' } | { readonly kind: 'listed'; readonly peers: readonly Peer[] };

export type Peer = PodPeer | IpBlockPeer;

/** Pods that the selector selects in the namespaces of the scope. */
export interface PodPeer {
  readonly kind: 'pods';
  readonly namespaces: NamespaceScope;
  readonly podSelector: Selector;
  readonly origin: Origin;
}

export type NamespaceScope =
  | { readonly kind: 'own' }
  | { readonly kind: 'selected'; readonly selector: Selector };

/** Addresses in `cidr` and in none of `except`, host bits already masked. */
export interface IpBlockPeer {
  readonly kind: 'ip-block';
  readonly cidr: IpRange;
  readonly except: readonly IpRange[];
  /** `10.0.0.0/8 except 10.1.0.0/16`, normalized. */
  readonly text: string;
  readonly origin: Origin;
}

/** `every`: every port of every protocol, ICMP included. */
export type RulePorts = { readonly kind: 'every' } | { readonly kind: 'listed'; readonly ports: readonly PortMatch[] };

export type PortMatch =
  | { readonly kind: 'protocol'; readonly protocol: Protocol; readonly origin: Origin }
  | { readonly kind: 'range'; readonly protocol: Protocol; readonly first: number; readonly last: number; readonly origin: Origin }
  | { readonly kind: 'named'; readonly protocol: Protocol; readonly name: string; readonly origin: Origin };

export function nameOfPolicy(policy: NetworkPolicy): ObjectName {
  return { kind: 'NetworkPolicy', namespace: policy.namespace, name: policy.name };
}
