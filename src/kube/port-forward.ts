// Questions to a program in a pod, through the API server and the kubelet to its loopback (port forwarding over a WebSocket, v4.channel.k8s.io).
import { ClusterError } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';
import { describeServer } from './kube-request.ts';
import type { PodAsking, PodQuestion } from './pod-hands.ts';
import { openWebSocket } from './web-socket.ts';

const PROTOCOL = 'v4.channel.k8s.io';

/** The first byte of each message; the first message of each is the port, in two bytes (kubernetes/kubernetes, cri/streaming/portforward/websocket.go). */
const DATA = 0;
const ERROR = 1;

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** What stands in the body of a plain GET. Takes the verbs get and create on `pods/portforward`, as the server asks. Fails with ClusterError. */
export async function askPodOver(connection: Connection, question: PodQuestion): Promise<string> {
  return inTime(question, async (signal) => {
    const way = await openWay(connection, question, signal);
    try {
      return await exchange(way, question, '1.0');
    } finally {
      way.close();
    }
  });
}

/** Asks one question after another, and keeps the way to the pod for the next one, which is then asked without a new forwarding. A class, for it lives in time. */
export class PodConversation implements PodAsking {
  readonly #connection: Connection;
  #kept: Way | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A way that was cut since the last question is opened anew. */
  async ask(question: PodQuestion): Promise<string> {
    return inTime(question, async (signal) => {
      const kept = this.#kept;
      this.#kept = undefined;
      if (kept?.path === pathTo(question)) {
        try {
          return await this.#askOver(kept, question, signal);
        } catch (error) {
          if (signal.aborted) throw error;
        }
      } else kept?.close();
      return this.#askOver(await openWay(this.#connection, question, signal), question, signal);
    });
  }

  close(): void {
    this.#kept?.close();
    this.#kept = undefined;
  }

  async #askOver(way: Way, question: PodQuestion, signal: AbortSignal): Promise<string> {
    const cut = (): void => way.close();
    signal.addEventListener('abort', cut, { once: true });
    try {
      const body = await exchange(way, question, '1.1');
      this.#kept = way;
      return body;
    } catch (error) {
      way.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }
}

async function inTime({ namespace, pod, port, timeoutMs, signal }: PodQuestion, ask: (signal: AbortSignal) => Promise<string>): Promise<string> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    return await ask(signal === undefined ? late : AbortSignal.any([signal, late]));
  } catch (error) {
    if (late.aborted) throw new ClusterError('unreachable', `the pod ${namespace}/${pod} did not answer on port ${port} within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  }
}

interface Way {
  readonly path: string;
  readonly messages: AsyncIterator<Buffer>;
  /** Channels of which the port has come. */
  readonly begun: Set<number>;
  send(message: Buffer): void;
  close(): void;
}

function pathTo({ namespace, pod, port }: PodQuestion): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward?ports=${port}`;
}

/** `signal` ends the opening alone. */
async function openWay(connection: Connection, question: PodQuestion, signal: AbortSignal): Promise<Way> {
  const end = new AbortController();
  const close = (): void => end.abort();
  signal.addEventListener('abort', close, { once: true });
  try {
    const path = pathTo(question);
    const socket = await openWebSocket(connection, { path, protocols: [PROTOCOL], signal: end.signal });
    if (socket.protocol === PROTOCOL) return { path, messages: socket.messages[Symbol.asyncIterator](), begun: new Set(), send: socket.send, close };
    close();
    throw new ClusterError('malformed', `${describeServer(connection)} speaks \`${socket.protocol}\` where a port is forwarded, and not ${PROTOCOL}`);
  } finally {
    signal.removeEventListener('abort', close);
  }
}

async function exchange({ messages, begun, send }: Way, question: PodQuestion, version: '1.0' | '1.1'): Promise<string> {
  const { namespace, pod, port, path } = question;
  send(Buffer.concat([Buffer.from([DATA]), Buffer.from(`GET ${path} HTTP/${version}\r\nHost: localhost\r\n\r\n`, 'latin1')]));
  let answer: Buffer = Buffer.alloc(0);
  while (!isWhole(answer)) {
    const { value: message, done } = await messages.next();
    if (done === true) break;
    const [channel = DATA] = message;
    const payload = message.subarray(1);
    if (!begun.has(channel)) begun.add(channel);
    else if (channel === ERROR && payload.length > 0) throw new ClusterError('unreachable', `the pod ${namespace}/${pod} cannot be asked on port ${port}: ${payload.toString('utf8').trim().slice(0, 600)}`);
    else if (channel === DATA) {
      if (answer.length + payload.length > ANSWER_BYTES_MAX) throw new ClusterError('too-large', `the pod ${namespace}/${pod} answers with more than ${ANSWER_BYTES_MAX} bytes`);
      answer = Buffer.concat([answer, payload]);
    }
  }
  return bodyOf(question, answer);
}

const HEAD_END = '\r\n\r\n';

function isWhole(answer: Buffer): boolean {
  const { headEnd, length } = headOf(answer);
  return headEnd >= 0 && length !== undefined && answer.length >= headEnd + HEAD_END.length + length;
}

function headOf(answer: Buffer): { readonly headEnd: number; readonly head: string; readonly length: number | undefined } {
  const headEnd = answer.indexOf(HEAD_END);
  const head = answer.toString('latin1', 0, Math.max(headEnd, 0));
  const length = /^content-length: *([0-9]{1,9}) *$/im.exec(head)?.[1];
  return { headEnd, head, length: length === undefined ? undefined : Number(length) };
}

function bodyOf({ namespace, pod, path }: PodQuestion, answer: Buffer): string {
  const { head } = headOf(answer);
  const status = /^HTTP\/1\.[01] ([0-9]{3})/.exec(head)?.[1];
  if (status === undefined || !isWhole(answer)) throw new ClusterError('malformed', `the pod ${namespace}/${pod} gives no whole answer of HTTP for ${path}`);
  const body = answer.toString('utf8', answer.indexOf(HEAD_END) + HEAD_END.length);
  if (status !== '200') throw new ClusterError('malformed', `the pod ${namespace}/${pod} answers ${path} with ${status}: ${body.trim().slice(0, 200)}`);
  return body;
}
