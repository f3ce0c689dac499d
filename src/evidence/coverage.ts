// How far the pods of each namespace are closed to strangers, in both directions, those included that are yet to come.
import type { Program } from '../compile/program.ts';
import { asksForAudit } from '../model/namespace-audit.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { degreeOf, type Degree, type Strangers } from './strangers.ts';
import { portsOfReach, type OutsideFinder } from './outside-reach.ts';

export interface NamespaceCoverage {
  readonly namespace: string;
  /** Those that policies can govern; replicas counted. */
  readonly pods: number;
  /** On the host network, which no policy governs. */
  readonly hostPods: number;
  /** Its NetworkPolicies are judged and not enforced, where agents allow it. */
  readonly isAudited: boolean;
  readonly ingress: DirectionCoverage;
  readonly egress: DirectionCoverage;
}

export interface DirectionCoverage {
  /** Pods by what a stranger pod may open to them, or they to it. */
  readonly strangers: Readonly<Record<Degree, number>>;
  /** Pods by what the outside may open to them, or they to the outside. */
  readonly outside: Readonly<Record<Degree, number>>;
  /** Pods that a NetworkPolicy isolates. */
  readonly isolated: number;
  /** A pod without labels that is added tomorrow, and strangers. */
  readonly newPod: Degree;
}

/** In the order of `cluster.namespaces`. */
export function coverNamespaces(program: Program, strangers: Strangers, outsideOf: OutsideFinder): readonly NamespaceCoverage[] {
  const { cluster } = program;
  const podsOf = Map.groupBy(cluster.pods.keys(), (pod) => cluster.pods[pod]!.namespace);
  return cluster.namespaces.map(({ name, labels }, index): NamespaceCoverage => {
    const all = podsOf.get(name) ?? [];
    const own = all.filter((pod) => !cluster.pods[pod]!.hostNetwork);
    const cover = (direction: Direction): DirectionCoverage => ({
      strangers: countDegrees(program, own, (pod) => degreeOf(strangers.portsOf(pod, direction))),
      outside: countDegrees(program, own, (pod) => degreeOf(portsOfReach(outsideOf(pod, direction)))),
      isolated: countPods(program, own.filter((pod) => program[direction].isIsolated(program[direction].subjectOfGroup[program.groupOfPod[pod]!]!))),
      newPod: degreeOf(strangers.portsOfNewPod(index, direction)),
    });
    return { namespace: name, pods: countPods(program, own), hostPods: countPods(program, all) - countPods(program, own), isAudited: asksForAudit(labels), ...byDirection(cover) };
  });
}

function byDirection<Value>(valueOf: (direction: Direction) => Value): Record<Direction, Value> {
  return Object.fromEntries(DIRECTIONS.map((direction) => [direction, valueOf(direction)])) as Record<Direction, Value>; // each of them is there
}

function countDegrees({ cluster }: Program, pods: readonly number[], degree: (pod: number) => Degree): Readonly<Record<Degree, number>> {
  const counts = { closed: 0, limited: 0, open: 0 };
  for (const pod of pods) counts[degree(pod)] += cluster.pods[pod]!.replicas;
  return counts;
}

export function countPods({ cluster }: Program, pods: Iterable<number>): number {
  let count = 0;
  for (const pod of pods) count += cluster.pods[pod]!.replicas;
  return count;
}
