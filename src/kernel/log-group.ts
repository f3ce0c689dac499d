// The real packet log: a group of NFNETLINK log, read in a thread of libuv, so that a packet is told within a fraction of a millisecond and none costs nothing.
import { read } from 'node:fs';
import { constants } from 'node:os';
import { codeOfErrno, FirewallError } from './firewall-error.ts';
import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST, readMessages, SUBSYSTEM_LOG, visitAttributes, type Message } from './internal/netfilter-message.ts';
import { NetfilterSocket } from './internal/netfilter-socket.ts';
import { loadLibc } from './libc.ts';
import type { NamespaceFd } from './network-namespace.ts';
import type { PacketListener, PacketLog } from './packet-log.ts';

// linux/netfilter/nfnetlink_log.h
const NFULNL_MSG_PACKET = 0;
const NFULNL_MSG_CONFIG = 1;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_QTHRESH = 5;
const COMMAND_BIND = 1;
const COMMAND_UNBIND = 2;
const COPY_PACKET = 2;

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

/** A packet of the largest answer, with its attributes. */
const READ_BYTES = 16_384;
/** So that the thread ends with the process. */
const READ_SECONDS = 1;

export interface LogGroupOptions {
  /** Without it the one that this process is in. */
  readonly namespace?: NamespaceFd;
  readonly group: number;
}

export function openLogGroup({ namespace, group }: LogGroupOptions, listener: PacketListener): PacketLog {
  const socket = new NetfilterSocket(namespace);
  try {
    configure(socket, group);
  } catch (error) {
    socket.close();
    throw error;
  }
  return new LogGroup({ socket, group }, listener);
}

class LogGroup implements PacketLog {
  private readonly socket: NetfilterSocket;
  private readonly group: number;
  private readonly listener: PacketListener;
  private readonly received = Buffer.alloc(READ_BYTES);
  private isClosed = false;

  constructor({ socket, group }: { readonly socket: NetfilterSocket; readonly group: number }, listener: PacketListener) {
    this.socket = socket;
    this.group = group;
    this.listener = listener;
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(READ_SECONDS), 0);
    loadLibc().setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, time, time.length);
    this.readNext();
  }

  /** The group is free at once; the descriptor lives until the read that goes on has ended. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    command(this.socket, this.group, COMMAND_UNBIND);
  }

  private readNext(): void {
    read(this.socket.fd, this.received, 0, READ_BYTES, null, (error, size) => {
      if (this.isClosed) return this.socket.close();
      if (error === null) for (const message of readMessages(this.received, size)) this.take(message);
      else if (error.code === 'ENOBUFS') this.listener.lost();
      else if (error.code !== 'EAGAIN' && error.code !== 'EINTR') return this.fail(error);
      // A listener may have closed it.
      if (this.isClosed) this.socket.close();
      else this.readNext();
    });
  }

  private take({ type, bytes, start, end }: Message): void {
    if (type !== ((SUBSYSTEM_LOG << 8) | NFULNL_MSG_PACKET) || this.isClosed) return;
    let prefix = '';
    let payload: Uint8Array | undefined;
    visitAttributes(bytes, start, end, (attribute, from, until) => {
      if (attribute === NFULA_PREFIX) prefix = bytes.toString('latin1', from, until - 1);
      if (attribute === NFULA_PAYLOAD) payload = bytes.subarray(from, until);
    });
    if (payload !== undefined) this.listener.packet({ prefix, bytes: payload });
  }

  private fail(error: NodeJS.ErrnoException): void {
    this.isClosed = true;
    this.socket.close();
    this.listener.failed(new FirewallError({ code: 'netlink', doing: 'listen to a log group', errno: Math.abs(error.errno ?? 0), cause: error.message }));
  }
}

function configure(socket: NetfilterSocket, group: number): void {
  command(socket, group, COMMAND_BIND);
  send(socket, group, (writer) => {
    writer.attribute(NFULA_CFG_MODE, 6, (bytes, at) => {
      bytes.writeUInt32BE(0xffff, at);
      bytes[at + 4] = COPY_PACKET;
      bytes[at + 5] = 0;
    });
    // Each packet is told at once.
    writer.number(NFULA_CFG_QTHRESH, 1);
  });
}

function command(socket: NetfilterSocket, group: number, word: number): void {
  send(socket, group, (writer) => writer.attribute(NFULA_CFG_CMD, 1, (bytes, at) => (bytes[at] = word)));
}

function send(socket: NetfilterSocket, group: number, body: (writer: MessageWriter) => void): void {
  const writer = new MessageWriter(256);
  writer.message({ subsystem: SUBSYSTEM_LOG, type: NFULNL_MSG_CONFIG, flags: NLM_F_REQUEST | NLM_F_ACK, family: 0, sequence: socket.nextSequence(), resource: group }, () => body(writer));
  const doing = `listen to log group ${group}`;
  const [refused] = socket.send(writer.bytes, writer.size, doing);
  if (refused === undefined) return;
  const isTaken = refused.errno === constants.errno.EPERM || refused.errno === constants.errno.EBUSY;
  const said = isTaken ? 'another process listens to it, or this one lacks NET_ADMIN; --answer-group or --denial-group chooses another' : refused.text;
  throw new FirewallError({ code: codeOfErrno(refused.errno), doing, errno: refused.errno, ...(said === undefined ? {} : { said }) });
}
