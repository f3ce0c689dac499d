// The history over HTTP: batches come in, questions are answered, each admitted by the cluster.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WordError } from '../../base/word-error.ts';
import { isLocalAddress, isSafeHost } from '../../server/host-name.ts';
import { openListener, type Certificate, type ListenerBounds, type RunningServer, type ServerAddress } from '../../server/listener.ts';
import { readBatch } from '../batch/flow-batch.ts';
import { HistoryError } from '../batch/history-error.ts';
import type { FlowStore } from '../store/flow-store.ts';
import { forgetFlows, knownNamespaces, redactOutside } from '../store/forget-flows.ts';
import { historyMetrics } from '../store/history-metrics.ts';
import type { Readable } from '../store/readable-flows.ts';
import { EVERYBODY, type Admission } from './admission.ts';
import { answerQuestion, followQuestion } from './answer-question.ts';
import { readBody, Refusal, sendText } from './exchange.ts';
import { FollowedFlows } from './followed-flows.ts';
import { HeardAgents } from './heard-agents.ts';
import { readQuestion } from './read-question.ts';

export interface HistoryServerOptions extends ServerAddress {
  readonly store: FlowStore;
  /** undefined: plain, for this host alone, which may do everything. */
  readonly door: { readonly admission: Admission; readonly certificate: Certificate } | undefined;
  readonly nowMs: () => number;
  readonly onFailure: (error: Error) => void;
  readonly questionMsMax?: number;
}

/** A batch takes a second at most, and an agent asks for nothing else. */
const BOUNDS: ListenerBounds = { requestMsMax: 30_000, connectionsMax: 2_048, connectionsOfAddressMax: 64, connectionsOfOthersMax: 2_000 };
const BODIES_AT_ONCE = 16;
const QUESTIONS_AT_ONCE = 4;
/** Then an answer breaks off: while somebody reads, the log of the store only grows, and no room becomes free. */
const QUESTION_MS_MAX = 10 * 60_000;
const FOLLOWERS_MAX = 64;

const FORGET_WORDS: ReadonlySet<string> = new Set(['namespace', 'since', 'until']);

interface Serving extends HistoryServerOptions {
  readonly admission: Admission;
  readonly followed: FollowedFlows;
  readonly heard: HeardAgents;
  readonly going: { bodies: number; questions: number; followers: number };
}

/** Throws RangeError for an address of others without a door. Rejects where the address cannot be had. */
export async function serveHistory(options: HistoryServerOptions): Promise<RunningServer> {
  if (options.door === undefined && !isLocalAddress(options.host)) throw new RangeError(`${options.host} is not of this host alone`);
  const serving: Serving = { ...options, admission: options.door?.admission ?? EVERYBODY, followed: new FollowedFlows(options.store), heard: new HeardAgents(), going: { bodies: 0, questions: 0, followers: 0 } };
  return openListener(options, (request, response) => void respond(serving, request, response), { certificate: options.door?.certificate, bounds: BOUNDS });
}

async function respond(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => undefined); // whoever asked has gone
  try {
    // A page of another origin whose name was turned to this address would be asking in its own name.
    if (serving.door === undefined && !isSafeHost(request.headers.host)) throw new Refusal(421, 'ask by address, or as localhost');
    await dispatch(serving, request, response);
  } catch (error) {
    const { status, message, retryAfterSeconds } = refusalOf(error, serving.onFailure);
    if (response.headersSent) response.destroy(); // an answer that ends in its middle is no answer
    else sendText(response, status, `${message}\n`, retryAfterSeconds);
  }
}

function refusalOf(error: unknown, onFailure: (error: Error) => void): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof WordError) return new Refusal(400, error.help === undefined ? error.message : `${error.message}; ${error.help}`);
  onFailure(error instanceof Error ? error : new Error(String(error)));
  if (!(error instanceof HistoryError)) return new Refusal(500, 'the answer could not be made');
  return error.code === 'store-busy' ? new Refusal(429, error.message, 1) : new Refusal(503, error.message, 5);
}

