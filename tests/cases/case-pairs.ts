// What every engine is asked: pairs of ends, and points of traffic.
import { OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import type { TrafficPoint } from '../clusters/points.ts';
import type { CaseEnd, LoadedCase } from './loaded-case.ts';

/** Every ordered pair of ends but two outside, and names only as targets; an end with itself stands for two of its pods. */
export function pairsOfEnds({ ends }: LoadedCase): [CaseEnd, CaseEnd][] {
  const isOutside = ({ pods }: CaseEnd): boolean => pods.length === 0;
  const sources = ends.filter(({ domainName }) => domainName === undefined);
  return sources.flatMap((source) => ends.filter((target) => !isOutside(source) || !isOutside(target)).map((target): [CaseEnd, CaseEnd] => [source, target]));
}

export function linePoint({ protocol, port }: TrafficPoint): number {
  return protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
}

export function describePoint(source: CaseEnd, target: CaseEnd, { protocol, port }: TrafficPoint, isAllowed: boolean): string {
  return `${source.name} → ${target.name} ${protocol} ${port}: ${isAllowed ? 'allowed' : 'refused'}`;
}
