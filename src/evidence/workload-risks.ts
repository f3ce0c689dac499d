// Workloads by what a compromised pod of theirs reaches, with what the outside may open to them and they to the outside.
import { compareText } from '../base/finding.ts';
import { podEndpoints, type PodsEndpoint } from '../analyze/endpoints.ts';
import { spreadFrom, spreadGround } from '../analyze/pod-spread.ts';
import type { Program } from '../compile/program.ts';
import type { Direction } from '../model/network-policy.ts';
import type { OutsideFinder, OutsideReach } from './outside-reach.ts';

export interface WorkloadRisk {
  readonly workload: PodsEndpoint;
  /** Of the pod of it that reaches most: other pods one connection away, and at any distance. */
  readonly directPods: number;
  readonly reachedPods: number;
  /** Percent of the other pods of the cluster, 0–100. */
  readonly score: number;
  /** What the outside may open to its pods, and they to the outside. */
  readonly ingress: readonly OutsideReach[];
  readonly egress: readonly OutsideReach[];
}

/** The highest score first; of equal ones those first that the internet reaches, then by id. */
export function rankWorkloads(program: Program, outsideOf: OutsideFinder): readonly WorkloadRisk[] {
  const impactOf = impactFinder(program);
  const pods = program.cluster.pods.reduce((sum, { replicas }) => sum + replicas, 0);
  const risks = podEndpoints(program, 'workload').map(({ endpoint, podIndices }): WorkloadRisk => {
    const { direct: directPods, reached: reachedPods } = podIndices.map(impactOf).reduce((worst, one) => (one.reached > worst.reached || (one.reached === worst.reached && one.direct > worst.direct) ? one : worst));
    const score = pods === 1 ? 0 : (100 * reachedPods) / (pods - 1);
    return { workload: endpoint as PodsEndpoint, directPods, reachedPods, score, ingress: outsideOf(podIndices[0]!, 'ingress'), egress: outsideOf(podIndices[0]!, 'egress') }; // endpoints of pods alone
  });
  return risks.sort((a, b) => b.score - a.score || Number(meetsInternet(b, 'ingress')) - Number(meetsInternet(a, 'ingress')) || compareText(a.workload.id, b.workload.id));
}

export function meetsInternet(risk: WorkloadRisk, direction: Direction): boolean {
  return risk[direction].some(({ isInternet }) => isInternet);
}

interface CellImpact {
  readonly direct: number;
  readonly reached: number;
}

/** By pod; searched once for pods that are alike. */
function impactFinder(program: Program): (pod: number) => CellImpact {
  const ground = spreadGround(program);
  const known = new Map<number, CellImpact>();
  return (pod) => {
    const cell = ground.cells.cellOfPod[pod]!;
    let impact = known.get(cell);
    if (impact === undefined) {
      const { levels, pods } = spreadFrom(ground, pod, Number.POSITIVE_INFINITY);
      const counts = levels.map((level) => level.reduce((sum, one) => sum + pods[one]!, 0));
      known.set(cell, (impact = { direct: counts[0] ?? 0, reached: counts.reduce((sum, count) => sum + count, 0) }));
    }
    return impact;
  };
}
