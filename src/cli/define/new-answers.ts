// The words for a pattern become its answers; what is missing is found in the input, or named.
import type { IpRange } from '../../base/ip-address.ts';
import { nearestWord } from '../../base/near-miss.ts';
import { parseRange } from '../../base/range-text.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import { findNamespace } from '../../model/find-namespace.ts';
import { DIRECTIONS, type Direction, type PortMatch } from '../../model/network-policy.ts';
import { UNWRITTEN } from '../../model/policy-draft.ts';
import { EVERYTHING, type Selector } from '../../model/selector.ts';
import { checkDnsLabel, checkLabelKey, checkLabelValue, checkPortName, checkSubdomain } from '../../model/names.ts';
import { EVERY_NAMESPACE, type Answers, type DnsPlace, type NotedBlock, type PodPlace, type Topic } from '../../pattern/answers.ts';
import { PRIORITY_MAX } from '../../pattern/add-policies.ts';
import { checkNamespace, checkPods, checkPorts, type NamedInput, type NameProblem } from '../../pattern/check-names.ts';
import { findApiServer, findDns, findIngressControllers, findScrapers, USUAL_DNS, type ApiServerPlace } from '../../pattern/find-places.ts';
import { HEALTH_CHECKS, PROVIDERS } from '../../pattern/named-blocks.ts';
import { podsAt } from '../../pattern/offer-names.ts';
import type { Pattern } from '../../pattern/pattern-shape.ts';
import { parseProtocol } from '../../words/port-words.ts';
import { parseSelector } from '../../words/selector-words.ts';
import { UsageError } from '../../terminal/failures.ts';

/** What was typed, by topic; never an empty list. */
export type TopicWords = ReadonlyMap<Topic, readonly string[]>;

export const PRIORITY_DEFAULT = 100;

/** Topics that were not said and cannot be found; empty when `settleAnswers` may be called. */
export function missingTopics(pattern: Pattern, words: TopicWords, cluster: Cluster | undefined): readonly Topic[] {
  const isPlaceKnown = pattern.takes.some(({ topic, need }) => need === 'place' && words.has(topic)) || hasPlace(pattern, cluster);
  return pattern.takes.filter(({ topic, need }) => !words.has(topic) && (need === 'required' || (need === 'place' && !isPlaceKnown))).map(({ topic }) => topic);
}

/** Throws UsageError for a word that means nothing. */
export function settleAnswers(pattern: Pattern, words: TopicWords, cluster: Cluster | undefined): Answers {
  const subject = settleSubject(words);
  const place = settlePlace(pattern, words, cluster);
  const blocks = words.get('cidr')?.map((word): NotedBlock => ({ range: rangeWord('cidr', word) })) ?? place.blocks;
  const except = (words.get('except') ?? []).map((word) => rangeWord('except', word));
  if (words.has('cidr')) except.forEach((range, index) => checkInside(range, words.get('except')![index]!, blocks));
  return {
    namespace: subject.namespace ?? '',
    podSelector: subject.podSelector,
    directions: directionWord(words.get('direction')?.[0] ?? 'both'),
    peers: place.peers,
    ports: words.get('port')?.map(portWord) ?? place.ports,
    blocks,
    except,
    dns: words.has('without-dns') ? undefined : settleDns(pattern, words, cluster),
    exceptNamespaces: words.get('except-namespace')?.map(namespaceWord) ?? (pattern.name === 'cluster-baseline' ? systemNamespaces(cluster === undefined ? USUAL_DNS : findDns(cluster) ?? USUAL_DNS) : []),
    priority: priorityWord(words.get('priority')?.[0] ?? `${PRIORITY_DEFAULT}`),
    name: words.get('name')?.map(policyNameWord)[0],
  };
}

