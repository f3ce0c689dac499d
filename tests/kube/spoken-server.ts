// A server on loopback that says what a test puts in its mouth, over plain http, and keeps what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Connection } from '../../src/kube/kube-config.ts';
import type { Pacing } from '../../src/kube/retry.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface SpokenServer {
  readonly connection: Connection;
  readonly url: string;
  /** Paths with their queries, in order. */
  readonly asked: readonly string[];
}

/** Answers by path and query; each list of answers is given one after the other, the last one again and again. */
export async function startServer(test: TestContext, answers: Readonly<Record<string, Answer | readonly Answer[]>>): Promise<SpokenServer> {
  const asked: string[] = [];
  const times = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const found = answers[path];
    if (found === undefined) return status(404, 'the server could not find the requested resource')(request, response);
    const list = typeof found === 'function' ? [found] : found;
    const time = times.get(path) ?? 0;
    times.set(path, time + 1);
    list[Math.min(time, list.length - 1)]!(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, connection: { name: 'spoken', server: new URL(url), credentials: async () => ({}) } };
}

export function json(document: unknown): Answer {
  return (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

export function status(code: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
}

export const cut: Answer = (request) => void request.socket.destroy();

/** Sends half of what it promised. */
export const half: Answer = (request, response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"items":[');
  setImmediate(() => request.socket.destroy());
};

export interface WatchedPacing extends Pacing {
  readonly waits: readonly number[];
}

/** A clock that does not run, and no chance. */
export function stillPacing(): WatchedPacing {
  const waits: number[] = [];
  return { waits, wait: async (ms) => void waits.push(ms), now: () => 0, random: () => 0.5 };
}
