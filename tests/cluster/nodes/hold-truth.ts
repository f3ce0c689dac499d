// Every pair of ends on every probed port, over each family: what happens on the wire held against the engine and the reference.
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import type { Program } from '../../../src/compile/program.ts';
import type { NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import { compareVerdicts, formatDifference, type TruthTable } from '../../../src/probe/compare-verdicts.ts';
import { expectedVerdicts, type Verdict } from '../../../src/probe/expected-verdicts.ts';
import { addressOf, planProbes, type ProbeEndpoint, type ProbePlan } from '../../../src/probe/plan-probes.ts';
import type { SeenVerdict } from '../../../src/probe/run-probes.ts';
import { referenceAllows } from '../../reference/reference.ts';
import { PROBED_PORTS, type Fleet, type FleetEnd } from './fleet.ts';
import { readProgram } from './live-program.ts';
import type { NodeCluster } from './node-cluster.ts';

export interface HeldTruth extends TruthTable {
  /** From the call until all of it agreed for the first time. */
  readonly settledMs: number;
  /** `north/red -> south/blue tcp/80` for one that came through over every family that both ends have. */
  readonly through: ReadonlySet<string>;
  /** The names of all that was tried. */
  readonly tried: ReadonlySet<string>;
}

export interface HoldOptions {
  /** Changes may take so long to reach the kernel. */
  readonly withinMs?: number;
  /** What to expect of a Program in place of its verdicts: everything comes through where nothing is enforced. */
  readonly isEnforced?: boolean;
}

/** Fails unless everything agrees in time, and once more after that. */
export async function holdTruth(cluster: NodeCluster, fleet: Fleet, { withinMs = 10_000, isEnforced = true }: HoldOptions = {}): Promise<HeldTruth> {
  const start = performance.now();
  const program = await readProgram(cluster);
  const ends = await fleet.ends();
  const { plan, namespaces } = planEnds(program, ends);
  const expected = isEnforced ? expectedOf(program, plan) : plan.probes.map((): Verdict => 'allowed');
  const look = async (): Promise<TruthTable> => compareVerdicts(plan, expected, await probeAll(plan, namespaces, expected));
  let table = await look();
  while (!table.agrees && performance.now() - start < withinMs) table = await look();
  const settledMs = performance.now() - start;
  if (table.agrees) table = await look();
  assert.ok(table.probed > 0 && table.plan.leftOut === 0);
  assert.ok(table.agrees, `${table.differences.length} of ${table.probed} differ\n${table.differences.slice(0, 20).map(formatDifference).join('\n')}`);
  return { ...table, settledMs, ...namesOf(table) };
}

function planEnds(program: Program, ends: readonly FleetEnd[]): { readonly plan: ProbePlan; readonly namespaces: readonly NamespaceFd[] } {
  const namespaces: number[] = [];
  const endpoints = ends.flatMap(({ name, kind, namespace, addresses }): ProbeEndpoint[] => {
    const usual = { name, group: name, place: kind === 'pod' ? name : String(namespace), ports: PROBED_PORTS };
    if (kind === 'outside') {
      namespaces.push(...addresses.map(() => namespace));
      return addresses.map((address) => ({ ...usual, subject: { kind: 'address', address }, addresses: [address] }));
    }
    const pod = program.cluster.pods.findIndex((candidate) => `${candidate.namespace}/${candidate.name}` === name);
    if (pod < 0) return [];
    namespaces.push(namespace);
    return [{ ...usual, subject: { kind: 'pod', pod }, addresses }];
  });
  return { plan: planProbes(endpoints), namespaces };
}

/** What comes through over veth does so at once; listeners may be slow on a busy machine. */
const DENIED_WAIT_MS = 200;
const ALLOWED_WAIT_MS = 900;

/** Waits long for what is expected to come through, and for the rest as long as a leak would take. */
async function probeAll({ endpoints, probes }: ProbePlan, namespaces: readonly NamespaceFd[], expected: readonly Verdict[]): Promise<readonly SeenVerdict[]> {
  const round = createPollProber().open(probes.map(({ source, target, family, protocol, port }) => ({
    namespace: namespaces[source]!,
    source: addressOf(endpoints[source]!, family)!,
    target: addressOf(endpoints[target]!, family)!,
    targetNamespace: namespaces[target]!,
    protocol,
    port,
  })));
  try {
    const began = performance.now();
    await round.collect(ALLOWED_WAIT_MS, (task) => expected[task] === 'denied');
    await round.collect(Math.max(0, DENIED_WAIT_MS - (performance.now() - began)));
    return round.answers.map((answer): SeenVerdict => (answer === 'silent' ? { verdict: 'denied', evidence: 'timeout' } : answer === 'failed' ? { verdict: 'unknown', evidence: 'failure' } : { verdict: 'allowed', evidence: 'reply' }));
  } finally {
    round.close();
  }
}

/** The engine's, after the reference has agreed to each. */
function expectedOf(program: Program, plan: ProbePlan): readonly Verdict[] {
  const expected = expectedVerdicts(program, plan);
  for (const [index, { source, target, family, protocol, port }] of plan.probes.entries()) {
    const [from, to] = [plan.endpoints[source]!, plan.endpoints[target]!];
    const isAllowed = referenceAllows(program.cluster, { source: from.subject, target: to.subject, protocol, port, family });
    assert.equal(expected[index], isAllowed ? 'allowed' : 'denied', `${from.name} -> ${to.name} ${protocol} ${port} over IPv${family}: the reference differs`);
  }
  return expected;
}

function namesOf({ plan, seen }: TruthTable): Pick<HeldTruth, 'through' | 'tried'> {
  const names = plan.probes.map(({ source, target, protocol, port }) => `${plan.endpoints[source]!.name} -> ${plan.endpoints[target]!.name} ${protocol.toLowerCase()}/${port}`);
  const stopped = new Set(names.filter((_, index) => seen[index]!.verdict !== 'allowed'));
  return { tried: new Set(names), through: new Set(names.filter((name) => !stopped.has(name))) };
}
