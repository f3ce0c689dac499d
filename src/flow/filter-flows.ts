// Which recorded flows somebody asks for: `--from shop/web --to namespace=data --port 3306 --verdict denied --since 2h`.
import { nearestWord } from '../base/near-miss.ts';
import { LINK_LOCAL_RANGES, PRIVATE_RANGES } from '../base/known-ranges.ts';
import type { IpAddress, IpRange } from '../base/ip-address.ts';
import { ALL_PORTS, hasPoint, PROTOCOLS, portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { parseRange } from '../base/range-text.ts';
import { WordError } from '../base/word-error.ts';
import { selects } from '../model/selector.ts';
import { parsePorts } from '../words/port-words.ts';
import { isSelectorWord, parseSelector } from '../words/selector-words.ts';
import { flowPoint } from './flow-protocol.ts';
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
  const ports = wishes.port === undefined ? ALL_PORTS : portsOfWord(wishes.port);
  const { verdict, sinceMs = Number.NEGATIVE_INFINITY, newSinceMs = Number.NEGATIVE_INFINITY } = wishes;
  return (record) =>
    (verdict === undefined || record.verdict === verdict)
    && record.lastSeen >= sinceMs
    && record.firstSeen >= newSinceMs
    && hasPoint(ports, flowPoint(record.protocol, record.port))
    && isSource(record.source)
    && isTarget(record.target)
    && (service === undefined || record.service === service);
}

/** `shop/db` of `svc/shop/db`; undefined: the word is of no Service. Throws WordError for one that cannot be read. */
export function serviceOfWord(word: string): string | undefined {
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

/** A number alone is that port of whatever protocol. */
function portsOfWord(word: string): PortSet {
  const numbers = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(word);
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
  return { word, near: nearestWord(word, new Set(ends.map(endName))) };
}

/** The same, of the ends of records, and of the Services by which they were reached. */
export function unknownEnd(word: string, records: readonly FlowRecord[]): UnknownEnd | undefined {
  return serviceOfWord(word) === undefined ? unknownName(word, records.flatMap(({ source, target }) => [source, target])) : unknownService(word, records);
}

function unknownService(word: string, records: readonly FlowRecord[]): UnknownEnd | undefined {
  const services = new Set(records.flatMap(({ service }) => (service === undefined ? [] : [`${SERVICE_PREFIX}${service}`])));
  return records.length === 0 || services.has(word) ? undefined : { word, near: nearestWord(word, services) };
}
