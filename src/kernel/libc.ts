// The few functions of the C library that Node does not offer, bound once, loaded when the kernel is first needed.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';

export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, size: number): number;
  connect(fd: number, address: Uint8Array, size: number): number;
  listen(fd: number, backlog: number): number;
  send(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  sendto(fd: number, bytes: Uint8Array, size: number, flags: number, address: Uint8Array, addressSize: number): number;
  recv(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, size: number): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, size: Uint8Array): number;
  poll(entries: Uint8Array, count: number, timeoutMs: number): number;
  close(fd: number): number;
  setns(fd: number, kind: number): number;
  unshare(flags: number): number;
  /** `errno` of the last call that failed. */
  errno(): number;
}

export const CLONE_NEWNET = 0x40000000;

let loaded: Libc | undefined;

/** Throws where koffi or the C library cannot be loaded (any system but Linux). */
export function loadLibc(): Libc {
  loaded ??= bindLibc();
  return loaded;
}

function bindLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const library = koffi.load('libc.so.6');
  return {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    bind: library.func('int bind(int fd, const uint8_t *address, uint32_t size)'),
    connect: library.func('int connect(int fd, const uint8_t *address, uint32_t size)'),
    listen: library.func('int listen(int fd, int backlog)'),
    send: library.func('int64_t send(int fd, const uint8_t *bytes, size_t size, int flags)'),
    sendto: library.func('int64_t sendto(int fd, const uint8_t *bytes, size_t size, int flags, const uint8_t *address, uint32_t addressSize)'),
    recv: library.func('int64_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t size)'),
    getsockopt: library.func('int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint8_t *size)'),
    poll: library.func('int poll(_Inout_ uint8_t *entries, uint64_t count, int timeoutMs)'),
    close: library.func('int close(int fd)'),
    setns: library.func('int setns(int fd, int kind)'),
    unshare: library.func('int unshare(int flags)'),
    errno: () => koffi.errno(),
  };
}
