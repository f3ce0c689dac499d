// Who asks from another host is answered only when a real API server knows him and lets him.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { AGENT_BOUNDS, RememberedReviews } from '../../src/server/remembered-reviews.ts';
import { gatekeeperOf } from '../../src/server/review-gatekeeper.ts';
import { startServer } from '../../src/server/server.ts';
import { needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;

/** Of this host, and no loopback: what is sent there stays on the host, and counts as another's. */
function ownAddress(): string {
  const found = Object.values(networkInterfaces()).flat().find((one) => one?.internal === false && one.family === 'IPv4');
  assert.ok(found !== undefined, 'this host has no address but loopback');
  return found.address;
}

function readerOf(name: string, paths: readonly string[]): string {
  server!.kubectl(['create', 'serviceaccount', name]);
  if (paths.length > 0) {
    server!.kubectl(['create', 'clusterrole', name, '--verb=get', ...paths.map((path) => `--non-resource-url=${path}`)]);
    server!.kubectl(['create', 'clusterrolebinding', name, `--clusterrole=${name}`, `--serviceaccount=default:${name}`]);
  }
  return server!.kubectl(['create', 'token', name]).trim();
}

function ask(host: string, port: number, token?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    request({ host, port, path: '/metrics', headers, rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume();
      resolve(`${answer.statusCode}`);
    })
      .on('error', reject)
      .end();
  });
}

test('a token is reviewed, then its bearer’s right to the path', wants, async (context) => {
  const state = dirname(dirname(server!.kubeconfig));
  const certificate = { cert: readFileSync(join(state, 'pki', 'apiserver.crt'), 'utf8'), key: readFileSync(join(state, 'pki', 'apiserver.key'), 'utf8') };
  const gatekeeper = gatekeeperOf(new RememberedReviews(new KubeApi(await openConnection({ kubeconfig: server!.kubeconfig })), () => Date.now(), AGENT_BOUNDS));
  const running = await startServer({ host: '0.0.0.0', port: 0 }, () => ({ status: 200, type: 'text/plain', text: 'well\n' }), { gatekeeper, certificate });
  context.after(() => running.close());
  const [scraper, stranger] = [readerOf('scraper', ['/metrics']), readerOf('stranger', [])];
  const host = ownAddress();
  assert.deepEqual(
    {
      scraper: await ask(host, running.port, scraper),
      stranger: await ask(host, running.port, stranger),
      madeUp: await ask(host, running.port, `${scraper.slice(0, -4)}aaaa`),
      nobody: await ask(host, running.port),
      ownHost: await ask('127.0.0.1', running.port),
    },
    { scraper: '200', stranger: '403', madeUp: '401', nobody: '401', ownHost: '200' },
  );

  const held = await Promise.all(Array.from({ length: 8 }, () => open(host, running.port)));
  await assert.rejects(ask(host, running.port, scraper), 'one address holds at most 8 connections');
  assert.equal(await ask('127.0.0.1', running.port), '200', 'and the own host is answered all the same');
  held.forEach((socket) => socket.destroy());
});

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => resolve(socket));
    socket.on('error', () => undefined);
  });
}
