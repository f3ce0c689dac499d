// Requests in, answers out: a small HTTP server that is bounded in all it takes, open to its own host alone unless somebody vouches for who asks.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLocalAddress, isSafeHost } from './host-name.ts';
import { openListener, type Certificate, type RunningServer, type ServerAddress } from './listener.ts';

export interface Answer {
  readonly status: number;
  readonly type: 'text/plain' | 'application/json' | 'application/x-ndjson';
  readonly text: string;
}

/** What may be asked: a path, and what stands behind its question mark. undefined: there is no such path. */
export type AnswerPath = (path: string, query: URLSearchParams) => Promise<Answer | undefined> | Answer | undefined;

/** Whether the bearer of a token may read a path. */
export interface Gatekeeper {
  admit(token: string, path: string): Promise<'allowed' | 'unknown' | 'forbidden' | 'unanswered'>;
}

/** What it takes to answer others than the own host. */
export interface OpenDoor {
  readonly gatekeeper: Gatekeeper;
  /** PEM texts. A token that goes over the network in the clear is everybody's. */
  readonly certificate: Certificate;
}

/** Without `door` it listens on loopback alone: throws RangeError for another host. Rejects where the address cannot be had. */
export async function startServer(address: ServerAddress, answer: AnswerPath, door?: OpenDoor): Promise<RunningServer> {
  if (door === undefined && !isLocalAddress(address.host)) throw new RangeError(`${address.host} is not of this host alone`);
  return openListener(address, (request, response) => void respond({ request, response, answer, gatekeeper: door?.gatekeeper }), { certificate: door?.certificate });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: AnswerPath;
  readonly gatekeeper: Gatekeeper | undefined;
}

async function respond({ request, response, answer, gatekeeper }: Exchange): Promise<void> {
  response.on('error', () => undefined); // whoever asked has gone
  try {
    const found = await decide(request, answer, gatekeeper);
    send(request, response, found);
  } catch {
    send(request, response, plain(500, 'the answer could not be made'));
  }
}

async function decide(request: IncomingMessage, answer: AnswerPath, gatekeeper: Gatekeeper | undefined): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET and HEAD are answered');
  // A page of another origin whose name was turned to this address would be asking in its own name.
  if (!isSafeHost(request.headers.host)) return plain(421, 'ask by address, or as localhost');
  const [path, query = ''] = (request.url ?? '').split('?', 2) as [string, string?]; // a split gives one part at least
  if (!isLocalAddress(request.socket.remoteAddress ?? '')) {
    const refused = await refusalOf(request, path, gatekeeper);
    if (refused !== undefined) return refused;
  }
  return (await answer(path, new URLSearchParams(query))) ?? plain(404, 'there is no such page');
}

const TOKEN_LENGTH_MAX = 6 * 1024;

async function refusalOf(request: IncomingMessage, path: string, gatekeeper: Gatekeeper | undefined): Promise<Answer | undefined> {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (gatekeeper === undefined || token === undefined || token.length > TOKEN_LENGTH_MAX) return plain(401, 'a bearer token of the cluster is wanted');
  switch (await gatekeeper.admit(token, path)) {
    case 'allowed':
      return undefined;
    case 'unknown':
      return plain(401, 'the cluster does not know the bearer of this token');
    case 'forbidden':
      return plain(403, 'the bearer of this token may not read this');
    case 'unanswered':
      return plain(503, 'the API server does not say who this is');
  }
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain', text: `${text}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    // What else such a request carries is not read.
    ...(status === 405 || status === 421 ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
