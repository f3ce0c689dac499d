// Who follows a real API server holds what it holds, whatever happens to the way, to the server and to its memory: the tests, for a server of any kind.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { REAL_TIMES } from '../../src/kube/kube-watch.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { describeCluster, follow, readServer, type Following } from '../agent/following.ts';
import type { TestNeeds } from '../needs.ts';
import { startApiServer, type ApiServer, type ApiServerOptions } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { openWay, type Way } from './way.ts';
import { applyObject } from './write-object.ts';


interface World {
  readonly follower: Following;
  readonly way: Way;
  /** Past the way that is cut. */
  readonly direct: KubeApi;
  put(object: WantedObject): Promise<void>;
}

async function openWorld(t: TestContext, server: ApiServer): Promise<World> {
  const connection = await openConnection({ kubeconfig: server.kubeconfig });
  const way = await openWay(t, await serverPort(server));
  const throughWay = { ...connection, server: new URL(`https://127.0.0.1:${way.port}`) };
  const follower = follow(new KubeApi(throughWay, { times: { ...REAL_TIMES, absentMs: 500 } }));
  t.after(() => follower.stop());
  return { follower, way, direct: new KubeApi(connection), put: (object) => applyObject(connection, object) };
}

async function serverPort(server: ApiServer): Promise<number> {
  return Number((await openConnection({ kubeconfig: server.kubeconfig })).server.port);
}

function policyOf(name: string, app: string): WantedObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'default' }, spec: { podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'] } };
}

function podOf(name: string, app: string): WantedObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels: { app } }, spec: { containers: [{ name: 'c', image: 'example/c' }] } };
}

function hasPolicy(name: string): (cluster: Cluster) => boolean {
  return ({ policies }) => policies.some((policy) => policy.name === name);
}

async function holdsAll({ follower, direct }: World): Promise<void> {
  const wanted = describeCluster(await readServer(direct));
  await follower.until((cluster) => JSON.stringify(describeCluster(cluster), bigints) === JSON.stringify(wanted, bigints));
  assert.deepEqual(describeCluster(follower.cluster()!), wanted);
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}

/** What etcd does every few minutes by order of the API server: everything before now is gone. */
async function forgetHistory(server: ApiServer): Promise<void> {
  const range = await etcd(server, 'range', { key: Buffer.from('/').toString('base64') });
  await etcd(server, 'compaction', { revision: (range as { readonly header: { readonly revision: string } }).header.revision, physical: true });
}

async function etcd({ etcdPort }: ApiServer, what: string, request: object): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${etcdPort}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(request) });
  assert.equal(answer.status, 200);
  return answer.json();
}

/** The tests of one file, on a server of its own; it is there unless `wants` leaves them out. */
export function testFollowing(wants: TestNeeds, options: ApiServerOptions): ApiServer | undefined {
  const server = wants.skip === undefined ? startApiServer(options) : undefined;

  test('a watch that is cut again and again loses nothing', wants, async (t) => {
    const world = await openWorld(t, server!);
    await world.follower.until(() => true);
    for (let turn = 0; turn < 40; turn++) {
      await world.put(policyOf(`cut-${turn}`, `app-${turn % 3}`));
      await world.put(podOf(`cut-${turn}`, `app-${turn % 5}`));
      if (turn % 2 === 0) world.way.cut();
    }
    await holdsAll(world);
  });

  test('a way that is closed while the cluster changes is trouble, and then it is caught up with', wants, async (t) => {
    const world = await openWorld(t, server!);
    await world.follower.until(hasPolicy('cut-0'));
    world.way.close();
    await world.follower.until(() => world.follower.troubles.size >= 7);
    server!.kubectl(['delete', 'networkpolicy', 'cut-0', 'cut-1']);
    await world.put(policyOf('cut-2', 'changed'));
    await world.put(policyOf('new', 'app-1'));
    world.way.open(await serverPort(server!));
    await world.follower.until(hasPolicy('new'));
    await world.follower.until(() => world.follower.troubles.size === 0);
    await holdsAll(world);
  });

  test('a server that comes back without its memory of what happened is asked for everything', wants, async (t) => {
    const world = await openWorld(t, server!);
    await world.follower.until(hasPolicy('new'));
    world.way.close();
    server!.kubectl(['delete', 'networkpolicy', 'cut-3', 'cut-4']);
    await world.put(policyOf('newer', 'app-1'));
    await forgetHistory(server!);
    server!.stop();
    server!.start();
    world.way.open(await serverPort(server!));
    await world.follower.until(hasPolicy('newer'));
    const connection = await openConnection({ kubeconfig: server!.kubeconfig });
    await holdsAll({ ...world, direct: new KubeApi(connection) });
  });

  test('a kind whose definition comes later is followed when it comes, and empty when it goes', wants, async (t) => {
    const world = await openWorld(t, server!);
    await world.follower.until(hasPolicy('newer'));
    const files = policyCrdFiles();
    for (const file of files) server!.kubectl(['apply', '--server-side', '-f', file]);
    server!.kubectl(['wait', '--for=condition=established', '--timeout=60s', ...files.map((file) => `crd/${/policy\.networking\.k8s\.io_(\w+)\.yaml$/.exec(file)![1]}.policy.networking.k8s.io`)]);
    await world.put({ apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name: 'late' }, spec: { tier: 'Admin', priority: 3, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: { matchLabels: { team: 'a' } } }] }] } });
    await world.follower.until(({ clusterPolicies }) => clusterPolicies.length === 1);
    await holdsAll(world);
    server!.kubectl(['delete', 'crd', 'clusternetworkpolicies.policy.networking.k8s.io']);
    await world.follower.until(({ clusterPolicies }) => clusterPolicies.length === 0);
  });

  test('thousands of pods at once', wants, async (t) => {
    const world = await openWorld(t, server!);
    await world.follower.until(hasPolicy('newer'));
    const names = Array.from({ length: process.env['BULKHEAD_NIGHTLY'] === '1' ? 10_000 : 2000 }, (_, index) => `many-${index}`);
    await Promise.all(Array.from({ length: 16 }, async (_, lane) => {
      for (let index = lane; index < names.length; index += 16) await world.put(podOf(names[index]!, `app-${index % 7}`));
    }));
    await world.follower.until(({ pods }) => pods.filter(({ name }) => name.startsWith('many-')).length === names.length);
    await holdsAll(world);
  });

  return server;
}
