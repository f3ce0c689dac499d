// How the real watch takes what servers do on bad days: streams that end, are cut, fall silent, or say what makes no sense.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test, type TestContext } from 'node:test';
import type { ServedKind } from '../../src/kube/cluster-api.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import type { Connection } from '../../src/kube/kube-config.ts';
import { DELAY_MS_MAX } from '../../src/kube/retry.ts';
import { keepWatch, type WatchKeeper } from './keep-watch.ts';
import { cut, json, startServer, status, stillPacing, type Answer, type SpokenServer, type WatchedPacing } from './spoken-server.ts';

const PODS: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };
const TIMES = { streamMs: 2000, bookmarkSilenceMsMax: 60_000, initialSilenceMsMax: 60_000, steadyMs: 5000, absentMs: 1000 };

const LIST = '/api/v1/pods?limit=500';
const STREAM_LIST = '/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
const CONTINUITY = '/api/v1/pods?limit=1';
const since = (version: number): string => `/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${version}`;

interface Watched {
  readonly server: SpokenServer;
  readonly pacing: WatchedPacing;
  readonly watch: WatchKeeper;
}

async function watching(t: TestContext, answers: Parameters<typeof startServer>[1], { times = {}, connection = (own: Connection) => own }: { readonly times?: Partial<typeof TIMES>; readonly connection?: (own: Connection) => Connection } = {}): Promise<Watched> {
  const server = await startServer(t, answers);
  const pacing = stillPacing();
  const watch = keepWatch(new KubeApi(connection(server.connection), { pacing, times: { ...TIMES, ...times } }), PODS);
  t.after(() => watch.stop());
  return { server, pacing, watch };
}

type Line = object | string;

function pod(type: string, name: string, version: number): Line {
  return { type, object: { kind: 'Pod', apiVersion: 'v1', metadata: { name, resourceVersion: `${version}` } } };
}

function bookmark(version: number, isInitialEnd = false): Line {
  return { type: 'BOOKMARK', object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: `${version}`, ...(isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) } } };
}

function failure(code: number, message: string): Line {
  return { type: 'ERROR', object: { kind: 'Status', code, message } };
}

/** Sends the lines and then ends the answer, cuts it, or leaves it open. */
function stream(lines: readonly Line[], end: 'open' | 'end' | 'cut' = 'open'): Answer {
  return (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    if (end === 'end') response.end(text);
    else response.write(text, () => void (end === 'cut' && setImmediate(() => request.socket.destroy())));
  };
}

function page(names: readonly string[], version: number, next?: string): Answer {
  return json({ kind: 'PodList', metadata: { resourceVersion: `${version}`, ...(next === undefined ? {} : { continue: next }) }, items: names.map((name) => ({ metadata: { name, resourceVersion: '1' } })) });
}

const told = stream([pod('ADDED', 'a', 3), pod('ADDED', 'b', 4), bookmark(7, true)], 'end');

test('a streaming list tells what is there, then what changes, then goes on where it stopped', async (t) => {
  const { server, watch } = await watching(t, {
    [STREAM_LIST]: stream([pod('ADDED', 'a', 3), pod('ADDED', 'b', 4), bookmark(7, true), pod('MODIFIED', 'a', 8), bookmark(11)], 'end'),
    [since(11)]: stream([pod('DELETED', 'b', 12)], 'end'),
    [since(12)]: stream([pod('ADDED', 'c', 13)]),
  });
  await watch.until(({ names }) => names.join() === 'a,c');
  assert.deepEqual(watch.log, ['restart', 'put a', 'put b', 'synced', 'put a', 'remove b', 'put c']);
  assert.deepEqual(server.asked, [STREAM_LIST, since(11), since(12)]);
});

test('etcd 3.4 cannot stream a list, and says so inside of the stream: then pages, and no trouble', async (t) => {
  const { server, watch } = await watching(t, {
    [STREAM_LIST]: stream([failure(500, 'the required storage feature RequestWatchProgress is disabled')], 'end'),
    [LIST]: page(['a'], 5, 'x'),
    [`${LIST}&continue=x`]: page(['b'], 5),
    [since(5)]: stream([failure(410, 'too old resource version')], 'end'),
  });
  await watch.until(({ syncs }) => syncs === 3);
  assert.deepEqual(watch.log.slice(0, 9), ['restart', 'restart', 'put a', 'put b', 'synced', 'restart', 'put a', 'put b', 'synced']);
  assert.equal(server.asked.filter((path) => path === STREAM_LIST).length, 1, 'it is not asked again');
});

