// A listener inside a pod's namespace that nobody but the expected sources can reach: a socket filter drops everybody else's packets.
import { loadLibc } from '../libc.ts';
import { inNamespace } from '../network-namespace.ts';
import type { ListenOutcome, ListenWish, PodListener } from '../pod-network.ts';
import { addressFamily, socketAddress } from '../socket-address.ts';
import { sourceFilter } from './source-filter.ts';

/** Throws NamespaceError where the namespace cannot be entered. */
export function openPodListener(wish: ListenWish): ListenOutcome {
  return inNamespace(wish.namespace, () => listenHere(wish));
}

function listenHere({ address, protocol, port, sources, mark }: ListenWish): ListenOutcome {
  const libc = loadLibc();
  const fd = libc.socket(addressFamily(address), (protocol === 'TCP' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return { kind: 'failed', errno: libc.errno() };
  // For what is left of earlier connections; of datagrams it would share the port with somebody else.
  if (protocol === 'TCP') libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ONE, ONE.length);
  const bytes = socketAddress(address, port);
  // The filter comes first: there is no moment in which anybody else is let in.
  const isOpen = libc.attachFilter(fd, sourceFilter(sources)) === 0 && libc.bind(fd, bytes, bytes.length) === 0 && (protocol === 'UDP' || libc.listen(fd, BACKLOG) === 0);
  if (isOpen) return { kind: 'listening', listener: protocol === 'TCP' ? streamListener(fd) : datagramListener(fd, mark) };
  const errno = libc.errno();
  libc.close(fd);
  return errno === EADDRINUSE ? { kind: 'served' } : { kind: 'failed', errno };
}

/** The kernel completes handshakes; whoever came is sent away without a word. */
function streamListener(fd: number): PodListener {
  const libc = loadLibc();
  return {
    answer: () => {
      for (let taken = 0; taken < BACKLOG; taken++) {
        const connection = libc.accept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection < 0) return;
        libc.close(connection);
      }
    },
    close: () => void libc.close(fd),
  };
}

function datagramListener(fd: number, mark: Uint8Array): PodListener {
  const libc = loadLibc();
  return {
    answer: () => {
      for (let taken = 0; taken < BACKLOG; taken++) {
        sizeOfSender.writeUInt32LE(sender.length);
        const length = libc.recvfrom(fd, received, received.length, MSG_DONTWAIT, sender, sizeOfSender);
        if (length < 0) return;
        const isExpected = length >= mark.length && received.subarray(0, mark.length).equals(mark);
        if (isExpected) libc.sendto(fd, received, length, MSG_DONTWAIT | MSG_NOSIGNAL, sender, sizeOfSender.readUInt32LE());
      }
    },
    close: () => void libc.close(fd),
  };
}

/** Connections that wait to be sent away; also those taken at one time. */
const BACKLOG = 256;

/** As long as probes are: what is longer is cut, and nobody's probe. */
const received = Buffer.alloc(64);
const sender = Buffer.alloc(28);
const sizeOfSender = Buffer.alloc(4);
const ONE = Buffer.from([1, 0, 0, 0]);

// linux/net.h, asm-generic/socket.h, asm-generic/errno.h, linux/socket.h
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const EADDRINUSE = 98;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
