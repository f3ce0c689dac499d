// Agents and readers against a real server over TLS: what is sent arrives once, for who may see it, through every way of failing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { NO_LOSSES } from '../../src/flow/flow-losses.ts';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { EVERYBODY, ReviewedAdmission, type Admission } from '../../src/history/serve/admission.ts';
import { askHistory, type HistoryWords } from '../../src/history/send/ask-history.ts';
import { checkpoint } from '../../src/history/store/duckdb.ts';
import { Refusal } from '../../src/history/serve/exchange.ts';
import { writeBatch } from '../../src/history/batch/flow-batch.ts';
import { FlowSender } from '../../src/history/send/flow-sender.ts';
import { FlowSpool, spoolName } from '../../src/history/send/flow-spool.ts';
import type { FlowStore } from '../../src/history/store/flow-store.ts';
import { openHistory } from '../../src/history/history.ts';
import { askPlace, textOf, type ServerPlace } from '../../src/history/send/post-batch.ts';
import { serveHistory } from '../../src/history/serve/serve-history.ts';
import type { StoredObject } from '../../src/kube/cluster-api.ts';
import type { RunningServer } from '../../src/server/listener.ts';
import { RememberedReviews } from '../../src/server/remembered-reviews.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { FIRST_CERTIFICATE, SECOND_CERTIFICATE } from './certificates.ts';
import { batchOf, flow, NOON, outsideEnd, podEnd } from './sample-flows.ts';

interface World {
  readonly folder: string;
  readonly store: FlowStore;
  readonly failures: string[];
  server: RunningServer;
  /** With the token of somebody. */
  place(token: string): ServerPlace;
  start(port: number): Promise<RunningServer>;
  /** How often the API server was asked. */
  readonly asked: string[];
}

/** What a cluster says: tokens are `agent-NODE`, `all`, or `reader-NAMESPACE`. */
function cluster(asked: string[]): ConstructorParameters<typeof RememberedReviews>[0] {
  return {
    create: async (served, object) => {
      asked.push(served.kind);
      const spec = object['spec'] as { readonly token?: string; readonly audiences?: readonly string[]; readonly user?: string; readonly resourceAttributes?: { readonly resource: string; readonly verb: string; readonly namespace?: string } };
      const answer = (status: unknown): StoredObject => ({ apiVersion: 'v1', kind: served.kind, metadata: {}, status });
      if (served.kind === 'TokenReview') {
        const [, kind, name] = /^(agent|reader|all)-?(.*)$/.exec(spec.token ?? '') ?? [];
        if (kind === undefined || (kind === 'agent') !== (spec.audiences?.[0] === 'bulkhead-server')) return answer({ authenticated: false });
        return answer({ authenticated: true, audiences: spec.audiences ?? ['api'], user: { username: `${kind}-${name}`, extra: kind === 'agent' ? { 'authentication.kubernetes.io/node-name': [name] } : {} } });
      }
      const { resource, namespace } = spec.resourceAttributes!;
      return answer({ allowed: resource === 'flowbatches' ? spec.user!.startsWith('agent') && spec.user !== 'agent-barred' : spec.user === 'all-' || spec.user === `reader-${namespace}` });
    },
  };
}

