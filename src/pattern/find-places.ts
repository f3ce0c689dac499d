// Where in a cluster those are whom patterns speak of: its DNS, ingress controllers, scrapers of metrics, the API server.
import type { IpRange } from '../base/ip-address.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { PortMatch } from '../model/network-policy.ts';
import type { Selector } from '../model/selector.ts';
import { DNS_LABELS } from '../analyze/dns-pods.ts';
import { INGRESS_CONTROLLERS } from '../analyze/ingress-controllers.ts';
import type { DnsPlace, NotedBlock, PodPlace } from './answers.ts';
import { portRange } from './draft-parts.ts';

type Label = readonly [key: string, value: string];

/** Prometheus by its chart, its operator and its older manifests; Grafana's agents and the collector of OpenTelemetry scrape as well. */
const SCRAPER_LABELS: readonly Label[] = [
  ['app.kubernetes.io/name', 'prometheus'],
  ['app', 'prometheus'],
  ['app.kubernetes.io/name', 'vmagent'],
  ['app.kubernetes.io/name', 'alloy'],
  ['app.kubernetes.io/name', 'grafana-agent'],
  ['app.kubernetes.io/name', 'opentelemetry-collector'],
];

const NODE_LOCAL_LABEL: Label = ['k8s-app', 'node-local-dns'];

/** By whose pods an API server reaches into the cluster where it stands outside the network of the nodes (kubernetes-sigs/apiserver-network-proxy). */
const TUNNEL_LABEL: Label = ['k8s-app', 'konnectivity-agent'];

/** What nearly every cluster has, and what is taken where the input does not say. */
export const USUAL_DNS: DnsPlace = {
  peers: [{ namespace: 'kube-system', podSelector: selectorOf([['k8s-app', 'kube-dns']]) }],
  ports: [portRange('UDP', 53), portRange('TCP', 53)],
  hasNodeLocalDns: false,
};

/** undefined: no pod of the input is known for DNS. */
export function findDns(cluster: Cluster): DnsPlace | undefined {
  const labels = DNS_LABELS.filter(([, value]) => value !== NODE_LOCAL_LABEL[1]);
  const peers = findPods(cluster, labels.map((label) => ({ labels: [label] })));
  if (peers.length === 0) return undefined;
  const numbers = new Set(cluster.pods.filter((pod) => labels.some((label) => hasLabels(pod, [label]))).flatMap(({ ports }) => ports.map(({ port }) => port)).filter((port) => port === 53 || port === OPENSHIFT_DNS_PORT));
  const ports = numbers.size === 0 ? USUAL_DNS.ports : [...numbers].flatMap((number) => [portRange('UDP', number), portRange('TCP', number)]);
  return { peers, ports, hasNodeLocalDns: cluster.pods.some((pod) => hasLabels(pod, [NODE_LOCAL_LABEL])) };
}

/** Its DNS pods listen there, behind a Service on 53 (openshift/cluster-dns-operator). */
const OPENSHIFT_DNS_PORT = 5353;

export function findIngressControllers(cluster: Cluster): readonly PodPlace[] {
  return findPods(cluster, INGRESS_CONTROLLERS.flatMap(({ name, podLabels }) => podLabels.map((labels) => ({ labels, who: name }))));
}

export function findScrapers(cluster: Cluster): readonly PodPlace[] {
  return findPods(cluster, SCRAPER_LABELS.map((label) => ({ labels: [label] })));
}

export interface ApiServerPlace {
  readonly blocks: readonly NotedBlock[];
  readonly ports: readonly PortMatch[];
  /** Whose pods carry its connections into the cluster. */
  readonly tunnels: readonly PodPlace[];
}

/** By the EndpointSlices of the Service `kubernetes`, which every API server writes about itself; undefined: the input has none. */
export function findApiServer(cluster: Cluster): ApiServerPlace | undefined {
  const slices = cluster.endpointSlices.filter(({ namespace, serviceName }) => namespace === 'default' && serviceName === 'kubernetes');
  const ranges = slices.flatMap(({ endpoints }) => endpoints).flatMap(({ addresses }) => addresses).map(({ family, value }): IpRange => ({ family, first: value, last: value }));
  if (ranges.length === 0) return undefined;
  const numbers = new Set(slices.flatMap(({ ports }) => ports).map(({ port }) => port));
  return {
    blocks: ranges.map((range) => ({ range, who: 'the API server' })),
    ports: [...numbers].map((port) => portRange('TCP', port)),
    tunnels: findPods(cluster, [{ labels: [TUNNEL_LABEL], who: 'the tunnel of the API server' }]),
  };
}

interface KnownPods {
  readonly labels: readonly Label[];
  readonly who?: string;
}

/** One place for each namespace in which pods with the labels are; pods that no selector matches do not count. */
function findPods(cluster: Cluster, known: readonly KnownPods[]): readonly PodPlace[] {
  const places = new Map<string, PodPlace>();
  const taken = new Set<Pod>();
  for (const { labels, who } of known) {
    for (const pod of cluster.pods) {
      if (pod.hostNetwork || taken.has(pod) || !hasLabels(pod, labels)) continue;
      taken.add(pod);
      const key = `${pod.namespace} ${labels.flat().join(' ')}`;
      if (!places.has(key)) places.set(key, { namespace: pod.namespace, podSelector: selectorOf(labels), ...(who === undefined ? {} : { who }) });
    }
  }
  return [...places.values()];
}

function hasLabels(pod: Pod, labels: readonly Label[]): boolean {
  return labels.every(([key, value]) => pod.labels.get(key) === value);
}

function selectorOf(labels: readonly Label[]): Selector {
  return { requirements: labels.map(([key, value]) => ({ kind: 'In', key, values: [value] })) };
}
