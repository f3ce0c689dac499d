// The small HTTP server answers what it knows and is not held up by whoever asks badly.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { isLocalAddress, isSafeHost } from '../../src/server/host-name.ts';
import { AGENT_BOUNDS, RememberedReviews } from '../../src/server/remembered-reviews.ts';
import { gatekeeperOf } from '../../src/server/review-gatekeeper.ts';
import { startServer, type Answer } from '../../src/server/server.ts';

const PAGE: Answer = { status: 200, type: 'text/plain', text: 'well\n' };

async function start(context: TestContext): Promise<number> {
  const server = await startServer({ host: '127.0.0.1', port: 0 }, (path) => {
    if (path === '/broken') throw new Error('a secret that is not told');
    return path === '/page' ? PAGE : undefined;
  });
  context.after(() => server.close());
  return server.port;
}

/** What comes back for bytes, until the server ends the connection. */
async function say(port: number, text: string): Promise<string> {
  const socket = await open(port);
  const came: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => came.push(chunk));
  socket.write(text);
  await closed(socket);
  return Buffer.concat(came).toString();
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined); // a reset is a close too
  await once(socket, 'connect');
  return socket;
}

/** `once` would fail at an error before it. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
}

const get = (path: string, headers = '', method = 'GET'): string => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`;

const EXCHANGES: readonly (readonly [name: string, said: string, wanted: RegExp])[] = [
  ['a page', get('/page'), /^HTTP\/1\.1 200 [^]*nosniff[^]*\r\n\r\nwell\n$/],
  ['a page with a query', get('/page?a=b'), /^HTTP\/1\.1 200 /],
  ['its head', get('/page', '', 'HEAD'), /^HTTP\/1\.1 200 [^]*content-length: 5[^]*\r\n\r\n$/],
  ['no such page', get('/other'), /^HTTP\/1\.1 404 /],
  ['a path that climbs', get('/../page'), /^HTTP\/1\.1 404 /],
  ['an answer that breaks tells nothing of why', get('/broken'), /^HTTP\/1\.1 500 [^]*\r\n\r\nthe answer could not be made\n$/],
  ['another method', get('/page', 'Content-Length: 1000000\r\n', 'POST'), /^HTTP\/1\.1 405 /],
  ['the name of another site', 'GET /page HTTP/1.1\r\nHost: rebound.example.org\r\n\r\n', /^HTTP\/1\.1 421 /],
  ['no host', 'GET /page HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['headers beyond the bound', get('/page', `X-Long: ${'a'.repeat(9_000)}\r\n`), /^HTTP\/1\.1 431 /],
  ['something that is no HTTP', '\x16\x03\x01\x00 what is this\r\n\r\n', /^HTTP\/1\.1 400 /],
];

for (const [name, said, wanted] of EXCHANGES) {
  test(name, async (context) => assert.match(await say(await start(context), said), wanted));
}

test('who never ends his request is sent away, and others are answered meanwhile', async (context) => {
  const port = await start(context);
  const slow = say(port, 'GET /page HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  assert.match(await say(port, get('/page')), /^HTTP\/1\.1 200 /);
  assert.match(await slow, /^(HTTP\/1\.1 408 |$)/);
});

test('connections beyond the bound are refused, and taken again when others end', async (context) => {
  const port = await start(context);
  const held = await Promise.all(Array.from({ length: 64 }, () => open(port)));
  assert.equal(await say(port, get('/page')), '');
  held.forEach((socket) => socket.destroy());
  await Promise.all(held.map(closed));
  for (;;) {
    // The server hears of each end a moment later.
    if ((await say(port, get('/page'))).startsWith('HTTP/1.1 200 ')) break;
  }
});

test('it listens for others only behind somebody who vouches', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.2']) await assert.rejects(startServer({ host, port: 0 }, () => PAGE), RangeError);
});

test('which addresses are of this host, and which names are safe', () => {
  assert.deepEqual(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', '', '127.0.0.1.example.org'].filter(isLocalAddress), ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']);
  assert.deepEqual(['localhost', 'localhost:1', '10.0.0.1:9', '[::1]:80', 'a.example', '10.0.0.1.example', ''].filter(isSafeHost), ['localhost', 'localhost:1', '10.0.0.1:9', '[::1]:80']);
});

/** An API server that knows the token `good`, and lets its bearer read /metrics. */
function reviewer(): { readonly asked: string[]; readonly api: ConstructorParameters<typeof RememberedReviews>[0]; isGone: boolean } {
  const asked: string[] = [];
  const world = {
    asked,
    isGone: false,
    api: {
      create: async (served: { readonly kind: string }, object: { readonly [field: string]: unknown }) => {
        asked.push(served.kind);
        if (world.isGone) throw new Error('gone');
        const spec = object['spec'] as { readonly token?: string; readonly nonResourceAttributes?: { readonly path: string } };
        const status = served.kind === 'TokenReview' ? { authenticated: spec.token === 'good', user: { username: 'scraper' } } : { allowed: spec.nonResourceAttributes?.path === '/metrics' };
        return { apiVersion: 'v1', kind: served.kind, metadata: {}, status };
      },
    },
  };
  return world;
}

