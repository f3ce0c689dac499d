// Answers whoever comes to a listener: TCP is echoed or told the pod's name, UDP is echoed, DNS is answered from the zone.
import { loadLibc } from '../../kernel/libc.ts';
import { PROBE_MARK } from '../../kernel/poll-probe.ts';
import { answerDns, UDP_ANSWER_BYTES_MAX } from '../dns-answer.ts';
import type { DnsZone } from '../dns-zone.ts';
import { watch, type Watch } from './epoll.ts';

/** Open TCP connections of all listeners together; beyond it the oldest is closed. */
export const CONNECTIONS_MAX = 512;

export interface ListenerData {
  readonly epoll: number;
  readonly zone: DnsZone;
  /** By owner: what an HTTP client is told. */
  readonly names: readonly string[];
}

export class Answerer {
  private readonly data: ListenerData;
  /** By descriptor, oldest first: what has come of a DNS question over TCP. */
  private readonly connections = new Map<number, Buffer>();

  constructor(data: ListenerData) {
    this.data = data;
  }

  answer(ready: Watch): void {
    switch (ready.kind) {
      case 'tcp-listener':
      case 'dns-tcp-listener':
        return this.accept(ready);
      case 'udp':
      case 'dns-udp':
        return this.answerDatagrams(ready);
      case 'connection':
      case 'dns-connection':
        return this.answerConnection(ready);
      case 'wake':
        return;
    }
  }

  closeConnections(): void {
    for (const fd of this.connections.keys()) loadLibc().close(fd);
    this.connections.clear();
  }

  private accept({ fd: listener, kind, owner }: Watch): void {
    const libc = loadLibc();
    for (let count = 0; count < PER_TURN_MAX; count++) {
      const fd = libc.accept4(listener, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) {
        // Out of descriptors, the listener would stay ready for ever: make room.
        if (NO_ROOM.has(libc.errno())) this.closeConnections();
        return;
      }
      if (this.connections.size >= CONNECTIONS_MAX) this.close(this.connections.keys().next().value!);
      this.connections.set(fd, NOTHING);
      const isWatched = watch(this.data.epoll, { fd, kind: kind === 'tcp-listener' ? 'connection' : 'dns-connection', owner });
      if (!isWatched) this.close(fd);
    }
  }

  private answerDatagrams({ fd, kind }: Watch): void {
    const libc = loadLibc();
    for (let count = 0; count < PER_TURN_MAX; count++) {
      senderSize.writeUInt32LE(sender.length);
      const size = libc.recvfrom(fd, received, received.length, MSG_DONTWAIT, sender, senderSize);
      if (size < 0) return;
      const datagram = received.subarray(0, size);
      const reply = kind === 'dns-udp' && !isProbe(datagram) ? answerDns(this.data.zone, datagram, { bytesMax: UDP_ANSWER_BYTES_MAX }) : datagram;
      if (reply !== undefined) libc.sendto(fd, reply, reply.length, MSG_DONTWAIT, sender, senderSize.readUInt32LE());
    }
  }

  private answerConnection(ready: Watch): void {
    // Closed in this very turn to make room for another, whose descriptor it may now be.
    const before = this.connections.get(ready.fd);
    if (before === undefined) return;
    const size = loadLibc().recv(ready.fd, received, received.length, MSG_DONTWAIT);
    if (size < 0 && loadLibc().errno() === EAGAIN) return;
    if (size <= 0) return this.close(ready.fd);
    const bytes = received.subarray(0, size);
    if (ready.kind === 'dns-connection') return this.answerDnsConnection(ready.fd, Buffer.concat([before, bytes]));
    if (!HTTP_REQUEST.test(bytes.toString('latin1', 0, 16))) return this.send(ready.fd, bytes);
    this.send(ready.fd, httpAnswer(this.data.names[ready.owner] ?? ''));
    this.close(ready.fd);
  }

  /** Each message behind its length in two bytes (RFC 1035, section 4.2.2). */
  private answerDnsConnection(fd: number, bytes: Buffer): void {
    let rest = bytes;
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
      const end = 2 + rest.readUInt16BE();
      const reply = answerDns(this.data.zone, rest.subarray(2, end), { bytesMax: 65535 });
      if (reply === undefined) return this.close(fd);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      this.send(fd, Buffer.concat([length, reply]));
      rest = rest.subarray(end);
    }
    if (rest.length > DNS_QUESTION_BYTES_MAX) this.close(fd);
    else if (this.connections.has(fd)) this.connections.set(fd, Buffer.from(rest));
  }

  // Who does not read what he is sent loses the connection: nothing is kept for later.
  private send(fd: number, bytes: Buffer): void {
    if (loadLibc().send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL) !== bytes.length) this.close(fd);
  }

  private close(fd: number): void {
    if (this.connections.delete(fd)) loadLibc().close(fd);
  }
}

function isProbe(datagram: Buffer): boolean {
  return datagram.subarray(0, PROBE_MARK.length).equals(PROBE_MARK);
}

function httpAnswer(name: string): Buffer {
  const body = `${name}\n`;
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

const HTTP_REQUEST = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \//;

/** Taken from one descriptor before the others have their turn. */
const PER_TURN_MAX = 256;
const DNS_QUESTION_BYTES_MAX = 4096;

const NOTHING = Buffer.alloc(0);
const received = Buffer.alloc(65536);
const sender = Buffer.alloc(28);
const senderSize = Buffer.alloc(4);

// asm-generic/errno-base.h, linux/socket.h, linux/net.h
const EAGAIN = 11;
const NO_ROOM: ReadonlySet<number> = new Set([12, 23, 24, 105]);
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
