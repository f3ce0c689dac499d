// A prober on non-blocking sockets and poll(2): thousands of connections from many namespaces at once, out of one thread.
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { loadLibc } from './libc.ts';
import { inNamespace } from './network-namespace.ts';
import { socketAddress, addressFamily } from './socket-address.ts';
import type { ProbeAnswer, Prober, ProbeRound, ProbeTask } from './prober.ts';
import { SctpWatch } from './internal/sctp-watch.ts';

/** poll(2) looks at every descriptor in each call, and plain users have some 20,000 descriptors at most. */
export const PROBE_TASKS_MAX = 8000;

/** What a probe's datagrams begin with, so that a DNS responder can tell them from questions. */
export const PROBE_MARK: Buffer = Buffer.from('bulkhead');

export interface PollProberOptions {
  /** Cut to `PROBE_TASKS_MAX`. */
  readonly tasksMax?: number;
  /** What datagrams begin with; `PROBE_MARK` when missing. At most 32 bytes. */
  readonly mark?: Uint8Array;
}

/** Each task takes one file descriptor while its round is open. */
export function createPollProber(options: PollProberOptions = {}): Prober {
  const tasksMax = Math.min(options.tasksMax ?? PROBE_TASKS_MAX, PROBE_TASKS_MAX);
  const mark = Buffer.from(options.mark ?? PROBE_MARK);
  return { tasksMax, open: (tasks) => new PollRound(tasks, { tasksMax, mark }) };
}

class PollRound implements ProbeRound {
  readonly answers: ProbeAnswer[];
  private readonly tasks: readonly ProbeTask[];
  private readonly fds: Int32Array;
  private readonly errnos: Int32Array;
  private readonly nonce: Buffer;
  private readonly markLength: number;
  private readonly sctp: SctpWatch;

  constructor(tasks: readonly ProbeTask[], { tasksMax, mark }: { readonly tasksMax: number; readonly mark: Buffer }) {
    if (tasks.length > tasksMax) throw new RangeError(`${tasks.length} probes in one round, at most ${tasksMax}`);
    this.tasks = tasks;
    this.answers = tasks.map(() => 'silent');
    this.fds = new Int32Array(tasks.length).fill(-1);
    this.errnos = new Int32Array(tasks.length);
    this.markLength = mark.length;
    this.nonce = Buffer.concat([mark, Buffer.alloc(8)]);
    this.nonce.writeUInt32BE(randomInt(0xffffffff), mark.length);
    this.sctp = new SctpWatch(tasks);
    try {
      this.sendAll();
    } catch (failure) {
      this.close();
      throw failure;
    }
  }

