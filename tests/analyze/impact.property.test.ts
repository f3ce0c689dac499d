// Random clusters: hops and walls are those of a search over all pairs of pods, also of those that share a node.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allowedPorts } from '../../src/analyze/decide.ts';
import { findImpact, type Impact } from '../../src/analyze/impact.ts';
import { podEndpoints } from '../../src/analyze/endpoints.ts';
import { isOwnNode } from '../../src/analyze/own-node.ts';
import type { PortSet } from '../../src/base/port-set.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Program } from '../../src/compile/program.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';

const randomQuestion = fc.record({ workloads: fc.constantFrom(1, 2, 3, 10), hopsMax: fc.constantFrom(undefined, undefined, 1, 2) });

/** Pods of one namespace with the same remainder are one workload. */
function clusterOf(raw: RawCluster, workloads: number): Cluster {
  const cluster = settleCluster(raw);
  return { ...cluster, pods: cluster.pods.map((pod, index) => ({ ...pod, workload: { kind: 'DaemonSet', namespace: pod.namespace, name: `d${index % workloads}` } })) };
}

test('hops are those of a search over all pairs, a wall cuts what it says, and none cuts more', () => {
  let wallCount = 0;
  checkWith(randomQuestion, (raw, { workloads, hopsMax }) => {
    const cluster = clusterOf(raw, workloads);
    const program = compileCluster(cluster);
    for (const pod of cluster.pods.keys()) {
      const impact = findImpact(program, pod, hopsMax === undefined ? {} : { hopsMax });
      const search = searchPairs(program, pod, hopsMax);
      assert.deepEqual(impact.podsByHop, podsByHop(search));
      assert.equal(impact.otherPods, cluster.pods.reduce((total, { replicas }) => total + replicas, 0) - 1);
      assert.equal(impact.reachedPods, search.size - 1);
      holdReached(program, impact);
      const cut = (podIndices: readonly number[]): number => search.size - searchPairs(program, pod, hopsMax, new Set(podIndices)).size;
      for (const wall of impact.walls) assert.equal(wall.pods, cut(wall.podIndices), wall.endpoint.id);
      const best = podEndpoints(program, 'workload').map(({ podIndices }) => cut(podIndices)).filter((pods) => pods > 0).sort((a, b) => b - a);
      assert.deepEqual(impact.walls.map(({ pods }) => pods), best.slice(0, 5));
      wallCount += impact.walls.length;
    }
  }, { share: 0.3 });
  assert.ok(wallCount > 100, `${wallCount} walls`);
});

interface Replica {
  readonly index: number;
  readonly replica: number;
}

/** Replicas reached from one pod of an entry, with their distance; nobody enters walled pods but whom no policy refuses, and those on the host network are gone. */
function searchPairs(program: Program, start: number, hopsMax = Infinity, walled: ReadonlySet<number> = new Set()): Map<Replica, number> {
  const { pods } = program.cluster;
  const replicas = pods.flatMap((pod, index) => Array.from({ length: pod.replicas }, (_, replica) => ({ index, replica })));
  const isOpen = (a: Replica, b: Replica): boolean => {
    const [from, into] = [pods[a.index]!, pods[b.index]!];
    if (walled.has(b.index) && (into.hostNetwork || !from.hostNetwork || !isOwnNode(from, into))) return false;
    return portsBetween(program, a.index, b.index).length > 0;
  };
  const reached = new Map([[replicas.find(({ index }) => index === start)!, 0]]);
  for (const [source, distance] of reached) {
    if (distance === hopsMax) continue;
    for (const target of replicas) if (!reached.has(target) && isOpen(source, target)) reached.set(target, distance + 1);
  }
  return reached;
}

function portsBetween(program: Program, source: number, target: number): PortSet {
  return allowedPorts(program, { kind: 'pod', pod: source }, { kind: 'pod', pod: target });
}

function podsByHop(search: ReadonlyMap<Replica, number>): number[] {
  const counts: number[] = [];
  for (const distance of search.values()) if (distance > 0) counts[distance - 1] = (counts[distance - 1] ?? 0) + 1;
  return counts;
}

/** What is named adds up to what is counted. */
function holdReached({ cluster }: Program, { podsByHop: expected, reached }: Impact): void {
  const counts: number[] = [];
  const known = new Map<string, number>();
  for (const { endpoint, distance, pods, ports } of reached()) {
    counts[distance - 1] = (counts[distance - 1] ?? 0) + pods;
    known.set(endpoint.id, (known.get(endpoint.id) ?? 0) + pods);
    assert.ok(ports.length > 0);
    assert.ok('pods' in endpoint && known.get(endpoint.id)! <= endpoint.pods);
  }
  assert.deepEqual(counts, expected);
  assert.ok(known.size <= cluster.pods.length);
}
