// Whether an assertion holds of a Program, and if not, concrete counterexamples with the reasons behind them.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, hasPoint, intersectPorts, NO_PORTS, pointOf, subtractPorts, unionPorts, type PortSet } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Origin } from '../model/origin.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween, allowedPorts, isNeverJudged, ownNodePair } from '../analyze/decide.ts';
import { quadOf, type EndpointRef, type Quad } from '../analyze/endpoint.ts';
import { explain, type Explanation } from '../analyze/explain.ts';
import { contextOf, podName, type NamedEnd, type NamedEnds, type WordContext } from '../analyze/named-ends.ts';
import type { Assertion, ConnectionAssertion, IsolationAssertion, PathAssertion } from '../words/assertion.ts';
import { findEnds } from '../words/endpoint-words.ts';
import { parsePorts } from '../words/port-words.ts';
import { findPath, type PathAnswer } from './find-path.ts';

export interface AssertionResult {
  readonly holds: boolean;
  /** Bounded: the first ones found. */
  readonly counterexamples: readonly Counterexample[];
  /** More were found than are listed. */
  readonly hasMore: boolean;
}

export type Counterexample = ConnectionExample | IsolationExample | PathExample;

/** A pair that may talk and must not, or the other way round. */
export interface ConnectionExample {
  readonly kind: 'connection';
  readonly source: ExampleEnd;
  readonly target: ExampleEnd;
  /** One port of one protocol, as a point of the port line. */
  readonly point: number;
  /** All ports of the pair that break the assertion. */
  readonly ports: PortSet;
  /** Of the point. */
  readonly explanation: Explanation;
}

export interface ExampleEnd {
  readonly label: string;
  readonly ref: EndpointRef;
}

/** A pod that nothing isolates in the direction. */
export interface IsolationExample {
  readonly kind: 'not-isolated';
  readonly pod: string;
  readonly direction: Direction;
  readonly hostNetwork: boolean;
  readonly origin: Origin;
}

export interface PathExample {
  readonly kind: 'path';
  readonly hops: readonly ConnectionExample[];
}

/** Counterexamples listed; the search goes no further. */
const EXAMPLES_MAX = 20;

/** Throws WordError where a word names nothing here. */
export function checkAssertion(program: Program, assertion: Assertion, context: WordContext = {}): AssertionResult {
  switch (assertion.kind) {
    case 'allow':
    case 'deny':
      return resultOf(connectionExamples(program, assertion, context));
    case 'isolated':
      return resultOf(isolationExamples(program, assertion, context));
    case 'no-path':
      return resultOf(pathExamples(program, assertion, context));
  }
}

function resultOf(examples: Iterable<Counterexample>): AssertionResult {
  const found: Counterexample[] = [];
  for (const example of examples) {
    if (found.length === EXAMPLES_MAX) return { holds: false, counterexamples: found, hasMore: true };
    found.push(example);
  }
  return { holds: found.length === 0, counterexamples: found, hasMore: false };
}

/** The pairs of ends that an assertion speaks of, one for each way in which policies treat them, and the ports asked about. */
export interface AssertedPair {
  readonly source: ExampleEnd;
  readonly target: ExampleEnd;
  readonly ports: PortSet;
}

/** Throws WordError where no pair is spoken of. */
export function* assertedPairs(program: Program, { source, target, ports }: ConnectionAssertion, context: WordContext = {}): Generator<AssertedPair> {
  const sources = findEnds(program, source, context);
  const targets = findEnds(program, target, contextOf(sources.pods, context));
  const portsOf = portReader(program, targets, ports);
  const asked = targets.ends.map((to) => ({ to, ports: portsOf(to) }));
  let hasPair = false;
  for (const from of sources.ends) {
    for (const { to, ports: wanted } of asked) {
      const pair = choosePair(program, from, to);
      if (pair === undefined) continue;
      hasPair = true;
      yield { ...pair, ports: wanted };
    }
  }
  if (!hasPair) throw new WordError('no connection between these two passes a pod of this cluster', 'name at least one pod, and two where they are alike');
}