for (const code of [400, 422]) {
  test(`a server that refuses the words of a streaming list with ${code} is asked for pages`, async (t) => {
    const { watch } = await watching(t, { [STREAM_LIST]: status(code, 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'), [LIST]: page(['a'], 5), [since(5)]: stream([pod('ADDED', 'b', 6)]) });
    await watch.until(({ names }) => names.length === 2);
    assert.deepEqual(watch.log, ['restart', 'put a', 'synced', 'put b']);
  });
}

test('a server that does not know the words sends no end of the list: then pages', async (t) => {
  const { watch } = await watching(t, { [STREAM_LIST]: stream([pod('ADDED', 'a', 3)]), [LIST]: page(['a'], 5), [since(5)]: stream([]) }, { times: { initialSilenceMsMax: 30 } });
  await watch.until(({ syncs }) => syncs === 1);
  assert.deepEqual(watch.log, ['restart', 'put a', 'restart', 'put a', 'synced']);
});

test('a version that is forgotten is no trouble, whichever way the server says so', async (t) => {
  const { watch } = await watching(t, {
    [STREAM_LIST]: [told, stream([pod('ADDED', 'a', 3), bookmark(20, true)], 'end'), stream([pod('ADDED', 'c', 30), bookmark(30, true)])],
    [since(7)]: status(410, 'too old resource version'),
    [since(20)]: stream([failure(410, 'too old resource version: 20 (25)')], 'end'),
  });
  await watch.until(({ syncs }) => syncs === 3);
  assert.deepEqual(watch.log, ['restart', 'put a', 'put b', 'synced', 'restart', 'put a', 'synced', 'restart', 'put c', 'synced']);
  assert.deepEqual(watch.names, ['c']);
});

test('a list that is forgotten between its pages begins again', async (t) => {
  const { watch } = await watching(t, { [STREAM_LIST]: status(422, 'no'), [LIST]: page(['a'], 5, 'x'), [`${LIST}&continue=x`]: [status(410, 'too old'), page(['b'], 6)], [since(6)]: stream([]) });
  await watch.until(({ syncs }) => syncs === 1);
  assert.deepEqual(watch.log, ['restart', 'put a', 'restart', 'put a', 'put b', 'synced']);
});

test('a server that forgets each version at once is asked less and less often', async (t) => {
  const { watch, pacing } = await watching(t, { [STREAM_LIST]: told, [since(7)]: status(410, 'gone') });
  await watch.until(({ syncs }) => syncs === 5);
  assert.deepEqual(watch.troubles, []);
  assert.deepEqual(pacing.waits.slice(0, 3), [600, 1200, 2400]);
});

test('a server that forgets everything at once is trouble, and is asked less and less often', async (t) => {
  const { watch, pacing } = await watching(t, { [STREAM_LIST]: status(410, 'gone') });
  await watch.until(({ troubles }) => troubles.length === 4);
  assert.deepEqual(watch.troubles.slice(0, 4), ['expired', 'expired', 'expired', 'expired']);
  assert.deepEqual(pacing.waits.slice(0, 3), [150, 300, 600]);
});

test('what is cut goes on at the last version, and nothing is told twice', async (t) => {
  const { server, watch, pacing } = await watching(t, {
    [STREAM_LIST]: told,
    [since(7)]: stream([pod('ADDED', 'c', 8)], 'cut'),
    [CONTINUITY]: page(['a'], 9),
    [since(8)]: [cut, stream([pod('ADDED', 'd', 9)])],
  });
  await watch.until(({ names }) => names.includes('d'));
  assert.deepEqual(watch.log, ['restart', 'put a', 'put b', 'synced', 'put c', 'trouble unreachable', 'trouble unreachable', 'resumed', 'put d']);
  assert.deepEqual(pacing.waits, [150, 300]);
  assert.deepEqual(server.asked, [STREAM_LIST, since(7), CONTINUITY, since(8), CONTINUITY, since(8)]);
});

test('a server that was put back to an earlier state is asked for everything', async (t) => {
  const { watch } = await watching(t, {
    [STREAM_LIST]: [told, stream([pod('ADDED', 'z', 2), bookmark(5, true)], 'end'), stream([bookmark(3, true)])],
    [since(7)]: cut,
    [CONTINUITY]: page(['z'], 5),
    [since(5)]: stream([bookmark(3)]),
  });
  await watch.until(({ syncs }) => syncs === 3);
  assert.deepEqual(watch.log, ['restart', 'put a', 'put b', 'synced', 'trouble unreachable', 'restart', 'put z', 'synced', 'restart', 'synced']);
});

test('waits grow while nothing comes, to a bound, and begin anew when something does', async (t) => {
  const { watch, pacing } = await watching(t, { [STREAM_LIST]: told, [since(7)]: [...Array.from({ length: 8 }, () => cut), stream([bookmark(8)], 'cut')], [CONTINUITY]: page([], 8), [since(8)]: stream([pod('ADDED', 'c', 9)]) });
  await watch.until(({ names }) => names.includes('c'));
  assert.deepEqual(pacing.waits, [150, 300, 600, 1200, 2400, 4800, 7500, 7500, 150]);
  assert.ok(pacing.waits.every((wait) => wait <= DELAY_MS_MAX));
});

test('a server that ends every stream at once is not asked without a pause', async (t) => {
  const { watch, pacing } = await watching(t, { [STREAM_LIST]: told, [since(7)]: [...Array.from({ length: 3 }, () => stream([], 'end')), stream([pod('ADDED', 'c', 8)])] });
  await watch.until(({ names }) => names.includes('c'));
  assert.deepEqual(pacing.waits, [150, 300, 600]);
  assert.deepEqual(watch.troubles, []);
});

test('what the server says no with is told, and asked again when it says so', async (t) => {
  const answers = [status(401, 'Unauthorized'), status(403, 'no'), status(429, 'slow down', { 'retry-after': '2' }), status(503, 'starting'), told];
  const { watch, pacing } = await watching(t, { [STREAM_LIST]: answers, [since(7)]: stream([]) });
  await watch.until(({ syncs }) => syncs === 1);
  assert.deepEqual(watch.log, ['trouble unauthorized', 'trouble forbidden', 'trouble server-error', 'trouble server-error', 'restart', 'put a', 'put b', 'synced']);
  assert.deepEqual(pacing.waits, [150, 300, 2000, 1200]);
});

test('credentials are asked for anew each time', async (t) => {
  let given = 0;
  const rotating = (own: Connection): Connection => ({ ...own, credentials: async () => ({ headers: { authorization: `Bearer ${given++}` } }) });
  const seen: (string | undefined)[] = [];
  const noting = (answer: Answer): Answer => (request, response) => {
    seen.push(request.headers.authorization);
    answer(request, response);
  };
  const { watch } = await watching(t, { [STREAM_LIST]: [noting(status(401, 'Unauthorized')), noting(told)], [since(7)]: noting(stream([pod('ADDED', 'c', 8)])) }, { connection: rotating });
  await watch.until(({ names }) => names.includes('c'));
  assert.deepEqual(seen, ['Bearer 0', 'Bearer 1', 'Bearer 2']);
});

test('a kind that is not served is empty, is looked for again, and comes', async (t) => {
  const absent = status(404, 'the server could not find the requested resource');
  const { watch, pacing } = await watching(t, { [STREAM_LIST]: [absent, absent, told, absent, absent, told], [since(7)]: [absent, stream([])] });
  await watch.until(({ syncs }) => syncs === 4);
  assert.deepEqual(watch.log, ['restart', 'synced', 'restart', 'put a', 'put b', 'synced', 'restart', 'synced', 'restart', 'put a', 'put b', 'synced']);
  assert.deepEqual(new Set(pacing.waits), new Set([1000]));
});

test('a kind that is served in another version alone is trouble: its objects are not empty, they are not known', async (t) => {
  const kind: ServedKind = { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', resource: 'clusternetworkpolicies', isNamespaced: false };
  const group = '/apis/policy.networking.k8s.io';
  const groupVersions = json({ kind: 'APIGroup', name: 'policy.networking.k8s.io', versions: [{ groupVersion: 'policy.networking.k8s.io/v1' }], preferredVersion: { groupVersion: 'policy.networking.k8s.io/v1' } });
  const list = (names: readonly string[]): Answer => json({ kind: 'APIResourceList', resources: names.map((name) => ({ name, kind: 'X', namespaced: false, verbs: ['list'] })) });
  const server = await startServer(t, { [group]: groupVersions, [`${group}/v1`]: [list(['clusternetworkpolicies', 'clusternetworkpolicies/status']), list(['others'])] });
  const watch = keepWatch(new KubeApi(server.connection, { pacing: stillPacing(), times: TIMES }), kind);
  t.after(() => watch.stop());
  await watch.until(({ syncs }) => syncs === 1);
  assert.deepEqual(watch.log, ['trouble server-error', 'restart', 'synced']);
});

test('a server that has sent a bookmark and falls silent counts as gone', async (t) => {
  const { watch } = await watching(t, { [STREAM_LIST]: told, [since(7)]: [stream([bookmark(8)]), stream([])], [CONTINUITY]: page([], 9), [since(8)]: stream([pod('ADDED', 'c', 9)]) }, { times: { bookmarkSilenceMsMax: 30 } });
  await watch.until(({ names }) => names.includes('c'));
  assert.deepEqual(watch.log, ['restart', 'put a', 'put b', 'synced', 'trouble unreachable', 'resumed', 'put c']);
});

for (const [name, line] of [
  ['no JSON', '{"type":"ADDED","object":{'],
  ['a type that nobody knows', { type: 'GUESSED', object: { metadata: { name: 'x', resourceVersion: '9' } } }],
  ['an object without a name', { type: 'ADDED', object: { metadata: { resourceVersion: '9' } } }],
  ['an object without a version', { type: 'ADDED', object: { metadata: { name: 'x' } } }],
  ['no object', { type: 'MODIFIED', object: null }],
  ['a bookmark without a version', { type: 'BOOKMARK', object: {} }],
  ['a list', []],
] as const) {
  test(`after an event that is ${name} everything is asked for anew`, async (t) => {
    const { watch } = await watching(t, { [STREAM_LIST]: [told, stream([pod('ADDED', 'z', 20), bookmark(20, true)])], [since(7)]: stream([line]) });
    await watch.until(({ syncs }) => syncs === 2);
    assert.deepEqual(watch.log, ['restart', 'put a', 'put b', 'synced', 'trouble malformed', 'restart', 'put z', 'synced']);
  });
}

test('lines come in any pieces, and compressed', async (t) => {
  const text = Buffer.from(`${JSON.stringify(pod('ADDED', 'ärger', 8))}\n${JSON.stringify(pod('ADDED', 'c', 9))}\n`);
  const pieces: Answer = (_, response) => {
    response.writeHead(200);
    const send = (index: number): void => void (index < text.length ? response.write(text.subarray(index, index + 1), () => send(index + 1)) : response.end());
    send(0);
  };
  const packed: Answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`${JSON.stringify(pod('ADDED', 'd', 10))}\n`));
  const { watch } = await watching(t, { [STREAM_LIST]: told, [since(7)]: pieces, [since(9)]: packed, [since(10)]: stream([]) });
  await watch.until(({ names }) => names.includes('d'));
  assert.deepEqual(watch.log.slice(4), ['put ärger', 'put c', 'put d']);
});

test('an event without an end is not held without bound', async (t) => {
  const endless: Answer = (_, response) => {
    response.writeHead(200);
    const more = (): void => void (response.destroyed || response.write('x'.repeat(1 << 20), more));
    more();
  };
  const { watch } = await watching(t, { [STREAM_LIST]: told, [since(7)]: [endless, stream([pod('ADDED', 'c', 8)])], [CONTINUITY]: page([], 8) });
  await watch.until(({ names }) => names.includes('c'));
  assert.deepEqual(watch.troubles, ['too-large']);
});

test('the last line of a stream that is cut in its middle is asked for again', async (t) => {
  const half: Answer = (request, response) => {
    response.writeHead(200);
    response.write(JSON.stringify(pod('ADDED', 'c', 8)).slice(0, 30), () => setImmediate(() => request.socket.destroy()));
  };
  const { watch } = await watching(t, { [STREAM_LIST]: told, [since(7)]: [half, stream([pod('ADDED', 'c', 8)])], [CONTINUITY]: page([], 8) });
  await watch.until(({ names }) => names.includes('c'));
  assert.deepEqual(watch.log.slice(4), ['trouble unreachable', 'resumed', 'put c']);
});

test('the signal ends the watch and its connection', async (t) => {
  let closed!: () => void;
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const open: Answer = (request, response) => {
    request.socket.on('close', closed);
    stream([pod('ADDED', 'a', 3), bookmark(7, true)])(request, response);
  };
  const { watch } = await watching(t, { [STREAM_LIST]: open });
  await watch.until(({ syncs }) => syncs === 1);
  await watch.stop();
  await isClosed;
});
