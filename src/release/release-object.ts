// The objects of a release: which kinds there are, how each is named, what of one is its author's, and the policy that it is.
import { hasErrors } from '../base/finding.ts';
import { qualifiedResource, type ObjectPlace, type ServedKind, type StoredObject, type WantedObject } from '../kube/cluster-api.ts';
import { readManifests, sourceFromText } from '../read/read.ts';
import { isDeepEqual } from './same-value.ts';
import type { AnyPolicy } from './release.ts';

const kind = (apiVersion: string, name: string, resource: string, isNamespaced: boolean): ServedKind => ({ apiVersion, kind: name, resource, isNamespaced });

export const NETWORK_POLICY: ServedKind = kind('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', true);

/** What a release may hold: policies, and those that are only tried. */
export const RELEASE_KINDS: readonly ServedKind[] = [
  NETWORK_POLICY,
  kind('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'clusternetworkpolicies', false),
  kind('policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy', 'adminnetworkpolicies', false),
  kind('policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy', 'baselineadminnetworkpolicies', false),
  kind('bulkhead.dev/v1alpha1', 'StagedPolicy', 'stagedpolicies', true),
  kind('bulkhead.dev/v1alpha1', 'StagedClusterPolicy', 'stagedclusterpolicies', false),
];

/** undefined: a release does not hold the kind. */
export function releaseKind({ apiVersion, kind: name }: { readonly apiVersion: string; readonly kind: string }): ServedKind | undefined {
  return RELEASE_KINDS.find((served) => served.apiVersion === apiVersion && served.kind === name);
}

/** Throws RangeError for a kind that no release holds. */
export function placeOfObject(object: Pick<WantedObject, 'apiVersion' | 'kind' | 'metadata'>): ObjectPlace {
  const served = releaseKind(object);
  if (served === undefined) throw new RangeError(`${object.kind} of ${object.apiVersion} is no policy`);
  const { name, namespace } = object.metadata;
  return { served, name, ...(served.isNamespaced ? { namespace: namespace ?? 'default' } : {}) };
}

/** `NetworkPolicy shop/web`, as `policyLabel` has it. */
export function placeLabel({ served, namespace, name }: ObjectPlace): string {
  return namespace === undefined ? `${served.kind} ${name}` : `${served.kind} ${namespace}/${name}`;
}

/** `networkpolicies.networking.k8s.io/web -n shop`, as kubectl takes it. */
export function kubectlWords({ served, namespace, name }: ObjectPlace): string {
  return `${qualifiedResource(served)}/${name}${namespace === undefined ? '' : ` -n ${namespace}`}`;
}

/** What the server writes, and nobody can bring back. */
const SERVER_FIELDS: ReadonlySet<string> = new Set(['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields', 'selfLink']);

/** The object as its authors had it, so that it can be written again. */
export function authored(object: StoredObject | WantedObject): WantedObject {
  const { status: _, metadata, ...rest } = object;
  const kept = Object.fromEntries(Object.entries(metadata).filter(([field]) => !SERVER_FIELDS.has(field)));
  return { ...rest, metadata: kept } as WantedObject; // what has a name keeps it
}

export function isSameAuthored(a: StoredObject | WantedObject, b: StoredObject | WantedObject): boolean {
  return isDeepEqual(authored(a), authored(b));
}

/** Of a staged policy undefined: nobody enforces it. Throws RangeError where it cannot be understood. */
export function policyOfObject(object: StoredObject | WantedObject): AnyPolicy | undefined {
  if (object.apiVersion.startsWith('bulkhead.dev/')) return undefined;
  const { cluster, findings } = readManifests([sourceFromText(`${object.kind} ${String(object.metadata.name)}`, JSON.stringify(authored(object), undefined, 2))]);
  if (hasErrors(findings)) throw new RangeError(findings.find(({ severity }) => severity === 'error')!.message);
  return cluster.policies[0] ?? cluster.clusterPolicies[0];
}
