// Random clusters: hops and walls are those of a search over all pairs of pods.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { findImpact } from '../../src/analyze/impact.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';

/** Without the exceptions of one node, which hops leave aside. */
function withoutNodes(cluster: Cluster): Cluster {
  return { ...cluster, pods: cluster.pods.map((pod) => ({ ...pod, nodeName: undefined })) };
}

test('hops are those of a search over all pairs, and a wall cuts what it says', () => {
  checkClusters((raw) => {
    const cluster = withoutNodes(settleCluster(raw));
    const program = compileCluster(cluster);
    for (const pod of cluster.pods.keys()) {
      const impact = findImpact(program, pod);
      assert.equal(impact.reachedPods, searchPairs(program, pod));
      assert.equal(impact.otherPods, cluster.pods.reduce((total, { replicas }) => total + replicas, 0) - 1);
      for (const { endpoint, pods } of impact.walls) assert.ok(pods >= 1 && pods <= impact.reachedPods, endpoint.id);
    }
  }, { share: 0.3 });
});

/** Pods reached from one pod of an entry, replica by replica. */
function searchPairs(program: Program, start: number): number {
  const { pods } = program.cluster;
  const replicas = pods.flatMap((pod, index) => Array.from({ length: pod.replicas }, (_, replica) => ({ index, replica })));
  const isOpen = (a: (typeof replicas)[number], b: (typeof replicas)[number]): boolean => allowedPorts(program, { kind: 'pod', pod: a.index }, { kind: 'pod', pod: b.index }).length > 0;
  const reached = new Set([replicas.find(({ index }) => index === start)!]);
  for (const source of reached) for (const target of replicas) if (!reached.has(target) && isOpen(source, target)) reached.add(target);
  return reached.size - 1;
}
