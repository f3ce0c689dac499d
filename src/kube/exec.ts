// A program run in a container through the API server: its streams over one WebSocket (v5.channel.k8s.io; v4 for servers before 1.30).
import { ClusterError } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';
import { describeServer } from './kube-request.ts';
import type { ExecRequest, ExecResult } from './pod-hands.ts';
import { openWebSocket } from './web-socket.ts';

const PROTOCOLS: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** The first byte of each message. */
const STDOUT = 1;
const STDERR = 2;
/** Carries one Status at the end. */
const OUTCOME = 3;

const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Takes the verbs get and create on `pods/exec`, as the server asks. Fails with ClusterError. */
export async function execInPod(connection: Connection, request: ExecRequest): Promise<ExecResult> {
  const { timeoutMs, signal } = request;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const ended = signal === undefined ? late : AbortSignal.any([signal, late]);
    return await converse(connection, request, ended);
  } catch (error) {
    if (late.aborted) throw new ClusterError('unreachable', `\`${request.command[0]}\` in the pod ${request.namespace}/${request.pod} did not end within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  }
}

async function converse(connection: Connection, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  const socket = await openWebSocket(connection, { path: execPath(request), protocols: PROTOCOLS, signal });
  if (!PROTOCOLS.includes(socket.protocol)) throw new ClusterError('malformed', `${describeServer(connection)} speaks \`${socket.protocol}\` where a program is run, and not ${PROTOCOLS.join(' or ')}`);
  const output = new Output(request.outputBytesMax ?? OUTPUT_BYTES_MAX);
  for await (const message of socket.messages) {
    const [channel] = message;
    if (channel === STDOUT || channel === STDERR) output.add(channel, message.subarray(1));
    if (channel === OUTCOME) return resultOf(parseStatus(connection, message.subarray(1).toString('utf8')), output);
  }
  throw new ClusterError('malformed', `${describeServer(connection)} does not say how \`${request.command[0]}\` ended`);
}

function execPath({ namespace, pod, container, command }: ExecRequest): string {
  const query = new URLSearchParams([...command.map((word) => ['command', word]), ['stdout', 'true'], ['stderr', 'true'], ...(container === undefined ? [] : [['container', container]])]);
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query.toString()}`;
}

/** Keeps what was said, up to a bound. */
class Output {
  readonly #left: Record<typeof STDOUT | typeof STDERR, Buffer[]> = { [STDOUT]: [], [STDERR]: [] };
  #room: number;
  isCut = false;

  constructor(bytesMax: number) {
    this.#room = bytesMax;
  }

  add(channel: typeof STDOUT | typeof STDERR, bytes: Buffer): void {
    if (bytes.length > this.#room) this.isCut = true;
    const kept = bytes.subarray(0, this.#room);
    this.#room -= kept.length;
    this.#left[channel].push(kept);
  }

  text(channel: typeof STDOUT | typeof STDERR): string {
    return Buffer.concat(this.#left[channel]).toString('utf8');
  }
}

/** meta/v1 Status, as far as it is read. */
interface Status {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

function parseStatus(connection: Connection, text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch (cause) {
    throw new ClusterError('malformed', `${describeServer(connection)} says with no JSON how a program ended`, { cause });
  }
}

function resultOf({ status, reason, message, details }: Status, output: Output): ExecResult {
  const exitCode = status === 'Success' ? 0 : Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? Number.NaN);
  if (status !== 'Success' && (reason !== 'NonZeroExitCode' || !Number.isInteger(exitCode))) return { kind: 'not-started', reason: (message ?? reason ?? 'no reason is given').slice(0, 600) };
  return { kind: 'ended', status: exitCode, stdout: output.text(STDOUT), stderr: output.text(STDERR), isCut: output.isCut };
}