test('answers about tokens are remembered for a while, refusals shorter, and a server that is gone closes', async () => {
  let nowMs = 0;
  const world = reviewer();
  const keeper = gatekeeperOf(new RememberedReviews(world.api, () => nowMs, AGENT_BOUNDS));
  const admit = (token: string, path = '/metrics'): Promise<string> => keeper.admit(token, path);
  assert.deepEqual([await admit('good'), await admit('good'), await admit('good', '/healthz'), await admit('bad')], ['allowed', 'allowed', 'forbidden', 'unknown']);
  assert.deepEqual(world.asked, ['TokenReview', 'SubjectAccessReview', 'SubjectAccessReview', 'TokenReview']);
  world.isGone = true;
  nowMs = 6_000;
  assert.deepEqual([await admit('good'), await admit('bad')], ['allowed', 'unanswered']);
  nowMs = 61_000;
  assert.equal(await admit('good'), 'unanswered');
});

test('a flood of made-up tokens asks the API server a few at a time, and is forgotten', async () => {
  const world = reviewer();
  const keeper = gatekeeperOf(new RememberedReviews(world.api, () => 0, AGENT_BOUNDS));
  const admissions = await Promise.all(Array.from({ length: 100 }, (_, index) => keeper.admit(`made-up-${index}`, '/metrics')));
  assert.equal(admissions.filter((admission) => admission === 'unknown').length, world.asked.length);
  assert.equal(world.asked.length, 4);
  for (let index = 0; index < 300; index++) await keeper.admit(`one-${index}`, '/metrics');
  world.asked.length = 0;
  await keeper.admit('one-299', '/metrics');
  await keeper.admit('one-0', '/metrics');
  assert.equal(world.asked.length, 1, 'the newest are remembered, the oldest are not');
});

test('who finds all places taken waits, and no more ask at once than may', async () => {
  let [going, most] = [0, 0];
  const api = {
    create: async () => {
      most = Math.max(most, ++going);
      await new Promise((resolve) => setImmediate(resolve));
      going--;
      return { apiVersion: 'v1', kind: 'TokenReview', metadata: {}, status: { authenticated: true, user: { username: 'one' } } };
    },
  };
  const reviews = new RememberedReviews(api, () => 0, { remembered: 10, atOnce: 3, waiting: 20 });
  const answers = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => reviews.userOf(`token-${index}`)));
  assert.deepEqual([answers.filter(({ status }) => status === 'fulfilled').length, going, most], [23, 0, 3]);
  assert.deepEqual(await reviews.userOf('later'), { username: 'one' });
});
