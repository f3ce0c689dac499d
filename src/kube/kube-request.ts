// One request to an API server and its answer as JSON, bounded in size and time; what goes wrong becomes a `ClusterError`.
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure, type RequestOptions } from 'node:https';
import { createGunzip } from 'node:zlib';
import { ClusterError, type ClusterErrorCode } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';

/** Of one answer, unpacked. A page of 500 pods is some 7 MB. */
export const ANSWER_BYTES_MAX: number = 128 * 1024 * 1024;

/** Nothing comes for so long: the server counts as gone. */
export const SILENCE_MS_MAX = 30_000;

export interface KubeRequest {
  /** With the query. */
  readonly path: string;
  readonly accept?: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: { readonly type: string; readonly text: string };
  readonly answerBytesMax?: number;
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

/** The parsed body of an answer 2xx. Throws AnswerError for any other, ClusterError where none comes. */
export async function askServer(connection: Connection, request: KubeRequest): Promise<unknown> {
  const credentials = await connection.credentials();
  const answer = await send(connection, request, credentials);
  const status = answer.statusCode ?? 0;
  const text = await readBody(connection, answer, request.answerBytesMax ?? ANSWER_BYTES_MAX);
  if (status >= 200 && status < 300) return parseAnswer(connection, text);
  throw answerError(connection, status, text, answer.headers['retry-after']);
}

function send(connection: Connection, { path, accept = 'application/json', method = 'GET', body }: KubeRequest, credentials: RequestOptions): Promise<IncomingMessage> {
  const { server } = connection;
  const headers = {
    ...credentials.headers,
    accept,
    'accept-encoding': 'gzip',
    'user-agent': 'bulkhead',
    ...(body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.text) }),
  };
  const options: RequestOptions = { ...credentials, method, headers, hostname: server.hostname.replace(/^\[|\]$/g, ''), port: server.port, path: `${server.pathname.replace(/\/$/, '')}${path}` };
  const start = server.protocol === 'http:' ? requestPlain : requestSecure;
  return new Promise((resolve, reject) => {
    const outgoing = start(options, resolve);
    outgoing.setTimeout(SILENCE_MS_MAX, () => outgoing.destroy(new Error(`nothing came for ${SILENCE_MS_MAX / 1000} s`)));
    outgoing.on('error', (cause) => reject(unreachable(connection, cause)));
    outgoing.end(body?.text);
  });
}

async function readBody(connection: Connection, answer: IncomingMessage, bytesMax: number): Promise<string> {
  const stream = answer.headers['content-encoding'] === 'gzip' ? answer.pipe(createGunzip()) : answer;
  // An error of the connection does not pass through the pipe by itself.
  if (stream !== answer) answer.on('error', (error) => stream.destroy(error));
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax) throw new ClusterError('too-large', `an answer of ${describeServer(connection)} is larger than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    answer.destroy();
    throw cause instanceof ClusterError ? cause : unreachable(connection, cause);
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

function unreachable(connection: Connection, cause: unknown): ClusterError {
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

const CODE_OF_STATUS: Readonly<Record<number, ClusterErrorCode>> = { 400: 'invalid', 401: 'unauthorized', 403: 'forbidden', 404: 'not-found', 409: 'invalid', 410: 'expired', 422: 'invalid' };

function answerError(connection: Connection, status: number, text: string, retryAfter: string | undefined): AnswerError {
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
