// Everything that can answer a case: each engine says in its own way who reaches whom, and every one is held against every page.
import { hasPoint, NO_PORTS, OTHER_POINT, pointOf, type PortSet } from '../../src/base/port-set.ts';
import type { IpFamily } from '../../src/base/ip-address.ts';
import { trafficPoints, type TrafficPoint } from '../clusters/points.ts';
import type { Need } from '../needs.ts';
import { referenceAllows, type ReferenceEnd } from '../reference/reference.ts';
import { answerReach, type CaseEnd, type LoadedCase } from './loaded-case.ts';
import { parseReach } from './reach-text.ts';

export interface CaseEngine {
  readonly name: string;
  readonly needs: readonly Need[];
  /** The places where the engine answers otherwise than the page expects. */
  disagreements(loaded: LoadedCase): readonly string[] | Promise<readonly string[]>;
}

export const ENGINES: readonly CaseEngine[] = [
  { name: 'analyze', needs: [], disagreements: ({ page, ...rest }) => textDifference(page.expected, answerReach({ page, ...rest })) },
  { name: 'the reference', needs: [], disagreements: referenceDisagreements },
];

function textDifference(expected: string, actual: string): readonly string[] {
  if (actual === expected) return [];
  const wanted = new Set(expected.split('\n'));
  const given = new Set(actual.split('\n'));
  return [
    ...[...wanted].filter((line) => !given.has(line)).map((line) => `- ${line}`),
    ...[...given].filter((line) => !wanted.has(line)).map((line) => `+ ${line}`),
    ...(wanted.size === given.size ? ['the lines stand in another order'] : []),
  ];
}

/** Asks point by point, where verdicts can change. */
function referenceDisagreements(loaded: LoadedCase): readonly string[] {
  const expected = parseReach(loaded.page.expected);
  const points = trafficPoints(loaded.cluster);
  const wrong: string[] = [];
  for (const [source, target] of pairsOfEnds(loaded)) {
    const ports: PortSet = expected.get(`${source.name} → ${target.name}`) ?? NO_PORTS;
    for (const point of points) {
      const isAllowed = pairsOfPods(loaded, source, target).some(([a, b]) => anyFamilyAllows(loaded, a, b, point));
      if (isAllowed !== hasPoint(ports, linePoint(point))) wrong.push(`${source.name} → ${target.name} ${point.protocol} ${point.port}: ${isAllowed ? 'allowed' : 'refused'}`);
    }
  }
  return wrong;
}

/** Every ordered pair of ends but two ranges; an end with itself stands for two of its pods. */
export function pairsOfEnds({ ends }: LoadedCase): [CaseEnd, CaseEnd][] {
  return ends.flatMap((source) =>
    ends.filter((target) => source.range === undefined || target.range === undefined).map((target): [CaseEnd, CaseEnd] => [source, target]),
  );
}

/** Pairs of different pods behind two ends; a range stands there with its first and its last address. */
function pairsOfPods({ cluster }: LoadedCase, source: CaseEnd, target: CaseEnd): [ReferenceEnd, ReferenceEnd][] {
  const targets = endsOf(target);
  return endsOf(source).flatMap((a) =>
    targets
      .filter((b) => a.kind !== 'pod' || b.kind !== 'pod' || a.pod !== b.pod || cluster.pods[a.pod]!.replicas > 1)
      .map((b): [ReferenceEnd, ReferenceEnd] => [a, b]),
  );
}

function endsOf({ pods, range }: CaseEnd): ReferenceEnd[] {
  if (range === undefined) return pods.map((pod) => ({ kind: 'pod', pod }));
  return [range.first, range.last].map((value) => ({ kind: 'address', address: { family: range.family, value } }));
}

const FAMILIES: readonly IpFamily[] = [4, 6];

function anyFamilyAllows({ cluster }: LoadedCase, source: ReferenceEnd, target: ReferenceEnd, { protocol, port }: TrafficPoint): boolean {
  return FAMILIES.some((family) => referenceAllows(cluster, { source, target, protocol, port, family }));
}

export function linePoint({ protocol, port }: TrafficPoint): number {
  return protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
}
