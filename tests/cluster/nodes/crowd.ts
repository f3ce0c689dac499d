// Thousands of pods as the API server has them: each with its address, on a node that nobody runs.
import { setTimeout as sleep } from 'node:timers/promises';
import { askServer } from '../../../src/kube/kube-request.ts';
import { applyObject } from '../write-object.ts';
import { SERVER_IMAGE } from './fleet.ts';
import type { NodeCluster } from './node-cluster.ts';
import { makeNamespace } from './world.ts';

const NAMESPACE = 'crowd';
const NODE = 'nobody-runs-it';

/** Requests at the same time. */
const LANES = 8;

/** Of labels; pods are deleted one kind after the other, since a server answers such a request when it has deleted all. */
const KINDS = 10;

/** Of a namespace with these labels. */
export async function makeCrowd(cluster: NodeCluster, count: number, labels: Readonly<Record<string, string>>): Promise<void> {
  const { connection } = cluster;
  await makeNamespace(cluster, NAMESPACE, labels);
  await applyObject(connection, { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDR: '10.200.0.0/16', podCIDRs: ['10.200.0.0/16'] } });
  await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
    for (let index = lane; index < count; index += LANES) await makePod(cluster, index);
  }));
}

async function makePod({ connection }: NodeCluster, index: number): Promise<void> {
  const name = `one-${index}`;
  const spec = { nodeName: NODE, automountServiceAccountToken: false, containers: [{ name: 'serve', image: SERVER_IMAGE }] };
  await applyObject(connection, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: NAMESPACE, labels: { app: `crowd-${index % KINDS}` } }, spec });
  const address = `10.200.${(index + 1) >> 8}.${(index + 1) & 255}`;
  const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] };
  await askServer(connection, { path: `/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`, method: 'PATCH', body: { type: 'application/merge-patch+json', text: JSON.stringify({ status }) } });
}

/** At once, with its node; its namespace goes by and by. */
export async function removeCrowd({ connection }: NodeCluster): Promise<void> {
  for (let kind = 0; kind < KINDS; kind++) await askServer(connection, { path: `/api/v1/namespaces/${NAMESPACE}/pods?gracePeriodSeconds=0&labelSelector=app%3Dcrowd-${kind}`, method: 'DELETE' });
  for (;;) {
    const { items } = (await askServer(connection, { path: `/api/v1/namespaces/${NAMESPACE}/pods?limit=1` })) as { readonly items: readonly unknown[] };
    if (items.length === 0) break;
    await sleep(200);
  }
  await askServer(connection, { path: `/api/v1/nodes/${NODE}`, method: 'DELETE' });
  await askServer(connection, { path: `/api/v1/namespaces/${NAMESPACE}`, method: 'DELETE' });
}
