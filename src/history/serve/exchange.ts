// One request to the history and its answer: bodies that are bounded, answers that say when to come again.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** As it came over the wire. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
const UNPACKED_BYTES_MAX = 48 * 1024 * 1024;

const unpack = promisify(gunzip);

/** What is not answered as asked: the status, and why in words. */
export class Refusal extends Error {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Throws Refusal. */
export async function readBody(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  switch (request.headers['content-encoding'] ?? 'identity') {
    case 'identity':
      return body.toString();
    case 'gzip':
      return (await unpack(body, { maxOutputLength: UNPACKED_BYTES_MAX }).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : new Refusal(400, 'the body is no gzip, or not whole');
      })).toString();
    default:
      throw new Refusal(415, 'a body is plain or gzip');
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, `a body has at most ${BODY_BYTES_MAX} bytes, and ${UNPACKED_BYTES_MAX} when it is unpacked`);
}

export function bearerOf(request: IncomingMessage): string {
  const token = /^Bearer ([\x21-\x7e]{1,6144})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Refusal(401, 'a bearer token of the cluster is wanted');
  return token;
}

export function sendText(response: ServerResponse, status: number, text: string, retryAfterSeconds?: number): void {
  const headers: Record<string, string | number> = { ...headersOf(text.startsWith('{') ? 'application/json' : 'text/plain'), 'content-length': Buffer.byteLength(text) };
  if (retryAfterSeconds !== undefined) headers['retry-after'] = retryAfterSeconds;
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  // What of the body has not come is not read.
  if (status >= 400) headers['connection'] = 'close';
  response.writeHead(status, headers);
  response.end(text);
}

export function headersOf(type: string): Readonly<Record<string, string>> {
  return { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}

/** A reader who takes nothing for so long has gone: he holds what others wait for. */
const STALLED_MS_MAX = 30_000;

/** Waits while the reader is slower. Throws Refusal when he has gone. */
export async function writeSlowly(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed) throw gone();
  if (response.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => end(), STALLED_MS_MAX);
    const end = (): void => {
      clearTimeout(timer);
      reject(gone());
    };
    response.once('close', end);
    response.once('drain', () => {
      clearTimeout(timer);
      response.off('close', end);
      resolve();
    });
  });
}

function gone(): Refusal {
  return new Refusal(499, 'whoever asked has gone');
}
