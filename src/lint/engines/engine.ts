// What an enforcer of policies does otherwise than the API says, as data with source and date.
import type { ClusterPolicy } from '../../model/cluster-policy.ts';

export type EngineName = (typeof ENGINE_NAMES)[number];

/** The words of `--engine`. */
export const ENGINE_NAMES = ['cilium', 'calico', 'aws-vpc-cni', 'antrea', 'ovn-kubernetes', 'kube-router', 'kube-network-policies', 'azure-npm', 'azure-npm-windows', 'flannel'] as const;

export interface Engine {
  readonly name: EngineName;
  readonly title: string;
  /** Other words for it: products that have it inside. */
  readonly aliases: readonly string[];
  readonly facts: readonly EngineFact[];
}

interface FactOrigin {
  /** What differs, as the end of a sentence about a place in a policy. */
  readonly text: string;
  /** Where that is known from. */
  readonly source: string;
  /** Year and month of the source's state. */
  readonly date: string;
}

/**
 * `block-misses-pods`: an ipBlock never matches the address of a pod. `family-ignored`: blocks of the family are not
 * enforced; `other`: of the family that the pods do not have. `ports-max`: entries of one rule beyond the number are not
 * enforced. `feature`: a field is not enforced. `bare-pods`: pods without a controller are not governed. `policy-kinds`:
 * cluster-wide kinds that are not enforced. `everywhere`: holds whatever the policies say.
 */
export type EngineFact = FactOrigin &
  (
    | { readonly kind: 'block-misses-pods' }
    | { readonly kind: 'family-ignored'; readonly family: 6 | 'other' }
    | { readonly kind: 'ports-max'; readonly max: number }
    | { readonly kind: 'feature'; readonly feature: Feature; readonly isSure: boolean }
    | { readonly kind: 'service-ports' }
    | { readonly kind: 'bare-pods' }
    | { readonly kind: 'policy-kinds'; readonly policyKinds: readonly ClusterPolicy['kind'][]; readonly isSure: boolean }
    | { readonly kind: 'everywhere'; readonly severity?: 'warning' }
  );

export type Feature = 'endPort' | 'SCTP' | 'named port' | 'except' | 'NotIn or DoesNotExist';

export const ALL_CLUSTER_KINDS: readonly ClusterPolicy['kind'][] = ['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'];
