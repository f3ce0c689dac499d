// A staged policy as the API server gives it, read as the policy that it would become.
import { hasErrors } from '../base/finding.ts';
import { readManifests, sourceFromText } from '../read/read.ts';
import type { ClusterObject, Json, ServedKind } from '../kube/cluster-api.ts';
import type { JudgedPolicy } from './judge-flows.ts';
import type { Staged } from './stage.ts';

export const STAGED_POLICY: ServedKind = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'StagedPolicy', resource: 'stagedpolicies', isNamespaced: true };
export const STAGED_CLUSTER_POLICY: ServedKind = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'StagedClusterPolicy', resource: 'stagedclusterpolicies', isNamespaced: false };

export const STAGED_KINDS: readonly ServedKind[] = [STAGED_POLICY, STAGED_CLUSTER_POLICY];

/** What it would be in force: the field of the staged spec that holds the real one's, and the real kind. */
export const REAL_FORM = {
  StagedPolicy: { field: 'networkPolicy', apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  StagedClusterPolicy: { field: 'clusterNetworkPolicy', apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy' },
} as const;

export interface RealObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Json;
}

/** The object that `promote` writes. Throws RangeError for another kind. */
export function realObject(staged: ClusterObject): RealObject {
  if (staged.kind !== 'StagedPolicy' && staged.kind !== 'StagedClusterPolicy') throw new RangeError(`${staged.kind} is no staged policy`);
  const { field, apiVersion, kind } = REAL_FORM[staged.kind];
  const { name, namespace } = staged.metadata;
  const spec = (staged['spec'] as { readonly [field: string]: Json } | undefined)?.[field] ?? null;
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, spec };
}

/** Fields that this version does not know, at any depth, make it unreadable: what is not understood is not judged. */
export function readStaged(staged: ClusterObject): Staged {
  const real = realObject(staged);
  const { name, namespace, uid, generation } = staged.metadata;
  const kind = staged.kind as keyof typeof REAL_FORM; // realObject takes no other
  const unknown = Object.keys((staged['spec'] ?? {}) as object).filter((field) => field !== REAL_FORM[kind].field);
  const { cluster, findings } = readManifests([sourceFromText(`${kind} ${name}`, JSON.stringify(real))]);
  const error = findings.find(({ severity }) => severity === 'error');
  const problem = unknown.length > 0 ? `the field \`${unknown[0]}\` is unknown to this version` : error?.message;
  const policies: readonly JudgedPolicy[] = hasErrors(findings) || unknown.length > 0 ? [] : [...cluster.policies, ...cluster.clusterPolicies];
  return { kind, ...(namespace === undefined ? {} : { namespace }), name, uid: String(uid), generation: Number(generation), policies, ...(problem === undefined ? {} : { problem }) };
}
