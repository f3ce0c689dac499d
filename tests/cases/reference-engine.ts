// The reference on a page: asked point by point, where verdicts can change.
import type { IpFamily } from '../../src/base/ip-address.ts';
import { hasPoint, NO_PORTS, type PortSet } from '../../src/base/port-set.ts';
import { trafficPoints, type TrafficPoint } from '../clusters/points.ts';
import type { ReferenceEnd } from '../reference/matches.ts';
import { referenceAllows } from '../reference/reference.ts';
import { describePoint, linePoint, pairsOfEnds } from './case-pairs.ts';
import type { CaseEnd, LoadedCase } from './loaded-case.ts';
import { parseReach } from './reach-text.ts';

export function referenceDisagreements(loaded: LoadedCase): readonly string[] {
  const expected = parseReach(loaded.page.expected);
  const points = trafficPoints(loaded.cluster);
  const wrong: string[] = [];
  for (const [source, target] of pairsOfEnds(loaded)) {
    const ports: PortSet = expected.get(`${source.name} → ${target.name}`) ?? NO_PORTS;
    for (const point of points) {
      const isAllowed = pairsOfPods(loaded, source, target).some(([a, b]) => anyFamilyAllows(loaded, a, b, point));
      if (isAllowed !== hasPoint(ports, linePoint(point))) wrong.push(describePoint(source, target, point, isAllowed));
    }
  }
  return wrong;
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

function endsOf({ pods, range, domainName }: CaseEnd): ReferenceEnd[] {
  if (domainName !== undefined) return [{ kind: 'domain-name', name: domainName }];
  if (range === undefined) return pods.map((pod) => ({ kind: 'pod', pod }));
  return [range.first, range.last].map((value) => ({ kind: 'address', address: { family: range.family, value } }));
}

const FAMILIES: readonly IpFamily[] = [4, 6];

function anyFamilyAllows({ cluster }: LoadedCase, source: ReferenceEnd, target: ReferenceEnd, { protocol, port }: TrafficPoint): boolean {
  return FAMILIES.some((family) => referenceAllows(cluster, { source, target, protocol, port, family }));
}
