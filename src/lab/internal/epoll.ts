// epoll(7) over descriptors of many namespaces, each watched with what it is and whose.
import { loadLibc } from '../../kernel/libc.ts';

/** `dns-` kinds answer names; `wake` ends the thread. */
export const WATCH_KINDS = ['tcp-listener', 'udp', 'dns-tcp-listener', 'dns-udp', 'connection', 'dns-connection', 'wake'] as const;
export type WatchKind = (typeof WATCH_KINDS)[number];

/** `owner` is the index of the endpoint that the descriptor belongs to. */
export interface Watch {
  readonly fd: number;
  readonly kind: WatchKind;
  readonly owner: number;
}

export function createEpoll(): number {
  return loadLibc().epoll_create1(EPOLL_CLOEXEC);
}

/** Closing the descriptor ends the watch. Gives false when the kernel refuses. */
export function watch(epoll: number, { fd, kind, owner }: Watch): boolean {
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(EPOLLIN, 0);
  event.writeUInt32LE(fd, DATA_AT);
  event.writeUInt32LE(owner * KINDS_ROOM + WATCH_KINDS.indexOf(kind), DATA_AT + 4);
  return loadLibc().epoll_ctl(epoll, EPOLL_CTL_ADD, fd, event) === 0;
}

/** What is ready; waits for so long at most. */
export function waitForWatches(epoll: number, timeoutMs: number): Watch[] {
  const count = loadLibc().epoll_wait(epoll, ready, EVENTS_MAX, timeoutMs);
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const at = index * EVENT_BYTES + DATA_AT;
    const tag = ready.readUInt32LE(at + 4);
    return { fd: ready.readUInt32LE(at), kind: WATCH_KINDS[tag % KINDS_ROOM]!, owner: Math.floor(tag / KINDS_ROOM) };
  });
}

const EVENTS_MAX = 256;
const KINDS_ROOM = 8;

// sys/epoll.h: the structure is packed on x86-64 alone.
const DATA_AT = process.arch === 'x64' ? 4 : 8;
const EVENT_BYTES = DATA_AT + 8;
const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;

const ready = Buffer.alloc(EVENTS_MAX * EVENT_BYTES);
