// Cluster-wide policies, settled: ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1 in one form.
import { compareText } from '../base/finding.ts';
import type { Direction, IpBlockPeer, PortMatch } from './network-policy.ts';
import type { Origin } from './origin.ts';
import type { Selector } from './selector.ts';

export type Tier = 'Admin' | 'Baseline';

export interface ClusterPolicy {
  readonly kind: 'ClusterNetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy';
  readonly name: string;
  readonly tier: Tier;
  /** 0–1000, low first; the BaselineAdminNetworkPolicy comes behind all others of its tier, as 1001. */
  readonly priority: number;
  readonly subject: ScopedPods;
  /** In order; the first that matches decides. No rules: no effect in that direction. */
  readonly ingress: readonly TierRule[];
  readonly egress: readonly TierRule[];
  readonly origin: Origin;
}

/** Pods that the selector selects, in the namespaces that the other selects. */
export interface ScopedPods {
  readonly namespaceSelector: Selector;
  readonly podSelector: Selector;
}

/** `Pass` leaves the tier to the next one. ANP's Allow is `Accept`. */
export type TierAction = 'Accept' | 'Deny' | 'Pass';

/**
 * A rule with something that cannot be read fails closed as a whole: an Accept has no peers then, a Deny or Pass
 * is a Deny of `everybody` on every port.
 */
export interface TierRule {
  /** Position in its section, from 0. */
  readonly index: number;
  readonly name: string | undefined;
  readonly action: TierAction;
  readonly peers: { readonly kind: 'everybody' } | { readonly kind: 'listed'; readonly peers: readonly TierPeer[] };
  readonly ports: TierPorts;
  readonly origin: Origin;
}

export type TierPeer =
  | ({ readonly kind: 'scoped-pods'; readonly origin: Origin } & ScopedPods)
  | { readonly kind: 'nodes'; readonly selector: Selector; readonly origin: Origin }
  | { readonly kind: 'domain-name'; readonly pattern: string; readonly origin: Origin }
  | IpBlockPeer;

/** `every`: every IP protocol, ICMP included. */
export type TierPorts = { readonly kind: 'every' } | { readonly kind: 'listed'; readonly ports: readonly TierPort[] };

/** `any-named`: the name in any protocol. */
export type TierPort = PortMatch | { readonly kind: 'any-named'; readonly name: string; readonly origin: Origin };

export interface ClusterRuleReference {
  readonly policy: ClusterPolicy;
  readonly direction: Direction;
  readonly rule: TierRule;
}

/** Whether rules of it name domains; only egress rules can. */
export function namesDomains({ egress }: ClusterPolicy): boolean {
  return egress.some(({ peers }) => peers.kind === 'listed' && peers.peers.some(({ kind }) => kind === 'domain-name'));
}

/** The order in which policies are asked, and that of `cluster.clusterPolicies`; equal priorities by name, which decides nothing. */
export function comparePrecedence(a: ClusterPolicy, b: ClusterPolicy): number {
  if (a.tier !== b.tier) return a.tier === 'Admin' ? -1 : 1;
  return a.priority - b.priority || compareText(a.name, b.name) || compareText(a.kind, b.kind);
}
