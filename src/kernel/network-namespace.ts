// Network namespaces held by file descriptor alone: nothing is named, so the kernel frees them when this process ends, however it ends.
import { closeSync, openSync } from 'node:fs';
import { CLONE_NEWNET, loadLibc } from './libc.ts';

/** A file descriptor of /proc/…/ns/net. */
export type NamespaceFd = number;

let homeFd: NamespaceFd | undefined;

function home(): NamespaceFd {
  homeFd ??= openSync('/proc/self/ns/net', 'r');
  return homeFd;
}

/** Makes an empty namespace; needs CAP_SYS_ADMIN in the user namespace. */
export function createNamespace(): NamespaceFd {
  const libc = loadLibc();
  const back = home();
  if (libc.unshare(CLONE_NEWNET) !== 0) throw new NamespaceError(`unshare a network namespace`, libc.errno());
  const fd = openSync('/proc/thread-self/ns/net', 'r');
  enter(back);
  return fd;
}

/** Runs a synchronous function inside a namespace; sockets and files opened there stay in it. Never yields to the event loop. */
export function inNamespace<Result>(fd: NamespaceFd, run: () => Result): Result {
  const back = home();
  const libc = loadLibc();
  if (libc.setns(fd, CLONE_NEWNET) !== 0) throw new NamespaceError('enter a network namespace', libc.errno());
  try {
    return run();
  } finally {
    enter(back);
  }
}

export function closeNamespace(fd: NamespaceFd): void {
  closeSync(fd);
}

export class NamespaceError extends Error {
  readonly code = 'namespace-refused';
  readonly errno: number;
  constructor(what: string, errno: number) {
    super(`cannot ${what}: errno ${errno}`);
    this.name = 'NamespaceError';
    this.errno = errno;
  }
}

// Invariant: the main thread is in its own namespace whenever the event loop runs. Going on elsewhere would send
// traffic of this process into a pod's namespace, so a failure to return ends the process.
function enter(fd: NamespaceFd): void {
  if (loadLibc().setns(fd, CLONE_NEWNET) !== 0) process.abort();
}