/** A port's name leads to other numbers on other pods; a pod without it has no port of the name. */
function portReader(program: Program, targets: NamedEnds, words: readonly string[] | undefined): (target: NamedEnd) => PortSet {
  if (words === undefined) return () => targets.ports ?? ALL_PORTS;
  const all = words.map((word) => parsePorts(word, targets.pods) ?? ALL_PORTS);
  return ({ pods }) => {
    const own = pods.map((pod) => program.cluster.pods[pod]!);
    return words.reduce<PortSet>((set, word, index) => unionPorts(set, isPortName(word) ? namedPorts(word, own) : all[index]!), NO_PORTS);
  };
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
function choosePair(program: Program, source: NamedEnd, target: NamedEnd): Pick<AssertedPair, 'source' | 'target'> | undefined {
  if (source.pods.length === 0 && target.pods.length === 0) return undefined;
  if (source.pods.length === 0 || target.pods.length === 0) return { source, target };
  if (source.pods[0] !== target.pods[0]) return { source, target };
  const { pods } = program.cluster;
  const end = (pod: number): ExampleEnd => ({ label: podName(pods[pod]!), ref: { kind: 'pod', pod } });
  for (const from of source.pods.slice(0, 2)) {
    const to = target.pods.find((pod) => pod !== from) ?? target.pods.find((pod) => pods[pod]!.replicas > 1);
    if (to !== undefined) return { source: end(from), target: end(to) };
  }
  return undefined;
}

function* connectionExamples(program: Program, assertion: ConnectionAssertion, context: WordContext): Iterable<ConnectionExample> {
  const allowedOf = pairReader(program);
  for (const { source, target, ports } of assertedPairs(program, assertion, context)) {
    const allowed = allowedOf(source.ref, target.ref);
    const wrong = assertion.kind === 'deny' ? intersectPorts(ports, allowed) : subtractPorts(ports, allowed);
    if (wrong.length > 0) yield exampleOf(program, { source, target, ports: wrong });
  }
}

/** `allowedPorts` for many pairs: what decides about an end is looked up once. */
function pairReader(program: Program): (source: EndpointRef, target: EndpointRef) => PortSet {
  const quads = new Map<EndpointRef, Quad>();
  const quad = (ref: EndpointRef): Quad => {
    let known = quads.get(ref);
    if (known === undefined) quads.set(ref, (known = quadOf(program, ref)));
    return known;
  };
  return (source, target) =>
    isNeverJudged(program, source, target) || ownNodePair(program, source, target) !== undefined
      ? allowedPorts(program, source, target)
      : program.portSets.portSet(allowedBetween(program, { source: quad(source), target: quad(target) }));
}

/** One pair, explained at a port that the target opens, where it opens one of them. */
export function exampleOf(program: Program, { source, target, ports }: AssertedPair): ConnectionExample {
  const opened = target.ref.kind === 'pod' ? program.cluster.pods[target.ref.pod]!.ports : [];
  const point = opened.map(({ protocol, port }) => pointOf(protocol, port)).find((own) => hasPoint(ports, own)) ?? ports[0]!;
  const asked = [point, point];
  const family = FAMILIES.find((candidate) => intersectPorts(allowedPorts(program, source.ref, target.ref, candidate), asked).length > 0);
  const explanation = explain(program, { source: source.ref, target: target.ref, ports: asked, ...(family && { family }) });
  return { kind: 'connection', source, target, point, ports, explanation };
}

const FAMILIES: readonly IpFamily[] = [4, 6];

/** The pods that are to be isolated; a plain word may be a namespace. Throws WordError for a word that names nothing. */
export function findIsolationSubjects(program: Program, { subject }: IsolationAssertion, context: WordContext = {}): readonly NamedEnd[] {
  const isNamespace = typeof subject === 'string' && program.cluster.namespaces.some(({ name }) => name === subject);
  return findEnds(program, isNamespace ? `${subject}/*` : subject, context).ends;
}

function* isolationExamples(program: Program, assertion: IsolationAssertion, context: WordContext): Iterable<IsolationExample> {
  const { directions } = assertion;
  for (const { pods } of findIsolationSubjects(program, assertion, context)) {
    const pod = program.cluster.pods[pods[0] ?? -1];
    if (pod === undefined) throw new WordError('addresses outside the cluster are nobody here to isolate', 'name pods or a namespace');
    const group = program.groupOfPod[pods[0]!]!;
    for (const direction of directions) {
      const isIsolated = !pod.hostNetwork && program[direction].isIsolated(program[direction].subjectOfGroup[group]!);
      if (!isIsolated) yield { kind: 'not-isolated', pod: podName(pod), direction, hostNetwork: pod.hostNetwork, origin: pod.origin };
    }
  }
}

/** Throws WordError for words that name nothing. */
export function findAssertedPath(program: Program, { source, target, hopsMax }: PathAssertion, context: WordContext = {}): PathAnswer {
  const sources = findEnds(program, source, context);
  const targets = findEnds(program, target, contextOf(sources.pods, context));
  return findPath(program, { sources, targets, hopsMax, ...(context.hiddenPods && { hiddenPods: context.hiddenPods }) });
}

function* pathExamples(program: Program, assertion: PathAssertion, context: WordContext): Iterable<PathExample> {
  const { hops } = findAssertedPath(program, assertion, context);
  if (hops !== undefined) yield { kind: 'path', hops: hops.map((hop) => exampleOf(program, hop)) };
}
