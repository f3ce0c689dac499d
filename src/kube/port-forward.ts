// One question to a program in a pod, through the API server and the kubelet to its loopback (port forwarding over a WebSocket, v4.channel.k8s.io).
import { ClusterError } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';
import { describeServer } from './kube-request.ts';
import type { PodQuestion } from './pod-hands.ts';
import { openWebSocket } from './web-socket.ts';

const PROTOCOL = 'v4.channel.k8s.io';

/** The first byte of each message; the first message of each is the port, in two bytes (kubernetes/kubernetes, cri/streaming/portforward/websocket.go). */
const DATA = 0;
const ERROR = 1;

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** What stands in the body of a plain GET. Takes the verbs get and create on `pods/portforward`, as the server asks. Fails with ClusterError. */
export async function askPodOver(connection: Connection, question: PodQuestion): Promise<string> {
  const { namespace, pod, port, timeoutMs, signal } = question;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const bytes = await converse(connection, question, signal === undefined ? late : AbortSignal.any([signal, late]));
    return bodyOf(question, bytes);
  } catch (error) {
    if (late.aborted) throw new ClusterError('unreachable', `the pod ${namespace}/${pod} did not answer on port ${port} within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  }
}

async function converse(connection: Connection, { namespace, pod, port, path }: PodQuestion, signal: AbortSignal): Promise<Buffer> {
  const socket = await openWebSocket(connection, { path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward?ports=${port}`, protocols: [PROTOCOL], signal });
  if (socket.protocol !== PROTOCOL) throw new ClusterError('malformed', `${describeServer(connection)} speaks \`${socket.protocol}\` where a port is forwarded, and not ${PROTOCOL}`);
  socket.send(Buffer.concat([Buffer.from([DATA]), Buffer.from(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`, 'latin1')]));
  const chunks: Buffer[] = [];
  const begun = new Set<number>();
  let size = 0;
  for await (const message of socket.messages) {
    const [channel = DATA] = message;
    const payload = message.subarray(1);
    if (!begun.has(channel)) begun.add(channel);
    else if (channel === ERROR && payload.length > 0) throw new ClusterError('unreachable', `the pod ${namespace}/${pod} cannot be asked on port ${port}: ${payload.toString('utf8').trim().slice(0, 600)}`);
    else if (channel === DATA) {
      chunks.push(payload);
      size += payload.length;
      if (size > ANSWER_BYTES_MAX) throw new ClusterError('too-large', `the pod ${namespace}/${pod} answers with more than ${ANSWER_BYTES_MAX} bytes`);
      const answer = Buffer.concat(chunks);
      if (isWhole(answer)) return answer;
      chunks.splice(0, chunks.length, answer);
    }
  }
  return Buffer.concat(chunks);
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
