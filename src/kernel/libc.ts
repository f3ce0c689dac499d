// The few functions of the C library that Node does not offer, bound once, loaded when the kernel is first needed.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';

export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, size: number): number;
  getsockname(fd: number, address: Uint8Array, size: Uint8Array): number;
  connect(fd: number, address: Uint8Array, size: number): number;
  listen(fd: number, backlog: number): number;
  send(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  sendto(fd: number, bytes: Uint8Array, size: number, flags: number, address: Uint8Array, addressSize: number): number;
  recv(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, size: number): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, size: Uint8Array): number;
  /** `SO_ATTACH_FILTER`: instructions of classic BPF, eight bytes each. */
  attachFilter(fd: number, instructions: Uint8Array): number;
  accept4(fd: number, address: Uint8Array | null, size: Uint8Array | null, flags: number): number;
  recvfrom(fd: number, bytes: Uint8Array, size: number, flags: number, address: Uint8Array, addressSize: Uint8Array): number;
  poll(entries: Uint8Array, count: number, timeoutMs: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epollFd: number, operation: number, fd: number, event: Uint8Array): number;
  epoll_wait(epollFd: number, events: Uint8Array, count: number, timeoutMs: number): number;
  eventfd(count: number, flags: number): number;
  write(fd: number, bytes: Uint8Array, size: number): number;
  prlimit(pid: number, resource: number, wanted: Uint8Array | null, held: Uint8Array | null): number;
  close(fd: number): number;
  setns(fd: number, kind: number): number;
  unshare(flags: number): number;
  prctl(option: number, second: number, third: number, fourth: number, fifth: number): number;
  capset(header: Uint8Array, data: Uint8Array): number;
  /** Of glibc alone; since 2.8 it gives back from all arenas, and from the middle of each. */
  readonly malloc_trim: ((pad: number) => number) | undefined;
  /** `errno` of the last call that failed. */
  errno(): number;
}

export const CLONE_NEWNET = 0x40000000;

// asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

let loaded: Libc | undefined;

/** Throws where koffi or the C library cannot be loaded (any system but Linux). */
export function loadLibc(): Libc {
  loaded ??= bindLibc();
  return loaded;
}

function bindLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const library = koffi.load('libc.so.6');
  // linux/filter.h
  const program = koffi.struct('sock_fprog', { len: 'uint16_t', filter: 'const uint8_t *' });
  const setFilter = library.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t']) as (fd: number, level: number, option: number, value: object, size: number) => number;
  return {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    bind: library.func('int bind(int fd, const uint8_t *address, uint32_t size)'),
    getsockname: library.func('int getsockname(int fd, _Out_ uint8_t *address, _Inout_ uint8_t *size)'),
    connect: library.func('int connect(int fd, const uint8_t *address, uint32_t size)'),
    listen: library.func('int listen(int fd, int backlog)'),
    send: library.func('int64_t send(int fd, const uint8_t *bytes, size_t size, int flags)'),
    sendto: library.func('int64_t sendto(int fd, const uint8_t *bytes, size_t size, int flags, const uint8_t *address, uint32_t addressSize)'),
    recv: library.func('int64_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t size)'),
    getsockopt: library.func('int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint8_t *size)'),
    attachFilter: (fd, instructions) => setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, { len: instructions.length / 8, filter: instructions }, koffi.sizeof(program)),
    accept4: library.func('int accept4(int fd, _Out_ uint8_t *address, _Inout_ uint8_t *size, int flags)'),
    recvfrom: library.func('int64_t recvfrom(int fd, _Out_ uint8_t *bytes, size_t size, int flags, _Out_ uint8_t *address, _Inout_ uint8_t *addressSize)'),
    poll: library.func('int poll(_Inout_ uint8_t *entries, uint64_t count, int timeoutMs)'),
    epoll_create1: library.func('int epoll_create1(int flags)'),
    epoll_ctl: library.func('int epoll_ctl(int epollFd, int operation, int fd, const uint8_t *event)'),
    epoll_wait: library.func('int epoll_wait(int epollFd, _Out_ uint8_t *events, int count, int timeoutMs)'),
    eventfd: library.func('int eventfd(uint32_t count, int flags)'),
    write: library.func('int64_t write(int fd, const uint8_t *bytes, size_t size)'),
    prlimit: library.func('int prlimit(int pid, int resource, const uint8_t *wanted, _Out_ uint8_t *held)'),
    close: library.func('int close(int fd)'),
    setns: library.func('int setns(int fd, int kind)'),
    unshare: library.func('int unshare(int flags)'),
    prctl: library.func('int prctl(int option, unsigned long second, unsigned long third, unsigned long fourth, unsigned long fifth)'),
    capset: library.func('int capset(uint8_t *header, const uint8_t *data)'),
    malloc_trim: findFunction(library, 'int malloc_trim(size_t pad)'),
    errno: () => koffi.errno(),
  };
}

function findFunction(library: ReturnType<typeof Koffi.load>, prototype: string): ReturnType<typeof library.func> | undefined {
  try {
    return library.func(prototype);
  } catch {
    return undefined;
  }
}