async function open(context: TestContext): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-serve-'));
  const store = await openHistory({ file: join(folder, 'flows.duckdb'), nowMs: () => NOON + 60_000 });
  const [asked, failures]: string[][] = [[], []];
  writeFileSync(join(folder, 'ca.crt'), FIRST_CERTIFICATE.cert + SECOND_CERTIFICATE.cert);
  const start = (port: number): Promise<RunningServer> => serveHistory({ host: '127.0.0.1', port, store, door: { certificate: FIRST_CERTIFICATE, admission: new ReviewedAdmission(new RememberedReviews(cluster(asked!), () => 0)) }, nowMs: () => NOON + 60_000, onFailure: (error) => failures!.push(error.message) });
  const world: World = { folder, store, failures: failures!, asked: asked!, server: await start(0), start, place: (token) => ({ url: `https://127.0.0.1:${world.server.port}`, caFile: join(folder, 'ca.crt'), token }) };
  context.after(async () => {
    await world.server.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return world;
}

interface Agent {
  readonly sender: FlowSender;
  readonly spool: FlowSpool;
  readonly said: string[];
  /** How often it was told that somebody follows. */
  readonly followed: () => number;
  end(): Promise<void>;
}

interface AgentOptions {
  readonly node?: string;
  readonly run?: string;
  readonly spoolBytesMax?: number;
  readonly token?: string;
  /** Nothing that waits for a time goes on. */
  readonly isTimeStill?: boolean;
  /** Time goes on when it is told to, and nothing goes for having waited its time. */
  readonly clock?: FakeClock;
}

function startAgent(world: World, { node = 'a', run = 'r1', spoolBytesMax = 1e9, token = `agent-${node}`, isTimeStill = false, clock }: AgentOptions = {}): Agent {
  const spool = new FlowSpool(join(world.folder, `spool-${node}`));
  const stop = new AbortController();
  const said: string[] = [];
  let followed = 0;
  const own = { elapsedMs: () => performance.now(), after: (ms: number, act: () => void) => { if (isTimeStill && ms > 0) return () => undefined; const timer = setTimeout(act, Math.min(ms, 20)); return () => clearTimeout(timer); }, random: () => 0.5 };
  const sender = new FlowSender({ node, run, server: world.place(token), spool, spoolBytesMax, gatherMs: clock === undefined ? 10 : 1e9, clock: clock ?? own, onFailure: (error) => said.push(error.message), signal: stop.signal });
  const ended = sender.run(() => followed++);
  return { sender, spool, said, followed: () => followed, end: async () => { stop.abort(); await ended; } };
}

/** Until it holds; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function ask(world: World, token = 'all', words: HistoryWords = {}): Promise<{ readonly records: readonly FlowRecord[]; readonly lost: number }> {
  const records: FlowRecord[] = [];
  let lost = 0;
  for await (const line of askHistory(world.place(token), words)) {
    const read = readFlow(line);
    if (read.kind === 'flow') records.push(read.record);
    else if (read.kind === 'lost') lost += read.flows;
    else assert.fail(line);
  }
  return { records, lost };
}

const countOf = (records: readonly FlowRecord[]): number => records.reduce((sum, { count }) => sum + count, 0);

test('flows of an agent arrive, and are read by who may', async (context) => {
  const world = await open(context);
  const agent = startAgent(world);
  agent.sender.take([flow({ count: 3 }), flow({ count: 4 })], 2);
  agent.sender.take([flow({ source: podEnd('bank', 'teller'), target: podEnd('bank', 'vault') })], 0);
  await until(() => agent.sender.state.sentBatches > 0 && agent.sender.state.spooledBatches === 0);
  await agent.end();
  const all = await ask(world);
  assert.deepEqual([all.records.map(({ count, node }) => `${node} ${count}`).sort(), all.lost], [['a 1', 'a 7'], 2]);
  assert.equal(countOf((await ask(world, 'reader-shop')).records), 7);
  assert.equal(countOf((await ask(world, 'all', { namespaces: ['bank'] })).records), 1);
  assert.equal(countOf((await ask(world, 'all', { to: 'shop/db', port: '3306' })).records), 7);
  await assert.rejects(ask(world, 'reader-shop', { namespaces: ['bank'] }), /403: get of flows .* in the namespace bank/);
  await assert.rejects(ask(world, 'reader-nobody'), /403/);
  await assert.rejects(ask(world, 'stranger'), /401/);
  await assert.rejects(ask(world, 'agent-a'), /401/, 'a token for another audience');
  await assert.rejects(ask(world, 'all', { port: 'x/y' }), /400/);
  for (const words of [{ groupBy: 'port' }, { limit: 5 }]) await assert.rejects(ask(world, 'all', { ...words, follow: true }), /400: whoever follows is shown what comes/);
  assert.equal((await askPlace(world.place('all'), { method: 'GET', path: '/v1/flows?follow=yes' })).statusCode, 400);
  const groups: string[] = [];
  for await (const line of askHistory(world.place('all'), { groupBy: 'target' })) groups.push(line);
  assert.deepEqual(groups.slice(0, -1).map((line) => JSON.parse(line)), [
    { name: 'shop/db', flows: 1, allowed: 7, denied: 0, lastSeen: new Date(NOON + 1_000).toISOString() },
    { name: 'bank/vault', flows: 1, allowed: 1, denied: 0, lastSeen: new Date(NOON + 1_000).toISOString() },
  ]);
  const largest: string[] = [];
  for await (const line of askHistory(world.place('all'), { groupBy: 'port', limit: 1 })) largest.push(line);
  assert.deepEqual(largest.slice(0, -1), [JSON.stringify({ name: 'tcp/3306', flows: 2, allowed: 8, denied: 0, lastSeen: new Date(NOON + 1_000).toISOString() })], 'the largest group, of all flows');
});

test('a refusal is sent before its time, and of a flood of them not each', async (context) => {
  const world = await open(context);
  const agent = startAgent(world, { isTimeStill: true });
  agent.sender.take([flow()], 0);
  assert.equal(agent.sender.state.spooledBatches, 0);
  for (let turn = 0; turn < 32; turn++) {
    agent.sender.take([flow({ verdict: 'denied' })], 0);
    assert.equal(agent.sender.state.sentBatches + agent.sender.state.spooledBatches, Math.min(turn, 30), 'whoever gives it does not wait for the disk');
    if (turn < 30) await until(() => agent.sender.state.sentBatches === turn + 1);
  }
  await setImmediate();
  assert.equal(countOf((await ask(world)).records), 31);
  await agent.end();
  assert.equal(agent.sender.state.spooledBatches, 1);
});

test('a word that names nobody is told with what comes near, and no more than its reader may know', async (context) => {
  const world = await open(context);
  const agent = startAgent(world);
  agent.sender.take([flow(), flow({ source: podEnd('bank', 'teller'), target: podEnd('bank', 'vault') })], 0);
  await until(() => agent.sender.state.sentBatches > 0 && agent.sender.state.spooledBatches === 0);
  await agent.end();
  const told = async (token: string, words: HistoryWords): Promise<readonly string[]> => {
    const lines: string[] = [];
    for await (const line of askHistory(world.place(token), words)) lines.push(line);
    return lines.map((line) => { const read = readFlow(line); return read.kind === 'unknown-end' ? `${read.end.word}: ${read.end.near}` : read.kind; });
  };
  assert.deepEqual(await told('all', { from: 'shop/wbe' }), ['shop/wbe: shop/web']);
  assert.deepEqual(await told('all', { from: 'shop/wbe', to: 'nobody.example' }), ['shop/wbe: shop/web', 'nobody.example: undefined']);
  assert.deepEqual(await told('all', { from: 'shop/db', to: '192.0.2.0/24' }), []);
  assert.deepEqual(await told('all', { from: 'shop/web' }), ['flow']);
  assert.deepEqual(await told('all', { to: 'svc/shop/wbe' }), []);
  assert.deepEqual(await told('reader-shop', { from: 'shop/wbe' }), ['shop/wbe: shop/web']);
  assert.deepEqual(await told('reader-shop', { from: 'bank/tellr', to: 'bank/vault' }), []);
});

test('an agent sends for its own node alone, and what is refused waits on its disk', async (context) => {
  const world = await open(context);
  for (const [token, said] of [['agent-b', /403: an agent sends the flows of its own node alone, and the token names the node b/], ['all', /401/], ['agent-barred', /403/]] as const) {
    const agent = startAgent(world, { node: token === 'agent-barred' ? 'barred' : 'a', run: `r-${token}`, token });
    agent.sender.take([flow()], 0);
    await until(() => agent.said.some((line) => said.test(line.replace('answers ', ''))));
    await agent.end();
    assert.ok(agent.spool.batches.length > 0);
  }
  assert.equal((await ask(world)).records.length, 0);
});

test('a server that is away: flows wait on the disk, outlive the agent, and arrive once', async (context) => {
  const world = await open(context);
  const { port } = world.server;
  await world.server.close();
  const first = startAgent(world);
  for (let round = 1; round <= 5; round++) {
    first.sender.take([flow({ port: round })], 0);
    await until(() => first.spool.batches.length === round);
  }
  await first.end();
  const second = startAgent(world, { run: 'r2' });
  second.sender.take([flow({ port: 9 })], 0);
  await until(() => second.spool.batches.length === 6);
  world.server = await world.start(port);
  await until(() => second.spool.batches.length === 0);
  await second.end();
  assert.deepEqual((await ask(world)).records.map((record) => record.port).sort(), [1, 2, 3, 4, 5, 9]);
  assert.deepEqual([countOf((await ask(world)).records), (await ask(world)).lost], [6, 0]);
});

test('a spool that is full loses its oldest batches, a torn one is refused, a half one is gone: all of it is counted', async (context) => {
  const world = await open(context);
  const { port } = world.server;
  await world.server.close();
  const first = startAgent(world, { spoolBytesMax: 3_000 });
  for (let round = 1; round <= 20; round++) {
    first.sender.take([flow({ port: round, count: 10 })], 0);
    first.sender.spoolNow();
  }
  await first.end();
  assert.deepEqual(first.sender.state.losses, { ...NO_LOSSES, spoolFull: first.sender.state.lost });
  assert.ok(first.spool.bytes <= 3_000 && first.sender.state.lost > 0 && first.sender.state.lost % 10 === 0);
  const folder = join(world.folder, 'spool-a');
  const torn = readdirSync(folder).sort()[0]!;
  truncateSync(join(folder, torn), 100);
  writeFileSync(join(folder, `${spoolName('r1', 99, 1_000)}.half`), 'half');
  const second = startAgent(world, { run: 'r2' });
  world.server = await world.start(port);
  second.sender.take([flow({ port: 99, count: 10 })], 0);
  await until(() => second.sender.state.lost >= 1_010 && second.spool.batches.length === 0);
  await second.end();
  assert.deepEqual(second.sender.state.losses, { ...NO_LOSSES, unwritten: 1_000, refused: second.sender.state.lost - 1_000 });
  const { records, lost } = await ask(world);
  assert.ok(countOf(records) + lost >= 20 * 10 + 10 + 1_000, `${countOf(records)} and ${lost}`);
  assert.ok(countOf(records) < 200 && lost > 1_000);
});

const good = batchOf([flow()], { node: 'a' });
const BROKEN: readonly (readonly [name: string, status: number, body: string, headers?: Readonly<Record<string, string>>])[] = [
  ['no JSON', 400, '{'],
  ['another kind', 400, '{}'],
  ['a number of no end', 400, writeBatch({ ...good, columns: { ...good.columns, target: [7] } })],
  ['a count that is none', 400, writeBatch({ ...good, columns: { ...good.columns, count: [0.5] } })],
  ['columns of two lengths', 400, writeBatch({ ...good, columns: { ...good.columns, port: [] } })],
  ['seen last before first', 400, writeBatch({ ...good, columns: { ...good.columns, lastSeen: [1] } })],
  ['a batch of another node', 400, writeBatch({ ...good, node: 'b' })],
  ['a body that is no gzip', 400, writeBatch(good), { 'content-encoding': 'gzip' }],
  ['an unknown packing', 415, writeBatch(good), { 'content-encoding': 'br' }],
  ['too large a body', 413, ' '.repeat(9 * 1024 * 1024)],
];

test('broken batches are refused with the reason, and nothing of them is kept', async (context) => {
  const world = await open(context);
  for (const [name, status, body, headers] of BROKEN) {
    const answer = await askPlace(world.place('agent-a'), { method: 'POST', path: '/v1/batches', headers: { 'bulkhead-node': 'a', ...headers }, body: Buffer.from(body) }).catch((error: NodeJS.ErrnoException) => error);
    // Who still writes when he is refused may see the connection end first.
    if (answer instanceof Error) assert.ok(status === 413 && ['EPIPE', 'ECONNRESET'].includes(answer.code ?? ''), `${name}: ${answer.message}`);
    else assert.deepEqual([name, answer.statusCode, (await textOf(answer)).length > 5], [name, status, true]);
  }
  assert.equal((await ask(world)).records.length, 0);
  assert.deepEqual(world.failures, []);
});

test('beyond what is taken at once, agents are told when to come again', async (context) => {
  const world = await open(context);
  const slow = Array.from({ length: 16 }, () => request(new URL('/v1/batches', world.place('').url), { method: 'POST', ca: FIRST_CERTIFICATE.cert, headers: { authorization: 'Bearer agent-a', 'bulkhead-node': 'a', 'content-length': 100 } }));
  for (const one of slow) one.on('error', () => undefined).write('{');
  let status: number | undefined;
  let retryAfter: string | undefined;
  while (status !== 429) {
    const answer = await askPlace(world.place('agent-a'), { method: 'POST', path: '/v1/batches', headers: { 'bulkhead-node': 'a' }, body: Buffer.from('{}') });
    [status, retryAfter] = [answer.statusCode, answer.headers['retry-after']];
    answer.resume();
  }
  assert.equal(retryAfter, '1');
  for (const one of slow) one.destroy();
});

test('an answer that takes too long breaks off, and is no answer', async (context) => {
  const { store } = await open(context);
  await store.take(batchOf(Array.from({ length: 40_000 }, (_, port) => flow({ port }))));
  const server = await serveHistory({ host: '127.0.0.1', port: 0, store, door: undefined, nowMs: () => NOON, onFailure: () => undefined, questionMsMax: 1 });
  context.after(() => server.close());
  await assert.rejects(async () => {
    for await (const _ of askHistory({ url: `http://127.0.0.1:${server.port}` }, {}));
  }, /broke off|hang up|ECONNRESET/);
  // Until nobody reads any more: only then it can be done.
  while (!(await store.alone(({ writing }) => checkpoint(writing), { reloads: false }))) await setImmediate();
});

test('a certificate that is renewed serves connections from then on', async (context) => {
  const world = await open(context);
  const subject = async (): Promise<unknown> => {
    const asked = request(new URL('/healthz', world.place('').url), { ca: FIRST_CERTIFICATE.cert + SECOND_CERTIFICATE.cert, agent: false });
    asked.end();
    const [answer] = await once(asked, 'response') as [import('node:http').IncomingMessage];
    const { subject: { CN } } = (answer.socket as import('node:tls').TLSSocket).getPeerCertificate();
    answer.resume();
    return CN;
  };
  assert.equal(await subject(), 'bulkhead test one');
  world.server.renew(SECOND_CERTIFICATE);
  assert.equal(await subject(), 'bulkhead test two');
  assert.throws(() => world.server.renew({ cert: 'half', key: 'half' }));
  assert.equal(await subject(), 'bulkhead test two');
});

test('who follows sees what comes, as far as he may', async (context) => {
  const world = await open(context);
  const stop = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const line of askHistory(world.place('reader-shop'), { namespaces: ['shop'], follow: true, to: 'shop/db' }, stop.signal)) {
      const read = readFlow(line);
      if (read.kind === 'flow') seen.push(read.record.port);
    }
  })();
  await until(() => world.asked.filter((kind) => kind === 'SubjectAccessReview').length >= 2);
  for (let sequence = 0; seen.length === 0; sequence++) await world.store.take(batchOf([flow({ port: 7 }), flow({ port: 8, target: podEnd('bank', 'vault'), source: outsideEnd(5n) })], { sequence }));
  stop.abort();
  await following;
  assert.ok(seen.every((port) => port === 7));
});

test('who may no longer read is told nothing more, however long he follows', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-serve-'));
  const store = await openHistory({ file: join(folder, 'flows.duckdb'), nowMs: () => NOON + 60_000 });
  let [now, isGranted] = [NOON, true];
  const admission: Admission = { ...EVERYBODY, admitReader: async () => {
    if (!isGranted) throw new Refusal(403, 'no longer');
    return 'all';
  } };
  writeFileSync(join(folder, 'ca.crt'), FIRST_CERTIFICATE.cert);
  const server = await serveHistory({ host: '127.0.0.1', port: 0, store, door: { admission, certificate: FIRST_CERTIFICATE }, nowMs: () => now, onFailure: () => undefined });
  context.after(async () => {
    await server.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const seen: number[] = [];
  const following = (async () => {
    for await (const line of askHistory({ url: `https://127.0.0.1:${server.port}`, caFile: join(folder, 'ca.crt'), token: 'x' }, { follow: true })) {
      const read = readFlow(line);
      if (read.kind === 'flow') seen.push(read.record.port);
    }
  })();
  for (let sequence = 0; seen.length === 0; sequence++) await store.take(batchOf([flow({ port: 1, lastSeen: NOON + sequence })], { sequence }));
  isGranted = false;
  await store.take(batchOf([flow({ port: 2 })], { node: 'b' }));
  await until(() => seen.includes(2));
  now += 10 * 60_000;
  await store.take(batchOf([flow({ port: 3 })], { node: 'c' }));
  await assert.rejects(following, /broke off/);
  assert.ok(!seen.includes(3));
});

test('what two nodes tell of one connection is answered as one, with and without a verdict, a limit and a Service, to who may read either end', async (context) => {
  const world = await open(context);
  const onNode = (end: FlowEnd, node: string): FlowEnd => ({ ...end, node }) as FlowEnd; // of a pod
  const ends = { source: onNode(podEnd('shop', 'web'), 'a'), target: onNode(podEnd('bank', 'vault'), 'b') };
  const early = { firstSeen: NOON - 2_000, lastSeen: NOON - 1_000 };
  await world.store.take(batchOf([flow({ ...ends, port: 1, count: 3, openings: 3, service: 'bank/vault' }), flow({ ...ends, port: 2, count: 2, openings: 2, service: 'bank/vault' }), flow({ ...ends, ...early, port: 3, count: 4, openings: 4 }), flow({ port: 4 })], { node: 'a' }));
  await world.store.take(batchOf([flow({ ...ends, port: 1, count: 3, openings: 3 }), flow({ ...ends, port: 2, count: 2, openings: 0, verdict: 'denied' }), flow({ ...ends, ...early, port: 3, count: 1, openings: 0, verdict: 'denied' }), flow({ ...ends, ...early, port: 3, count: 3, openings: 3 })], { node: 'b' }));
  const brief = async (words: HistoryWords = {}, token = 'all'): Promise<readonly string[]> => (await ask(world, token, words)).records.map(({ verdict, port, count, openings, service }) => `${verdict} ${port}: ${count}, ${openings} opened${service === undefined ? '' : ' by a Service'}`).sort();
  const [first, second, third, refused, fourth] = ['allowed 1: 3, 3 opened by a Service', 'denied 2: 2, 0 opened by a Service', 'allowed 3: 3, 3 opened', 'denied 3: 1, 0 opened', 'allowed 4: 1, 1 opened'] as const;
  assert.deepEqual(await brief(), [first, third, fourth, second, refused]);
  assert.deepEqual(await brief({ verdict: 'allowed' }), [first, third, fourth]);
  assert.deepEqual(await brief({ verdict: 'denied' }), [second, refused]);
  assert.deepEqual(await brief({ verdict: 'denied', to: 'svc/bank/vault' }), [second]);
  assert.deepEqual(await brief({ verdict: 'allowed', to: 'svc/bank/vault' }), [first]);
  assert.deepEqual(await brief({ limit: 3 }), [first, fourth, second], 'the latest');
  assert.deepEqual(await brief({ limit: 1, verdict: 'denied' }), [second]);
  assert.deepEqual(await brief({ verdict: 'allowed' }, 'reader-bank'), [first, third]);
  assert.deepEqual(await brief({ verdict: 'allowed' }, 'reader-shop'), ['allowed 1: 3, 3 opened', third, fourth], 'a Service of a namespace that he may not read is not named');
  assert.deepEqual(await brief({ verdict: 'allowed', to: 'svc/bank/vault' }, 'reader-shop').catch(({ message }: Error) => message), await brief({ verdict: 'allowed', to: 'svc/bank/none' }, 'reader-shop').catch(({ message }: Error) => message));
  assert.deepEqual(await brief({ verdict: 'allowed', namespaces: ['shop'] }), await brief({ verdict: 'allowed' }, 'reader-shop'));
  await assert.rejects(ask(world, 'reader-nobody', { verdict: 'allowed' }), /403/);
  const groups: string[] = [];
  for await (const line of askHistory(world.place('all'), { groupBy: 'target', verdict: 'allowed' })) {
    const { name, allowed, denied } = JSON.parse(line) as { readonly name: string; readonly allowed: number; readonly denied: number }; // of a group
    groups.push(`${name} ${allowed} ${denied}`);
  }
  assert.deepEqual(groups, ['bank/vault 6 0', 'shop/db 1 0']);
});

test('of an end that he may not read nobody learns where it runs, and what it tells is joined as it was told', async (context) => {
  const world = await open(context);
  const onNode = (end: FlowEnd, node: string): FlowEnd => ({ ...end, node }) as FlowEnd; // of a pod
  const ends = { source: onNode(podEnd('shop', 'web'), 'a'), target: onNode(podEnd('bank', 'vault'), 'b') };
  const away = { source: onNode(podEnd('bank', 'teller'), 'c'), target: onNode(podEnd('shop', 'db'), 'a') };
  await world.store.take(batchOf([flow({ port: 8 })], { node: 'e' }));
  const following: string[] = [];
  const stop = new AbortController();
  const followed = (async () => {
    for await (const line of askHistory(world.place('reader-shop'), { follow: true }, stop.signal)) following.push(line);
  })();
  await until(() => world.asked.includes('SubjectAccessReview'));
  for (let sequence = 0; following.length === 0; sequence++) await world.store.take(batchOf([flow({ port: 9, lastSeen: NOON + sequence })], { node: 'd', sequence }));
  await world.store.take(batchOf([flow({ ...ends, port: 1, count: 3, openings: 3 })], { node: 'a' }));
  // By a node port of the target's own node: none of those that left the source's.
  await world.store.take(batchOf([flow({ ...ends, port: 1, count: 3, openings: 3 }), flow({ ...ends, port: 1, count: 2, openings: 0, verdict: 'denied', service: 'bank/vault' })], { node: 'b' }));
  await world.store.take(batchOf([flow({ ...away, port: 2 }), flow({ ...away, port: 3, verdict: 'denied' })], { node: 'c' }));
  const brief = async (token: string): Promise<readonly string[]> => (await ask(world, token, { to: 'bank/vault' })).records.map(({ verdict, count }) => `${verdict} ${count}`).sort();
  assert.deepEqual(await brief('all'), ['allowed 3', 'denied 2']);
  assert.deepEqual(await brief('reader-shop'), ['allowed 3', 'denied 2']);
  const lines: string[] = [];
  for await (const line of askHistory(world.place('reader-shop'), {})) lines.push(line);
  await until(() => following.some((line) => line.includes('"destination_port":3}')));
  stop.abort();
  await followed;
  assert.deepEqual([...lines, ...following].filter((line) => /"node_name":"[bc]"/.test(line)), []);
  assert.ok(lines.some((line) => line.includes('"node_name":"a"')), 'of an end that he may read it is told');
});

test('who follows is shown a connection of two nodes once, and a refusal at its end that was shown as allowed as what it is', async (context) => {
  const world = await open(context);
  const stop = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const line of askHistory(world.place('all'), { follow: true, verdict: 'allowed' }, stop.signal)) {
      const read = readFlow(line);
      if (read.kind === 'flow') seen.push(`${read.record.verdict} ${read.record.port} ${read.record.count} ${read.record.corrects}`);
    }
  })();
  await until(() => world.asked.includes('SubjectAccessReview'));
  for (let sequence = 0; seen.length === 0; sequence++) await world.store.take(batchOf([flow({ port: 9, lastSeen: NOON + sequence })], { node: 'c', sequence }));
  seen.length = 0;
  const ends = { source: { ...podEnd('shop', 'web'), node: 'a' } as FlowEnd, target: { ...podEnd('bank', 'vault'), node: 'b' } as FlowEnd };
  await world.store.take(batchOf([flow({ ...ends, port: 1, count: 3 }), flow({ ...ends, port: 2, count: 2 })], { node: 'a' }));
  await world.store.take(batchOf([flow({ ...ends, port: 1, count: 3 }), flow({ ...ends, port: 2, count: 2, verdict: 'denied' })], { node: 'b' }));
  await world.store.take(batchOf([flow({ port: 5 })], { node: 'd' }));
  await until(() => seen.some((line) => line.startsWith('allowed 5')));
  stop.abort();
  await following;
  assert.deepEqual(seen.filter((line) => !line.startsWith('allowed 9')), ['allowed 1 3 undefined', 'allowed 2 2 undefined', 'denied 2 2 true', 'allowed 5 1 undefined']);
});

test('who follows sees by his own filter, whoever else follows, and is not corrected on what came before him', async (context) => {
  const world = await open(context);
  const stop = new AbortController();
  const follow = async (words: HistoryWords, seen: string[]): Promise<void> => {
    for await (const line of askHistory(world.place('all'), { ...words, follow: true }, stop.signal)) {
      const read = readFlow(line);
      if (read.kind === 'flow') seen.push(`${read.record.verdict} ${read.record.port}${read.record.corrects === true ? ' corrected' : ''}`);
    }
  };
  let sequence = 0;
  const begun = async (seen: string[], verdict: 'allowed' | 'denied'): Promise<void> => {
    for (; seen.length === 0; sequence++) await world.store.take(batchOf([flow({ port: 9, verdict, lastSeen: NOON + sequence })], { node: 'c', sequence }));
  };
  const ends = { source: { ...podEnd('shop', 'web'), node: 'a' } as FlowEnd, target: { ...podEnd('bank', 'vault'), node: 'b' } as FlowEnd };
  const [first, refusals, late]: string[][] = [[], [], []];
  const ended = [follow({}, first!), follow({ verdict: 'denied' }, refusals!)];
  await begun(first!, 'allowed');
  await begun(refusals!, 'denied');
  await world.store.take(batchOf([flow({ ...ends, port: 1 })], { node: 'a' }));
  ended.push(follow({}, late!));
  await begun(late!, 'allowed');
  await world.store.take(batchOf([flow({ ...ends, port: 2 })], { node: 'a', sequence: 1 }));
  await world.store.take(batchOf([flow({ ...ends, port: 1, verdict: 'denied' }), flow({ ...ends, port: 2, verdict: 'denied' })], { node: 'b' }));
  await until(() => [first!, refusals!, late!].every((seen) => seen.some((one) => one.startsWith('denied 2'))));
  stop.abort();
  await Promise.all(ended);
  assert.deepEqual([first!, refusals!, late!].map((seen) => seen.filter((one) => !one.includes('9'))), [['allowed 1', 'allowed 2', 'denied 1 corrected', 'denied 2 corrected'], ['denied 1', 'denied 2'], ['allowed 2', 'denied 1', 'denied 2 corrected']]);
});

test('nodes whose clocks are apart are told from what they say when they send, and records keep their times', async (context) => {
  const world = await open(context);
  const [stop, seen] = [new AbortController(), [] as string[]];
  const following = (async () => {
    for await (const line of askHistory(world.place('all'), { follow: true }, stop.signal)) {
      const read = readFlow(line);
      if (read.kind === 'flow') seen.push(`${read.record.verdict} ${read.record.port}`);
    }
  })();
  for (let sequence = 0; seen.length === 0; sequence++) await world.store.take(batchOf([flow({ port: 9, lastSeen: NOON + sequence })], { node: 'c', sequence }));
  const send = async (node: string, aheadMs: number): Promise<void> => {
    const ends = { source: { ...podEnd('shop', 'web'), node: 'a' } as FlowEnd, target: { ...podEnd('bank', 'vault'), node: 'b' } as FlowEnd };
    const body = Buffer.from(writeBatch(batchOf([flow({ ...ends, port: 1, firstSeen: NOON + aheadMs, lastSeen: NOON + 1_000 + aheadMs })], { node })));
    const answer = await askPlace(world.place(`agent-${node}`), { method: 'POST', path: '/v1/batches', headers: { 'bulkhead-node': node, date: new Date(NOON + 60_000 + aheadMs).toUTCString() }, body });
    assert.equal(answer.statusCode, 200, await textOf(answer));
  };
  await send('a', 0);
  await send('b', -120_000);
  await world.store.take(batchOf([flow({ port: 2 })], { node: 'd' }));
  await until(() => seen.includes('allowed 2'));
  stop.abort();
  await following;
  assert.deepEqual(seen.filter((one) => one !== 'allowed 9'), ['allowed 1', 'allowed 2']);
  assert.deepEqual((await ask(world, 'all', { to: 'bank/vault' })).records.map(({ firstSeen, lastSeen }) => [firstSeen - NOON, lastSeen - NOON]), [[-120_000, 1_000]]);
});

test('while somebody follows what is allowed, agents are told, and send it before its time, but not each at once', async (context) => {
  const world = await open(context);
  const clock = new FakeClock();
  const agent = startAgent(world, { clock });
  let sent = 0;
  const sends = async (ms = 0): Promise<void> => {
    await clock.advance(ms);
    sent++;
    await until(() => agent.sender.state.sentBatches === sent && agent.sender.state.spooledBatches === 0);
  };
  const keeps = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    assert.equal(agent.sender.state.sentBatches + agent.sender.state.spooledBatches, sent);
  };
  const take = (verdict: FlowRecord['verdict'], count = 1): void => agent.sender.take(Array.from({ length: count }, (_, port) => flow({ verdict, port })), 0);
  const stop = new AbortController();
  const begun = { refusals: 0, all: 0 };
  const follow = async (words: HistoryWords, kind: keyof typeof begun): Promise<void> => {
    for await (const line of askHistory(world.place('all'), { ...words, follow: true }, stop.signal)) if (readFlow(line).kind === 'flow') begun[kind]++;
  };
  const following = [follow({ verdict: 'denied' }, 'refusals')];
  let sequence = 0;
  const write = (verdict: FlowRecord['verdict']): Promise<unknown> => world.store.take(batchOf([flow({ verdict })], { node: 'c', sequence: sequence++ }));
  while (begun.refusals === 0) await write('denied');
  take('denied');
  await sends();
  take('allowed');
  await keeps(5_000);
  assert.equal(agent.followed(), 0, 'refusals come at once anyway');
  following.push(follow({}, 'all'));
  while (begun.all === 0) await write('allowed');
  take('denied');
  await sends();
  assert.equal(agent.followed(), 1);
  take('allowed', 5_000);
  await keeps(999);
  await sends(1);
  take('allowed');
  await keeps(4_999);
  await sends(1);
  stop.abort();
  await Promise.all(following);
  await keeps(30_000);
  take('allowed');
  await keeps(30_000);
  await agent.end();
});

test('what is deleted is named, and by who may', async (context) => {
  const world = await open(context);
  await world.store.take(batchOf([flow(), flow({ source: podEnd('bank', 'teller'), target: podEnd('bank', 'vault') })]));
  const remove = async (token: string, path: string, method: 'DELETE' | 'POST' = 'DELETE'): Promise<string> => {
    const answer = await askPlace(world.place(token), { method, path });
    return `${answer.statusCode} ${await textOf(answer)}`;
  };
  assert.match(await remove('all', '/v1/flows'), /^400 say what is to be deleted/);
  assert.match(await remove('all', '/v1/flows?from=shop/web'), /^400 `from` does not bound/);
  assert.match(await remove('reader-shop', '/v1/flows?namespace=bank'), /^403/);
  assert.equal(await remove('reader-bank', '/v1/flows?namespace=bank'), '200 {"deleted":1}');
  assert.equal((await ask(world)).records.length, 1);
  assert.match(await remove('reader-shop', '/v1/redactions', 'POST'), /^403/);
  assert.equal(await remove('all', '/v1/redactions', 'POST'), '200 {"redacted":0}');
});

test('without a certificate it is of this host alone', async (context) => {
  const world = await open(context);
  await assert.rejects(serveHistory({ host: '0.0.0.0', port: 0, store: world.store, door: undefined, nowMs: () => NOON, onFailure: () => undefined }), RangeError);
});
