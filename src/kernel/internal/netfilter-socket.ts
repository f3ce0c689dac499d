// A netlink socket of netfilter in one namespace: batches with their answers, and dumps. Everything is synchronous.
import { constants } from 'node:os';
import { codeOfErrno, errnoName, FirewallError } from '../firewall-error.ts';
import { loadLibc } from '../libc.ts';
import { inNamespace, type NamespaceFd } from '../network-namespace.ts';
import { NLM_F_DUMP, NLM_F_REQUEST, readMessages, visitAttributes, type Message, type MessageHead, MessageWriter } from './netfilter-message.ts';

/** The buffer we ask for, so that a whole ruleset is one batch; without CAP_NET_ADMIN at home we get `net.core.wmem_max`. */
const SEND_BUFFER_BYTES = 64 << 20;
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** The kernel fills at most 32 KiB of a dump at once. */
const READ_BYTES = 256 << 10;
/** How often a dump that a change crossed is begun again. */
const DUMP_TRIES_MAX = 16;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_DUMP_INTR = 0x10;
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

/** What the kernel says to one message of ours. */
export interface Refused {
  readonly sequence: number;
  readonly errno: number;
  readonly text: string | undefined;
  /** Offset of the offending attribute in that message. */
  readonly offset: number | undefined;
}

export class NetfilterSocket {
  /** The most bytes that one batch may have. */
  readonly sendBytesMax: number;
  /** The kernel's name of this socket among all of the namespace. */
  readonly port: number;
  readonly fd: number;
  private readonly received = Buffer.alloc(READ_BYTES);
  private lastSequence = 0;

  /** `sendBufferBytes`: no more than that is asked for, and no right over the host is used; the kernel doubles it. */
  constructor(namespace: NamespaceFd | undefined, sendBufferBytes?: number) {
    const open = (): number => loadLibc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    this.fd = namespace === undefined ? open() : inNamespace(namespace, open);
    if (this.fd < 0) throw this.failure('open a netfilter socket');
    // After a FORCE that worked the plain option would lower the buffer again.
    if (sendBufferBytes !== undefined || !this.set(SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES)) this.set(SOL_SOCKET, SO_SNDBUF, sendBufferBytes ?? SEND_BUFFER_BYTES);
    if (!this.set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)) this.set(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    this.set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    this.set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    this.sendBytesMax = this.get(SOL_SOCKET, SO_SNDBUF) - 32;
    this.port = this.bindPort();
  }

  nextSequence(): number {
    this.lastSequence = this.lastSequence >= 0x7fffffff ? 1 : this.lastSequence + 1;
    return this.lastSequence;
  }

  /** Sends messages that are handled inside `send`, and gives back what the kernel refused of them. */
  send(bytes: Buffer, size: number, doing: string): Refused[] {
    this.sendAll(bytes, size, doing);
    const refused: Refused[] = [];
    for (;;) {
      const got = loadLibc().recv(this.fd, this.received, READ_BYTES, MSG_DONTWAIT);
      if (got < 0) {
        const errno = loadLibc().errno();
        if (errno === constants.errno.EAGAIN) return refused;
        if (errno === constants.errno.EINTR) continue;
        throw this.failure(doing, errno);
      }
      for (const message of readMessages(this.received, got)) {
        const answer = message.type === NLMSG_ERROR ? readRefusal(message) : undefined;
        if (answer !== undefined && answer.errno !== 0) refused.push(answer);
      }
    }
  }

  /** Everything that a dump gives, read by `parse` while the message is there. Begun anew when a change crossed it. */
  dump<Value>(head: Omit<MessageHead, 'sequence' | 'flags'>, options: { readonly body: (writer: MessageWriter) => void; readonly parse: (message: Message, values: Value[]) => void; readonly doing: string }): Value[] {
    const { body, parse, doing } = options;
    for (let attempt = 0; attempt < DUMP_TRIES_MAX; attempt++) {
      const writer = new MessageWriter(256);
      writer.message({ ...head, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence: this.nextSequence() }, () => body(writer));
      this.sendAll(writer.bytes, writer.size, doing);
      const values: Value[] = [];
      if (this.readDump(doing, (message) => parse(message, values))) return values;
    }
    throw new FirewallError({ code: 'netlink', doing, errno: constants.errno.EINTR, said: 'others change the tables all the time' });
  }

  close(): void {
    loadLibc().close(this.fd);
  }

  // Gives false when what was read is not of one moment.
  private readDump(doing: string, visit: (message: Message) => void): boolean {
    let isWhole = true;
    for (;;) {
      const got = loadLibc().recv(this.fd, this.received, READ_BYTES, 0);
      if (got < 0) {
        const errno = loadLibc().errno();
        if (errno === constants.errno.EINTR) continue;
        throw this.failure(doing, errno);
      }
      for (const message of readMessages(this.received, got)) {
        if (message.sequence !== this.lastSequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) isWhole = false;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          const errno = -message.bytes.readInt32LE(message.payload);
          if (errno === 0) return isWhole;
          if (errno === constants.errno.EINTR || errno === constants.errno.EAGAIN) return false;
          throw this.failure(doing, errno);
        }
        visit(message);
      }
    }
  }

  private sendAll(bytes: Buffer, size: number, doing: string): void {
    for (;;) {
      if (loadLibc().send(this.fd, bytes, size, 0) >= 0) return;
      const errno = loadLibc().errno();
      if (errno !== constants.errno.EINTR) throw this.failure(doing, errno);
    }
  }

  private bindPort(): number {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(address.length);
    const libc = loadLibc();
    if (libc.bind(this.fd, address, address.length) !== 0 || libc.getsockname(this.fd, address, size) !== 0) throw this.failure('name a netfilter socket');
    return address.readUInt32LE(4);
  }

  private failure(doing: string, errno: number = loadLibc().errno()): FirewallError {
    return new FirewallError({ code: codeOfErrno(errno), doing, errno, cause: errnoName(errno) });
  }

  private set(level: number, option: number, value: number): boolean {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return loadLibc().setsockopt(this.fd, level, option, bytes, 4) === 0;
  }

  private get(level: number, option: number): number {
    const bytes = Buffer.alloc(4);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(4);
    if (loadLibc().getsockopt(this.fd, level, option, bytes, size) !== 0) throw this.failure('ask for the size of the send buffer');
    return bytes.readInt32LE();
  }
}

// The body: errno, then the header of our message, then (with extended acknowledgements) text and offset.
function readRefusal({ bytes, payload, end }: Message): Refused {
  let text: string | undefined;
  let offset: number | undefined;
  visitAttributes(bytes, payload + 20, end, (type, start, stop) => {
    if (type === NLMSGERR_ATTR_MSG) text = bytes.toString('latin1', start, stop - 1);
    else if (type === NLMSGERR_ATTR_OFFS) offset = bytes.readUInt32LE(start);
  });
  return { errno: -bytes.readInt32LE(payload), sequence: bytes.readUInt32LE(payload + 12), text, offset };
}