/** What was named and is not in the input. What was found in it needs no check. */
export function checkAnswers(pattern: Pattern, words: TopicWords, answers: Answers, input: NamedInput): readonly NameProblem[] {
  const { cluster } = input;
  const problems = [
    ...(words.has('namespace') ? checkNamespace(input, 'namespace', answers.namespace) : []),
    ...(['from-namespace', 'to-namespace', 'except-namespace'] as const).flatMap((topic) => (words.get(topic) ?? []).flatMap((name) => checkNamespace(input, topic, name))),
  ];
  if (problems.some(({ severity }) => severity === 'missing')) return problems;
  const selected: PodPlace = { namespace: answers.namespace, podSelector: answers.podSelector };
  // Nobody wears the label of a quarantine before there is a reason.
  const isSelectorChecked = words.has('selector') && pattern.name !== 'quarantine';
  const peerTopic = (['from-selector', 'to-selector'] as const).find((topic) => words.has(topic));
  const peers = answers.peers
    .map((peer) => ({ ...peer, namespace: peer.namespace ?? (answers.namespace === '' ? EVERY_NAMESPACE : answers.namespace) }))
    .filter(({ namespace }) => namespace === EVERY_NAMESPACE || findNamespace(cluster, namespace) !== undefined);
  return [
    ...problems,
    ...(isSelectorChecked ? checkPods(cluster, 'selector', selected) : []),
    ...(peerTopic === undefined ? [] : peers.flatMap((peer) => checkPods(cluster, peerTopic, peer))),
    ...(words.has('port') && pattern.listeners !== undefined ? checkPorts(cluster, answers.ports, listenersOf(pattern, { selected, peers, cluster })) : []),
  ];
}

/** The pods whose ports are meant. */
export function listenersOf({ listeners }: Pattern, { selected, peers, cluster }: { readonly selected: PodPlace; readonly peers: readonly PodPlace[]; readonly cluster: Cluster }): readonly Pod[] {
  return listeners === undefined ? [] : (listeners === 'selected' ? [selected] : peers).flatMap((place) => podsAt(cluster, place));
}

/** The pods that the policy governs. */
export function settleSubject(words: TopicWords): PodPlace {
  return { namespace: namespaceWord(words.get('namespace')?.[0] ?? ''), podSelector: selectorWord(words.get('selector')?.[0]) };
}

/** The pods at the other end, where they are named. */
export function peerWords(words: TopicWords): readonly PodPlace[] {
  const namespaces = words.get('from-namespace') ?? words.get('to-namespace');
  const selectors = words.get('from-selector') ?? words.get('to-selector');
  if (namespaces === undefined && selectors === undefined) return [];
  return (namespaces ?? [undefined]).flatMap((namespace) => (selectors ?? [undefined]).map((selector) => ({ namespace: namespace === undefined || namespace === EVERY_NAMESPACE ? namespace : namespaceWord(namespace), podSelector: selectorWord(selector) })));
}

/** Named ends are the DNS itself where the pattern is about nothing else. */
function settleDns({ place }: Pattern, words: TopicWords, cluster: Cluster | undefined): DnsPlace {
  const dns = (cluster === undefined ? undefined : findDns(cluster)) ?? USUAL_DNS;
  const named = place === 'dns' ? peerWords(words) : [];
  return { ports: dns.ports, peers: named.length === 0 ? dns.peers : named, hasNodeLocalDns: words.has('node-local') || dns.hasNodeLocalDns };
}

type SettledPlace = Pick<Answers, 'peers' | 'ports' | 'blocks'>;

function settlePlace({ place, listeners }: Pattern, words: TopicWords, cluster: Cluster | undefined): SettledPlace {
  const peers = peerWords(words);
  if (place === 'api-server') return settleApiServer(cluster === undefined ? undefined : findApiServer(cluster), listeners !== undefined);
  const isSearched = peers.length === 0 && cluster !== undefined && (place === 'scraper' || place === 'ingress-controller');
  const blocks = (words.get('provider') ?? []).flatMap((word) => HEALTH_CHECKS[wordAmong(PROVIDERS, word)]);
  return { peers: isSearched ? podsOfPlace(place, cluster) : peers, ports: [], blocks };
}

/** As a source it comes through a tunnel's pods where there is one, and its port says nothing. */
function settleApiServer(found: ApiServerPlace | undefined, isSource: boolean): SettledPlace {
  const blocks = found?.blocks ?? [];
  if (isSource) return { blocks, ports: [], peers: found?.tunnels ?? [] };
  return { blocks, ports: found?.ports ?? ['443', '6443'].map(portWord), peers: [] };
}

function podsOfPlace(place: 'ingress-controller' | 'scraper', cluster: Cluster): readonly PodPlace[] {
  return place === 'scraper' ? findScrapers(cluster) : findIngressControllers(cluster);
}

function hasPlace({ place }: Pattern, cluster: Cluster | undefined): boolean {
  if (place === undefined || cluster === undefined) return place === 'dns';
  if (place === 'api-server') return findApiServer(cluster) !== undefined;
  return place === 'dns' || podsOfPlace(place, cluster).length > 0;
}

