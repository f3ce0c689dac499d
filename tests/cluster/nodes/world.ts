// The world of the tests on nodes: a cluster, nine pods in three namespaces, a pod on each node's own network, a host outside, and an agent on each node.
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WantedObject } from '../../../src/kube/cluster-api.ts';
import { askServer } from '../../../src/kube/kube-request.ts';
import { needs } from '../../needs.ts';
import { applyObject } from '../write-object.ts';
import { Agent, type AgentOptions } from './agent.ts';
import type { Combination } from './combination.ts';
import { Fleet, type FleetPod } from './fleet.ts';
import { startNodes, type NodeCluster } from './node-cluster.ts';

export interface World {
  readonly cluster: NodeCluster;
  readonly fleet: Fleet;
  /** By node; the tests put others in their place. */
  agents: Agent[];
}

export interface WorldOptions {
  readonly combination: Combination;
  readonly agent?: AgentOptions | 'none';
  /** For up.sh. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Those of the random clusters, so that random policies meet them. */
export const NAMESPACES: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[] = [
  { name: 'a', labels: { app: 'x' } },
  { name: 'b', labels: { app: 'y', tier: 'x' } },
  { name: 'c', labels: {} },
];

/** In each namespace. Of one name `bare` has another number. Neighbors stand on different nodes, where there are two. */
export const PODS: readonly FleetPod[] = NAMESPACES.flatMap(({ name: namespace }, index): readonly FleetPod[] => [
  { namespace, name: 'x', labels: { app: 'x', tier: 'x' }, ports: { http: 80, 'dns/UDP': 81 }, node: index + 1 },
  { namespace, name: 'y', labels: { app: 'y' }, ports: { http: 80, dns: 81 }, node: index + 2 },
  { namespace, name: 'bare', labels: {}, ports: { http: 81 }, node: index + 3 },
]);

/** A suite that starts the world before its first test, and takes all of it away after its last, however that ends. */
export function describeOnNodes(name: string, options: WorldOptions, tests: (world: () => World) => void): void {
  describe(name, needs('nodes'), () => {
    let world: World | undefined;
    let cluster: NodeCluster | undefined;
    before(async () => {
      cluster = await startNodes(options.combination, options.settings);
      world = { cluster, fleet: new Fleet(cluster), agents: [] };
      await populate(world);
      if (options.agent !== 'none') await startAgents(world, options.agent);
    }, { timeout: 180_000 });
    after(async () => {
      for (const agent of world?.agents ?? []) await agent.end('SIGKILL');
      await world?.fleet.close();
      cluster?.close();
    });
    tests(() => world!);
  });
}

export async function startAgents(world: World, options: AgentOptions = {}): Promise<void> {
  world.agents = world.cluster.nodes.map((node) => new Agent(world.cluster, node, options));
  await Promise.all(world.agents.map((agent) => agent.ready()));
}

async function populate({ cluster, fleet }: World): Promise<void> {
  for (const { name, labels } of [...NAMESPACES, { name: 'hosts', labels: {} }]) await makeNamespace(cluster, name, labels);
  cluster.kubectl(['label', 'node', cluster.nodes[0]!.name, 'app=x']);
  await fleet.deploy([...PODS, ...cluster.nodes.map(({ number }): FleetPod => ({ namespace: 'hosts', name: `host${number}`, labels: { app: 'x' }, node: number, hostNetwork: true }))]);
}

/** Before its service account is there a pod is refused. */
export async function makeNamespace({ connection }: NodeCluster, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await applyObject(connection, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  const path = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  for (let tries = 0; ; tries++) {
    try {
      return void (await askServer(connection, { path }));
    } catch (error) {
      if (tries === 600) throw error;
      await sleep(50);
    }
  }
}

/** `labels`: null takes one away. */
export async function relabel({ connection }: NodeCluster, object: { readonly namespace: string; readonly pod?: string }, labels: Readonly<Record<string, string | null>>): Promise<void> {
  const path = `/api/v1/namespaces/${object.namespace}${object.pod === undefined ? '' : `/pods/${object.pod}`}`;
  await askServer(connection, { path, method: 'PATCH', body: { type: 'application/merge-patch+json', text: JSON.stringify({ metadata: { labels } }) } });
}

export function networkPolicy(place: string, spec: unknown): WantedObject {
  const [namespace, name] = place.split('/') as [string, string];
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

const POLICY_PATHS: readonly string[] = [
  '/apis/networking.k8s.io/v1/networkpolicies',
  '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies',
  '/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies',
  '/apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies',
];

/** Every policy of every kind. */
export async function removePolicies({ connection }: NodeCluster): Promise<void> {
  for (const path of POLICY_PATHS) {
    const { items } = (await askServer(connection, { path })) as { readonly items: readonly WantedObject[] };
    for (const { metadata } of items) {
      const place = metadata.namespace === undefined ? path : path.replace('/v1/', `/v1/namespaces/${metadata.namespace}/`);
      await askServer(connection, { path: `${place}/${metadata.name}`, method: 'DELETE' });
    }
  }
}
