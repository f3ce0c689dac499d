// Random clusters with cluster-wide policies: what the Program decides in all tiers together is what the reference says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allowedPorts } from '../../src/analyze/decide.ts';
import type { EndpointRef } from '../../src/analyze/endpoint.ts';
import type { IpFamily } from '../../src/base/ip-address.ts';
import { hasPoint, OTHER_POINT, pointOf } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { checkWith } from '../clusters/check-property.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { NODES, randomClusterPolicies } from '../clusters/random-cluster-policies.ts';
import { settleCluster } from '../clusters/settle.ts';
import { tieredReferenceAllows } from '../reference/tiers.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];

test('the tiers decide as the reference does', () => {
  checkWith(randomClusterPolicies, (raw, clusterPolicies) => {
    const workloads = raw.workloads.map((one) => ({ ...one, nodeName: undefined }));
    const cluster = { ...settleCluster({ ...raw, workloads }), nodes: NODES, clusterPolicies };
    const program = compileCluster(cluster);
    const points = trafficPoints(cluster);
    const outside = [...outsideAddresses(cluster), ...NODES.flatMap(({ addresses }) => addresses)];
    const ends: EndpointRef[] = [...cluster.pods.map((_, pod) => ({ kind: 'pod', pod }) as const), ...outside.map((address) => ({ kind: 'address', address }) as const)];
    for (const source of ends) {
      for (const target of ends) {
        if (source.kind === 'address' && target.kind === 'address') continue;
        for (const family of FAMILIES) {
          const ports = allowedPorts(program, source, target, family);
          for (const { protocol, port } of points) {
            const expected = tieredReferenceAllows(cluster, { source, target, protocol, port, family });
            const isAllowed = hasPoint(ports, protocol === 'other' ? OTHER_POINT : pointOf(protocol, port));
            if (isAllowed !== expected) assert.fail(`${fc.stringify(source)} → ${fc.stringify(target)} ${protocol} ${port} over IPv${family}: the reference says ${expected}`);
          }
        }
      }
    }
  }, { share: 0.5 });
});
