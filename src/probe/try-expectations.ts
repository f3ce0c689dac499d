// Expectations held against real connections: those that each names are opened in the lab, and compared with what was computed as well.
import { ALL_PORTS, hasPoint, pointOf, type PortSet } from '../base/port-set.ts';
import { WordError } from '../base/word-error.ts';
import type { Program } from '../compile/program.ts';
import { FAMILIES, type EndpointRef } from '../analyze/endpoint.ts';
import type { Assertion } from '../words/assertion.ts';
import { assertedPairs, findAssertedPath, findIsolationSubjects } from '../prove/check-assertion.ts';
import { checkExpectation, type ExpectationResult, type TestReport } from './check-expectations.ts';
import { compareVerdicts, viaText } from './compare-verdicts.ts';
import { expectedVerdicts } from './expected-verdicts.ts';
import { addressOf, PROBES_MAX, type Probe, type ProbeEndpoint, type ProbePlan } from './plan-probes.ts';
import type { Expectation, PolicyTest } from './policy-test.ts';
import { runProbes, type ProbeWorld, type SeenVerdict } from './run-probes.ts';

/** Wrong connections named for one expectation. */
const WRONG_MAX = 20;

export interface LabUnderTest {
  /** Compiled from the cluster that runs. */
  readonly program: Program;
  readonly endpoints: readonly ProbeEndpoint[];
  readonly world: ProbeWorld;
  /** Pods that the lab added: no expectation is meant to speak of them. */
  readonly addedPods: readonly number[];
}

/**
 * One pair of pods stands for all that policies treat alike. For `isolated` everybody tries the pods, and is let in as
 * computed; for `noPath` all ends on the way try everybody, and none gets further than computed.
 */
export async function tryTests(lab: LabUnderTest, tests: readonly PolicyTest[]): Promise<TestReport> {
  const drafts = tests.map((test) => ({ test, results: test.expectations.map((expectation) => draftOf(lab, expectation)) }));
  const probes = drafts.flatMap(({ results }) => results).flatMap((draft) => draft.probes);
  if (probes.length > PROBES_MAX) throw new WordError(`these tests ask for ${probes.length} connections, and at most ${PROBES_MAX} are tried`, 'name fewer pods, or ports, or test statically');
  const plan: ProbePlan = { endpoints: lab.endpoints, probes, pairs: 'sample', leftOut: 0 };
  const seen = await runProbes(plan, lab.world);
  return { where: 'lab', tests: settleDrafts(lab, drafts, seen) };
}

/** An expectation as computed, and the connections by which it is tried. */
export interface Draft {
  readonly result: ExpectationResult;
  readonly probes: readonly Probe[];
  /** Connections of it that are not tried, for there are too many alike. */
  readonly leftOut?: number;
}

export interface DraftedTest {
  readonly test: PolicyTest;
  readonly results: readonly Draft[];
}

/** `seen` is by position of the probes of all drafts; what is undefined there could not be tried, and is as if nobody had meant to. */
export function settleDrafts({ program, endpoints }: Pick<LabUnderTest, 'program' | 'endpoints'>, drafts: readonly DraftedTest[], seen: readonly (SeenVerdict | undefined)[]): TestReport['tests'] {
  const all = drafts.flatMap(({ results }) => results);
  const planOf = (probes: readonly Probe[]): ProbePlan => ({ endpoints, probes, pairs: 'sample', leftOut: 0 });
  const expected = expectedVerdicts(program, planOf(all.flatMap((draft) => draft.probes)));
  let at = 0;
  const settled = new Map(all.map((draft) => {
    const tried = draft.probes.flatMap((probe, index) => {
      const verdict = seen[at + index];
      return verdict === undefined ? [] : [{ probe, verdict, computed: expected[at + index]! }];
    });
    at += draft.probes.length;
    const slice = { plan: planOf(tried.map(({ probe }) => probe)), expected: tried.map(({ computed }) => computed), seen: tried.map(({ verdict }) => verdict) };
    return [draft, settle(draft, slice)];
  }));
  return drafts.map(({ test, results }) => ({ test, results: results.map((draft) => settled.get(draft)!) }));
}

function draftOf(lab: LabUnderTest, expectation: Expectation): Draft {
  const result = checkExpectation(lab.program, expectation, { hiddenPods: lab.addedPods });
  return { result, probes: result.problem === undefined ? probesOf(lab, expectation.assertion) : [] };
}

/** Of indices of endpoints, on the ports of the set. */
interface TriedPair {
  readonly source: number | undefined;
  readonly target: number | undefined;
  readonly ports: PortSet;
}

function probesOf(lab: LabUnderTest, assertion: Assertion): Probe[] {
  return [...pairsOf(lab, assertion)].flatMap((pair) => probesOfPair(lab, pair));
}

