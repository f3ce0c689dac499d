// In what the three cluster-wide kinds differ where they say the same.
import type { TierAction, TierPort } from '../../model/cluster-policy.ts';
import type { Direction } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import type { Level } from '../values/check-fields.ts';
import type { Refused } from '../values/loose-value.ts';
import type { ObjectContext } from '../values/object-context.ts';
import { readAdminPort, readProtocolEntry } from './read-tier-ports.ts';
import type { Value } from '../text/yaml-value.ts';

export interface TierDialect {
  /** Of rules in a section, of peers in a rule, and of ports in a rule. */
  readonly itemsMax: number;
  readonly actions: Readonly<Record<string, TierAction>>;
  /** Whether `pods` may stand without `namespaceSelector`, for all namespaces. */
  readonly needsNamespaceSelector: boolean;
  readonly ruleLevel: Readonly<Record<Direction, Level>>;
  readonly peerLevel: Readonly<Record<Direction, Level>>;
  readonly portsField: 'protocols' | 'ports';
  /** What one entry of that field means; a reversed range is no port at all. */
  readPort(context: ObjectContext, value: Value, path: Path): readonly TierPort[] | Refused;
}

/** ClusterNetworkPolicy v1alpha2, the experimental channel included. */
export const CLUSTER_DIALECT: TierDialect = {
  itemsMax: 25,
  actions: { Accept: 'Accept', Deny: 'Deny', Pass: 'Pass' },
  needsNamespaceSelector: false,
  ruleLevel: { ingress: 'ClusterNetworkPolicy ingress rule', egress: 'ClusterNetworkPolicy egress rule' },
  peerLevel: { ingress: 'ingress peer', egress: 'egress peer' },
  portsField: 'protocols',
  readPort: readProtocolEntry,
};

/** AdminNetworkPolicy v1alpha1. */
export const ADMIN_DIALECT: TierDialect = {
  itemsMax: 100,
  actions: { Allow: 'Accept', Deny: 'Deny', Pass: 'Pass' },
  needsNamespaceSelector: true,
  ruleLevel: { ingress: 'v1alpha1 ingress rule', egress: 'v1alpha1 egress rule' },
  peerLevel: { ingress: 'ingress peer', egress: 'egress peer' },
  portsField: 'ports',
  readPort: readAdminPort,
};

/** BaselineAdminNetworkPolicy v1alpha1. */
export const BASELINE_DIALECT: TierDialect = {
  ...ADMIN_DIALECT,
  actions: { Allow: 'Accept', Deny: 'Deny' },
  peerLevel: { ingress: 'ingress peer', egress: 'BaselineAdminNetworkPolicy egress peer' },
};
