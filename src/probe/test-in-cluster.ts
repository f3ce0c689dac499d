// Expectations held against connections between the real pods of a cluster, by the dearest means that works for each pod.
import { pointOf } from '../base/port-set.ts';
import type { Program } from '../compile/program.ts';
import type { ClusterApi } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PodHands } from '../kube/pod-hands.ts';
import { exampleOf } from '../prove/check-assertion.ts';
import { tryByAgents } from './agent-means.ts';
import type { ExpectationResult, TestReport } from './check-expectations.ts';
import { ProbeError, type ClusterTestOptions, type ProbeMeans } from './cluster-under-test.ts';
import type { ProbeDifference } from './compare-verdicts.ts';
import type { ConcreteProbe, MeansResult } from './concrete-probe.ts';
import { draftInCluster } from './draft-in-cluster.ts';
import { tryByEphemeral } from './ephemeral-means.ts';
import { tryByExec } from './exec-means.ts';
import { readLivePods, type LivePod } from './live-pods.ts';
import { addressOf, type Probe, type ProbeEndpoint } from './plan-probes.ts';
import type { PolicyTest } from './policy-test.ts';
import type { SeenVerdict } from './run-probes.ts';
import { settleDrafts } from './try-expectations.ts';

const PAIRS_MAX = 3;

/** Pods that are named as left out; of more, the number alone. */
const NOTES_MAX = 20;

export async function testInCluster(api: ClusterApi & PodHands, program: Program, tests: readonly PolicyTest[], options: ClusterTestOptions): Promise<TestReport> {
  const { endpoints, tests: drafted } = draftInCluster(program, tests, { pairsMax: options.pairsMax ?? PAIRS_MAX, outside: options.outside ?? [] });
  const probes = drafted.flatMap(({ results }) => results).flatMap((draft) => draft.probes);
  const indices = new Set(probes.flatMap(({ source, target }) => [source, target]).filter((index) => program.cluster.pods[index]?.hostNetwork === false));
  const live = await readLivePods(api, program.cluster, [...indices]);
  const concrete = new Map(probes.flatMap((probe, index) => {
    const isGone = indices.has(probe.target) && !live.pods.has(probe.target);
    const found = isGone ? undefined : concreteProbe(endpoints, live.pods, probe);
    return found === undefined ? [] : [[index, found] as const];
  }));
  const { seen, notes } = await tryEach(concrete, api, options);
  if (options.signal.aborted) throw new ClusterError('unreachable', 'the tests were interrupted');
  if (concrete.size > 0 && seen.size === 0) throw new ProbeError('no connection could be opened out of a pod of the cluster', notes.join('; '));
  const settled = settleDrafts({ program, endpoints }, drafted, probes.map((_, index) => seen.get(index)));
  return { where: 'cluster', tests: settled.map(({ test, results }) => ({ test, results: results.map((result) => withReasons(program, endpoints, result)) })), notes: shorten([...live.notes, ...notes]) };
}

/** undefined: one of the two has gone, or has lost its address. */
function concreteProbe(endpoints: readonly ProbeEndpoint[], live: ReadonlyMap<number, LivePod>, { source, target, family, protocol, port, via }: Probe): ConcreteProbe | undefined {
  const from = live.get(source);
  const targetAddress = addressOf(endpoints[target]!, family);
  const sourceAddress = from?.addresses.find((address) => address.family === family);
  if (from === undefined || sourceAddress === undefined || targetAddress === undefined || protocol === 'SCTP') return undefined;
  if (via !== undefined) return { source: from, sourceAddress, target: via.address, targetPod: undefined, isService: true, protocol, port: via.port };
  const targetPod = live.get(target);
  const isThere = targetPod?.addresses.some(({ family: own, value }) => own === family && value === targetAddress.value);
  if (targetPod !== undefined && isThere !== true) return undefined;
  return { source: from, sourceAddress, target: targetAddress, targetPod, isService: false, protocol, port };
}

async function tryEach(probes: ReadonlyMap<number, ConcreteProbe>, api: ClusterApi & PodHands, options: ClusterTestOptions): Promise<MeansResult> {
  const seen = new Map<number, SeenVerdict>();
  const notes: string[] = [];
  for (const means of options.means) {
    const left = [...probes].filter(([index]) => !seen.has(index));
    if (left.length === 0 || options.signal.aborted) break;
    options.onNote?.(`tries ${left.length} connections by ${MEANS_WORDS[means]}`);
    const result = await tryBy(means, left.map(([, probe]) => probe), { api, options });
    for (const [position, verdict] of result.seen) seen.set(left[position]![0], verdict);
    notes.push(...result.notes);
  }
  return { seen, notes: [...new Set(notes)] };
}

const MEANS_WORDS: Readonly<Record<ProbeMeans, string>> = { agent: 'the probers of the nodes', ephemeral: 'ephemeral containers', exec: 'programs that the pods have' };

function tryBy(means: ProbeMeans, probes: readonly ConcreteProbe[], { api, options }: { readonly api: ClusterApi & PodHands; readonly options: ClusterTestOptions }): Promise<MeansResult> {
  switch (means) {
    case 'agent':
      return tryByAgents(probes, { api, ...options });
    case 'ephemeral':
      return tryByEphemeral(probes, { api, ...options, image: options.image ?? '' });
    case 'exec':
      return tryByExec(probes, { hands: api, ...options });
  }
}

/** Beside each disagreement what the policies say of it, and which rule does. */
function withReasons(program: Program, endpoints: readonly ProbeEndpoint[], result: ExpectationResult): ExpectationResult {
  const { tried } = result;
  if (tried === undefined || tried.differences.length === 0) return result;
  const explain = (difference: ProbeDifference): ProbeDifference => {
    const end = (index: number): { readonly label: string; readonly ref: ProbeEndpoint['subject'] } => ({ label: endpoints[index]!.name, ref: endpoints[index]!.subject });
    const point = pointOf(difference.protocol, difference.port);
    return { ...difference, why: exampleOf(program, { source: end(difference.source), target: end(difference.target), ports: [point, point], family: difference.family }) };
  };
  return { ...result, tried: { ...tried, differences: tried.differences.map(explain) } };
}

function shorten(notes: readonly string[]): readonly string[] {
  return notes.length <= NOTES_MAX ? notes : [...notes.slice(0, NOTES_MAX), `${notes.length - NOTES_MAX} more like these`];
}
