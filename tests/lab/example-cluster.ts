// Clusters for the tests of lab and probe, built as values: no text is read here.
import { parseIpAddress, type IpRange } from '../../src/base/ip-address.ts';
import type { Protocol } from '../../src/base/port-set.ts';
import type { Cluster, ContainerPort, Namespace, Pod, Service } from '../../src/model/cluster.ts';
import type { NetworkPolicy, Peer, PolicyRule, PortMatch } from '../../src/model/network-policy.ts';
import { unwrittenDocument, type Origin } from '../../src/model/origin.ts';
import type { Selector } from '../../src/model/selector.ts';

export const origin: Origin = {
  document: unwrittenDocument('test.yaml'),
  path: [],
};

export interface PodWords {
  readonly labels?: Readonly<Record<string, string>>;
  /** `http:TCP/80` or `TCP/80`. */
  readonly ports?: readonly string[];
  readonly replicas?: number;
  readonly hostNetwork?: boolean;
  readonly kind?: string;
}

/** `namespace/name`. */
export function pod(id: string, { labels, ports = [], replicas = 1, hostNetwork = false, kind = 'Deployment' }: PodWords = {}): Pod {
  const [namespace, name] = id.split('/') as [string, string];
  return {
    namespace, name, replicas, hostNetwork, origin,
    workload: { kind, namespace, name },
    labels: new Map(Object.entries(labels ?? { app: name })),
    unknownKeys: new Set(),
    ports: ports.map(containerPort),
    addresses: [],
    nodeName: undefined,
  };
}

function containerPort(text: string): ContainerPort {
  const [name, rest] = text.includes(':') ? (text.split(':') as [string, string]) : [undefined, text];
  const [protocol, port] = rest.split('/') as [Protocol, string];
  return { name, protocol, port: Number(port) };
}

export interface ServiceWords {
  readonly selector?: Readonly<Record<string, string>>;
  /** `http:TCP/80>8080`: name, protocol, port, target port. */
  readonly ports: readonly string[];
  readonly isHeadless?: boolean;
}

export function service(id: string, { selector, ports, isHeadless = false }: ServiceWords): Service {
  const [namespace, name] = id.split('/') as [string, string];
  return {
    namespace, name, isHeadless, origin,
    labels: new Map(),
    type: 'ClusterIP',
    clusterIps: [],
    selector: new Map(Object.entries(selector ?? { app: name })),
    ports: ports.map((text) => {
      const [, portName, protocol, port, target] = /^(?:([a-z-]+):)?(TCP|UDP|SCTP)\/(\d+)>([a-z0-9-]+)$/.exec(text)!;
      return { name: portName, protocol: protocol as Protocol, port: Number(port), targetPort: /^\d+$/.test(target!) ? Number(target) : target!, nodePort: undefined };
    }),
  };
}

export function select(labels: Readonly<Record<string, string>>): Selector {
  return { requirements: Object.entries(labels).map(([key, value]) => ({ kind: 'In', key, values: [value] })) };
}

export function podPeer(labels: Readonly<Record<string, string>>): Peer {
  return { kind: 'pods', namespaces: { kind: 'own' }, podSelector: select(labels), origin };
}

/** Pods of every namespace. */
export function anyPodPeer(): Peer {
  return { kind: 'pods', namespaces: { kind: 'selected', selector: { requirements: [] } }, podSelector: { requirements: [] }, origin };
}

export function blockPeer(text: string, ...except: readonly string[]): Peer {
  return { kind: 'ip-block', cidr: cidr(text), except: except.map(cidr), text: [text, ...(except.length > 0 ? ['except', except.join(', ')] : [])].join(' '), origin };
}

export function cidr(text: string): IpRange {
  const [start, length] = text.split('/') as [string, string];
  const { family, value } = parseIpAddress(start)!;
  return { family, first: value, last: value + (1n << BigInt((family === 4 ? 32 : 128) - Number(length))) - 1n };
}

/** `TCP/80`, `UDP/100-200`, `TCP/http` for a name. */
export function portMatch(text: string): PortMatch {
  const [protocol, rest] = text.split('/') as [Protocol, string];
  if (/[a-z]/.test(rest)) return { kind: 'named', protocol, name: rest, origin };
  const [first, last] = rest.split('-').map(Number) as [number, number | undefined];
  return { kind: 'range', protocol, first, last: last ?? first, origin };
}

/** No peers: everybody; no ports: every port. */
export function rule(peers: readonly Peer[], ports: readonly string[] = []): PolicyRule {
  return {
    index: 0,
    peers: peers.length === 0 ? { kind: 'everybody' } : { kind: 'listed', peers },
    ports: ports.length === 0 ? { kind: 'every' } : { kind: 'listed', ports: ports.map(portMatch) },
    origin,
  };
}

export interface PolicyWords {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

export function policy(id: string, { selector = {}, ingress, egress }: PolicyWords): NetworkPolicy {
  const [namespace, name] = id.split('/') as [string, string];
  const numbered = (rules: readonly PolicyRule[] | undefined): PolicyRule[] | undefined => rules?.map((one, index) => ({ ...one, index }));
  return { kind: 'NetworkPolicy', namespace, name, podSelector: select(selector), ingress: numbered(ingress), egress: numbered(egress), origin };
}

export function cluster(parts: { readonly pods: readonly Pod[]; readonly services?: readonly Service[]; readonly policies?: readonly NetworkPolicy[] }): Cluster {
  const names = [...new Set(parts.pods.map(({ namespace }) => namespace))].sort();
  const namespaces = names.map((name): Namespace => ({ name, labels: new Map([['kubernetes.io/metadata.name', name]]), unknownKeys: new Set(), origin: undefined }));
  return { namespaces, pods: parts.pods, services: parts.services ?? [], policies: parts.policies ?? [], nodes: [], clusterPolicies: [], podRanges: [], endpointSlices: [], ingresses: [], ingressClasses: [], unreadObjects: [] };
}
