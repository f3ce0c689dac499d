// One request to a server of flows: its address, certificate and token are read anew each time, for all of them rotate.
import { readFileSync } from 'node:fs';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';

export interface ServerPlace {
  /** `https://HOST:PORT`; plain only to this host. */
  readonly url: string;
  /** PEM; undefined: those that Node trusts. */
  readonly caFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** In place of the file. */
  readonly token?: string | undefined;
}

export interface ServerRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Nothing comes for so long: the server counts as gone. */
const SILENCE_MS_MAX = 30_000;

/** The answer, whatever its status; the request says what time it is here. Rejects where none comes, or a file cannot be read. */
export async function askPlace({ url, caFile, tokenFile, token }: ServerPlace, { method, path, headers, body, signal }: ServerRequest): Promise<IncomingMessage> {
  const bearer = token ?? (tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim());
  const base = new URL(url);
  const options = {
    method,
    timeout: SILENCE_MS_MAX,
    headers: { date: new Date().toUTCString(), ...headers, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }), ...(body === undefined ? {} : { 'content-length': body.length }) },
    ...(signal === undefined ? {} : { signal }),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
    agent: false as const,
  };
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (base.protocol === 'https:' ? requestSecure : requestPlain)(new URL(path, base), options, resolve);
    request.on('timeout', () => request.destroy(new Error('the server does not answer')));
    request.on('error', reject);
    request.end(body);
  });
}

/** Of an answer that is short. */
const TEXT_LENGTH_MAX = 4_096;

export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer as AsyncIterable<string>) {
    text += piece;
    if (text.length > TEXT_LENGTH_MAX) break;
  }
  return text.slice(0, TEXT_LENGTH_MAX).trim();
}
