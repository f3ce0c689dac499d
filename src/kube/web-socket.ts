// A WebSocket to an API server (RFC 6455), opened with the credentials of any other request: whole messages in and out, bounded in size.
import { createHash, randomBytes } from 'node:crypto';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Socket } from 'node:net';
import { ClusterError } from './cluster-error.ts';
import type { Connection } from './kube-config.ts';
import { ANSWER_BYTES_MAX, answerError, describeServer, SILENCE_MS_MAX, unreachable } from './kube-request.ts';

export interface WebSocketRequest {
  /** With the query. */
  readonly path: string;
  /** Offered, the dearest first. */
  readonly protocols: readonly string[];
  /** Ends the opening, and the socket once it is open. */
  readonly signal: AbortSignal;
}

export interface OpenWebSocket {
  /** That the server chose. */
  readonly protocol: string;
  /** Ends when the server closes. Fails with ClusterError where the connection is cut before. */
  readonly messages: AsyncIterable<Buffer>;
  send(message: Buffer): void;
}

/** Of one message; the server's own pieces of a stream are 32 KB at most. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** RFC 6455, 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Rejects with ClusterError where the server says no, as for any request. */
export async function openWebSocket(connection: Connection, { path, protocols, signal }: WebSocketRequest): Promise<OpenWebSocket> {
  const { server } = connection;
  const credentials = await connection.credentials();
  const key = randomBytes(16).toString('base64');
  const headers = {
    ...credentials.headers,
    'user-agent': 'bulkhead',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
    'sec-websocket-protocol': protocols.join(', '),
  };
  const way = { hostname: server.hostname.replace(/^\[|\]$/g, ''), port: server.port, path: `${server.pathname.replace(/\/$/, '')}${path}` };
  const start = server.protocol === 'http:' ? requestPlain : requestSecure;
  const upgraded = await new Promise<Upgraded>((resolve, reject) => {
    const outgoing = start({ ...credentials, headers, ...way, signal });
    outgoing.setTimeout(SILENCE_MS_MAX, () => outgoing.destroy(new Error('nothing came for too long')));
    outgoing.on('error', (cause) => reject(unreachable(connection, cause)));
    outgoing.on('response', (answer) => void refusalOf(connection, answer).then(reject, reject));
    outgoing.on('upgrade', (answer, socket, head) => resolve({ answer, socket: socket as Socket, head }));
    outgoing.end();
  });
  return channelOf(connection, upgraded, { key, signal });
}

interface Upgraded {
  readonly answer: IncomingMessage;
  readonly socket: Socket;
  /** What came right behind the answer. */
  readonly head: Buffer;
}

/** Anything but a change of protocol. */
async function refusalOf(connection: Connection, answer: IncomingMessage): Promise<ClusterError> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) break;
    chunks.push(chunk);
  }
  if (answer.statusCode === 401) connection.renew?.();
  return answerError(connection, answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'), answer.headers['retry-after']);
}

function channelOf(connection: Connection, { answer, socket, head }: Upgraded, { key, signal }: { readonly key: string; readonly signal: AbortSignal }): OpenWebSocket {
  const expected = createHash('sha1').update(key + ACCEPT_SUFFIX).digest('base64');
  if (answer.headers['sec-websocket-accept'] !== expected) {
    socket.destroy();
    throw new ClusterError('malformed', `${describeServer(connection)} opens a WebSocket that nobody asked for`);
  }
  socket.setTimeout(0);
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  return {
    protocol: answer.headers['sec-websocket-protocol'] ?? '',
    messages: readMessages(connection, socket, head),
    send: (message) => void socket.write(encodeFrame(BINARY, message)),
  };
}

// RFC 6455, 5.2
const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

interface Frame {
  readonly opcode: number;
  readonly isLast: boolean;
  readonly payload: Buffer;
}

async function* readMessages(connection: Connection, socket: Socket, head: Buffer): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  try {
    for await (const frame of readFrames(connection, socket, head)) {
      if (frame.opcode === PING) socket.write(encodeFrame(PONG, frame.payload));
      if (frame.opcode === CLOSE) return;
      if (frame.opcode !== TEXT && frame.opcode !== BINARY && frame.opcode !== CONTINUATION) continue;
      parts.push(frame.payload);
      if (parts.reduce((sum, part) => sum + part.length, 0) > MESSAGE_BYTES_MAX) throw tooLarge(connection);
      if (!frame.isLast) continue;
      yield Buffer.concat(parts);
      parts = [];
    }
    throw new ClusterError('unreachable', `${describeServer(connection)} cut a WebSocket before its end`);
  } finally {
    socket.destroy();
  }
}

async function* readFrames(connection: Connection, socket: Socket, head: Buffer): AsyncGenerator<Frame> {
  let held = head;
  yield* takeFrames();
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      yield* takeFrames();
    }
  } catch (cause) {
    throw cause instanceof ClusterError ? cause : unreachable(connection, cause);
  }
  function* takeFrames(): Generator<Frame> {
    for (let taken = takeFrame(held, connection); taken !== undefined; taken = takeFrame(held, connection)) {
      held = held.subarray(taken.bytes);
      yield taken.frame;
    }
  }
}

/** undefined: not all of it has come. */
function takeFrame(held: Buffer, connection: Connection): { readonly frame: Frame; readonly bytes: number } | undefined {
  if (held.length < 2) return undefined;
  const short = held[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (held.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? held.readUInt16BE(2) : Number(held.readBigUInt64BE(2));
  if (length > MESSAGE_BYTES_MAX) throw tooLarge(connection);
  // Only a client masks what it sends.
  if ((held[1]! & 0x80) !== 0) throw new ClusterError('malformed', `${describeServer(connection)} sends masked frames, as no server does`);
  if (held.length < start + length) return undefined;
  return { frame: { opcode: held[0]! & 0xf, isLast: (held[0]! & 0x80) !== 0, payload: held.subarray(start, start + length) }, bytes: start + length };
}

function tooLarge(connection: Connection): ClusterError {
  return new ClusterError('too-large', `a message of ${describeServer(connection)} is larger than ${MESSAGE_BYTES_MAX} bytes`);
}

function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const { length } = payload;
  const size = length < 126 ? Buffer.from([length | 0x80]) : length < 0x10000 ? Buffer.from([126 | 0x80, length >> 8, length & 0xff]) : longSize(length);
  const masked = Buffer.from(payload.map((byte, index) => byte ^ mask[index & 3]!));
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, mask, masked]);
}

function longSize(length: number): Buffer {
  const size = Buffer.alloc(9, 127 | 0x80);
  size.writeBigUInt64BE(BigInt(length), 1);
  return size;
}
