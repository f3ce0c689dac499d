// A way to a real API server that does to single requests what a bad day does: answers in the server's place, or keeps them waiting.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { ApiServer } from './api-server.ts';

export interface AskedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

export type Fault = { readonly kind: 'answer'; readonly status: number } | { readonly kind: 'wait'; readonly ms: number };

export interface FaultyWay {
  readonly kubeconfig: string;
  /** Requests that came, in order. */
  readonly asked: readonly AskedRequest[];
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority'?: string; 'certificate-authority-data'?: string } }[];
  users: { user: { 'client-certificate'?: string; 'client-key'?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
}

/** Plain http on loopback; the server is asked as its administrator. `faultOf` is called once for each request; undefined lets it through. */
export async function openFaultyWay(test: TestContext, running: ApiServer, faultOf: (asked: AskedRequest) => Fault | undefined): Promise<FaultyWay> {
  const config = JSON.parse(running.kubectl(['config', 'view', '--raw', '-o', 'json'])) as Kubeconfig;
  const { cluster } = config.clusters[0]!;
  const { user } = config.users[0]!;
  const agent = new Agent({ ca: textOf(cluster['certificate-authority'], cluster['certificate-authority-data']), cert: textOf(user['client-certificate'], user['client-certificate-data']), key: textOf(user['client-key'], user['client-key-data']), keepAlive: true });
  const target = cluster.server;
  const asked: AskedRequest[] = [];
  const server = createServer((near, answer) => {
    const one = { method: near.method ?? '', path: near.url ?? '' };
    asked.push(one);
    const fault = faultOf(one);
    if (fault?.kind === 'answer') return void refuse(near, answer, fault.status);
    setTimeout(() => pass(near, answer, { target, agent }), fault?.ms ?? 0);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  for (const entry of config.clusters) entry.cluster = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  for (const entry of config.users) entry.user = {};
  const kubeconfig = `${running.kubeconfig}.way-${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return { kubeconfig, asked };
}

function textOf(file: string | undefined, data: string | undefined): string {
  return data === undefined ? readFileSync(file!, 'utf8') : Buffer.from(data, 'base64').toString();
}

function refuse(near: IncomingMessage, answer: ServerResponse, status: number): void {
  near.resume();
  answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'a bad day', code: status }));
}

function pass(near: IncomingMessage, answer: ServerResponse, { target, agent }: { readonly target: string; readonly agent: Agent }): void {
  const far = request(new URL(near.url ?? '/', target), { method: near.method, headers: { ...near.headers, host: new URL(target).host }, agent }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  far.on('error', () => answer.destroy());
  answer.on('close', () => far.destroy());
  near.pipe(far);
}