  async collect(waitMs: number, isSettled: (task: number) => boolean = () => false): Promise<void> {
    const deadline = performance.now() + waitMs;
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      const waiting = this.waiting(isSettled);
      if (waiting.length === 0) return;
      const heard = this.pollOnce(waiting);
      if (heard === waiting.length || performance.now() >= deadline) return;
      if (heard > 0) pauseMs = 1;
      await sleep(pauseMs);
    }
  }

  errnoOf(task: number): number {
    return this.errnos[task]!;
  }

  close(): void {
    const libc = loadLibc();
    for (const fd of this.fds) if (fd >= 0) libc.close(fd);
    this.fds.fill(-1);
    this.sctp.close();
  }

  private waiting(isSettled: (task: number) => boolean): number[] {
    const waiting: number[] = [];
    for (let task = 0; task < this.tasks.length; task++) {
      if (this.answers[task] === 'silent' && !isSettled(task)) waiting.push(task);
    }
    return waiting;
  }

  // Entering a namespace costs more than opening a socket, so runs of one namespace are sent from one visit.
  private sendAll(): void {
    for (let start = 0; start < this.tasks.length; ) {
      const { namespace } = this.tasks[start]!;
      let end = start + 1;
      while (end < this.tasks.length && this.tasks[end]!.namespace === namespace) end++;
      inNamespace(namespace, () => {
        for (let task = start; task < end; task++) this.send(task);
      });
      start = end;
    }
  }

  private send(task: number): void {
    const { protocol, port, target } = this.tasks[task]!;
    if (protocol === 'SCTP') return this.note(task, this.sctp.send(task));
    const libc = loadLibc();
    const kind = protocol === 'TCP' ? SOCK_STREAM : SOCK_DGRAM;
    const fd = libc.socket(addressFamily(target), kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return this.note(task, libc.errno());
    this.fds[task] = fd;
    // Closing then resets the connection: nothing stays behind in TIME_WAIT.
    if (protocol === 'TCP') libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_NONE, LINGER_NONE.length);
    const bindErrno = this.bindSource(fd, this.tasks[task]!);
    if (bindErrno !== 0) return this.note(task, bindErrno);
    const address = socketAddress(target, port);
    if (libc.connect(fd, address, address.length) < 0) {
      const errno = libc.errno();
      if (errno !== EINPROGRESS) return this.note(task, errno);
    }
    if (protocol === 'UDP') {
      const datagram = this.datagramOf(task);
      if (libc.send(fd, datagram, datagram.length, MSG_NOSIGNAL) < 0) this.note(task, libc.errno());
    }
  }

  // The port is chosen at connect, so that one address can open more connections than it has ports.
  private bindSource(fd: number, { source }: ProbeTask): number {
    const libc = loadLibc();
    libc.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ONE, ONE.length);
    const address = socketAddress(source, 0);
    return libc.bind(fd, address, address.length) < 0 ? libc.errno() : 0;
  }

  private note(task: number, errno: number): void {
    if (errno === 0) return;
    this.errnos[task] = errno;
    this.answers[task] = REFUSALS.has(errno) ? 'refused' : 'failed';
  }

  /** How many were heard of in this pass. */
  private pollOnce(waiting: readonly number[]): number {
    for (const task of this.sctp.arrivals()) this.answers[task] = 'arrived';
    const entries = Buffer.alloc(waiting.length * POLLFD_BYTES);
    waiting.forEach((task, index) => {
      entries.writeInt32LE(this.fds[task]!, index * POLLFD_BYTES);
      entries.writeInt16LE(this.tasks[task]!.protocol === 'TCP' ? POLLOUT : POLLIN, index * POLLFD_BYTES + 4);
    });
    loadLibc().poll(entries, waiting.length, 0);
    waiting.forEach((task, index) => {
      if (entries.readInt16LE(index * POLLFD_BYTES + 6) !== 0) this.hear(task);
    });
    return waiting.reduce((count, task) => count + (this.answers[task] === 'silent' ? 0 : 1), 0);
  }

  private hear(task: number): void {
    const libc = loadLibc();
    const value = Buffer.alloc(4);
    const size = Buffer.from([4, 0, 0, 0]);
    if (libc.getsockopt(this.fds[task]!, SOL_SOCKET, SO_ERROR, value, size) < 0) return this.note(task, libc.errno());
    const errno = value.readInt32LE();
    if (errno !== 0) return this.note(task, errno);
    if (this.tasks[task]!.protocol === 'TCP') {
      this.answers[task] = 'connected';
      return;
    }
    const length = libc.recv(this.fds[task]!, received, received.length, MSG_DONTWAIT);
    const isOurs = length === this.nonce.length && received.subarray(0, length).equals(this.datagramOf(task));
    if (isOurs || (length >= 0 && this.tasks[task]!.datagram !== undefined)) this.answers[task] = 'replied';
  }

  private datagramOf(task: number): Uint8Array {
    const { datagram } = this.tasks[task]!;
    if (datagram !== undefined) return datagram;
    this.nonce.writeUInt32BE(task, this.markLength + 4);
    return this.nonce;
  }
}

const PAUSE_MAX_MS = 16;

const received = Buffer.alloc(64);
const ONE = Buffer.from([1, 0, 0, 0]);
const LINGER_NONE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

// asm-generic/errno.h, asm-generic/socket.h, linux/in.h, asm-generic/poll.h
const ECONNRESET = 104;
const ECONNREFUSED = 111;
const EINPROGRESS = 115;
const REFUSALS: ReadonlySet<number> = new Set([ECONNREFUSED, ECONNRESET]);
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_LINGER = 13;
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
const POLLOUT = 4;
const POLLFD_BYTES = 8;
