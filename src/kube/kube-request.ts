// One request to an API server and its answer as JSON, bounded in size and time; what goes wrong becomes a `ClusterError`.
import { request as requestPlain, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestSecure, type RequestOptions } from 'node:https';
import { createGunzip } from 'node:zlib';
import { ClusterError, type ClusterErrorCode } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';

/** Of one answer, unpacked. A page of 500 pods is some 7 MB. */
export const ANSWER_BYTES_MAX: number = 128 * 1024 * 1024;

/** Nothing comes for so long: the server counts as gone. */
export const SILENCE_MS_MAX = 30_000;

/** Of silence, before the kernel asks whether the other side is still there; ten probes follow, one each second. */
const PROBES_AFTER_MS = 20_000;

export interface KubeRequest {
  /** With the query. */
  readonly path: string;
  readonly accept?: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: { readonly type: string; readonly text: string };
  readonly answerBytesMax?: number;
  /** Ends the request, and the answer while it is read. */
  readonly signal?: AbortSignal;
}

/** An answer other than the one that was asked for. */
export class AnswerError extends ClusterError {
  readonly status: number;
  /** What the server asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ClusterErrorCode, message: string, answer: { readonly status: number; readonly retryAfterMs: number | undefined }) {
    super(code, message);
    this.status = answer.status;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

/** Too many requests, and what a server or a proxy before it says while it starts, stops or is overloaded. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Whether and when to try again after a failure, as `withRetries` wants it. */
export function retryIn(error: unknown): number | undefined {
  if (error instanceof AnswerError) return RETRIED_STATUS.has(error.status) ? (error.retryAfterMs ?? 0) : undefined;
  return error instanceof ClusterError && error.code === 'unreachable' ? 0 : undefined;
}

/** The parsed body of an answer 2xx. Throws AnswerError for any other, ClusterError where none comes. */
export async function askServer(connection: Connection, request: KubeRequest): Promise<unknown> {
  const answer = await openAnswer(connection, request);
  return parseAnswer(connection, await readBody(connection, answer, request.answerBytesMax ?? ANSWER_BYTES_MAX));
}

/** The body of an answer 2xx that is no JSON. Throws as `askServer` does. */
export async function askText(connection: Connection, request: KubeRequest): Promise<string> {
  return readBody(connection, await openAnswer(connection, request), request.answerBytesMax ?? ANSWER_BYTES_MAX);
}

/** An answer 2xx whose body has not been read. */
export interface OpenAnswer {
  /** Unpacked; fails with ClusterError where the connection is cut before the end. */
  readonly chunks: AsyncIterable<Buffer>;
  /** From now on silence is borne for so long. */
  bearSilence(ms: number): void;
}

/** Throws as `askServer` does; also when the signal ends it. */
export async function openAnswer(connection: Connection, request: KubeRequest): Promise<OpenAnswer> {
  const credentials = await connection.credentials();
  const exchange = await send(connection, request, credentials);
  const { answer } = exchange;
  const status = answer.statusCode ?? 0;
  const open = openBody(connection, exchange);
  if (status >= 200 && status < 300) return open;
  if (status === 401) connection.renew?.();
  throw answerError(connection, status, await readBody(connection, open, request.answerBytesMax ?? ANSWER_BYTES_MAX), answer.headers['retry-after']);
}

interface Exchange {
  readonly outgoing: ClientRequest;
  readonly answer: IncomingMessage;
}

function send(connection: Connection, { path, accept = 'application/json', method = 'GET', body, signal }: KubeRequest, credentials: RequestOptions): Promise<Exchange> {
  const { server } = connection;
  const headers = {
    ...credentials.headers,
    accept,
    'accept-encoding': 'gzip',
    'user-agent': 'bulkhead',
    ...(body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.text) }),
  };
  const way = { hostname: server.hostname.replace(/^\[|\]$/g, ''), port: server.port, path: `${server.pathname.replace(/\/$/, '')}${path}` };
  const options: RequestOptions = { ...credentials, method, headers, ...way };
  const start = server.protocol === 'http:' ? requestPlain : requestSecure;
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const outgoing = start(options, (incoming) => {
      answer = incoming;
      resolve({ outgoing, answer });
    });
    // A host that is gone without a word answers no probes: the kernel says so 10 s later.
    outgoing.on('socket', (socket) => socket.setKeepAlive(true, PROBES_AFTER_MS));
    outgoing.setTimeout(SILENCE_MS_MAX, () => (answer ?? outgoing).destroy(new Error('nothing came for too long')));
    outgoing.on('error', (cause) => reject(unreachable(connection, cause)));
    const onAbort = (): void => void (answer ?? outgoing).destroy(new Error('nobody wants the answer any more'));
    signal?.addEventListener('abort', onAbort);
    outgoing.on('close', () => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted) onAbort();
    outgoing.end(body?.text);
  });
}

