// Expectations as connections between real pods: a few pairs stand for all that policies treat alike, spread over the nodes; the rest is counted.
import { ALL_PORTS, hasPoint, intersectPorts, pointOf, PROTOCOL_BASE, type PortSet } from '../base/port-set.ts';
import type { IpFamily } from '../base/ip-address.ts';
import type { Program } from '../compile/program.ts';
import { allowedPorts } from '../analyze/decide.ts';
import { contextOf, type NamedEnd, type NamedEnds } from '../analyze/named-ends.ts';
import { FAMILIES, type EndpointRef } from '../analyze/endpoint.ts';
import { assertedPairs, findAssertedPath, findIsolationSubjects } from '../prove/check-assertion.ts';
import type { Assertion } from '../words/assertion.ts';
import { findEnds } from '../words/endpoint-words.ts';
import { checkExpectation } from './check-expectations.ts';
import { clusterEndpoints } from './cluster-endpoints.ts';
import type { OutsideTarget } from './cluster-under-test.ts';
import { addressOf, type Probe, type ProbeEndpoint, type ProbePort } from './plan-probes.ts';
import type { Expectation, PolicyTest } from './policy-test.ts';
import type { Draft, DraftedTest } from './try-expectations.ts';

export interface ClusterDraft {
  readonly endpoints: readonly ProbeEndpoint[];
  readonly tests: readonly DraftedTest[];
}

export interface DraftOptions {
  readonly pairsMax: number;
  readonly outside: readonly OutsideTarget[];
}

/** Connections of all tests together; more are thinned out. */
export const CLUSTER_PROBES_MAX = 4_000;

/** `program` is of the cluster as it runs: its pods have addresses and nodes. */
export function draftInCluster(program: Program, tests: readonly PolicyTest[], options: DraftOptions): ClusterDraft {
  const endpoints = clusterEndpoints(program, tests, options.outside);
  const drafter = new Drafter(program, endpoints, options.pairsMax);
  const drafted = tests.map((test) => ({ test, results: test.expectations.map((expectation) => drafter.draft(expectation)) }));
  return { endpoints, tests: thinOut(drafted) };
}

interface DraftPair {
  readonly source: number;
  readonly target: number;
  readonly ports: PortSet;
  readonly via?: NonNullable<Probe['via']>;
}

class Drafter {
  readonly #program: Program;
  readonly #endpoints: readonly ProbeEndpoint[];
  readonly #pairsMax: number;
  /** Of pods that can be called: the first of each way in which policies treat them. */
  readonly #everybody: readonly number[];
  readonly #outside: ReadonlyMap<number, number>;

