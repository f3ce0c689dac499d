// Random clusters: what the compiled Program decides is what the reference says, for every pair, port and family that could differ.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { formatIpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { hasPoint, OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { domainNames, outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { podKey, settleCluster } from '../clusters/settle.ts';
import type { ReferenceEnd } from '../reference/matches.ts';
import { referenceAllows } from '../reference/reference.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];

test('the Program decides as the reference does', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    const program = compileCluster(cluster);
    const points = trafficPoints(cluster);
    for (const [source, target] of pairsOf(cluster)) {
      const overEither = allowedPorts(program, source, target);
      const byFamily = FAMILIES.map((family) => ({ family, ports: allowedPorts(program, source, target, family) }));
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
  });
});

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