function openBody(connection: Connection, { outgoing, answer }: Exchange): OpenAnswer {
  const stream = answer.headers['content-encoding'] === 'gzip' ? answer.pipe(createGunzip()) : answer;
  // An error of the connection does not pass through the pipe by itself; and whoever does not read does not care for it.
  answer.on('error', (error) => void (stream !== answer && stream.destroy(error)));
  return {
    chunks: chunksOf(connection, answer, stream as AsyncIterable<Buffer>),
    bearSilence: (ms) => void outgoing.setTimeout(ms),
  };
}

async function* chunksOf(connection: Connection, answer: IncomingMessage, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (cause) {
    throw unreachable(connection, cause);
  } finally {
    // Whoever stops in the middle wants no more of it.
    if (!answer.complete) answer.destroy();
  }
}

async function readBody(connection: Connection, answer: OpenAnswer, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.chunks) {
    size += chunk.length;
    if (size > bytesMax) throw new ClusterError('too-large', `an answer of ${describeServer(connection)} is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(connection: Connection, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ClusterError('server-error', `${describeServer(connection)} answers with something that is no JSON: is it a Kubernetes API server?`, { cause });
  }
}

export function describeServer({ server, name }: Connection): string {
  return `the API server ${server.origin} (context ${name})`;
}

// --- What goes wrong

export function unreachable(connection: Connection, cause: unknown): ClusterError {
  const { code, message } = cause as NodeJS.ErrnoException; // Node's streams fail with nothing else
  const words = CONNECTION_WORDS[code ?? ''] ?? message;
  const help = code !== undefined && /CERT|SSL|TLS/.test(code) ? 'look at `certificate-authority` of the cluster in the kubeconfig' : 'see whether `kubectl get nodes` gets an answer';
  return new ClusterError('unreachable', `${describeServer(connection)} cannot be reached: ${words}`, { help, cause });
}

const CONNECTION_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'nobody knows the name',
  EAI_AGAIN: 'the name cannot be looked up now',
  ETIMEDOUT: 'nobody answers',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody who is known',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody who is known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody who is known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by nobody who is known',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

const CODE_OF_STATUS: Readonly<Record<number, ClusterErrorCode>> = { 400: 'invalid', 401: 'unauthorized', 403: 'forbidden', 404: 'not-found', 409: 'conflict', 410: 'expired', 422: 'invalid' };

export function answerError(connection: Connection, status: number, text: string, retryAfter: string | undefined): AnswerError {
  const seconds = Number(retryAfter ?? Number.NaN);
  const details = { status, retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined };
  const code = CODE_OF_STATUS[status] ?? 'server-error';
  const said = saidBy(text);
  if (code === 'unauthorized') return new AnswerError(code, `${describeServer(connection)} does not know who is asking (401): the credentials of the context are missing, wrong or have expired`, details);
  return new AnswerError(code, `${describeServer(connection)} answers ${status}${said === '' ? '' : `: ${said}`}`, details);
}

/** The longest part of a server's words that is shown, in UTF-16 units. */
const WORDS_MAX = 600;

/** The `message` of a Status, else the first line. */
function saidBy(text: string): string {
  try {
    const document = JSON.parse(text) as { readonly message?: unknown } | null;
    if (typeof document?.message === 'string') return document.message.slice(0, WORDS_MAX);
  } catch {
    // Proxies in between answer with pages of their own.
  }
  return text.trim().split('\n')[0]!.slice(0, WORDS_MAX);
}
