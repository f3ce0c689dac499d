// A program run over a WebSocket: streams, ends and refusals, as a server on loopback sends them, also in pieces.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { execInPod } from '../../src/kube/exec.ts';
import type { Connection } from '../../src/kube/kube-config.ts';

interface Spoken {
  readonly connection: Connection;
  readonly asked: IncomingMessage[];
}

/** Says what it is given, `protocol` being that it chooses, and closes after `bytes` unless it is to stay silent. */
async function startSpeaker(context: TestContext, { protocol = 'v5.channel.k8s.io', pieces, ends = true, key }: { readonly protocol?: string; readonly pieces: readonly Buffer[]; readonly ends?: boolean; readonly key?: string }): Promise<Spoken> {
  const asked: IncomingMessage[] = [];
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    asked.push(request);
    socket.on('error', () => undefined);
    const accept = createHash('sha1').update(`${key ?? request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
    for (const piece of pieces) socket.write(piece);
    if (ends) socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, connection: { name: 'spoken', server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), credentials: async () => ({ headers: { Authorization: 'Bearer secret' } }) } };
}

function frame(opcode: number, payload: Buffer | string, isLast = true): Buffer {
  const bytes = Buffer.from(payload);
  const head = bytes.length < 126 ? Buffer.from([(isLast ? 0x80 : 0) | opcode, bytes.length]) : Buffer.from([(isLast ? 0x80 : 0) | opcode, 126, bytes.length >> 8, bytes.length & 255]);
  return Buffer.concat([head, bytes]);
}

const channel = (number: number, text: string): Buffer => frame(2, `${String.fromCharCode(number)}${text}`);
const SUCCESS = channel(3, JSON.stringify({ status: 'Success' }));
const failure = (code: string): Buffer => channel(3, JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', message: 'x', details: { causes: [{ reason: 'ExitCode', message: code }] } }));
const CLOSE = frame(8, '');

const REQUEST = { namespace: 'shop', pod: 'web-1', container: 'web', command: ['sh', '-c', 'echo a & b'], timeoutMs: 60_000 } as const;

test('streams and status of a program that ends', async (context) => {
  const { connection, asked } = await startSpeaker(context, { pieces: [channel(1, 'out '), channel(2, 'err'), channel(1, 'put'), failure('7'), CLOSE] });
  assert.deepEqual(await execInPod(connection, REQUEST), { kind: 'ended', status: 7, stdout: 'out put', stderr: 'err', isCut: false });
  assert.equal(asked[0]!.url, '/api/v1/namespaces/shop/pods/web-1/exec?command=sh&command=-c&command=echo+a+%26+b&stdout=true&stderr=true&container=web');
  assert.equal(asked[0]!.headers.authorization, 'Bearer secret');
});

test('the same bytes however they are cut, with pings and split messages between them', async (context) => {
  const long = 'x'.repeat(10_000);
  const bytes = Buffer.concat([frame(9, 'are you there'), frame(2, '\u0001ab', false), frame(9, ''), frame(0, 'cd'), channel(1, long), SUCCESS, CLOSE]);
  for (const size of [1, 3, 1000, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
    const { connection } = await startSpeaker(context, { pieces, protocol: 'v4.channel.k8s.io' });
    assert.deepEqual(await execInPod(connection, REQUEST), { kind: 'ended', status: 0, stdout: `abcd${long}`, stderr: '', isCut: false });
  }
});

test('output beyond its bound is cut off, and said to be', async (context) => {
  const { connection } = await startSpeaker(context, { pieces: [channel(1, 'abcdef'), channel(2, 'ghi'), SUCCESS, CLOSE] });
  assert.deepEqual(await execInPod(connection, { ...REQUEST, outputBytesMax: 8 }), { kind: 'ended', status: 0, stdout: 'abcdef', stderr: 'gh', isCut: true });
});

test('a program that is not there', async (context) => {
  const { connection } = await startSpeaker(context, { pieces: [channel(3, JSON.stringify({ status: 'Failure', reason: 'InternalError', message: 'exec: "sh": executable file not found in $PATH' })), CLOSE] });
  assert.deepEqual(await execInPod(connection, REQUEST), { kind: 'not-started', reason: 'exec: "sh": executable file not found in $PATH' });
});

const failing: readonly { readonly name: string; readonly speaker: Parameters<typeof startSpeaker>[1]; readonly code: string; readonly message: RegExp }[] = [
  { name: 'cut in the middle', speaker: { pieces: [channel(1, 'a')] }, code: 'unreachable', message: /cut/ },
  { name: 'closed without an outcome', speaker: { pieces: [channel(1, 'a'), CLOSE] }, code: 'malformed', message: /does not say how `sh` ended/ },
  { name: 'another protocol', speaker: { pieces: [SUCCESS], protocol: 'v9.channel.k8s.io' }, code: 'malformed', message: /v9\.channel/ },
  { name: 'a wrong key', speaker: { pieces: [SUCCESS], key: 'another' }, code: 'malformed', message: /nobody asked for/ },
  { name: 'a frame of 5 GB', speaker: { pieces: [Buffer.from([0x82, 127, 0, 0, 0, 1, 0x40, 0, 0, 0])], ends: false }, code: 'too-large', message: /larger than/ },
  { name: 'a masked frame', speaker: { pieces: [Buffer.from([0x82, 0x81, 1, 2, 3, 4, 5])], ends: false }, code: 'malformed', message: /masked/ },
  { name: 'an outcome that is no JSON', speaker: { pieces: [channel(3, '<html>')] }, code: 'malformed', message: /no JSON/ },
];

for (const { name, speaker, code, message } of failing) {
  test(`a failure: ${name}`, async (context) => {
    const { connection } = await startSpeaker(context, speaker);
    await assert.rejects(execInPod(connection, REQUEST), (error) => error instanceof ClusterError && error.code === code && message.test(error.message));
  });
}

test('a program that does not end is given up, and so is one that nobody wants any more', async (context) => {
  const { connection } = await startSpeaker(context, { pieces: [channel(1, 'a')], ends: false });
  await assert.rejects(execInPod(connection, { ...REQUEST, timeoutMs: 50 }), /`sh` in the pod shop\/web-1 did not end within 0\.05 s/);
  const stop = new AbortController();
  setImmediate(() => stop.abort());
  await assert.rejects(execInPod(connection, { ...REQUEST, signal: stop.signal }), ClusterError);
});

test('a server that says no says why', async (context) => {
  const server = createServer((_, response) => response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'pods "web-1" is forbidden: cannot create resource "pods/exec"' })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const connection: Connection = { name: 'spoken', server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), credentials: async () => ({}) };
  await assert.rejects(execInPod(connection, REQUEST), (error) => error instanceof ClusterError && error.code === 'forbidden' && /pods\/exec/.test(error.message));
});
