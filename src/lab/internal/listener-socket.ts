// Sockets that listen, opened in the namespace that the caller has entered.
import type { IpAddress, IpFamily } from '../../base/ip-address.ts';
import { loadLibc } from '../../kernel/libc.ts';
import { AF_INET, AF_INET6, socketAddress } from '../../kernel/socket-address.ts';

export interface ListenerWish {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** undefined: every address of the namespace, of both families where it has both. */
  readonly address: IpAddress | undefined;
  readonly families: readonly IpFamily[];
}

/** The descriptor, or minus the error number. */
export function openListener({ protocol, port, address, families }: ListenerWish): number {
  const libc = loadLibc();
  const bound = address ?? { family: families.includes(6) ? 6 : 4, value: 0n };
  const kind = protocol === 'TCP' ? SOCK_STREAM : SOCK_DGRAM;
  const fd = libc.socket(bound.family === 6 ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -libc.errno();
  if (bound.family === 6) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, OFF, OFF.length);
  const bytes = socketAddress(bound, port);
  const isOpen = libc.bind(fd, bytes, bytes.length) === 0 && (protocol === 'UDP' || libc.listen(fd, BACKLOG) === 0);
  if (isOpen) return fd;
  const errno = libc.errno();
  libc.close(fd);
  return -errno;
}

/** Connections that wait for the thread to take them; probes come in thousands. */
const BACKLOG = 4096;

const OFF = Buffer.alloc(4);

// linux/net.h, linux/in6.h
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
