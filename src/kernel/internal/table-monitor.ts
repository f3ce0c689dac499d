// Hears of every change of nftables in one namespace and tells whether others changed our tables, and who.
import { constants } from 'node:os';
import { FirewallError } from '../firewall-error.ts';
import type { Culprit } from '../firewall.ts';
import { loadLibc } from '../libc.ts';
import { inNamespace, type NamespaceFd } from '../network-namespace.ts';
import { FAMILY_INET, readMessages, SUBSYSTEM_NFTABLES, visitAttributes, type Message } from './netfilter-message.ts';

const RECEIVE_BUFFER_BYTES = 8 << 20;
const READ_BYTES = 256 << 10;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;
/** NFNLGRP_NFTABLES, 7, as a bit of the address. */
const GROUP_NFTABLES = 1 << 6;

const NFT_MSG_NEWGEN = 15;
const NFTA_TABLE = 1;
const NFTA_GEN_PROC_PID = 2;
const NFTA_GEN_PROC_NAME = 3;

export class TableMonitor {
  readonly fd: number;
  private readonly tables: ReadonlySet<string>;
  private readonly ownPort: number;
  private readonly received = Buffer.alloc(READ_BYTES);
  private touched = false;
  private by: Culprit | undefined;
  /** Touched us in the transaction that is being told. */
  private touchingPort: number | undefined;

  /** `ownPort`: what that socket of ours changes counts for nothing. */
  constructor(options: { readonly namespace: NamespaceFd | undefined; readonly tables: ReadonlySet<string>; readonly ownPort: number }) {
    this.tables = options.tables;
    this.ownPort = options.ownPort;
    const open = (): number => loadLibc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    this.fd = options.namespace === undefined ? open() : inNamespace(options.namespace, open);
    if (this.fd < 0) throw failure();
    const size = Buffer.alloc(4);
    size.writeInt32LE(RECEIVE_BUFFER_BYTES);
    if (loadLibc().setsockopt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) !== 0) loadLibc().setsockopt(this.fd, SOL_SOCKET, SO_RCVBUF, size, 4);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(GROUP_NFTABLES, 8);
    if (loadLibc().bind(this.fd, address, address.length) !== 0) throw failure();
  }

  /** Whether others touched our tables, or may have, since `settle`; reads what has come. */
  get isTouched(): boolean {
    for (;;) {
      const got = loadLibc().recv(this.fd, this.received, READ_BYTES, MSG_DONTWAIT);
      if (got >= 0) {
        for (const message of readMessages(this.received, got)) this.take(message);
        continue;
      }
      const errno = loadLibc().errno();
      if (errno === constants.errno.EAGAIN) return this.touched;
      // More came than the buffer holds: what was lost may have been about us.
      if (errno === constants.errno.ENOBUFS) this.touched = true;
      else if (errno !== constants.errno.EINTR) throw failure();
    }
  }

  /** Who touched them last; forgets all that came so far. */
  settle(): Culprit | undefined {
    const { by } = this;
    this.touched = false;
    this.by = undefined;
    return by;
  }

  close(): void {
    loadLibc().close(this.fd);
  }

  private take(message: Message): void {
    const { type, port, family, bytes, start, end } = message;
    if (type >> 8 !== SUBSYSTEM_NFTABLES || port === this.ownPort) return;
    if ((type & 0xff) === NFT_MSG_NEWGEN) {
      if (port === this.touchingPort) this.by = readCulprit(bytes, start, end);
      this.touchingPort = undefined;
      return;
    }
    if (family !== FAMILY_INET) return;
    visitAttributes(bytes, start, end, (attribute, from, until) => {
      if (attribute !== NFTA_TABLE || !this.tables.has(bytes.toString('latin1', from, until - 1))) return;
      this.touched = true;
      this.touchingPort = port;
    });
  }
}

function readCulprit(bytes: Buffer, start: number, end: number): Culprit {
  let culprit: Culprit = { pid: 0, name: '' };
  visitAttributes(bytes, start, end, (attribute, from, until) => {
    if (attribute === NFTA_GEN_PROC_PID) culprit = { ...culprit, pid: bytes.readUInt32BE(from) };
    if (attribute === NFTA_GEN_PROC_NAME) culprit = { ...culprit, name: bytes.toString('latin1', from, until - 1) };
  });
  return culprit;
}

function failure(): FirewallError {
  return new FirewallError({ code: 'netlink', doing: 'listen for changes of nftables', errno: loadLibc().errno() });
}
