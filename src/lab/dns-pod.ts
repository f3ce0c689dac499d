// The pod that answers names: in kube-system, labelled and reached as in any cluster, and judged like any pod.
import type { Cluster, Namespace, Pod, Service } from '../model/cluster.ts';
import { type Origin, unwrittenDocument } from '../model/origin.ts';
import { compareText } from '../base/finding.ts';
import { podsBehind } from './lab-service.ts';

export const DNS_NAMESPACE = 'kube-system';
export const DNS_SERVICE = 'kube-dns';
export const DNS_PORT = 53;

/** The cluster with a DNS pod behind the Service kube-system/kube-dns; unchanged when it has one of its own. */
export function withDns(cluster: Cluster): Cluster {
  if (dnsPodsOf(cluster).length > 0) return cluster;
  const others = cluster.services.filter((service) => !isDnsService(service));
  return {
    ...cluster,
    namespaces: hasNamespace(cluster) ? cluster.namespaces : sortedByName([...cluster.namespaces, dnsNamespace]),
    pods: insertPod(cluster.pods, dnsPod),
    services: [...others, dnsService],
  };
}

/** Indices of the pods that answer names: those behind the Service. */
export function dnsPodsOf(cluster: Cluster): number[] {
  const service = cluster.services.find(isDnsService);
  return service === undefined ? [] : podsBehind(cluster, service);
}

/** Whether the lab added the pod: tables leave it out unless asked. */
export function isAddedDnsPod(pod: Pod): boolean {
  return pod.origin.document === LAB_DOCUMENT;
}

export function isDnsService(service: Pick<Service, 'namespace' | 'name'>): boolean {
  return service.namespace === DNS_NAMESPACE && service.name === DNS_SERVICE;
}

const LAB_DOCUMENT = unwrittenDocument('(lab)');

const origin: Origin = { document: LAB_DOCUMENT, path: [] };

const dnsLabels: ReadonlyMap<string, string> = new Map([['k8s-app', 'kube-dns']]);

const dnsNamespace: Namespace = {
  name: DNS_NAMESPACE,
  labels: new Map([['kubernetes.io/metadata.name', DNS_NAMESPACE]]),
  unknownKeys: new Set(),
  origin: undefined,
};

const dnsPod: Pod = {
  namespace: DNS_NAMESPACE,
  name: DNS_SERVICE,
  workload: { kind: 'Pod', namespace: DNS_NAMESPACE, name: DNS_SERVICE },
  replicas: 1,
  ports: [
    { name: 'dns', protocol: 'UDP', port: DNS_PORT },
    { name: 'dns-tcp', protocol: 'TCP', port: DNS_PORT },
  ],
  hostNetwork: false,
  addresses: [],
  nodeName: undefined,
  labels: dnsLabels,
  unknownKeys: new Set(),
  origin,
};

const dnsService: Service = {
  namespace: DNS_NAMESPACE,
  name: DNS_SERVICE,
  labels: dnsLabels,
  type: 'ClusterIP',
  isHeadless: false,
  clusterIps: [],
  selector: dnsLabels,
  ports: [
    { name: 'dns', protocol: 'UDP', port: DNS_PORT, targetPort: 'dns', nodePort: undefined },
    { name: 'dns-tcp', protocol: 'TCP', port: DNS_PORT, targetPort: 'dns-tcp', nodePort: undefined },
  ],
  origin,
};

function hasNamespace(cluster: Cluster): boolean {
  return cluster.namespaces.some(({ name }) => name === DNS_NAMESPACE);
}

function sortedByName(namespaces: readonly Namespace[]): Namespace[] {
  return [...namespaces].sort((a, b) => compareText(a.name, b.name));
}

/** Keeps the order of the others: pods are known by their index. */
function insertPod(pods: readonly Pod[], pod: Pod): Pod[] {
  const before = pods.findIndex((other) => compareText(other.namespace, pod.namespace) > 0);
  const at = before < 0 ? pods.length : before;
  return [...pods.slice(0, at), pod, ...pods.slice(at)];
}
