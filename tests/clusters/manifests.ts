// The manifests of a raw cluster, as YAML text in documents of its own.
import { dump } from 'js-yaml';
import type * as raw from './raw-cluster.ts';

export function manifestText(cluster: raw.RawCluster): string {
  return manifests(cluster).map((object) => dump(object)).join('---\n');
}

export function manifests(cluster: raw.RawCluster): readonly object[] {
  return [
    ...cluster.namespaces
      .filter(({ isWritten }) => isWritten)
      .map(({ name, labels }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })),
    ...cluster.nodes.map(nodeManifest),
    ...cluster.workloads.map(workloadManifest),
    ...cluster.policies.map(({ namespace, name, ...spec }) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace },
      ...spec,
    })),
    ...cluster.clusterPolicies.map(({ kind, name, spec }) => ({
      apiVersion: `policy.networking.k8s.io/${kind === 'ClusterNetworkPolicy' ? 'v1alpha2' : 'v1alpha1'}`,
      kind,
      metadata: { name },
      spec,
    })),
  ];
}

function nodeManifest({ name, labels, addresses }: raw.RawNode): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } };
}

function workloadManifest(one: raw.RawWorkload): object {
  const { kind, namespace, name } = one;
  const podSpec = {
    ...(one.hostNetwork ? { hostNetwork: true } : {}),
    ...(one.nodeName === undefined ? {} : { nodeName: one.nodeName }),
    containers: one.containers.map((ports, index) => ({ name: `c${index}`, image: 'example/image', ports })),
  };
  const labels = { ...one.labels };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata: { name, namespace, labels }, spec: podSpec, ...podStatus(one) };
  const template = { metadata: { labels }, spec: podSpec };
  const own = kind === 'StatefulSet' ? { serviceName: name } : {};
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: { replicas: one.replicas, selector: { matchLabels: labels }, ...own, template },
  };
}

function podStatus(one: raw.RawWorkload): object {
  if (one.addresses.length === 0) return {};
  const ips = one.addresses.map((ip) => ({ ip }));
  const host = one.hostNetwork ? { hostIP: one.addresses[0], hostIPs: ips } : {};
  return { status: { phase: 'Running', ...host, podIP: one.addresses[0], podIPs: ips } };
}
