// Expectations as connections between real pods: a few pairs stand for all that policies treat alike, spread over the nodes; the rest is counted.
import { ALL_PORTS, hasPoint, pointOf, type PortSet } from '../base/port-set.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { parseRange } from '../base/range-text.ts';
import type { Program } from '../compile/program.ts';
import { alikeKey } from '../analyze/named-ends.ts';
import { FAMILIES, type EndpointRef } from '../analyze/endpoint.ts';
import { assertedPairs, findAssertedPath, findIsolationSubjects } from '../prove/check-assertion.ts';
import type { Assertion } from '../words/assertion.ts';
import { findEnds, type EndWord } from '../words/endpoint-words.ts';
import { checkExpectation } from './check-expectations.ts';
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

/** Where a pod declares no port and a test names none, the prober listens on this one. */
const ANY_PORT = 8080;

/** `program` is of the cluster as it runs: its pods have addresses and nodes. */
export function draftInCluster(program: Program, tests: readonly PolicyTest[], options: DraftOptions): ClusterDraft {
  const asked = askedPorts(tests);
  const outside = [...options.outside, ...singleAddresses(program, tests, asked)];
  const endpoints = [...podEndpoints(program, asked), ...outsideEndpoints(outside)];
  const drafter = new Drafter(program, endpoints, options.pairsMax);
  const drafted = tests.map((test) => ({ test, results: test.expectations.map((expectation) => drafter.draft(expectation)) }));
  return { endpoints, tests: thinOut(drafted) };
}

// --- Ends

function podEndpoints(program: Program, asked: readonly ProbePort[]): ProbeEndpoint[] {
  const keyOf = alikeKey(program);
  return program.cluster.pods.map((pod, index): ProbeEndpoint => {
    const declared = pod.ports.filter(({ protocol }) => protocol !== 'SCTP');
    const ports = [...declared, ...asked];
    return { name: `${pod.namespace}/${pod.name}`, subject: { kind: 'pod', pod: index }, addresses: pod.addresses, group: keyOf(index), place: `${index}`, ports: distinct(ports.length > 0 ? ports : [{ protocol: 'TCP', port: ANY_PORT }]) };
  });
}

function distinct(ports: readonly ProbePort[]): readonly ProbePort[] {
  return [...new Map(ports.map(({ protocol, port }) => [`${protocol} ${port}`, { protocol, port }])).values()];
}

function outsideEndpoints(targets: readonly OutsideTarget[]): ProbeEndpoint[] {
  const byAddress = Map.groupBy(targets, ({ address }) => formatIpAddress(address));
  return [...byAddress].map(([name, own]): ProbeEndpoint => {
    const { address } = own[0]!;
    return { name, subject: { kind: 'address', address }, addresses: [address], group: name, place: `outside ${name}`, ports: distinct(own.map(({ port }) => ({ protocol: 'TCP', port }))) };
  });
}

/** Numbers that the tests ask about. */
export function askedPorts(tests: readonly PolicyTest[]): readonly ProbePort[] {
  const words = tests.flatMap(({ expectations }) => expectations).flatMap(({ assertion }) => ('ports' in assertion ? (assertion.ports ?? []) : []));
  return distinct(words.flatMap((word): ProbePort[] => {
    const [, protocol = 'tcp', number = ''] = /^(?:(tcp|udp)\/)?([0-9]{1,5})(?:-[0-9]{1,5})?$/i.exec(word) ?? [];
    const port = Number(number);
    return number === '' || port < 1 || port > 65_535 ? [] : [{ protocol: protocol.toUpperCase() as 'TCP' | 'UDP', port }];
  }));
}

/** A test that names one address alone means that very one; of a range nobody knows whom it would disturb. */
function singleAddresses({ cluster }: Program, tests: readonly PolicyTest[], asked: readonly ProbePort[]): OutsideTarget[] {
  const own = new Set(cluster.pods.flatMap(({ addresses }) => addresses.map(formatIpAddress)));
  const words = tests.flatMap(({ expectations }) => expectations).flatMap(({ assertion }) => ('target' in assertion ? [assertion.target] : []));
  const ranges = words.flatMap((word) => (typeof word === 'string' ? (parseRange(word) ?? []) : []));
  const single = ranges.filter(({ first, last }) => first === last).map(({ family, first }): IpAddress => ({ family, value: first }));
  const ports = asked.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port);
  return single.filter((address) => !own.has(formatIpAddress(address))).flatMap((address) => ports.map((port) => ({ address, port })));
}

// --- Pairs

interface DraftPair {
  readonly source: number;
  readonly target: number;
  readonly ports: PortSet;
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
      const key = JSON.stringify(probe);
      return seen.has(key) ? false : seen.add(key);
    });
    return { result, probes, leftOut };
  }

  /** A number stands for so many pairs that are left out. */
  *#pairsOf(assertion: Assertion): Generator<DraftPair | number> {
    switch (assertion.kind) {
      case 'allow':
      case 'deny': {
        const [sources, targets] = [this.#membersOf(assertion.source), this.#membersOf(assertion.target)];
        for (const { source, target, ports } of assertedPairs(this.#program, assertion)) yield* this.#choose(sources(source.ref), targets(target.ref), ports);
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
  #membersOf(word: EndWord): (ref: EndpointRef) => readonly number[] {
    const { ends } = findEnds(this.#program, word);
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

  #probesOf({ source, target, ports }: DraftPair): Probe[] {
    const [from, to] = [this.#endpoints[source]!, this.#endpoints[target]!];
    return FAMILIES.flatMap((family) => {
      if (addressOf(from, family) === undefined || addressOf(to, family) === undefined) return [];
      return to.ports.filter(({ protocol, port }) => hasPoint(ports, pointOf(protocol, port))).map(({ protocol, port }): Probe => ({ source, target, family, protocol, port }));
    });
  }
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