  constructor(program: Program, endpoints: readonly ProbeEndpoint[], pairsMax: number) {
    this.#program = program;
    this.#endpoints = endpoints;
    this.#pairsMax = pairsMax;
    const living = [...endpoints.keys()].filter((index) => this.#isLiving(index));
    this.#everybody = [...Map.groupBy(living, (index) => endpoints[index]!.group).values()].map(([first]) => first!);
    this.#outside = new Map(endpoints.flatMap(({ subject }, index) => (subject.kind === 'address' ? [[program.findAtom(subject.address), index] as const] : [])));
  }

  draft(expectation: Expectation): Draft {
    const result = checkExpectation(this.#program, expectation);
    if (result.problem !== undefined) return { result, probes: [] };
    const all = [...this.#pairsOf(expectation.assertion)];
    const pairs = all.filter((pair): pair is DraftPair => typeof pair === 'object');
    const leftOut = all.reduce<number>((sum, pair) => (typeof pair === 'number' ? sum + pair : sum), 0);
    const seen = new Set<string>();
    const probes = pairs.flatMap((pair) => this.#probesOf(pair)).filter((probe) => {
      const key = JSON.stringify(probe, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
      return seen.has(key) ? false : seen.add(key);
    });
    return { result, probes, leftOut };
  }

  /** A number stands for so many pairs that are left out. */
  *#pairsOf(assertion: Assertion): Generator<DraftPair | number> {
    switch (assertion.kind) {
      case 'allow':
      case 'deny': {
        const sources = findEnds(this.#program, assertion.source);
        const targets = findEnds(this.#program, assertion.target, contextOf(sources.pods));
        const [sourcesOf, targetsOf] = [this.#membersOf(sources), this.#membersOf(targets)];
        const pairs = assertedPairs(this.#program, assertion);
        for (const { source, target, ports } of pairs) yield* this.#choose(sourcesOf(source.ref), targetsOf(target.ref), ports);
        yield* this.#byService(pairs.map((pair) => ({ callers: sourcesOf(pair.source.ref), ports: pair.ports })), targets);
        return;
      }
      case 'isolated':
        for (const { ref, pods } of findIsolationSubjects(this.#program, assertion)) {
          const own = this.#spread(ref.kind === 'pod' ? pods : []);
          for (const direction of assertion.directions) {
            for (const other of this.#everybody) yield* direction === 'ingress' ? this.#choose([other], own, ALL_PORTS) : this.#choose(own, [other], ALL_PORTS);
          }
        }
        return;
      case 'no-path':
        for (const { ref } of findAssertedPath(this.#program, assertion).passed) {
          if (ref.kind === 'pod') for (const target of this.#everybody) yield* this.#choose(this.#alike(ref.pod), [target], ALL_PORTS);
        }
    }
  }

  /** Ends that a word's end stands for, those on different nodes first. */
  #membersOf({ ends }: NamedEnds): (ref: EndpointRef) => readonly number[] {
    return (ref) => {
      if (ref.kind === 'address') return [this.#outside.get(this.#program.findAtom(ref.address)) ?? []].flat();
      if (ref.kind !== 'pod') return [];
      return this.#spread(ends.find(({ pods }) => pods.includes(ref.pod))?.pods ?? [ref.pod]);
    };
  }

  #alike(pod: number): readonly number[] {
    const { group } = this.#endpoints[pod]!;
    return this.#spread([...this.#endpoints.keys()].filter((index) => this.#endpoints[index]!.group === group));
  }

  /** Those that live, in turn from each node. */
  #spread(pods: readonly number[]): readonly number[] {
    const byNode = [...Map.groupBy(pods.filter((pod) => this.#isLiving(pod)), (pod) => this.#program.cluster.pods[pod]!.nodeName).values()];
    const longest = Math.max(0, ...byNode.map(({ length }) => length));
    return Array.from({ length: longest }, (_, turn) => byNode.flatMap((own) => own[turn] ?? [])).flat();
  }

  #isLiving(index: number): boolean {
    const pod = this.#program.cluster.pods[index];
    return pod !== undefined && pod.addresses.length > 0 && pod.nodeName !== undefined;
  }

  /** The same by the Service's own address, where all that it leads to are treated alike; nobody behind it asks itself. */
  *#byService(pairs: readonly { readonly callers: readonly number[]; readonly ports: PortSet }[], { ends }: NamedEnds): Generator<DraftPair> {
    const [first] = ends;
    const behind = new Set(ends.flatMap(({ pods }) => pods));
    const target = [...behind].find((pod) => this.#isLiving(pod));
    if (first?.serviceAddresses === undefined || target === undefined) return;
    for (const { callers, ports } of pairs) {
      const strangers = callers.filter((source) => this.#program.cluster.pods[source]?.hostNetwork === false && !behind.has(source));
      for (const source of strangers.slice(0, this.#pairsMax)) {
        for (const [index, { protocol, port }] of (first.translated ?? []).entries()) {
          if (protocol === 'SCTP') continue;
          for (const address of first.serviceAddresses) {
            const point = this.#commonPoint(source, ends.map((end) => ({ end, leadsTo: intersectPorts(end.translated![index]!.leadsTo, ports) })), address.family);
            if (point !== undefined) yield { source, target, ports: [point, point], via: { address, port } };
          }
        }
      }
    }
  }

  /** The port behind a Service's, where it is one and the verdict on all of its pods is the same; else undefined. */
  #commonPoint(source: number, behind: readonly { readonly end: NamedEnd; readonly leadsTo: PortSet }[], family: IpFamily): number | undefined {
    const points = new Set(behind.map(({ leadsTo }) => leadsTo[0]));
    const [point] = points;
    if (points.size !== 1 || point === undefined) return undefined;
    const verdicts = new Set(behind.map(({ end }) => hasPoint(allowedPorts(this.#program, { kind: 'pod', pod: source }, end.ref, family), point)));
    return verdicts.size === 1 ? point : undefined;
  }

  *#choose(sources: readonly number[], targets: readonly number[], ports: PortSet): Generator<DraftPair | number> {
    // Nobody outside can be asked to call, and what is on a node's network is under no policy of pods.
    const callers = sources.filter((source) => this.#program.cluster.pods[source]?.hostNetwork === false);
    const all = callers.length * targets.length - callers.filter((source) => targets.includes(source)).length;
    let chosen = 0;
    for (let turn = 0; turn < callers.length * targets.length && chosen < this.#pairsMax; turn++) {
      const source = callers[turn % callers.length]!;
      const target = targets[(turn + Math.floor(turn / callers.length)) % targets.length]!;
      if (source === target) continue;
      chosen++;
      yield { source, target, ports };
    }
    if (all > chosen) yield all - chosen;
  }

  #probesOf({ source, target, ports, via }: DraftPair): Probe[] {
    const [from, to] = [this.#endpoints[source]!, this.#endpoints[target]!];
    if (via !== undefined) {
      const { family } = via.address;
      return addressOf(from, family) === undefined || addressOf(to, family) === undefined ? [] : [{ source, target, family, ...portOf(ports[0]!), via }];
    }
    return FAMILIES.flatMap((family) => {
      if (addressOf(from, family) === undefined || addressOf(to, family) === undefined) return [];
      return to.ports.filter(({ protocol, port }) => hasPoint(ports, pointOf(protocol, port))).map(({ protocol, port }): Probe => ({ source, target, family, protocol, port }));
    });
  }
}

function portOf(point: number): ProbePort {
  return point >= PROTOCOL_BASE.UDP ? { protocol: 'UDP', port: point - PROTOCOL_BASE.UDP } : { protocol: 'TCP', port: point - PROTOCOL_BASE.TCP };
}

/** Evenly, each expectation of its own; what goes is counted. */
function thinOut(tests: readonly DraftedTest[]): readonly DraftedTest[] {
  const total = tests.flatMap(({ results }) => results).reduce((sum, { probes }) => sum + probes.length, 0);
  const share = CLUSTER_PROBES_MAX / total;
  if (share >= 1) return tests;
  return tests.map(({ test, results }) => ({
    test,
    results: results.map((draft): Draft => {
      const probes = draft.probes.filter((_, index) => Math.floor((index + 1) * share) > Math.floor(index * share) || index === 0);
      return { ...draft, probes, leftOut: (draft.leftOut ?? 0) + draft.probes.length - probes.length };
    }),
  }));
}
