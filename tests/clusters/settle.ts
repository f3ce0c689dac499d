// Settles a raw cluster into the model by the letter of the API's defaults; a second opinion on what `read` does with good manifests.
import { compareText } from '../../src/base/finding.ts';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import type { Cluster, ClusterNode, Namespace, Pod } from '../../src/model/cluster.ts';
import type { NetworkPolicy, Peer, PolicyRule, PortMatch } from '../../src/model/network-policy.ts';
import type { Origin } from '../../src/model/origin.ts';
import type * as raw from './raw-cluster.ts';
import { settleClusterPolicies } from './settle-cluster-policies.ts';
import { origin, parseBlock, settleSelector } from './settle-words.ts';

export function settleCluster(cluster: raw.RawCluster): Cluster {
  return {
    namespaces: settleNamespaces(cluster),
    pods: cluster.workloads.flatMap((one) => settleWorkload(one, cluster.nodes)).sort(comparePods),
    services: [],
    endpointSlices: [],
    ingresses: [],
    ingressClasses: [],
    unreadObjects: [],
    nodes: cluster.nodes.map(settleNode).sort((a, b) => compareText(a.name, b.name)),
    policies: cluster.policies
      .map(settlePolicy)
      .sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name)),
    clusterPolicies: settleClusterPolicies(cluster.clusterPolicies),
    podRanges: cluster.podRanges.map(parseBlock),
  };
}

/** Cluster order: namespace, workload, name. */
function comparePods(a: Pod, b: Pod): number {
  return (
    compareText(a.namespace, b.namespace) ||
    compareText(a.workload.name, b.workload.name) ||
    compareText(a.workload.kind, b.workload.kind) ||
    compareText(a.name, b.name)
  );
}

function settleNamespaces(cluster: raw.RawCluster): readonly Namespace[] {
  const used = new Set([...cluster.workloads, ...cluster.policies].map(({ namespace }) => namespace));
  return cluster.namespaces
    .filter(({ name, isWritten }) => isWritten || used.has(name))
    .map(({ name, labels, isWritten }) => ({
      name,
      labels: new Map([...Object.entries(labels), ['kubernetes.io/metadata.name', name]]),
      unknownKeys: new Set<string>(),
      origin: isWritten ? origin('metadata') : undefined,
    }))
    .sort((a, b) => compareText(a.name, b.name));
}

function settleNode({ name, labels, addresses }: raw.RawNode): ClusterNode {
  return { name, labels: new Map(Object.entries(labels)), addresses: addresses.map((address) => parseIpAddress(address)!), podRanges: [] };
}

function settleWorkload(one: raw.RawWorkload, nodes: readonly raw.RawNode[]): readonly Pod[] {
  // Whoever uses the host network has the first address of each family of the node.
  const node = one.hostNetwork && one.addresses.length === 0 ? nodes.find(({ name }) => name === one.nodeName) : undefined;
  const shared = {
    namespace: one.namespace,
    workload: { kind: one.kind, namespace: one.namespace, name: one.name },
    ports: one.containers.flat().map(({ name, protocol, containerPort }) => ({ name, protocol: protocol ?? 'TCP', port: containerPort })),
    hostNetwork: one.hostNetwork,
    addresses: firstOfFamilies((node ?? one).addresses.map((address) => parseIpAddress(address)!)),
    nodeName: one.nodeName,
    origin: origin('spec'),
  } as const;
  const labels = new Map(Object.entries(one.labels));
  switch (one.kind) {
    case 'Pod':
      return [{ ...shared, name: one.name, replicas: 1, labels, unknownKeys: new Set() }];
    case 'Deployment':
      return [{ ...shared, name: one.name, replicas: one.replicas, labels, unknownKeys: new Set(['pod-template-hash']) }];
    case 'StatefulSet':
      return Array.from({ length: one.replicas }, (_, index) => ({
        ...shared,
        name: `${one.name}-${index}`,
        replicas: 1,
        labels: new Map([...labels, ['statefulset.kubernetes.io/pod-name', `${one.name}-${index}`], ['apps.kubernetes.io/pod-index', `${index}`]]),
        unknownKeys: new Set(['controller-revision-hash']),
      }));
  }
}

function firstOfFamilies(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return ([4, 6] as const).flatMap((family) => addresses.find((address) => address.family === family) ?? []);
}

function settlePolicy({ namespace, name, spec: given }: raw.RawPolicy): NetworkPolicy {
  const spec = given ?? {};
  // Spec.policyTypes: "policies that contain an egress section are assumed to affect egress, and all policies …
  // are assumed to affect ingress"; the server counts an empty egress section as none.
  const types = spec.policyTypes?.length
    ? spec.policyTypes
    : spec.egress?.length
      ? ['Ingress', 'Egress']
      : ['Ingress'];
  return {
    kind: 'NetworkPolicy',
    namespace,
    name,
    podSelector: settleSelector(spec.podSelector),
    ingress: types.includes('Ingress') ? (spec.ingress ?? []).map((rule, index) => settleRule('ingress', index, rule?.from, rule?.ports)) : undefined,
    egress: types.includes('Egress') ? (spec.egress ?? []).map((rule, index) => settleRule('egress', index, rule?.to, rule?.ports)) : undefined,
    origin: origin(),
  };
}

type Section = 'ingress' | 'egress';

function settleRule(section: Section, index: number, peers: readonly raw.RawPeer[] | null | undefined, ports: readonly (raw.RawPort | null)[] | null | undefined): PolicyRule {
  const place = ['spec', section, index] as const;
  return {
    index,
    peers: peers?.length ? { kind: 'listed', peers: peers.map((peer) => settlePeer(peer, origin(...place))) } : { kind: 'everybody' },
    ports: ports?.length ? { kind: 'listed', ports: ports.map((port) => settlePort(port ?? {}, origin(...place))) } : { kind: 'every' },
    origin: origin(...place),
  };
}

export function settlePeer(peer: raw.RawPeer, place: Origin): Peer {
  if (peer.ipBlock) {
    const cidr = parseBlock(peer.ipBlock.cidr);
    const except = (peer.ipBlock.except ?? []).map(parseBlock);
    const text = [peer.ipBlock.cidr, ...(except.length === 0 ? [] : ['except', ...(peer.ipBlock.except ?? [])])].join(' ');
    return { kind: 'ip-block', cidr, except, text, origin: place };
  }
  return {
    kind: 'pods',
    // Peer.podSelector: with a namespaceSelector beside it "in the Namespaces selected by NamespaceSelector", else the policy's own.
    namespaces: peer.namespaceSelector ? { kind: 'selected', selector: settleSelector(peer.namespaceSelector) } : { kind: 'own' },
    podSelector: settleSelector(peer.podSelector),
    origin: place,
  };
}

export function settlePort(given: raw.RawPort, place: Origin): PortMatch {
  const protocol = given.protocol ?? 'TCP';
  const { port } = given;
  if (port === undefined || port === null) return { kind: 'protocol', protocol, origin: place };
  if (typeof port === 'string') return { kind: 'named', protocol, name: port, origin: place };
  return { kind: 'range', protocol, first: port, last: given.endPort ?? port, origin: place };
}

/** How one end is known in every form of a cluster, whatever its place in the list. */
export function podKey(pod: Pod): string {
  return `${pod.namespace}/${pod.workload.kind}/${pod.workload.name}/${pod.name}/${pod.addresses.map(formatIpAddress).join()}`;
}
