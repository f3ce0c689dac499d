// Whether an assertion holds of a Program, and if not, concrete counterexamples with the reasons behind them.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS, hasPoint, intersectPorts, pointOf, subtractPorts, type PortSet } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import type { Direction } from '../model/network-policy.ts';
import type { Origin } from '../model/origin.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween, allowedPorts, isNeverJudged, ownNodePair } from '../analyze/decide.ts';
import { quadOf, type EndpointRef, type Quad } from '../analyze/endpoint.ts';
import { explain, type Explanation } from '../analyze/explain.ts';
import { portsToItself } from '../analyze/hairpin.ts';
import { contextOf, podName, type NamedEnd, type WordContext } from '../analyze/named-ends.ts';
import type { Assertion, ConnectionAssertion, IsolationAssertion, PathAssertion } from '../words/assertion.ts';
import { askedPairs, noPair, type AskedPair } from '../words/asked-pairs.ts';
import { findEnds } from '../words/endpoint-words.ts';
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

/** A pair of ends that an assertion speaks of, and the ports asked about. */
export interface AssertedPair extends Pick<AskedPair, 'source' | 'target'>, Partial<Pick<AskedPair, 'family' | 'isHairpin'>> {
  readonly ports: PortSet;
}

/** Throws WordError where no pair is spoken of: what a pod says to itself, but by a Service, is never judged. */
export function assertedPairs(program: Program, { source, target, ports }: ConnectionAssertion, context: WordContext = {}): AssertedPair[] {
  const sources = findEnds(program, source, context);
  const targets = findEnds(program, target, contextOf(sources.pods, context));
  const pairs = askedPairs(program, { sources, targets, portWords: ports }).filter((pair) => pair.isHairpin || !isNeverAPair(program, pair));
  if (pairs.length === 0) throw noPair();
  return pairs.map((pair) => ({ ...pair, ports: pair.ports ?? ALL_PORTS }));
}

/** One pod is both ends. */
function isNeverAPair({ cluster }: Program, { source, target }: AskedPair): boolean {
  return source.ref.kind === 'pod' && target.ref.kind === 'pod' && source.ref.pod === target.ref.pod && cluster.pods[source.ref.pod]!.replicas === 1;
}

function* connectionExamples(program: Program, assertion: ConnectionAssertion, context: WordContext): Iterable<ConnectionExample> {
  const allowedOf = pairReader(program);
  for (const pair of assertedPairs(program, assertion, context)) {
    const allowed = allowedOf(pair);
    const wrong = assertion.kind === 'deny' ? intersectPorts(pair.ports, allowed) : subtractPorts(pair.ports, allowed);
    if (wrong.length > 0) yield exampleOf(program, { ...pair, ports: wrong });
  }
}

/** `allowedPorts` for many pairs: what decides about an end is looked up once. */
function pairReader(program: Program): (pair: AssertedPair) => PortSet {
  const quads = new Map<EndpointRef, Quad>();
  const quad = (ref: EndpointRef): Quad => {
    let known = quads.get(ref);
    if (known === undefined) quads.set(ref, (known = quadOf(program, ref)));
    return known;
  };
  return ({ source: { ref: source }, target: { ref: target }, family, isHairpin }) => {
    if (isHairpin === true && source.kind === 'pod') return portsToItself(program, source.pod, family);
    return isNeverJudged(program, source, target) || ownNodePair(program, source, target) !== undefined
      ? allowedPorts(program, source, target, family)
      : program.portSets.portSet(allowedBetween(program, { source: quad(source), target: quad(target), ...(family && { family }) }));
  };
}

/** One pair, explained at a port that the target opens, where it opens one of them. */
export function exampleOf(program: Program, { source, target, ports, family: only, isHairpin = false }: AssertedPair): ConnectionExample {
  const opened = target.ref.kind === 'pod' ? program.cluster.pods[target.ref.pod]!.ports : [];
  const point = opened.map(({ protocol, port }) => pointOf(protocol, port)).find((own) => hasPoint(ports, own)) ?? ports[0]!;
  const asked = [point, point];
  const family = only ?? FAMILIES.find((candidate) => intersectPorts(allowedPorts(program, source.ref, target.ref, candidate), asked).length > 0);
  const explanation = explain(program, { source: source.ref, target: target.ref, ports: asked, isHairpin, ...(family && { family }) });
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
