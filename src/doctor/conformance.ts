// Runs the cases of conformance in a cluster, and sums up which features its engine really has.
import { CASE_DIRECTIONS, CONFORMANCE_CASES, OPEN_STATE, PEER_KINDS, PORT_KINDS, statesOf, UPDATES, type CaseState, type ConformanceCase, type ConformancePods } from './conformance-cases.ts';
import { expectedConnections } from './expected-connections.ts';
import type { LiveOptions } from './live.ts';
import { observe, wrongText } from './observe.ts';
import { GroundError, ProbeGround, type GroundApi, type ReadyPod } from './probe-ground.ts';
import type { ProbePod } from './probe-pods.ts';

export interface ConformanceOptions extends LiveOptions {
  readonly cases: readonly ConformanceCase[];
  readonly onCase: (done: number, count: number, name: string) => void;
}

export interface CaseResult {
  readonly name: string;
  readonly holds: boolean;
  /** The slowest of its changes, at most; milliseconds. */
  readonly effectMs: number | undefined;
  readonly wrong: readonly string[];
  readonly connections: number;
  readonly tookMs: number;
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

/** Fails with GroundError or ClusterError; nothing of it is left but what `onNote` names. */
export async function runConformance(api: GroundApi, options: ConformanceOptions): Promise<ConformanceResult> {
  const ground = new ProbeGround(api, options);
  try {
    await ground.sweepExpired();
    const pods = await deploy(ground, options);
    const cases: CaseResult[] = [];
    for (const [index, one] of options.cases.entries()) {
      options.onCase(index, options.cases.length, one.name);
      cases.push(await runCase({ ground, pods, options }, one));
    }
    return { cases, features: featuresOf(options.cases, cases), effects: effectsOf(cases), isConformant: cases.length > 0 && cases.every(({ holds }) => holds) };
  } finally {
    options.onNote('taking the probe pods away');
    await ground.close();
  }
}

const POLICY = 'case';

/** The first two nodes, where there are two: peers on the subject's node and on another. */
async function deploy(ground: ProbeGround, { nodes, image }: ConformanceOptions): Promise<ConformancePods> {
  const [here, there = here] = nodes;
  if (here === undefined) throw new GroundError('no node of the cluster can run a probe pod');
  const other = `${ground.name}-far`;
  await ground.addNamespace(ground.name);
  await ground.addNamespace(other, { team: 'far' });
  const wanted: readonly ProbePod[] = [
    { namespace: ground.name, name: 'subject', node: here, labels: { role: 'subject' } },
    { namespace: ground.name, name: 'near', node: here, labels: OPEN_STATE.labels.near },
    { namespace: ground.name, name: 'mate', node: there!, labels: OPEN_STATE.labels.mate },
    { namespace: other, name: 'far', node: there!, labels: OPEN_STATE.labels.far },
  ];
  const { ready, missing } = await ground.addPods(wanted);
  const [absent] = missing;
  if (absent !== undefined) throw new GroundError(`the probe pod ${absent[0]} does not get ready: ${absent[1]}`, `see whether the nodes can pull ${image}, or name another image with --image`);
  const named = (name: string): ReadyPod => ready.find((pod) => pod.name === name)!; // none is missing
  return { subject: named('subject'), near: named('near'), mate: named('mate'), far: named('far') };
}

interface Running {
  readonly ground: ProbeGround;
  readonly pods: ConformancePods;
  readonly options: ConformanceOptions;
}

/** From the open cluster through each state of the case; every one is seen before the next begins. */
async function runCase(running: Running, one: ConformanceCase): Promise<CaseResult> {
  const { options: { clock }, pods } = running;
  const start = clock.elapsedMs();
  const effects: number[] = [];
  let connections = 0;
  let before: CaseState | undefined;
  for (const state of [OPEN_STATE, ...statesOf(one, pods)]) {
    await enter(running, state, before);
    before = state;
    const seen = await observe(running.ground, expectedConnections(state, pods, one.direction), { clock, withinMs: running.options.effectMs });
    connections += seen.tried;
    if (!seen.isRight) return { name: one.name, holds: false, effectMs: undefined, wrong: seen.wrong.map(wrongText), connections, tookMs: clock.elapsedMs() - start };
    if (state !== OPEN_STATE) effects.push(seen.effectMs!);
  }
  return { name: one.name, holds: true, effectMs: Math.max(...effects), wrong: [], connections, tookMs: clock.elapsedMs() - start };
}

async function enter({ ground, pods }: Running, { spec, labels }: CaseState, before: CaseState | undefined): Promise<void> {
  if (spec === undefined) await ground.removePolicy(ground.name, POLICY);
  else if (spec !== before?.spec) await ground.setPolicy(ground.name, POLICY, spec);
  if (labels === before?.labels) return;
  for (const name of ['near', 'mate', 'far'] as const) await ground.relabel({ ...pods[name], labels: labels[name] });
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

/** Those whose name has the text in it; all of them without one. */
export function casesNamed(text: string | undefined): readonly ConformanceCase[] {
  return text === undefined ? CONFORMANCE_CASES : CONFORMANCE_CASES.filter(({ name }) => name.includes(text));
}
