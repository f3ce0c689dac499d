// A connection that goes on: it says something at each tick and hears its echo, so that one can see when it is cut.
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpAddress } from '../../../src/base/ip-address.ts';
import { loadLibc } from '../../../src/kernel/libc.ts';
import { inNamespace, type NamespaceFd } from '../../../src/kernel/network-namespace.ts';
import { addressFamily, socketAddress } from '../../../src/kernel/socket-address.ts';

export interface ConnectionEnds {
  readonly namespace: NamespaceFd;
  readonly target: IpAddress;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

export class LiveConnection {
  readonly #fd: number;
  /** `reset`: the other side, or a firewall in its name, ended it. */
  state: 'open' | 'reset' | 'closed' = 'open';
  /** Words said and echoes heard. */
  said = 0;
  heard = 0;

  constructor({ namespace, target, protocol, port }: ConnectionEnds) {
    const libc = loadLibc();
    this.#fd = inNamespace(namespace, () => libc.socket(addressFamily(target), (protocol === 'TCP' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (protocol === 'TCP') libc.setsockopt(this.#fd, IPPROTO_TCP, TCP_NODELAY, ONE, ONE.length);
    const address = socketAddress(target, port);
    libc.connect(this.#fd, address, address.length);
  }

  /** Says one word, and hears what has come since. */
  tick(): void {
    if (this.state !== 'open') return;
    const libc = loadLibc();
    for (;;) {
      const size = libc.recv(this.#fd, received, received.length, MSG_DONTWAIT);
      if (size < 0) break;
      if (size === 0) return this.#end('closed');
      this.heard += size / WORD.length;
    }
    if (libc.errno() !== EAGAIN) return this.#end('reset');
    if (libc.send(this.#fd, WORD, WORD.length, MSG_NOSIGNAL | MSG_DONTWAIT) === WORD.length) this.said++;
    else if (libc.errno() !== EAGAIN) this.#end('reset');
  }

  close(): void {
    if (this.state === 'open') this.#end('closed');
  }

  #end(state: 'reset' | 'closed'): void {
    loadLibc().close(this.#fd);
    this.state = state;
  }
}

/** Ticks all of them for so long. */
export async function keepTalking(connections: readonly LiveConnection[], forMs: number): Promise<void> {
  for (const deadline = performance.now() + forMs; performance.now() < deadline; await sleep(TICK_MS)) for (const connection of connections) connection.tick();
}

const TICK_MS = 20;
const WORD = Buffer.from('bulkhead');
const ONE = Buffer.from([1, 0, 0, 0]);
const received = Buffer.alloc(65536);

// asm-generic/errno-base.h, linux/socket.h, linux/net.h, linux/tcp.h
const EAGAIN = 11;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
