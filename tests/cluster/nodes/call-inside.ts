// A TCP connection opened inside a network namespace, as a socket of Node, and one HTTP request over it.
import { Socket } from 'node:net';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../../src/base/ip-address.ts';
import { loadLibc } from '../../../src/kernel/libc.ts';
import { inNamespace, type NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import { addressFamily, socketAddress } from '../../../src/kernel/socket-address.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Blocks while it connects: for what is near and answers at once. Throws with the error number where it does not. */
export function callInside(namespace: NamespaceFd, target: IpAddress, port: number): Socket {
  const libc = loadLibc();
  const fd = inNamespace(namespace, () => {
    const socket = libc.socket(addressFamily(target), SOCK_STREAM | SOCK_CLOEXEC, 0);
    libc.setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, CONNECT_WITHIN, CONNECT_WITHIN.length);
    const address = socketAddress(target, port);
    if (libc.connect(socket, address, address.length) === 0) return socket;
    const errno = libc.errno();
    libc.close(socket);
    throw new Error(`${formatIpAddress(target)}:${port} cannot be called: errno ${errno}`);
  });
  return new Socket({ fd, readable: true, writable: true });
}

export interface HttpQuestion {
  /** Loopback, unless told otherwise. */
  readonly target?: IpAddress;
  /** Makes it a POST. */
  readonly body?: string;
}

export async function getInside(namespace: NamespaceFd, port: number, path: string, { target = LOOPBACK, body }: HttpQuestion = {}): Promise<HttpAnswer> {
  const socket = callInside(namespace, target, port);
  socket.setEncoding('utf8').setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error(`no answer to ${path} within ${ANSWER_WITHIN_MS / 1000} s`)));
  const head = `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.0\r\nHost: localhost\r\n`;
  socket.write(body === undefined ? `${head}\r\n` : `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  let text = '';
  for await (const piece of socket) text += piece as string;
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.[01] ([0-9]{3})/.exec(text)?.[1] ?? 0), body: text.slice(end + 4) };
}

const ANSWER_WITHIN_MS = 5000;
const LOOPBACK = parseIpAddress('127.0.0.1')!;

/** `struct timeval` of one second, which bounds a connect(2) too (socket(7), SO_SNDTIMEO). */
const CONNECT_WITHIN = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

// asm-generic/socket.h, linux/net.h
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
