// All listening sockets of a lab and the thread that answers on them.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { loadLibc } from '../../kernel/libc.ts';
import { LabError } from '../lab-error.ts';
import type { ListenerData } from './answer-watches.ts';
import { createEpoll, watch, type WatchKind } from './epoll.ts';
import { openListener, type ListenerWish } from './listener-socket.ts';

export interface OwnedListener extends ListenerWish {
  readonly owner: number;
  readonly isDns: boolean;
}

export class Listeners {
  private readonly epoll = createEpoll();
  private readonly wake = loadLibc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  private readonly fds: number[] = [];
  private readonly worker: Worker;
  private readonly online: Promise<unknown>;
  private readonly ended: Promise<unknown>;
  private readonly onExit = (): void => this.wakeThread();

  /** The thread starts while the caller goes on making namespaces. */
  constructor(data: Omit<ListenerData, 'epoll'>) {
    watch(this.epoll, { fd: this.wake, kind: 'wake', owner: 0 });
    const file = import.meta.url.endsWith('.ts') ? './listener-thread.ts' : './listener-thread.js';
    this.worker = new Worker(new URL(file, import.meta.url), { workerData: { ...data, epoll: this.epoll } satisfies ListenerData });
    this.worker.unref();
    this.online = once(this.worker, 'online');
    // Whoever waits for it hears of a failure; until then it must not end the process.
    this.online.catch(() => undefined);
    this.ended = once(this.worker, 'exit');
    // The process would wait for a thread that waits in the kernel.
    process.on('exit', this.onExit);
  }

  /** In the namespace that the caller has entered. */
  add({ owner, isDns, ...wish }: OwnedListener): void {
    const fd = openListener(wish);
    if (fd < 0) throw new LabError('no-namespaces', `cannot listen on ${wish.protocol.toLowerCase()}/${wish.port}: errno ${-fd}`);
    this.fds.push(fd);
    const kind: WatchKind = wish.protocol === 'TCP' ? (isDns ? 'dns-tcp-listener' : 'tcp-listener') : isDns ? 'dns-udp' : 'udp';
    if (!watch(this.epoll, { fd, kind, owner })) throw new LabError('no-namespaces', `cannot watch a listener: errno ${loadLibc().errno()}`);
  }

  /** Rejects when the thread cannot run. */
  async ready(): Promise<void> {
    this.worker.ref();
    await this.online;
    this.worker.unref();
  }

  async close(): Promise<void> {
    process.off('exit', this.onExit);
    // Now the process must wait for the thread to let go of the descriptors.
    this.worker.ref();
    this.wakeThread();
    await this.ended;
    for (const fd of [...this.fds, this.epoll, this.wake]) loadLibc().close(fd);
    this.fds.length = 0;
  }

  private wakeThread(): void {
    const one = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
    loadLibc().write(this.wake, one, one.length);
  }
}

// sys/eventfd.h
const EFD_CLOEXEC = 0x80000;
const EFD_NONBLOCK = 0x800;
