// What the tests of faults have in common: policies under which the pods stand meanwhile, and ways to the API server that break.
import type { WantedObject } from '../../../src/kube/cluster-api.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { ApiWay } from './api-way.ts';
import { holdTruth } from './hold-truth.ts';
import { networkPolicy, startAgents, type World } from './world.ts';

export const ALL = {};
export const Y = { matchLabels: { app: 'y' } };

/** Namespace `a` lets in only `b`; the pods `x` of `c` may go only to `b`; nobody from `a` may come to `c`, whatever else is said. */
export const POLICIES: readonly WantedObject[] = [
  networkPolicy('a/from-b', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: Y }] }] }),
  networkPolicy('c/out', { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: Y }] }] }),
  {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'wall' },
    spec: { tier: 'Admin', priority: 10, subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'c' } } }, ingress: [{ name: 'a', action: 'Deny', from: [{ namespaces: { matchLabels: { app: 'x' } } }] }] },
  },
];

/** Closes `b` against everybody but `c`, but for its pod `x` and the way that the open connections take. */
export const MORE: WantedObject = networkPolicy('b/from-c', { podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'c' } } }] }] });

export async function endAgents(world: World, signal: NodeJS.Signals): Promise<void> {
  await Promise.all(world.agents.map((agent) => agent.end(signal)));
}

/** The agents reach the API server through ways that the test holds, one on each node; straight again afterwards. */
export async function withWays(world: World, run: (ways: readonly ApiWay[]) => Promise<void>, options: AgentOptions = {}): Promise<void> {
  const ways = world.cluster.nodes.map((node) => new ApiWay(world.cluster, node));
  try {
    await endAgents(world, 'SIGTERM');
    world.agents = world.cluster.nodes.map((node, index) => new Agent(world.cluster, node, { ...options, kubeconfig: ways[index]!.kubeconfig }));
    await Promise.all(world.agents.map((agent) => agent.ready()));
    await run(ways);
  } finally {
    await endAgents(world, 'SIGTERM');
    for (const way of ways) way.end();
    await startAgents(world);
    await holdTruth(world.cluster, world.fleet);
  }
}
