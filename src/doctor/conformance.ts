// Runs the cases of conformance in a cluster, and sums up which features its engine really has.
import { CASE_DIRECTIONS, CASE_STATES_MAX, CONFORMANCE_CASES, PEER_KINDS, PORT_KINDS, UPDATES, type ConformanceCase } from './conformance-cases.ts';
import { Lane, type CasePatience, type CaseResult } from './conformance-lane.ts';
import type { LiveOptions } from './live.ts';
import { EXEC_MS, GroundError, ProbeGround, type GroundApi } from './probe-ground.ts';

export interface ConformanceOptions extends LiveOptions {
  readonly cases: readonly ConformanceCase[];
  readonly onCase: (done: number, count: number, name: string) => void;
}

export interface FeatureResult {
  readonly dimension: 'peer' | 'port' | 'direction' | 'update';
  readonly name: string;
  readonly held: number;
  readonly count: number;
}

export interface ConformanceResult {
  readonly cases: readonly CaseResult[];
  readonly features: readonly FeatureResult[];
  /** Of the changes that had their effect: median, 99 of 100, slowest; milliseconds. */
  readonly effects: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  readonly isConformant: boolean;
}

/** So many cases are in the cluster at once, each in namespaces and with pods of its own. */
export const LANES_MAX = 4;

/** Fails with GroundError or ClusterError; nothing of it is left but what `onNote` names. */
export async function runConformance(api: GroundApi, options: ConformanceOptions): Promise<ConformanceResult> {
  const stop = new AbortController();
  const own = { ...options, signal: AbortSignal.any([options.signal, stop.signal]) };
  const ground = new ProbeGround(api, own);
  try {
    await ground.sweepExpired();
    const lanes = await openLanes(ground, own);
    const inert = await inertDirections(lanes[0]!, own);
    const cases = await runCases(lanes, { ...own, inert }, stop);
    return { cases, features: featuresOf(options.cases, cases), effects: effectsOf(cases), isConformant: cases.length > 0 && cases.every(({ holds }) => holds) };
  } finally {
    options.onNote('taking the probe pods away');
    await ground.close();
  }
}

/** At least one; a cluster that has no room for all of them gets fewer. */
async function openLanes(ground: ProbeGround, options: ConformanceOptions): Promise<readonly Lane[]> {
  const { nodes, image, cases, signal, onNote } = options;
  if (nodes.length === 0) throw new GroundError('no node of the cluster can run a probe pod');
  const wanted = Math.min(LANES_MAX, cases.length);
  onNote(cases.length === 1 ? 'making probe pods for one case' : `making probe pods for ${cases.length} cases, ${wanted} at once`);
  const tried = await Promise.allSettled(Array.from({ length: wanted }, (_, number) => Lane.open(ground, { number, nodes, image, patience: patienceOf(options) })));
  signal.throwIfAborted();
  const lanes = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = tried.find((one) => one.status === 'rejected');
  if (lanes.length === 0) throw refused!.reason; // one of the two there is
  if (refused !== undefined) onNote(`only ${lanes.length} at once: ${refused.reason instanceof Error ? refused.reason.message.split('\n')[0] : String(refused.reason)}`);
  return lanes;
}

/** Where a policy that refuses everything has no effect no other has one: nothing is waited for. */
async function inertDirections(lane: Lane, options: ConformanceOptions): Promise<ReadonlySet<ConformanceCase['direction']>> {
  const inert = new Set<ConformanceCase['direction']>();
  for (const direction of new Set(options.cases.map((one) => one.direction))) {
    if (await lane.canClose(direction, patienceOf(options))) continue;
    inert.add(direction);
    options.onNote(`a policy that refuses all ${direction} has no effect within ${options.effectMs / 1000} s: its cases are looked at once`);
  }
  return inert;
}

interface CaseOptions extends ConformanceOptions {
  readonly inert: ReadonlySet<ConformanceCase['direction']>;
}

/** Each lane takes the next case when it is done with one; the first failure ends all of them. */
async function runCases(lanes: readonly Lane[], { cases, inert, onCase, ...options }: CaseOptions, stop: AbortController): Promise<readonly CaseResult[]> {
  const patience = patienceOf(options);
  const results: CaseResult[] = [];
  const queue = cases.entries();
  let done = 0;
  const work = lanes.map(async (lane) => {
    for (const [index, one] of queue) {
      results[index] = await lane.run(one, inert.has(one.direction) ? { ...patience, effectMs: 0 } : patience);
      onCase(++done, cases.length, one.name);
    }
  });
  try {
    await Promise.all(work);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(work);
    throw error;
  }
  return results;
}

/** Where everything should come through nothing is to be waited for but the end of the case before. */
function patienceOf({ clock, effectMs }: Pick<ConformanceOptions, 'clock' | 'effectMs'>): CasePatience {
  return { clock, effectMs, openMs: effectMs };
}

function featuresOf(cases: readonly ConformanceCase[], results: readonly CaseResult[]): readonly FeatureResult[] {
  const sum = (dimension: FeatureResult['dimension'], names: readonly string[]): readonly FeatureResult[] =>
    names.flatMap((name) => {
      const meant = results.filter((_, index) => cases[index]![dimension] === name);
      return meant.length === 0 ? [] : [{ dimension, name, held: meant.filter(({ holds }) => holds).length, count: meant.length }];
    });
  return [...sum('direction', CASE_DIRECTIONS), ...sum('peer', PEER_KINDS), ...sum('port', PORT_KINDS), ...sum('update', UPDATES)];
}

function effectsOf(results: readonly CaseResult[]): ConformanceResult['effects'] {
  const sorted = results.flatMap(({ effectMs }) => (effectMs === undefined ? [] : [effectMs])).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return sorted.length === 0 ? undefined : { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
}

/** So long a run may take at the very most: every state of every case as slow as it may be. */
export function longestRunMs(cases: number, effectMs: number): number {
  return Math.ceil(cases / LANES_MAX) * CASE_STATES_MAX * (effectMs + EXEC_MS);
}

/** Those whose name has the text in it; all of them without one. */
export function casesNamed(text: string | undefined): readonly ConformanceCase[] {
  return text === undefined ? CONFORMANCE_CASES : CONFORMANCE_CASES.filter(({ name }) => name.includes(text));
}