async function dispatch(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  switch (`${request.method} ${pathname}`) {
    case 'GET /healthz':
    case 'HEAD /healthz':
      return sendText(response, 200, 'alive\n');
    case 'GET /readyz':
    case 'HEAD /readyz':
      await serving.store.read(async () => undefined);
      return sendText(response, 200, 'ready\n');
    case 'GET /metrics':
      await serving.admission.admitPath(request, '/metrics');
      return sendText(response, 200, historyMetrics(serving.store));
    case 'POST /v1/batches':
      return await within(serving, 'bodies', BODIES_AT_ONCE, () => takeBatch(serving, request, response));
    case 'GET /v1/flows':
      return await answer(serving, request, response, searchParams);
    case 'DELETE /v1/flows':
    case 'POST /v1/redactions':
      return await forget(serving, request, response, searchParams);
    default:
      throw new Refusal(404, 'there is no such page');
  }
}

async function within(serving: Serving, kind: keyof Serving['going'], max: number, work: () => Promise<void>): Promise<void> {
  if (serving.going[kind] >= max) throw new Refusal(429, `as many ${kind} as are taken at once are underway`, 1);
  serving.going[kind]++;
  try {
    await work();
  } finally {
    serving.going[kind]--;
  }
}

/** The header names the node, so that a body is read only of one who may send it. */
async function takeBatch({ store, admission, followed, heard, nowMs }: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const node = request.headers['bulkhead-node'];
  const aheadMs = Date.parse(request.headers.date ?? '') - nowMs() || 0;
  if (typeof node !== 'string' || node === '') throw new Refusal(400, 'the header Bulkhead-Node is wanted');
  await admission.admitAgent(request, node);
  const read = readBatch(await readBody(request));
  if (read.kind === 'broken') throw new Refusal(400, read.message);
  if (read.batch.node !== node) throw new Refusal(400, `the batch is of the node ${read.batch.node}, and the header says ${node}`);
  heard.hear(node, nowMs());
  const { isDuplicate, lost, shifted } = await store.take(read.batch, aheadMs);
  const sendEveryMs = followed.wantsAllowed ? heard.stepMs : undefined;
  sendText(response, 200, `${JSON.stringify({ sequence: read.batch.sequence, duplicate: isDuplicate, lost, shifted, sendEveryMs })}\n`);
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const { store, followed, admission, nowMs } = serving;
  const asked = readQuestion(query, nowMs());
  const admit = (): Promise<Readable> => admission.admitReader(request, 'get', { named: asked.namespaces, known: () => knownNamespaces(store) });
  const question = { ...asked, readable: await admit() };
  if (asked.follows) await within(serving, 'followers', FOLLOWERS_MAX, () => followQuestion(followed, question, { response, admit, nowMs }));
  else await within(serving, 'questions', QUESTIONS_AT_ONCE, () => inTime(response, serving.questionMsMax ?? QUESTION_MS_MAX, () => answerQuestion(store, asked, question, response)));
}

async function inTime(response: ServerResponse, msMax: number, work: () => Promise<void>): Promise<void> {
  const timer = setTimeout(() => response.destroy(), msMax);
  try {
    await work();
  } finally {
    clearTimeout(timer);
  }
}

async function forget({ store, admission, nowMs }: Serving, request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const isRedaction = request.method === 'POST';
  // What is not looked at must not seem to bound what goes.
  const other = [...query.keys()].find((name) => isRedaction || !FORGET_WORDS.has(name));
  if (other !== undefined) throw new Refusal(400, `\`${other}\` does not bound what is ${isRedaction ? 'redacted' : 'deleted'}`);
  const asked = readQuestion(query, nowMs());
  const readable = await admission.admitReader(request, isRedaction ? 'update' : 'delete', { named: asked.namespaces, known: () => knownNamespaces(store) });
  if (isRedaction) {
    if (readable !== 'all') throw new Refusal(403, 'hosts outside belong to no namespace: update of flows is wanted in all of them');
    return sendText(response, 200, `${JSON.stringify({ redacted: await redactOutside(store) })}\n`);
  }
  if (asked.namespaces.length === 0 && asked.sinceMs === undefined && asked.untilMs === undefined) throw new Refusal(400, 'say what is to be deleted: namespace=NAME, since=TIME, until=TIME');
  sendText(response, 200, `${JSON.stringify({ deleted: await forgetFlows(store, { readable, sinceMs: asked.sinceMs, untilMs: asked.untilMs }) })}\n`);
}
