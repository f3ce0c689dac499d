// A question to a program in a pod over a WebSocket, as a kubelet answers it: port numbers first, then data and errors, in whatever pieces.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { Connection } from '../../src/kube/kube-config.ts';
import { askPodOver, PodConversation } from '../../src/kube/port-forward.ts';

const QUESTION = { namespace: 'bulkhead-system', pod: 'agent-1', port: 9641, path: '/flows?after=7', timeoutMs: 60_000 } as const;
const PORT = Buffer.from([9641 & 255, 9641 >> 8]);

const message = (channel: number, payload: Buffer | string): Buffer => {
  const bytes = Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]);
  return Buffer.concat([Buffer.from(bytes.length < 126 ? [0x82, bytes.length] : [0x82, 126, bytes.length >> 8, bytes.length & 255]), bytes]);
};
const BEGINNING = [message(0, PORT), message(1, PORT)];

/** Nothing is said before it was asked; so many questions are answered before the end. */
async function startForwarder(context: TestContext, answers: readonly Buffer[], questionsMax = 1): Promise<{ readonly connection: Connection; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url!, request.headers['sec-websocket-protocol']!);
    socket.on('error', () => undefined);
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n`);
    for (const one of BEGINNING) socket.write(one);
    let questions = 0;
    socket.on('data', (frame: Buffer) => {
      const mask = frame.subarray(2, 6);
      asked.push(Buffer.from(frame.subarray(6).map((byte, index) => byte ^ mask[index % 4]!)).toString('latin1'));
      for (const one of answers) socket.write(one);
      if (++questions === questionsMax) socket.end(Buffer.from([0x88, 0]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, connection: { name: 'forwarded', server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), credentials: async () => ({ headers: { Authorization: 'Bearer secret' } }) } };
}

const answer = (status: string, body: string): string => `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('the body of an answer, in one piece or many', async (context) => {
  const body = 'one\ntwo ünd\n';
  const bytes = Buffer.from(answer('200 OK', body));
  for (const size of [1, 20, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => message(0, bytes.subarray(index * size, (index + 1) * size)));
    const { connection, asked } = await startForwarder(context, pieces);
    assert.equal(await askPodOver(connection, QUESTION), body);
    assert.deepEqual(asked, ['/api/v1/namespaces/bulkhead-system/pods/agent-1/portforward?ports=9641', 'v4.channel.k8s.io', '\u0000GET /flows?after=7 HTTP/1.0\r\nHost: localhost\r\n\r\n']);
  }
});

test('one question after another goes the same way, until that is cut or leads elsewhere', async (context) => {
  const { connection, asked } = await startForwarder(context, [message(0, answer('200 OK', 'a line\n'))], 2);
  const conversation = new PodConversation(connection);
  for (let turn = 0; turn < 5; turn++) assert.equal(await conversation.ask(QUESTION), 'a line\n');
  assert.equal(await conversation.ask({ ...QUESTION, pod: 'agent-2' }), 'a line\n');
  conversation.close();
  assert.deepEqual(asked.filter((text) => text.startsWith('/api')).map((path) => /agent-[0-9]/.exec(path)![0]), ['agent-1', 'agent-1', 'agent-1', 'agent-2']);
});

test('a question that nobody answers ends when its time is over', async (context) => {
  const { connection } = await startForwarder(context, [], 9);
  const conversation = new PodConversation(connection);
  await assert.rejects(conversation.ask({ ...QUESTION, timeoutMs: 50 }), /did not answer on port 9641 within 0.05 s/);
});

const failing: readonly { readonly name: string; readonly answers: readonly Buffer[]; readonly code: string; readonly message: RegExp }[] = [
  { name: 'nobody listens', answers: [message(1, 'connection refused')], code: 'unreachable', message: /9641: connection refused/ },
  { name: 'another status', answers: [message(0, answer('404 Not Found', 'there is no such page\n'))], code: 'malformed', message: /with 404: there is no such page/ },
  { name: 'cut in the middle', answers: [message(0, answer('200 OK', 'whole').slice(0, -2))], code: 'malformed', message: /no whole answer/ },
  { name: 'no HTTP', answers: [message(0, 'SSH-2.0')], code: 'malformed', message: /no whole answer/ },
];

for (const { name, answers, code, message: said } of failing) {
  test(`a failure: ${name}`, async (context) => {
    const { connection } = await startForwarder(context, answers);
    await assert.rejects(askPodOver(connection, QUESTION), (error) => error instanceof ClusterError && error.code === code && said.test(error.message));
  });
}
