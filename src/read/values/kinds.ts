// Which kinds there are: those that are read, those of the groups that we know whole, and those that hold policies.
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import { classifyEngineKind } from './engine-kinds.ts';
import type { LooseMap } from '../text/yaml-value.ts';

/** Kinds whose objects become part of the cluster, by API group. */
const READ_KINDS: Readonly<Record<string, readonly string[]>> = {
  '': ['Namespace', 'Pod', 'Service', 'Endpoints', 'Node', 'ReplicationController'],
  apps: ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'],
  batch: ['Job', 'CronJob'],
  'networking.k8s.io': ['NetworkPolicy', 'Ingress', 'IngressClass'],
  'discovery.k8s.io': ['EndpointSlice'],
};

/** Kinds of custom resources that are read, by API version: in another one the same word may mean something else. */
const CLUSTER_POLICY_KINDS: Readonly<Record<string, readonly string[]>> = {
  'policy.networking.k8s.io/v1alpha2': ['ClusterNetworkPolicy'],
  'policy.networking.k8s.io/v1alpha1': ['AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'],
};

/** The other kinds of the same groups (Kubernetes 1.34); what is in neither list is a mistake. */
const OTHER_KINDS: Readonly<Record<string, readonly string[]>> = {
  '': [
    'Binding', 'ComponentStatus', 'ConfigMap', 'Event', 'LimitRange', 'List', 'PersistentVolume', 'PersistentVolumeClaim', 'PodTemplate',
    'ResourceQuota', 'Secret', 'ServiceAccount', 'Status',
  ],
  apps: ['ControllerRevision'],
  batch: [],
  // Read as `v1` alone; the older versions had other fields.
  'networking.k8s.io': ['Ingress', 'IngressClass', 'IPAddress', 'ServiceCIDR'],
  'discovery.k8s.io': ['EndpointSlice'],
};

/** API versions that the server no longer has; the kinds are read where their meaning is the same today. */
const REMOVED_VERSIONS: Readonly<Record<string, string>> = {
  'extensions/v1beta1': 'apps',
  'apps/v1beta1': 'apps',
  'apps/v1beta2': 'apps',
  'batch/v1beta1': 'batch',
  'batch/v2alpha1': 'batch',
};

/** The working group's own: what it may hold one day decides as well. */
const POLICY_GROUP = 'policy.networking.k8s.io';

export type KindClass =
  | { readonly kind: 'read' }
  /** Read as in `group`, though no server has this version. */
  | { readonly kind: 'removed'; readonly replacement: string; readonly isRead: boolean }
  /** Decides who may connect, and is not judged; `engine` where it is one engine's. */
  | { readonly kind: 'policy'; readonly engine: string | undefined }
  | { readonly kind: 'mesh'; readonly engine: string }
  /** No such kind in a group that we know whole. */
  | { readonly kind: 'no-such-kind'; readonly near: readonly string[] }
  | { readonly kind: 'other' };

/** `List`, and the lists of the kinds that are read; no other kind of these groups is named so. */
export function isListKind(apiVersion: string, kind: string): boolean {
  const slash = apiVersion.indexOf('/');
  return kind.endsWith('List') && Object.hasOwn(READ_KINDS, slash < 0 ? '' : apiVersion.slice(0, slash));
}

export function classifyKind(apiVersion: string, kind: string, map: LooseMap): KindClass {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const removed = Object.hasOwn(REMOVED_VERSIONS, apiVersion) ? REMOVED_VERSIONS[apiVersion]! : undefined;
  if (removed !== undefined) return classifyRemoved(removed, kind);
  if (Object.hasOwn(CLUSTER_POLICY_KINDS, apiVersion) && CLUSTER_POLICY_KINDS[apiVersion]!.includes(kind)) return { kind: 'read' };
  const version = slash < 0 ? apiVersion : apiVersion.slice(slash + 1);
  if (Object.hasOwn(READ_KINDS, group)) return classifyKnown(group, version, kind);
  const ofEngine = classifyEngineKind(group, kind, map);
  if (ofEngine !== undefined) return ofEngine;
  // Whatever calls itself so decides who may connect.
  return group === POLICY_GROUP || /network-?policy$/i.test(kind) ? { kind: 'policy', engine: undefined } : { kind: 'other' };
}

function classifyRemoved(group: string, kind: string): KindClass {
  if (kind === 'NetworkPolicy') return { kind: 'removed', replacement: 'networking.k8s.io/v1', isRead: false };
  if (READ_KINDS[group]!.includes(kind)) return { kind: 'removed', replacement: `${group}/v1`, isRead: true };
  if (nearestWordAnyCase(kind, ['NetworkPolicy']) !== undefined) return { kind: 'no-such-kind', near: ['NetworkPolicy'] };
  return { kind: 'other' };
}

function classifyKnown(group: string, version: string, kind: string): KindClass {
  const isRead = READ_KINDS[group]!.includes(kind);
  if (isRead && version === 'v1') return { kind: 'read' };
  const isOther = OTHER_KINDS[group]!.includes(kind) || (kind.endsWith('List') && READ_KINDS[group]!.includes(kind.slice(0, -'List'.length)));
  if (isOther && /^v[0-9]/.test(version)) return { kind: 'other' };
  return { kind: 'no-such-kind', near: [...READ_KINDS[group]!, ...OTHER_KINDS[group]!] };
}

/** The API version that a kind is read from, wherever it was written. */
export function apiVersionOf(kind: string): string | undefined {
  for (const [group, kinds] of Object.entries(READ_KINDS)) {
    if (kinds.includes(kind)) return group === '' ? 'v1' : `${group}/v1`;
  }
  return Object.keys(CLUSTER_POLICY_KINDS).find((apiVersion) => CLUSTER_POLICY_KINDS[apiVersion]!.includes(kind));
}

export const ALL_READ_KINDS: readonly string[] = [READ_KINDS, CLUSTER_POLICY_KINDS].flatMap((table) => Object.values(table).flat());

/** Kinds that decide who may connect. */
export function isPolicyKind(kind: string): boolean {
  return kind === 'NetworkPolicy' || Object.values(CLUSTER_POLICY_KINDS).some((kinds) => kinds.includes(kind));
}
