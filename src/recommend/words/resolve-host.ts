// Finds out whom a name stands for, the way a pod's resolver would: pods behind a Service of the input, or something outside.
import { parseIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { nearestWord } from '../../base/near-miss.ts';
import type { Protocol } from '../../base/port-set.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { PortRoute, PortTarget, ServiceRoute } from '../../analyze/services.ts';
import { wordsOf } from './key-words.ts';
import type { Mention } from './mentions.ts';
import { productPort } from './well-known-ports.ts';

export type Resolution =
  /** The pod itself, or nothing. */
  | { readonly kind: 'own' }
  | { readonly kind: 'targets'; readonly targets: readonly PortTarget[] }
  | { readonly kind: 'outside'; readonly host: string; readonly protocol: Protocol; readonly ports: readonly number[] }
  | { readonly kind: 'address'; readonly address: IpAddress; readonly protocol: Protocol; readonly ports: readonly number[] }
  /** Named, and not to be opened as it stands: `why` goes on from "`host:port` …". */
  | { readonly kind: 'closed'; readonly reason: 'host-not-in-input' | 'port-not-known' | 'api-server' | 'metadata' | 'private-name'; readonly why: string; readonly help: string }
  /** No host after all. */
  | { readonly kind: 'none' };

export interface HostResolver {
  /** As seen from a pod of the namespace. */
  resolve(mention: Mention, namespace: string): Resolution;
}

export function createHostResolver(cluster: Cluster, routes: readonly ServiceRoute[]): HostResolver {
  const byName = new Map(routes.map((route) => [`${route.service.namespace}/${route.service.name}`, route]));
  const byAddress = new Map(routes.flatMap((route) => route.service.clusterIps.map((address) => [keyOf(address), route] as const)));
  const podAt = new Map(cluster.pods.flatMap((pod, index) => (pod.hostNetwork ? [] : pod.addresses.map((address) => [keyOf(address), index] as const))));
  const namespaces = new Set(cluster.namespaces.map(({ name }) => name));
  const context: Context = { cluster, byName, byAddress, podAt, namespaces };
  return { resolve: (mention, namespace) => resolve(context, mention, namespace) };
}

interface Context {
  readonly cluster: Cluster;
  readonly byName: ReadonlyMap<string, ServiceRoute>;
  readonly byAddress: ReadonlyMap<string, ServiceRoute>;
  readonly podAt: ReadonlyMap<string, number>;
  readonly namespaces: ReadonlySet<string>;
}

function keyOf({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

function resolve(context: Context, mention: Mention, namespace: string): Resolution {
  const address = parseIpAddress(mention.host);
  if (address !== undefined) return resolveAddress(context, mention, address);
  if (/^(?:localhost|(?:.*\.)?localhost)$|^(?:ip6-)?loopback$/.test(mention.host)) return { kind: 'own' };
  const named = findService(context, mention.host, namespace);
  if (named === undefined) return resolveElsewhere(context, mention, namespace);
  const { name, namespace: home } = named.route.service;
  if (name === 'kubernetes' && home === 'default' && named.route.leadsTo !== 'endpoints') return API_SERVER;
  return resolveService(context, mention, named);
}

interface NamedService {
  readonly route: ServiceRoute;
  /** One pod behind it, by its name. */
  readonly pod: string | undefined;
}

/** The search list of a pod comes first: `a.b` is the pod a of the Service b here before it is the Service a of the namespace b. */
function findService({ byName, cluster }: Context, host: string, namespace: string): NamedService | undefined {
  const labels = host.split('.');
  const at = labels.indexOf('svc');
  const own = at < 0 ? labels : labels.slice(0, at);
  const [first, second, third] = own;
  const service = (home: string | undefined, name: string | undefined, pod?: string): NamedService | undefined => {
    const route = byName.get(`${home}/${name}`);
    if (route === undefined || (pod !== undefined && !route.pods.some((index) => cluster.pods[index]!.name === pod))) return undefined;
    return { route, pod };
  };
  if (own.length === 1 && at < 0) return service(namespace, first);
  if (own.length === 2) return (at < 0 ? service(namespace, second, first) : undefined) ?? service(second, first);
  if (own.length === 3) return service(third, second, first);
  return undefined;
}

function resolveService(context: Context, mention: Mention, { route, pod }: NamedService): Resolution {
  const { service, leadsTo } = route;
  const text = `the Service \`${service.namespace}/${service.name}\``;
  if (leadsTo === 'name') return resolveElsewhere(context, { ...mention, host: (service.externalName ?? '').toLowerCase().replace(/\.$/, ''), isSure: true }, service.namespace);
  if (leadsTo === 'unknown') return closed('host-not-in-input', `${text} has no selector, and the input has no EndpointSlice of it`, 'allow the addresses behind it by an ipBlock');
  if (route.pods.length === 0 && route.ports.every(({ targets }) => targets.length === 0)) return closed('host-not-in-input', `${text} selects no pod of the input`, 'give the manifests of its pods as well');
  const chosen = choosePorts(route, mention);
  if (chosen === undefined) return !mention.isSure ? { kind: 'none' } : closed('port-not-known', `${text} has ${portsText(route)}`, 'write the port behind the host');
  const isWanted = ({ end }: PortTarget): boolean => pod === undefined || (end.kind === 'pod' && context.cluster.pods[end.pod]!.name === pod);
  return { kind: 'targets', targets: chosen.filter(isWanted) };
}

/** undefined: the Service has no such port, or several and nobody says which. */
function choosePorts(route: ServiceRoute, { ports, usualPort, portMayBeOther, isUdp, isSure }: Mention): readonly PortTarget[] | undefined {
  const isListed = (number: number): boolean => route.ports.some(({ port }) => port.port === number);
  const said = ports.filter((port) => isSure || isListed(port)).flatMap((port) => targetsOn(route, port, isUdp) ?? []);
  if (said.length > 0) return said;
  if (ports.length > 0 && !portMayBeOther) return undefined;
  const usual = [usualPort, productPort(wordsOf(route.service.name))].find((port) => port !== undefined && isListed(port));
  if (usual !== undefined) return targetsOn(route, usual, isUdp);
  const candidates = route.ports.filter(({ port }) => (port.protocol === 'UDP') === isUdp);
  return candidates.length === 1 ? candidates[0]!.targets : undefined;
}

/** A headless name leads to the pods themselves, where the number is the pod's own. undefined: no such port. */
function targetsOn({ service, ports, pods }: ServiceRoute, number: number, isUdp: boolean): readonly PortTarget[] | undefined {
  const found = ports.filter(({ port }) => port.port === number && (!isUdp || port.protocol === 'UDP'));
  if (!service.isHeadless) return found.length === 0 ? undefined : found.flatMap(({ targets }: PortRoute) => targets);
  const protocol = isUdp ? 'UDP' : (found[0]?.port.protocol ?? 'TCP');
  return pods.map((pod) => ({ end: { kind: 'pod', pod }, protocol, port: number }));
}

function portsText({ ports }: ServiceRoute): string {
  const [first, ...others] = ports.map(({ port: { port, name, protocol } }) => `${protocol} ${port}${name === undefined ? '' : ` (${name})`}`);
  if (first === undefined) return 'no ports';
  return others.length === 0 ? `the one port ${first}` : `the ports ${[first, ...others].join(', ')}`;
}

/** RFC 6762, RFC 8375, and what offices and clouds call their own networks. */
const PRIVATE_SUFFIXES = /\.(?:local|localdomain|internal|lan|home|corp|intranet|private)$/;

function resolveElsewhere({ byName, namespaces }: Context, mention: Mention, namespace: string): Resolution {
  const { host, isSure } = mention;
  const labels = host.split('.');
  if (!isSure) return { kind: 'none' };
  if (/^kubernetes(?:\.default(?:\.svc(?:\..*)?)?)?$/.test(host)) return API_SERVER;
  if (/^metadata(?:\.google\.internal)?$/.test(host)) return METADATA;
  const isOfCluster = labels.length === 1 || labels.includes('svc') || (labels.length <= 3 && namespaces.has(labels.at(-1)!));
  if (isOfCluster) {
    const near = nearestWord(host, [...byName.values()].filter(({ service }) => service.namespace === namespace).map(({ service }) => service.name));
    return closed('host-not-in-input', 'no Service of the input has that name', near === undefined ? 'give the manifests of that Service as well, or mend the name' : `did you mean \`${near}\`?`);
  }
  if (PRIVATE_SUFFIXES.test(host)) return closed('private-name', 'that name stands for an address of a private network, which the manifests do not tell', 'allow its address by an ipBlock');
  const ports = outsidePorts(mention);
  if (ports.length === 0) return closed('port-not-known', 'that host is outside the cluster, and no port is written', 'write the port behind the host');
  return { kind: 'outside', host, protocol: mention.isUdp ? 'UDP' : 'TCP', ports };
}

function outsidePorts({ ports, usualPort }: Mention): readonly number[] {
  return ports.length > 0 || usualPort === undefined ? ports : [usualPort];
}

const METADATA_ADDRESSES: ReadonlySet<string> = new Set(['169.254.169.254', 'fd00:ec2::254', '169.254.170.2', '100.100.100.200']);

function resolveAddress({ byAddress, podAt, cluster }: Context, mention: Mention, address: IpAddress): Resolution {
  const { host, isUdp, isSure, ports } = mention;
  if (address.value === 0n || (address.family === 4 ? address.value >> 24n === 127n : address.value === 1n)) return { kind: 'own' };
  if (METADATA_ADDRESSES.has(host)) return METADATA;
  const route = byAddress.get(keyOf(address));
  if (route !== undefined) return resolveService({ cluster, byAddress, podAt, byName: new Map(), namespaces: new Set() }, mention, { route, pod: undefined });
  // A netmask or a version looks like an address.
  if (!isSure || (ports.length === 0 && mention.usualPort === undefined)) return { kind: 'none' };
  const protocol = isUdp ? 'UDP' : 'TCP';
  const pod = podAt.get(keyOf(address));
  const numbers = outsidePorts(mention);
  if (pod !== undefined) return { kind: 'targets', targets: numbers.map((port) => ({ end: { kind: 'pod', pod }, protocol, port })) };
  return { kind: 'address', address, protocol, ports: numbers };
}

function closed(reason: Extract<Resolution, { kind: 'closed' }>['reason'], why: string, help: string): Resolution {
  return { kind: 'closed', reason, why, help };
}

const API_SERVER: Resolution = closed('api-server', 'that is the API server, whose address the manifests do not tell', 'allow its address by an ipBlock');
const METADATA: Resolution = closed('metadata', 'that is the metadata service of the cloud, which hands out credentials', 'allow 169.254.169.254/32 yourself if the workload has to have it');
