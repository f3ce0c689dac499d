// Which recorded flows somebody asks for: `--from shop/web --to namespace=data --port 3306 --verdict denied --since 2h`.
import { nearestWord, nearestWordAnyCase } from '../base/near-miss.ts';
import { LINK_LOCAL_RANGES, PRIVATE_RANGES } from '../base/known-ranges.ts';
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import { ALL_PORTS, hasPoint, PROTOCOLS, portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { parseRange } from '../base/range-text.ts';
import { WordError } from '../base/word-error.ts';
import { selects } from '../model/selector.ts';
import { parsePorts } from '../words/port-words.ts';
import { isSelectorWord, parseSelector } from '../words/selector-words.ts';
import { flowPoint, protocolNumber } from './flow-protocol.ts';
import { endName, type FlowEnd, type FlowRecord, type FlowVerdict, type PodEnd } from './flow-record.ts';

export const FLOW_END_HELP = 'namespace/name of a workload or pod, namespace/*, namespace=NAME, key=value, a node, a DNS name, an address or CIDR, or internet';

/** What is undefined lets everything through. Times are milliseconds since 1970. */
export interface FlowWishes {
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly port?: string | undefined;
  readonly verdict?: FlowVerdict | undefined;
  readonly sinceMs?: number | undefined;
  /** Only those never seen before then. */
  readonly newSinceMs?: number | undefined;
}

/** Throws WordError for a word that cannot be read. */
export function flowFilter(wishes: FlowWishes): (record: FlowRecord) => boolean {
  const service = wishes.target === undefined ? undefined : serviceOfWord(wishes.target);
  const [isSource, isTarget] = [wishes.source, service === undefined ? wishes.target : undefined].map((word) => (word === undefined ? () => true : endFilter(word))) as [EndFilter, EndFilter]; // two go in
  const isPort = wishes.port === undefined ? () => true : portFilter(wishes.port);
  const { verdict, sinceMs = Number.NEGATIVE_INFINITY, newSinceMs = Number.NEGATIVE_INFINITY } = wishes;
  return (record) =>
    (verdict === undefined || record.verdict === verdict)
    && record.lastSeen >= sinceMs
    && record.firstSeen >= newSinceMs
    && isPort(record)
    && isSource(record.source)
    && isTarget(record.target)
    && (service === undefined || record.service === service);
}

/** `shop/db` of `svc/shop/db` and of `db.shop.svc.cluster.local`; undefined: the word is of no Service. Throws WordError for one that cannot be read. */
export function serviceOfWord(word: string): string | undefined {
  const [, service, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?$/.exec(word) ?? [];
  if (service !== undefined) return `${namespace}/${service}`;
  if (!word.startsWith(SERVICE_PREFIX)) return undefined;
  const name = word.slice(SERVICE_PREFIX.length);
  if (!/^[^/:]+\/[^/:]+$/.test(name)) throw new WordError(`\`${word}\` is no Service`, 'write svc/NAMESPACE/NAME; --port is the one that its pods listen on');
  return name;
}

const SERVICE_PREFIX = 'svc/';

type EndFilter = (end: FlowEnd) => boolean;

/** Throws WordError for what no end could be called. */
export function endFilter(word: string): EndFilter {
  if (serviceOfWord(word) !== undefined) throw new WordError(`\`${word}\` opens no connections: a Service is where they go`, 'write it with --to');
  if (word === 'internet') return (end) => end.kind === 'outside' && end.node === undefined && !end.isOwnNode && ![...PRIVATE_RANGES, ...LINK_LOCAL_RANGES].some((range) => contains(range, end.address));
  const range = parseRange(word);
  if (range !== undefined) return ({ address }) => address !== undefined && contains(range, address);
  if (isSelectorWord(word)) {
    const selector = parseSelector(word);
    return (end) => end.kind === 'pod' && selects(selector, { labels: withNamespace(end), unknownKeys: new Set() });
  }
  if (word === '*') return () => true;
  if (word === '*/*') return (end) => end.kind === 'pod';
  if (word.endsWith('/*')) return (end) => end.kind === 'pod' && end.namespace === word.slice(0, -2);
  if (word === '') throw new WordError('an empty word names nobody', `write ${FLOW_END_HELP}`);
  return (end) => (end.kind === 'pod' ? podNames(end) : [end.node, ...end.names, endName(end)]).includes(word);
}

/** The name of the namespace counts as a label, unless the pod has one of its own by that key. */
function withNamespace({ namespace, labels }: PodEnd): ReadonlyMap<string, string> {
  return new Map([['namespace', namespace], ...labels]);
}

function podNames({ namespace, workload, pod }: PodEnd): readonly string[] {
  return [`${namespace}/${workload.name}`, ...(pod === undefined ? [] : [`${namespace}/${pod}`])];
}

function contains({ family, first, last }: IpRange, address: IpAddress): boolean {
  return family === address.family && first <= address.value && address.value <= last;
}

/** Also what tables call a protocol without ports: `icmpv4`, `protocol 47`. */
function portFilter(word: string): (flow: Pick<FlowRecord, 'protocol' | 'port'>) => boolean {
  const number = protocolNumber(word.replace(/^protocol (?=[0-9])|^icmpv(?=[46]$)/i, (lead) => (lead.toLowerCase() === 'icmpv' ? 'ICMPv' : '')));
  if (number !== undefined && !/^[0-9]/.test(word)) return ({ protocol }) => protocol === number;
  const ports = portsOfWord(word);
  return ({ protocol, port }) => hasPoint(ports, flowPoint(protocol, port));
}

/** A number alone is that port of whatever protocol. */
function portsOfWord(word: string): PortSet {
  const numbers = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(word);
  if (numbers === null && !/^(?:any|all|icmp|other|tcp|udp|sctp|[a-z]+\/[0-9-]+|[0-9-]+\/[a-z]+)$/i.test(word)) throw new WordError(`\`${word}\` is no port: flows know numbers alone`, 'write 3306, tcp/80, udp/53, 8000-8999 or icmp');
  if (numbers === null) return parsePorts(word, []) ?? ALL_PORTS;
  const [first, last] = [Number(numbers[1]), Number(numbers[2] ?? numbers[1])];
  if (first < 1 || last > 65535 || first > last) throw new WordError(`\`${word}\` is no port: ports go from 1 to 65535`);
  return PROTOCOLS.reduce<PortSet>((ports, protocol) => unionPorts(ports, portSetOf(protocol, first, last)), []);
}

export interface UnknownEnd {
  readonly word: string;
  /** What was probably meant. */
  readonly near: string | undefined;
}

/** undefined: an end is called so, or the word describes rather than names. Not for words of Services. */
export function unknownName(word: string, ends: readonly FlowEnd[]): UnknownEnd | undefined {
  if (ends.length === 0 || word === 'internet' || parseRange(word) !== undefined || ends.some(endFilter(word))) return undefined;
  return { word, near: nearestEnd(word, ends) };
}

/** By its spelling, or as what stands for it: a namespace, a name without its namespace or with another lead, a pod that is folded into its workload. */
function nearestEnd(word: string, ends: readonly FlowEnd[]): string | undefined {
  const namespaces = new Set(ends.flatMap((end) => (end.kind === 'pod' ? [end.namespace] : [])));
  const names = new Set([...ends.map(endName), 'internet']);
  const [, label, value] = /^([a-z]+)=([^,]*)$/.exec(word) ?? [];
  const namespace = nearestWordAnyCase(value ?? word.replace(/\/\*?$/, ''), namespaces);
  if (label !== undefined) return namespace === undefined || !NAMESPACE_KEYS.has(label) ? undefined : `namespace=${namespace}`;
  const all = namespace === undefined ? undefined : `${namespace}/*`;
  if (all !== undefined && (word.endsWith('/*') || namespaces.has(word.toLowerCase().replace(/\/$/, '')))) return all;
  const last = word.slice(word.lastIndexOf('/') + 1);
  const found = [...names];
  return nearestWordAnyCase(word, names) ?? found.find((name) => name.endsWith(`/${last}`)) ?? found.find((name) => name.includes('/') && word.startsWith(`${name}-`)) ?? all;
}

const NAMESPACE_KEYS: ReadonlySet<string> = new Set(['namespace', 'ns']);

/** The same, of the ends of records, and of the Services by which they were reached. */
export function unknownEnd(word: string, records: readonly FlowRecord[]): UnknownEnd | undefined {
  return serviceOfWord(word) === undefined ? unknownName(word, records.flatMap(({ source, target }) => [source, target])) : unknownService(word, records);
}

function unknownService(word: string, records: readonly FlowRecord[]): UnknownEnd | undefined {
  const services = new Set(records.flatMap(({ service }) => (service === undefined ? [] : [`${SERVICE_PREFIX}${service}`])));
  const name = `${SERVICE_PREFIX}${serviceOfWord(word)}`;
  return records.length === 0 || services.has(name) ? undefined : { word, near: nearestWord(name, services) };
}