function* pairsOf({ program, endpoints, addedPods: hiddenPods }: LabUnderTest, assertion: Assertion): Generator<TriedPair> {
  const find = endpointFinder(program, endpoints);
  const everybody = [...endpoints.keys()];
  switch (assertion.kind) {
    case 'allow':
    case 'deny':
      for (const { source, target, ports } of assertedPairs(program, assertion, { hiddenPods })) yield { source: find(source.ref), target: find(target.ref), ports };
      return;
    case 'isolated':
      for (const own of findIsolationSubjects(program, assertion, { hiddenPods }).map(({ ref }) => find(ref))) {
        for (const direction of assertion.directions) {
          for (const other of everybody) yield direction === 'ingress' ? { source: other, target: own, ports: ALL_PORTS } : { source: own, target: other, ports: ALL_PORTS };
        }
      }
      return;
    case 'no-path':
      for (const source of findAssertedPath(program, assertion, { hiddenPods }).passed.map(({ ref }) => find(ref))) {
        for (const target of everybody) yield { source, target, ports: ALL_PORTS };
      }
  }
}

function probesOfPair({ endpoints }: LabUnderTest, { source, target, ports }: TriedPair): Probe[] {
  // Traffic between two ends of one place cannot be seen.
  if (source === undefined || target === undefined || endpoints[source]!.place === endpoints[target]!.place) return [];
  return FAMILIES.flatMap((family) => {
    if (addressOf(endpoints[source]!, family) === undefined || addressOf(endpoints[target]!, family) === undefined) return [];
    return endpoints[target]!.ports.filter(({ protocol, port }) => hasPoint(ports, pointOf(protocol, port))).map(({ protocol, port }) => ({ source, target, family, protocol, port }));
  });
}

/** A host outside stands for every address that policies treat as its own. */
function endpointFinder(program: Program, endpoints: readonly ProbeEndpoint[]): (ref: EndpointRef) => number | undefined {
  const pods = new Map(endpoints.flatMap(({ subject }, index) => (subject.kind === 'pod' ? [[subject.pod, index] as const] : [])));
  const atoms = new Map(endpoints.flatMap(({ subject }, index) => (subject.kind === 'address' ? [[program.findAtom(subject.address), index] as const] : [])));
  return (ref) => {
    if (ref.kind === 'pod') return pods.get(ref.pod);
    // A lab knows no host by the name of a domain that policies name.
    return ref.kind === 'address' ? atoms.get(program.findAtom(ref.address)) : undefined;
  };
}

interface Seen {
  readonly plan: ProbePlan;
  readonly expected: ReturnType<typeof expectedVerdicts>;
  readonly seen: readonly SeenVerdict[];
}

function settle({ result, leftOut = 0 }: Draft, { plan, expected, seen }: Seen): ExpectationResult {
  const { kind } = result.expectation.assertion;
  const { probes } = plan;
  if (result.problem !== undefined) return result;
  if (probes.length === 0) return kind === 'allow' || kind === 'deny' ? { ...result, holds: false, problem: nothingToTry() } : result;
  const { differences } = compareVerdicts(plan, expected, seen);
  const wrong = kind === 'deny' ? wronglyOpen(plan, seen) : kind === 'allow' ? wronglyClosed(plan, seen) : [];
  return { ...result, holds: result.holds && wrong.length === 0 && differences.length === 0, tried: { tried: probes.length, wrong: wrong.slice(0, WRONG_MAX), differences, ...(leftOut === 0 ? {} : { leftOut }) } };
}

function nothingToTry(): WordError {
  return new WordError('nothing of this can be tried', 'no pod listens on these ports, or no address of these ends exists here');
}

function wronglyOpen({ endpoints, probes }: ProbePlan, seen: readonly SeenVerdict[]): string[] {
  return probes.flatMap((probe, index) => (seen[index]?.verdict === 'denied' ? [] : [`${probeName(endpoints, probe)}: ${seen[index]?.verdict ?? 'not tried'}`]));
}

/** A connection is there when one family lets it through. */
function wronglyClosed({ endpoints, probes }: ProbePlan, seen: readonly SeenVerdict[]): string[] {
  const keyOf = ({ source, target, protocol, port, via }: Probe): string => `${source} ${target} ${protocol} ${port} ${via?.port}`;
  const open = new Set(probes.filter((_, index) => seen[index]?.verdict === 'allowed').map(keyOf));
  return probes.flatMap((probe, index) => (open.has(keyOf(probe)) ? [] : [`${probeName(endpoints, probe)}: ${seen[index]?.verdict ?? 'not tried'}`]));
}

function probeName(endpoints: readonly ProbeEndpoint[], { source, target, family, protocol, port, via }: Probe): string {
  return `${endpoints[source]!.name} -> ${endpoints[target]!.name} ${protocol.toLowerCase()}/${port} over IPv${family}${viaText(via)}`;
}
