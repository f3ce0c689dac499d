// Holds a Program to the reference: every pair of ends of a cluster, every port and family that could differ.
import assert from 'node:assert/strict';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { formatIpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { hasPoint, OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { ReferenceEnd } from '../reference/matches.ts';
import { referenceAllows } from '../reference/reference.ts';
import { domainNames, outsideAddresses, trafficPoints } from './points.ts';
import { podKey } from './settle.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];

/** The pods of the Program may stand in another order. */
export function holdToReference(program: Program, cluster: Cluster): void {
  const points = trafficPoints(cluster);
  const places = new Map(program.cluster.pods.map((pod, place) => [podKey(pod), place]));
  const placed = (end: ReferenceEnd): ReferenceEnd => (end.kind === 'pod' ? { kind: 'pod', pod: places.get(podKey(cluster.pods[end.pod]!))! } : end);
  for (const [source, target] of pairsOf(cluster)) {
    const ends = [placed(source), placed(target)] as const;
    const overEither = allowedPorts(program, ...ends);
    const byFamily = FAMILIES.map((family) => ({ family, ports: allowedPorts(program, ...ends, family) }));
    for (const { protocol, port } of points) {
      const point = protocol === 'other' ? OTHER_POINT : pointOf(protocol, port);
      let isAllowed = false;
      for (const { family, ports } of byFamily) {
        const expected = referenceAllows(cluster, { source, target, protocol, port, family });
        isAllowed ||= expected;
        if (hasPoint(ports, point) !== expected) {
          assert.fail(`${describe(cluster, source)} → ${describe(cluster, target)} ${protocol} ${port} over IPv${family}: the reference says ${expected}`);
        }
      }
      assert.equal(hasPoint(overEither, point), isAllowed, `${describe(cluster, source)} → ${describe(cluster, target)} ${protocol} ${port} over either family`);
    }
  }
}

/** Every ordered pair of pods, a pod and itself included; every pod with every address outside, both ways; and every pod to names. */
function pairsOf(cluster: Cluster): [ReferenceEnd, ReferenceEnd][] {
  const pods = cluster.pods.map((_, pod) => ({ kind: 'pod', pod }) as const);
  const outside = outsideAddresses(cluster).map((address) => ({ kind: 'address', address }) as const);
  const names = domainNames(cluster).map((name) => ({ kind: 'domain-name', name }) as const);
  return pods.flatMap((source): [ReferenceEnd, ReferenceEnd][] => [
    ...pods.map((target): [ReferenceEnd, ReferenceEnd] => [source, target]),
    ...outside.flatMap((end): [ReferenceEnd, ReferenceEnd][] => [[source, end], [end, source]]),
    ...names.map((end): [ReferenceEnd, ReferenceEnd] => [source, end]),
  ]);
}

function describe(cluster: Cluster, end: ReferenceEnd): string {
  return end.kind === 'pod' ? podKey(cluster.pods[end.pod]!) : end.kind === 'address' ? formatIpAddress(end.address) : end.name;
}
