// A real API server with the shipped manifests: an agent writes the NodeEnforcement of its own node, and of no other; a prober answers the ConnectionProbes of its own, and their definition bounds them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentManifests } from '../../src/cli/run/agent-manifests.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { CONNECTION_PROBE } from '../../src/probe/connection-probe.ts';
import { NODE_ENFORCEMENT } from '../../src/status/node-enforcement.ts';
import { needs } from '../needs.ts';
import { agentToken } from './agent-token.ts';
import { startApiServer } from './api-server.ts';
import { otherUser } from './restricted-user.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;

const NODES = ['n1', 'n2'] as const;

function prepare(): void {
  const { kubectl } = server!;
  kubectl(['apply', '-f', '-'], agentManifests({ probing: true }));
  kubectl(['wait', '--for=condition=Established', 'crd', 'nodeenforcements.bulkhead.dev', 'connectionprobes.bulkhead.dev']);
  for (const name of NODES) kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
}

async function apiWith(name: string, token: string): Promise<KubeApi> {
  return new KubeApi(await openConnection({ kubeconfig: otherUser(server!, name, () => ({ token })) }));
}

/** What the server says where it refuses. */
async function saidOf(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    return void (await act());
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    assert.equal(error.code, 'forbidden', error.message);
    return error.message;
  }
}

/** What the server says to an agent that makes the object and writes its status; undefined: it does both. */
async function refusal(api: KubeApi, node: string): Promise<{ readonly create: string | undefined; readonly status: string | undefined }> {
  const { apiVersion, kind } = NODE_ENFORCEMENT;
  return {
    create: await saidOf(() => api.apply(NODE_ENFORCEMENT, { apiVersion, kind, metadata: { name: node } }, { fieldManager: 'test' })),
    status: await saidOf(() => api.patchStatus({ served: NODE_ENFORCEMENT, name: node }, { ready: true })),
  };
}

test('an agent speaks for its own node alone, and not at all with a token that names none', wants, async () => {
  prepare();
  const [first, second] = await Promise.all(NODES.map(async (node) => apiWith(node, agentToken(server!, node))));
  const unbound = await apiWith('unbound', server!.kubectl(['create', 'token', 'bulkhead-agent', '-n', 'bulkhead-system']).trim());
  assert.deepEqual(await refusal(second!, 'n2'), { create: undefined, status: undefined });
  // The server takes a moment to heed a policy that is new.
  while ((await refusal(first!, 'n2')).status === undefined) await sleep(100);
  for (const [api, own, other] of [[first!, 'n1', 'n2'], [second!, 'n2', 'n1']] as const) {
    assert.deepEqual(await refusal(api, own), { create: undefined, status: undefined });
    const refused = await refusal(api, other);
    for (const said of Object.values(refused)) assert.match(said ?? '', new RegExp(`of its own node alone, and its token names the node ${own}`));
  }
  for (const node of NODES) for (const said of Object.values(await refusal(unbound, node))) assert.match(said ?? '', /its token names no node/);
  const administrator = new KubeApi(await openConnection({ kubeconfig: server!.kubeconfig }));
  assert.deepEqual(await refusal(administrator, 'n1'), { create: undefined, status: undefined });
});

const ATTEMPT = { pod: { namespace: 'a', name: 'x', uid: 'u' }, address: '10.0.0.1', protocol: 'TCP', port: 80 };

function probe(name: string, spec: object): string {
  return JSON.stringify({ apiVersion: CONNECTION_PROBE.apiVersion, kind: CONNECTION_PROBE.kind, metadata: { name }, spec: { node: 'n2', mark: '0123456789abcdef', ttlSeconds: 1, attempts: [ATTEMPT], ...spec } });
}

test('a prober answers and takes away the probes of its own node alone', wants, async () => {
  const [first, second] = await Promise.all(NODES.map(async (node) => apiWith(`prober-${node}`, agentToken(server!, node, 'bulkhead-prober'))));
  const place = { served: CONNECTION_PROBE, name: 'of-n2' };
  server!.kubectl(['create', '-f', '-'], probe('of-n2', {}));
  const answer = (api: KubeApi): Promise<string | undefined> => saidOf(() => api.patchStatus(place, { state: 'Done' }));
  while ((await answer(first!)) === undefined) await sleep(100);
  for (const said of [await answer(first!), await saidOf(() => first!.delete(place))]) assert.match(said ?? '', /of its own node alone, and its token names the node n1/);
  assert.deepEqual([await answer(second!), await saidOf(() => second!.delete(place))], [undefined, undefined]);
});

test('a probe that asks for more than it may is refused', wants, () => {
  for (const [field, value] of [['ttlSeconds', 61], ['mark', 'x'], ['attempts', [{ ...ATTEMPT, address: 'example.org' }]], ['attempts', []]] as const) {
    assert.throws(() => server!.kubectl(['create', '-f', '-', '--dry-run=server'], probe('bad', { [field]: value })), new RegExp(`spec\\.${field}`), field);
  }
});
