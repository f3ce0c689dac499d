// Random pairs of clusters: the same pods under other policies, some of them moved, gone, or in or out of the network of their node.
import fc from 'fast-check';
import type { Cluster } from '../../src/model/cluster.ts';
import { randomClusterPolicies } from './random-cluster-policies.ts';
import { randomPolicies } from './random-cluster.ts';
import type { RawCluster, RawPolicy } from './raw-cluster.ts';
import type { RawClusterPolicy } from './raw-cluster-policy.ts';
import { settleCluster } from './settle.ts';

/** What is otherwise in the second set: its policies, and who has moved, gone, or left or entered the network of its node. */
export const randomChange: fc.Arbitrary<RandomChange> = fc.record({
  policies: fc.option(randomPolicies, { nil: undefined }),
  clusterPolicies: fc.option(randomClusterPolicies, { nil: undefined }),
  moves: fc.array(fc.constantFrom<Move[]>('stays', 'stays', 'stays', 'moves', 'enters', 'leaves', 'goes'), { minLength: 10, maxLength: 10 }),
  /** Pods that are one workload, by the remainder of their place. */
  workloads: fc.constantFrom(1, 2, 3, 10),
});

type Move = 'stays' | 'moves' | 'enters' | 'leaves' | 'goes';

export interface RandomChange {
  readonly policies: readonly RawPolicy[] | undefined;
  readonly clusterPolicies: readonly RawClusterPolicy[] | undefined;
  readonly moves: readonly Move[];
  readonly workloads: number;
}

/** Every pod on a node, so that they meet; two sets of pods of the same names. */
export function clusterPair(raw: RawCluster, { policies, clusterPolicies, moves, workloads }: RandomChange): readonly [Cluster, Cluster] {
  const pods = raw.workloads.map((one, index) => ({ ...one, kind: 'Pod' as const, replicas: 1, nodeName: one.nodeName ?? (index % 3 === 0 ? 'n1' : undefined) }));
  const moved = pods.flatMap((one, index) => {
    const move = moves[index];
    if (move === 'goes') return [];
    const nodeName = move === 'moves' ? (one.nodeName === 'n1' ? 'n2' : 'n1') : one.nodeName;
    return [{ ...one, nodeName, hostNetwork: move === 'enters' || (move !== 'leaves' && one.hostNetwork) }];
  });
  const changed = { ...raw, workloads: moved, policies: policies ?? raw.policies, clusterPolicies: clusterPolicies ?? raw.clusterPolicies };
  const places = new Map(pods.map(({ name }, index) => [name, index]));
  const gather = (cluster: Cluster): Cluster => ({
    ...cluster,
    pods: cluster.pods.map((pod) => ({ ...pod, workload: { kind: 'DaemonSet', namespace: pod.namespace, name: `d${places.get(pod.name)! % workloads}` } })),
  });
  return [gather(settleCluster({ ...raw, workloads: pods })), gather(settleCluster(changed))];
}
