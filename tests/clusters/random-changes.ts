// Random changes of a cluster, and what a cluster is after each: objects of a second cluster of the same few words come, and others go.
import fc from 'fast-check';
import type { ClusterChange } from '../../src/compile/cluster-change.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { compareNames, comparePods } from '../../src/model/cluster-order.ts';
import { randomCluster } from './random-cluster.ts';
import { settleCluster } from './settle.ts';

const KINDS = ['put-pod', 'put-pod', 'remove-pod', 'put-policy', 'put-policy', 'put-policy', 'remove-policy', 'put-cluster-policy', 'remove-cluster-policy', 'put-namespace', 'remove-namespace', 'put-node', 'put-node', 'remove-node', 'set-pod-ranges'] as const;

export interface Pick {
  readonly kind: (typeof KINDS)[number];
  readonly at: number;
  readonly isRelabeled: boolean;
}

/** A cluster to take objects from, and what to take in which order. */
export interface RandomChanges {
  readonly pool: Cluster;
  readonly picks: readonly Pick[];
}

export const randomChanges: fc.Arbitrary<RandomChanges> = randomChangesOf(KINDS);

/** Of some kinds only; one that stands there more often comes more often. */
export function randomChangesOf(kinds: readonly Pick['kind'][]): fc.Arbitrary<RandomChanges> {
  return fc.record({
    pool: randomCluster.map(settleCluster),
    picks: fc.array(fc.record({ kind: fc.constantFrom(...kinds), at: fc.nat(1000), isRelabeled: fc.boolean() }), { minLength: 1, maxLength: 10, size: 'max' }),
  });
}

/** undefined: there is nothing of the kind. */
export function changeOf(cluster: Cluster, pool: Cluster, { kind, at, isRelabeled }: Pick): ClusterChange | undefined {
  const pick = <Item>(...lists: (readonly Item[])[]): Item | undefined => {
    const all = lists.flat();
    return all[at % Math.max(1, all.length)];
  };
  switch (kind) {
    case 'put-pod': {
      const pod = pick(pool.pods, cluster.pods);
      const other = cluster.pods[at % Math.max(1, cluster.pods.length)];
      if (pod === undefined) return undefined;
      return { kind, pod: isRelabeled && other !== undefined ? { ...other, labels: pod.labels, ports: pod.ports } : pod };
    }
    case 'remove-pod': {
      const pod = pick(cluster.pods);
      return pod && { kind, pod };
    }
    case 'put-policy': {
      const policy = pick(pool.policies, cluster.policies);
      return policy && { kind, policy };
    }
    case 'remove-policy': {
      const policy = pick(cluster.policies, pool.policies);
      return policy && { kind, namespace: policy.namespace, name: policy.name };
    }
    case 'put-cluster-policy': {
      const policy = pick(pool.clusterPolicies, cluster.clusterPolicies);
      return policy && { kind, policy };
    }
    case 'remove-cluster-policy': {
      const policy = pick(cluster.clusterPolicies);
      return policy && { kind, policy };
    }
    case 'put-namespace': {
      const namespace = pick(pool.namespaces, cluster.namespaces);
      return namespace && { kind, namespace };
    }
    case 'remove-namespace': {
      const namespace = pick(cluster.namespaces);
      return namespace && { kind, name: namespace.name };
    }
    case 'put-node': {
      const node = pick(pool.nodes, cluster.nodes);
      // Some come with pod ranges of their own, and lose them again.
      return node && { kind, node: { ...node, podRanges: isRelabeled ? pool.podRanges : [] } };
    }
    case 'remove-node': {
      const node = pick(cluster.nodes);
      return node && { kind, name: node.name };
    }
    case 'set-pod-ranges':
      return { kind, ranges: isRelabeled ? pool.podRanges : [] };
  }
}

export function changedCluster(cluster: Cluster, change: ClusterChange): Cluster {
  switch (change.kind) {
    case 'put-pod':
      return { ...cluster, pods: [...cluster.pods.filter((pod) => comparePods(pod, change.pod) !== 0), change.pod] };
    case 'remove-pod':
      return { ...cluster, pods: cluster.pods.filter((pod) => comparePods(pod, change.pod) !== 0) };
    case 'put-policy':
      return { ...cluster, policies: [...cluster.policies.filter((policy) => compareNames(policy, change.policy) !== 0), change.policy] };
    case 'remove-policy':
      return { ...cluster, policies: cluster.policies.filter((policy) => compareNames(policy, change) !== 0) };
    case 'put-cluster-policy':
    case 'remove-cluster-policy': {
      const others = cluster.clusterPolicies.filter(({ kind, name }) => kind !== change.policy.kind || name !== change.policy.name);
      return { ...cluster, clusterPolicies: change.kind === 'put-cluster-policy' ? [...others, change.policy] : others };
    }
    case 'put-namespace':
      return { ...cluster, namespaces: [...cluster.namespaces.filter(({ name }) => name !== change.namespace.name), change.namespace] };
    case 'remove-namespace':
      return { ...cluster, namespaces: cluster.namespaces.filter(({ name }) => name !== change.name) };
    case 'put-node':
    case 'remove-node': {
      const gone = change.kind === 'put-node' ? change.node.name : change.name;
      const nodes = [...cluster.nodes.filter(({ name }) => name !== gone), ...(change.kind === 'put-node' ? [change.node] : [])];
      return { ...cluster, nodes, podRanges: [...ownPodRanges(cluster), ...nodes.flatMap(({ podRanges }) => podRanges)] };
    }
    case 'set-pod-ranges':
      return { ...cluster, podRanges: [...change.ranges, ...cluster.nodes.flatMap(({ podRanges }) => podRanges)] };
  }
}

/** Those of nodes stand behind the others here. */
function ownPodRanges({ podRanges, nodes }: Cluster): Cluster['podRanges'] {
  return podRanges.slice(0, podRanges.length - nodes.flatMap((node) => node.podRanges).length);
}
