// The pairs of ends that two words speak of, with the ports asked about: one pair for each way in which policies treat them.
import type { IpFamily } from '../base/ip-address.ts';
import { hasPoint, NO_PORTS, pointOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import type { Program } from '../compile/program.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import { podName, type NamedEnd, type NamedEnds } from '../analyze/named-ends.ts';
import { parsePorts } from './port-words.ts';

export interface AskedPair {
  readonly source: AskedEnd;
  readonly target: AskedEnd;
  /** undefined: any port. */
  readonly ports: PortSet | undefined;
  /** Over addresses of this family alone; undefined: any that both have. */
  readonly family: IpFamily | undefined;
  /** Both ends are one pod, and a Service leads it back to itself. */
  readonly isHairpin: boolean;
}

export interface AskedEnd {
  readonly label: string;
  readonly ref: EndpointRef;
}

export interface AskedEnds {
  readonly sources: NamedEnds;
  readonly targets: NamedEnds;
  /** Words for ports; undefined: what the target's own word names. */
  readonly portWords: readonly string[] | undefined;
}

/** A pod and itself are a pair only for want of another. Throws WordError where no pair is spoken of. */
export function askedPairs(program: Program, { sources, targets, portWords }: AskedEnds): AskedPair[] {
  const portsOf = portReader(program, targets, portWords);
  const asked = targets.ends.map((target) => ({ target, ports: portsOf(target) }));
  const pairsBy = (choose: typeof choosePair): AskedPair[] =>
    sources.ends.flatMap((source) =>
      asked.flatMap(({ target, ports }) => {
        const pair = isOfOneFamily(source, target) ? choose(program, source, target) : undefined;
        return pair === undefined ? [] : [{ ...pair, ports, family: source.family ?? target.family, isHairpin: choose === chooseItself && target.isBehindService === true }];
      }),
    );
  const pairs = pairsBy(choosePair);
  if (pairs.length > 0) return pairs;
  const itself = pairsBy(chooseItself);
  if (itself.length === 0) throw noPair();
  return itself;
}

export function noPair(): WordError {
  return new WordError('no connection between these two passes a pod of this cluster', 'name at least one pod, and two where they are alike');
}

function isOfOneFamily(source: NamedEnd, target: NamedEnd): boolean {
  return source.family === undefined || target.family === undefined || source.family === target.family;
}

/**
 * A port of a Service is asked about where it leads to. Of pods, a port's name leads to other numbers on other pods; a pod
 * without it has no port of the name.
 */
function portReader(program: Program, targets: NamedEnds, words: readonly string[] | undefined): (target: NamedEnd) => PortSet | undefined {
  if (words === undefined) return ({ ports }) => ports;
  const ofService = words.map((word) => targets.ends.some((end) => behindService(end, word) !== undefined));
  const all = words.map((word, index) => (ofService[index] === true ? NO_PORTS : parsePorts(word, targets.pods)));
  if (all.includes(undefined)) return () => undefined;
  return (target) => {
    const own = target.pods.map((pod) => program.cluster.pods[pod]!);
    return words.reduce<PortSet>((set, word, index) => {
      const ports = ofService[index] === true ? behindService(target, word) : isPortName(word) ? namedPorts(word, own) : all[index];
      return unionPorts(set, ports ?? NO_PORTS);
    }, NO_PORTS);
  };
}

/** What the word leads to, if it names ports of the Service that the end is behind; else undefined. */
function behindService({ translated = [] }: NamedEnd, word: string): PortSet | undefined {
  if (/^(any|icmp|other)$/i.test(word)) return undefined;
  const [name, protocol = 'tcp'] = word.split('/').reverse() as [string, string?]; // `split` gives one part at least
  const numbers = isPortName(word) ? NO_PORTS : (parsePorts(word, []) ?? NO_PORTS);
  const meant = translated.filter((own) => hasPoint(numbers, pointOf(own.protocol, own.port)) || (own.name === name && own.protocol === protocol.toUpperCase()));
  return meant.length === 0 ? undefined : meant.map(({ leadsTo }) => leadsTo).reduce(unionPorts, NO_PORTS);
}

function isPortName(word: string): boolean {
  return !/^(any|all|icmp|other|tcp|udp|sctp|((tcp|udp|sctp)\/)?[0-9]+(-[0-9]+)?)$/i.test(word);
}

function namedPorts(word: string, pods: NamedEnds['pods']): PortSet {
  try {
    return parsePorts(word, pods) ?? NO_PORTS;
  } catch (error) {
    if (error instanceof WordError) return NO_PORTS;
    throw error;
  }
}

/** Two different pods, or two replicas of one entry, or a pod and an address; nothing where there is no such pair. */
function choosePair(program: Program, source: NamedEnd, target: NamedEnd): Pick<AskedPair, 'source' | 'target'> | undefined {
  if (source.pods.length === 0 && target.pods.length === 0) return undefined;
  if (source.pods.length === 0 || target.pods.length === 0) return { source, target };
  if (source.pods[0] !== target.pods[0]) return { source, target };
  const { pods } = program.cluster;
  for (const from of source.pods.slice(0, 2)) {
    const to = target.pods.find((pod) => pod !== from) ?? target.pods.find((pod) => pods[pod]!.replicas > 1);
    if (to !== undefined) return { source: podEnd(program, from), target: podEnd(program, to) };
  }
  return undefined;
}

function chooseItself(program: Program, source: NamedEnd, target: NamedEnd): Pick<AskedPair, 'source' | 'target'> | undefined {
  const pod = target.pods.find((own) => source.pods.includes(own));
  return pod === undefined ? undefined : { source: podEnd(program, pod), target: podEnd(program, pod) };
}

function podEnd({ cluster }: Program, pod: number): AskedEnd {
  return { label: podName(cluster.pods[pod]!), ref: { kind: 'pod', pod } };
}