/** Without these a baseline would stop the cluster itself. */
function systemNamespaces({ peers }: DnsPlace): readonly string[] {
  return [...new Set(['kube-system', ...peers.flatMap(({ namespace }) => (namespace === undefined || namespace === EVERY_NAMESPACE ? [] : [namespace]))])];
}

function namespaceWord(word: string): string {
  if (word === '') return word;
  if (word === EVERY_NAMESPACE) throw new UsageError('a policy is in one namespace', 'those of the whole cluster begin with `cluster-`: `bulkhead new` lists them');
  const wrong = checkDnsLabel(word);
  if (wrong !== undefined) throw new UsageError(`\`${word}\` is no name of a namespace: it ${wrong}`);
  return word;
}

function selectorWord(word: string | undefined): Selector {
  if (word === undefined) return EVERYTHING;
  const selector = parseSelector(word);
  for (const requirement of selector.requirements) {
    const wrong = checkLabelKey(requirement.key) ?? ('values' in requirement ? requirement.values.map(checkLabelValue).find((one) => one !== undefined) : undefined);
    if (wrong !== undefined) throw new UsageError(`\`${word}\` is no selector of labels: a key or value ${wrong}`);
  }
  return selector;
}

export const DIRECTION_WORDS = ['both', 'ingress', 'egress'] as const;

function directionWord(word: string): readonly Direction[] {
  const direction = wordAmong(DIRECTION_WORDS, word);
  return direction === 'both' ? DIRECTIONS : [direction];
}

function wordAmong<Word extends string>(words: readonly Word[], given: string): Word {
  const word = words.find((candidate) => candidate === given);
  if (word !== undefined) return word;
  const near = nearestWord(given, words);
  throw new UsageError(`\`${given}\` is none of ${words.join(', ')}`, near === undefined ? undefined : `did you mean ${near}?`);
}

const PORT_HELP = 'write PROTO/PORT: tcp/80, udp/53, tcp/8000-8999, tcp/http, or udp for all of a protocol';

/** `tcp/80`, `80`, `tcp/8000-8999`, `tcp/http`, `http`, `udp`. */
function portWord(word: string): PortMatch {
  const text = word.toLowerCase();
  if (/^(tcp|udp|sctp)$/.test(text)) return { kind: 'protocol', protocol: parseProtocol(word, text), origin: UNWRITTEN };
  const slash = text.indexOf('/');
  const protocol = parseProtocol(word, slash < 0 ? 'tcp' : text.slice(0, slash));
  const port = text.slice(slash + 1);
  const numbers = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(port);
  if (numbers === null) {
    const wrong = checkPortName(port);
    if (wrong !== undefined) throw new UsageError(`\`${word}\` is no port: a name ${wrong}`, PORT_HELP);
    return { kind: 'named', protocol, name: port, origin: UNWRITTEN };
  }
  const [first, last] = [Number(numbers[1]), Number(numbers[2] ?? numbers[1])];
  if (first < 1 || last > 65535 || first > last) throw new UsageError(`\`${word}\` is no port: ports go from 1 to 65535`, PORT_HELP);
  return { kind: 'range', protocol, first, last, origin: UNWRITTEN };
}

function rangeWord(topic: Topic, word: string): IpRange {
  const range = parseRange(word);
  if (range === undefined) throw new UsageError(`\`${word}\` is no block of addresses`, `write --${topic} 192.0.2.0/24`);
  return range;
}

function checkInside(range: IpRange, word: string, blocks: readonly NotedBlock[]): void {
  const isInside = blocks.some(({ range: block }) => block.family === range.family && block.first <= range.first && range.last <= block.last && range.last - range.first < block.last - block.first);
  if (!isInside) throw new UsageError(`\`${word}\` lies in no block of --cidr, or is all of it`, 'an exception is a smaller part of a block');
}

function priorityWord(word: string): number {
  if (!/^[0-9]{1,4}$/.test(word) || Number(word) > PRIORITY_MAX) throw new UsageError(`\`${word}\` is no priority`, `priorities go from 0, the strongest, to ${PRIORITY_MAX}`);
  return Number(word);
}

function policyNameWord(word: string): string {
  const wrong = checkSubdomain(word);
  if (wrong !== undefined) throw new UsageError(`\`${word}\` is no name of a policy: it ${wrong}`);
  return word;
}
