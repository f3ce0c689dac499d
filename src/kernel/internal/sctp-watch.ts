// SCTP probes by raw sockets: an INIT is sent from the source's namespace, and its arrival is watched in the target's.
import { randomInt } from 'node:crypto';
import { loadLibc } from '../libc.ts';
import { inNamespace, type NamespaceFd } from '../network-namespace.ts';
import type { ProbeTask } from '../prober.ts';
import { addressFamily, socketAddress } from '../socket-address.ts';
import { readSctpInit, sctpInit } from './sctp-packet.ts';

export class SctpWatch {
  private readonly tasks: readonly ProbeTask[];
  private readonly senders = new Map<string, number>();
  /** By namespace and family. */
  private readonly receivers = new Map<string, Receiver>();
  private readonly taskOfTag = new Map<number, number>();

  /** Opens the ears before anything is sent; nothing where no task is for SCTP. */
  constructor(tasks: readonly ProbeTask[]) {
    this.tasks = tasks;
    for (const { protocol, targetNamespace, target } of tasks) {
      const key = `${targetNamespace} ${target.family}`;
      if (protocol !== 'SCTP' || this.receivers.has(key)) continue;
      const fd = openRaw(targetNamespace, addressFamily(target));
      if (fd >= 0) this.receivers.set(key, { fd, hasIpHeader: target.family === 4 });
    }
  }

  /** Sends the task's packet from its namespace, which the caller has entered; gives the error number or 0. */
  send(task: number): number {
    const { source, target, port } = this.tasks[task]!;
    const libc = loadLibc();
    const key = `${this.tasks[task]!.namespace} ${source.family} ${source.value}`;
    const fd = this.senders.get(key) ?? openBound(this.tasks[task]!);
    if (fd < 0) return -fd;
    this.senders.set(key, fd);
    const initiateTag = randomInt(1, 0xffffffff);
    this.taskOfTag.set(initiateTag, task);
    const packet = sctpInit({ sourcePort: randomInt(32768, 61000), targetPort: port, initiateTag });
    // A raw IPv6 socket takes no port.
    const address = socketAddress(target, 0);
    return libc.sendto(fd, packet, packet.length, 0, address, address.length) < 0 ? libc.errno() : 0;
  }

  /** Tasks whose packet has come to its target since the last call. */
  arrivals(): number[] {
    const arrived: number[] = [];
    for (const receiver of this.receivers.values()) {
      for (const packet of packetsOf(receiver)) {
        const init = readSctpInit(packet);
        const task = init === undefined ? undefined : this.taskOfTag.get(init.initiateTag);
        if (task !== undefined && this.tasks[task]!.port === init!.targetPort) arrived.push(task);
      }
    }
    return arrived;
  }

  close(): void {
    const libc = loadLibc();
    for (const fd of this.senders.values()) libc.close(fd);
    for (const { fd } of this.receivers.values()) libc.close(fd);
    this.senders.clear();
    this.receivers.clear();
  }
}

interface Receiver {
  readonly fd: number;
  readonly hasIpHeader: boolean;
}

function openRaw(namespace: NamespaceFd, family: number): number {
  return inNamespace(namespace, () => loadLibc().socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP));
}

/** The descriptor, or minus the error number. */
function openBound({ source }: ProbeTask): number {
  const libc = loadLibc();
  const fd = libc.socket(addressFamily(source), SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);
  if (fd < 0) return -libc.errno();
  const address = socketAddress(source, 0);
  if (libc.bind(fd, address, address.length) === 0) return fd;
  const errno = libc.errno();
  libc.close(fd);
  return -errno;
}

function* packetsOf({ fd, hasIpHeader }: Receiver): Generator<Buffer> {
  const libc = loadLibc();
  for (;;) {
    const size = libc.recv(fd, received, received.length, MSG_DONTWAIT);
    if (size <= 0) return;
    yield received.subarray(hasIpHeader ? (received[0]! & 0xf) * 4 : 0, size);
  }
}

const received = Buffer.alloc(2048);

// linux/net.h, linux/in.h, linux/socket.h
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const IPPROTO_SCTP = 132;
const MSG_DONTWAIT = 0x40;
