// A policy that was made here and stands in no file yet, with the words that are to stand beside its parts.
import type { ClusterPolicy, ScopedPods, TierPeer, TierPort, TierRule } from './cluster-policy.ts';
import type { NetworkPolicy, Peer, PolicyRule, PortMatch } from './network-policy.ts';
import { unwrittenDocument, type Origin } from './origin.ts';
import type { Selector } from './selector.ts';

export interface PolicyDraft {
  readonly policy: NetworkPolicy | ClusterPolicy;
  /** By the part of this policy that they stand above, without the `#`; several lines are several comments. */
  readonly comments: ReadonlyMap<PolicyPart, string>;
}

/** A policy, its `podSelector` or `subject`, one of its rules, or a peer or port of one. */
export type PolicyPart = NetworkPolicy | ClusterPolicy | Selector | ScopedPods | PolicyRule | TierRule | Peer | TierPeer | PortMatch | TierPort;

/** Where the parts of a draft stand: nowhere. */
export const UNWRITTEN: Origin = {
  document: unwrittenDocument('(not written)'),
  path: [],
};
