// The words that lead to pods by a Service: `svc/ns/name:port`, `db.data.svc.cluster.local:5432`, `http://api.shop:9000/x`.
import { nearestWord } from '../base/near-miss.ts';
import { NO_PORTS, portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import { parseRange } from '../base/range-text.ts';
import type { Pod, Service, ServicePort } from '../model/cluster.ts';
import { coversDomainName } from '../compile/domain-pattern.ts';
import type { Program } from '../compile/program.ts';
import { podEnds, type NamedEnd, type NamedEnds, type TranslatedPort, type WordContext } from '../analyze/named-ends.ts';
import { rangeEnds } from './address-words.ts';
import { sliceEnds } from './slice-ends.ts';

export function isUrlWord(word: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(word);
}

/** A name with `.svc`, or `name.namespace` of a Service that is here. */
export function isDnsWord({ cluster }: Program, word: string): boolean {
  const parts = dnsParts(word);
  if (parts === undefined) return false;
  if (parts.labels.includes('svc')) return true;
  const [name, namespace] = parts.labels.slice(-2);
  return parts.labels.length <= 3 && cluster.services.some((service) => service.name === name && service.namespace === namespace);
}

export function serviceEnds(program: Program, word: string): NamedEnds {
  const [, namespace = '', nameAndPort = ''] = word.split('/');
  const [name = '', port] = nameAndPort.split(':');
  return endsOfService(program, { namespace, name, port, host: undefined });
}

/** `name.namespace.svc.zone`, of a headless Service also `pod.name.namespace.svc.zone`; the zone is not looked at. */
export function dnsEnds(program: Program, word: string): NamedEnds {
  const { labels, port } = dnsParts(word)!;
  return endsOfService(program, { ...nameOfLabels(program, word, labels), port });
}

/** The port is the URL's, else that of its scheme. */
export function urlEnds(program: Program, word: string, { namespace }: WordContext): NamedEnds {
  const { host, port } = parseUrl(word);
  const range = parseRange(host);
  const ports = port === undefined ? undefined : portSetOf('TCP', Number(port), Number(port));
  if (range !== undefined) return withPorts(rangeEnds(program, host, [range]), () => ports);
  const labels = host.replace(/\.$/, '').split('.');
  const isShort = labels.length === 1 && namespace !== undefined;
  const domain = domainEnds(program, host, ports);
  if (domain !== undefined && !isDnsWord(program, host)) return domain;
  if (!isShort && !isDnsWord(program, host)) throw new WordError(`\`${host}\` is no name of a Service here, and nobody here knows its addresses`, 'name a Service as name.namespace, or the addresses as a CIDR');
  return endsOfService(program, { ...(isShort ? { name: host, namespace, host: undefined } : nameOfLabels(program, host, labels)), port });
}

/** A name outside the cluster that a policy speaks of, itself or by a pattern; undefined: none does, and nobody knows its addresses. */
export function domainEnds({ domainNames }: Program, word: string, ports?: PortSet): NamedEnds | undefined {
  const name = word.toLowerCase().replace(/\.$/, '');
  const isCovered = domainNames.some((pattern) => coversDomainName(pattern, name));
  return isCovered ? { ends: [{ label: name, ref: { kind: 'domain-name', name }, pods: [], ...(ports && { ports }) }], pods: [], ranges: [] } : undefined;
}

function withPorts(named: NamedEnds, portsOf: (end: NamedEnd) => PortSet | undefined): NamedEnds {
  const ends = named.ends.map((end) => {
    const ports = portsOf(end);
    return { ...end, ...(ports && { ports }) };
  });
  return { ...named, ends };
}

// Every scheme is read as `http` is: of others, the URL standard leaves the host unread.
function parseUrl(word: string): { readonly host: string; readonly port: string | undefined } {
  const scheme = word.slice(0, word.indexOf(':')).toLowerCase();
  try {
    const url = new URL(word.replace(/^[^:]+/, 'http'));
    const isWritten = /^[^/]+\/\/[^/?#]*:80(?:[/?#]|$)/.test(word);
    const port = url.port !== '' ? url.port : isWritten ? '80' : SCHEME_PORTS[scheme];
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
  } catch {
    throw new WordError(`\`${word}\` is no URL`, 'write http://name.namespace:port/');
  }
}

// IANA Service Name and Transport Protocol Port Number Registry.
const SCHEME_PORTS: Readonly<Record<string, string>> = { http: '80', ws: '80', https: '443', wss: '443', ftp: '21', ldap: '389', ldaps: '636', amqp: '5672', amqps: '5671', redis: '6379', postgres: '5432', postgresql: '5432', mysql: '3306', mongodb: '27017' };

function dnsParts(word: string): { readonly labels: readonly string[]; readonly port: string | undefined } | undefined {
  const match = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+)\.?(?::([a-z0-9-]+))?$/i.exec(word);
  return match === null ? undefined : { labels: match[1]!.toLowerCase().split('.'), port: match[2] };
}

interface ServiceName {
  readonly name: string;
  readonly namespace: string;
  /** One pod of it, by its name. */
  readonly host: string | undefined;
}

function nameOfLabels({ cluster }: Program, word: string, labels: readonly string[]): ServiceName {
  const at = labels.indexOf('svc');
  const own = at < 0 ? labels : labels.slice(0, at);
  if (own.length < 2 || own.length > 3) throw new WordError(`\`${word}\` is no name of a Service`, 'write name.namespace.svc, or pod.name.namespace.svc');
  const [name, namespace] = own.slice(-2) as [string, string]; // as many at least
  const host = own.length === 3 ? own[0] : undefined;
  const isHere = cluster.services.some((service) => service.name === name && service.namespace === namespace);
  if (!isHere) throw unknownService(cluster.services, { namespace, name });
  return { name, namespace, host };
}

function unknownService(services: readonly Service[], { namespace, name }: { readonly namespace: string; readonly name: string }): WordError {
  const near = nearestWord(`svc/${namespace}/${name}`, services.map((service) => `svc/${service.namespace}/${service.name}`));
  return new WordError(`there is no Service \`${namespace}/${name}\``, near === undefined ? 'write svc/namespace/name:port' : `did you mean ${near}?`);
}

function endsOfService(program: Program, { namespace, name, host, port }: ServiceName & { readonly port: string | undefined }): NamedEnds {
  const { services, pods } = program.cluster;
  const service = services.find((candidate) => candidate.namespace === namespace && candidate.name === name);
  if (service === undefined) throw unknownService(services, { namespace, name });
  const text = `the Service \`${namespace}/${name}\``;
  if (service.type === 'ExternalName') throw new WordError(`${text} is a name for something outside the cluster`, 'name the addresses it stands for as a CIDR');
  if (service.selector === undefined) {
    const named = sliceEnds(program, service, { ports: servicePorts(service, port), host });
    if (named === undefined) throw new WordError(`${text} has no selector, so the manifests do not say where it leads`, 'name the pods or addresses behind it');
    if (named.ends.length === 0) throw new WordError(host === undefined ? `${text} leads to nobody` : `${text} leads to no pod \`${host}\``, 'its EndpointSlices name no such end on such a port');
    return named;
  }
  const found = [...pods.keys()].filter((index) => selectsPod(service, pods[index]!) && (host === undefined || pods[index]!.name === host));
  if (found.length === 0) throw new WordError(host === undefined ? `${text} leads to no pod` : `${text} leads to no pod \`${host}\``, 'its selector matches no such pod of its namespace');
  const named = withPorts(podEnds(program, found), (end) => portsOfService(service, port, end.pods.map((index) => pods[index]!)));
  const ends = named.ends.filter(({ ports }) => ports === undefined || ports.length > 0).map((end) => (service.isHeadless ? end : { ...end, isBehindService: true, translated: translatedPorts(program, servicePorts(service, port), end), serviceAddresses: service.clusterIps }));
  if (ends.length === 0) throw new WordError(`${text} leads to no port: no pod of it has one of the name of its target port`, 'name the container port, or write its number as the target port');
  return { ...named, ends, pods: ends.flatMap((end) => end.pods.map((index) => pods[index]!)) };
}

/**
 * On each pod by itself, for a named target port leads to other numbers on other pods. Of a headless Service the name leads
 * to the pods themselves, and a port number is the pod's own; without ports it says nothing of them: undefined.
 */
function portsOfService(service: Service, word: string | undefined, pods: readonly Pod[]): PortSet | undefined {
  if (service.isHeadless && word === undefined && service.ports.length === 0) return undefined;
  if (service.isHeadless && word !== undefined && /^[0-9]+$/.test(word)) {
    const protocol = service.ports.find((port) => `${port.port}` === word)?.protocol ?? 'TCP';
    return portSetOf(protocol, Number(word), Number(word));
  }
  return servicePorts(service, word).reduce<PortSet>((set, port) => unionPorts(set, targetPorts(port, pods)), NO_PORTS);
}

function translatedPorts({ cluster }: Program, ports: readonly ServicePort[], { pods }: NamedEnd): TranslatedPort[] {
  return ports.map((own) => ({ name: own.name, port: own.port, protocol: own.protocol, leadsTo: targetPorts(own, pods.map((index) => cluster.pods[index]!)) }));
}

export function selectsPod(service: Service, pod: Pod): boolean {
  if (service.selector === undefined || service.namespace !== pod.namespace) return false;
  return [...service.selector].every(([key, value]) => pod.labels.get(key) === value);
}

function servicePorts(service: Service, word: string | undefined): readonly ServicePort[] {
  if (word === undefined) return service.ports;
  const ports = service.ports.filter((port) => port.name === word || `${port.port}` === word);
  if (ports.length > 0) return ports;
  const known = service.ports.map((port) => `${port.port}${port.name === undefined ? '' : ` (${port.name})`}`).join(', ');
  throw new WordError(`the Service \`${service.namespace}/${service.name}\` has no port \`${word}\``, `it has ${known === '' ? 'no ports' : known}`);
}

function targetPorts({ targetPort, protocol }: ServicePort, pods: readonly Pod[]): PortSet {
  if (typeof targetPort === 'number') return portSetOf(protocol, targetPort, targetPort);
  const named = pods.flatMap((pod) => pod.ports).filter((candidate) => candidate.name === targetPort && candidate.protocol === protocol);
  return named.reduce<PortSet>((set, candidate) => unionPorts(set, portSetOf(protocol, candidate.port, candidate.port)), NO_PORTS);
}
