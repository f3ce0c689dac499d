// How the real client takes what servers answer on bad days: forgotten lists, refusals, silence, pages too large.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import type { ServedKind } from '../../src/kube/cluster-api.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { RETRIES_MAX } from '../../src/kube/retry.ts';
import { refuses } from './cluster-cases.ts';
import { cut, half, json, startServer, status, stillPacing, type Answer } from './spoken-server.ts';

const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };

function page(names: readonly string[], next?: string): Answer {
  return json({ kind: 'PodList', metadata: next === undefined ? {} : { continue: next }, items: names.map((name) => ({ metadata: { name, namespace: 'a' } })) });
}

async function eventsOf(api: KubeApi, options = {}): Promise<string[]> {
  const events: string[] = [];
  for await (const event of api.list(PODS, options)) events.push(event.kind === 'object' ? event.object.metadata.name : 'restart');
  return events;
}

const FIRST = '/api/v1/pods?limit=500';
const SECOND = '/api/v1/pods?limit=500&continue=x';

test('pages follow one another', async (t) => {
  const server = await startServer(t, { [FIRST]: page(['a', 'b'], 'x'), [SECOND]: page(['c']) });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection)), ['a', 'b', 'c']);
});

test('one namespace is asked for as such', async (t) => {
  const server = await startServer(t, { '/api/v1/namespaces/shop/pods?limit=500': page(['a']) });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection), { namespace: 'shop' }), ['a']);
});

test('items of a list may be null, as Go writes an empty one', async (t) => {
  const server = await startServer(t, { [FIRST]: json({ kind: 'PodList', metadata: {}, items: null }) });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection)), []);
});

test('a forgotten list begins again', async (t) => {
  const server = await startServer(t, { [FIRST]: page(['a'], 'x'), [SECOND]: [status(410, 'The provided continue parameter is too old'), page(['b'])] });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection)), ['a', 'restart', 'a', 'b']);
});

test('a list that is forgotten again and again is asked for whole', async (t) => {
  const server = await startServer(t, { [FIRST]: page(['a'], 'x'), [SECOND]: status(410, 'too old'), '/api/v1/pods': page(['a', 'b']) });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection)), ['a', 'restart', 'a', 'restart', 'a', 'restart', 'a', 'b']);
});

test('a server that forgets everything is given up', async (t) => {
  const server = await startServer(t, { [FIRST]: page(['a'], 'x'), [SECOND]: status(410, 'too old'), '/api/v1/pods': status(410, 'too old') });
  await refuses('expired', () => eventsOf(new KubeApi(server.connection)));
});

test('a page too large to hold is asked for in smaller ones', async (t) => {
  const many = Array.from({ length: 60 }, (_, index) => `pod-with-a-long-name-${index}`);
  const server = await startServer(t, { [FIRST]: page(many, 'x'), '/api/v1/pods?limit=62': page(['a'], 'x'), '/api/v1/pods?limit=62&continue=x': page(['b']) });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection, { answerBytesMax: 1000 })), ['a', 'b']);
});

test('one object too large to hold is a failure', async (t) => {
  const large = page(['x'.repeat(2000)]);
  const server = await startServer(t, { [FIRST]: large, '/api/v1/pods?limit=62': large, '/api/v1/pods?limit=7': large, '/api/v1/pods?limit=1': large });
  await refuses('too-large', () => eventsOf(new KubeApi(server.connection, { answerBytesMax: 1000 })));
});

test('what goes well a moment later is tried again, at growing distances', async (t) => {
  const server = await startServer(t, { [FIRST]: [status(503, 'starting'), status(500, 'etcd'), status(429, 'slow down', { 'retry-after': '2' }), page(['a'], 'x')], [SECOND]: [cut, half, page(['b'])] });
  const pacing = stillPacing();
  assert.deepEqual(await eventsOf(new KubeApi(server.connection, { pacing })), ['a', 'b']);
  assert.deepEqual(pacing.waits, [150, 300, 2000, 150, 300]);
});

test('tries have an end', async (t) => {
  const server = await startServer(t, { [FIRST]: status(503, 'starting') });
  const pacing = stillPacing();
  await refuses('server-error', () => eventsOf(new KubeApi(server.connection, { pacing })));
  assert.equal(server.asked.length, RETRIES_MAX + 1);
  assert.deepEqual(pacing.waits, [150, 300, 600, 1200, 2400]);
});

test('a server that never answered is not waited for', async (t) => {
  const server = await startServer(t, { [FIRST]: cut });
  const pacing = stillPacing();
  await refuses('unreachable', () => eventsOf(new KubeApi(server.connection, { pacing })));
  assert.deepEqual(pacing.waits, []);
});

test('refusals are told apart, and are not tried again', async (t) => {
  for (const [code, expected] of [[401, 'unauthorized'], [403, 'forbidden'], [404, 'not-found']] as const) {
    const server = await startServer(t, { [FIRST]: status(code, 'no') });
    await refuses(expected, () => eventsOf(new KubeApi(server.connection)));
    assert.equal(server.asked.length, 1);
  }
});

test('what is no API server is said so', async (t) => {
  const server = await startServer(t, { [FIRST]: (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>') });
  await assert.rejects(eventsOf(new KubeApi(server.connection)), (error) => error instanceof ClusterError && error.message.includes('is it a Kubernetes API server?'));
});

test('compressed answers are unpacked, and bounded as they are unpacked', async (t) => {
  const packed: Answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify({ items: [{ metadata: { name: 'a' } }], filler: 'x'.repeat(100_000) })));
  const server = await startServer(t, { [FIRST]: packed, '/api/v1/pods?limit=62': packed, '/api/v1/pods?limit=7': packed, '/api/v1/pods?limit=1': packed });
  assert.deepEqual(await eventsOf(new KubeApi(server.connection)), ['a']);
  await refuses('too-large', () => eventsOf(new KubeApi(server.connection, { answerBytesMax: 50_000 })));
});

const CORE = { kind: 'APIVersions', versions: ['v1'] };
const CORE_LIST = json({ kind: 'APIResourceList', resources: [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] }] });

test('an old server is asked group by group', async (t) => {
  const groups = { kind: 'APIGroupList', groups: [{ name: 'apps', versions: [{ groupVersion: 'apps/v1' }], preferredVersion: { groupVersion: 'apps/v1' } }, { name: 'metrics.k8s.io', versions: [{ groupVersion: 'metrics.k8s.io/v1' }], preferredVersion: { groupVersion: 'metrics.k8s.io/v1' } }] };
  const apps = json({ kind: 'APIResourceList', resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['list'] }] });
  const server = await startServer(t, { '/api': json(CORE), '/apis': json(groups), '/api/v1': CORE_LIST, '/apis/apps/v1': apps, '/apis/metrics.k8s.io/v1': status(503, 'service unavailable') });
  const { kinds, silentGroups } = await new KubeApi(server.connection, { pacing: stillPacing() }).discover();
  assert.deepEqual(kinds.map(({ kind }) => kind), ['Deployment', 'Pod']);
  assert.deepEqual(silentGroups, ['metrics.k8s.io']);
});

test('a silent server of policies is a failure: nobody knows what they deny', async (t) => {
  const aggregated = { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'projectcalico.org' }, versions: [{ version: 'v3', freshness: 'Stale' }] }] };
  const server = await startServer(t, { '/api': json({ kind: 'APIGroupDiscoveryList', items: [] }), '/apis': json(aggregated) });
  await assert.rejects(new KubeApi(server.connection).discover(), (error) => error instanceof ClusterError && error.message.includes('`projectcalico.org`'));
});
