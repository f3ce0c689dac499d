// The network devices of a namespace, as far as they say how its pods are wired.
import { FirewallError } from '../firewall-error.ts';
import { loadLibc } from '../libc.ts';
import { inNamespace, type NamespaceFd } from '../network-namespace.ts';
import { readMessages, visitAttributes, type Message } from './netfilter-message.ts';

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth` and so on; empty for real devices. */
  readonly kind: string;
  /** Index of the bridge that it is a port of; 0 where it is none's. */
  readonly master: number;
  /** Of a bridge: its own switches, beside those of the whole namespace. */
  readonly filters: { readonly 4: boolean; readonly 6: boolean };
}

// linux/rtnetlink.h, linux/if_link.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const LINK_HEADER_BYTES = 16;
const READ_BYTES = 64 << 10;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_BR_NF_CALL_IPTABLES = 36;
const IFLA_BR_NF_CALL_IP6TABLES = 37;

export function readLinks(namespace: NamespaceFd | undefined): Link[] {
  const libc = loadLibc();
  const open = (): number => libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const fd = namespace === undefined ? open() : inNamespace(namespace, open);
  try {
    const request = Buffer.alloc(16 + LINK_HEADER_BYTES);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(RTM_GETLINK, 4);
    request.writeUInt16LE(REQUEST_DUMP, 6);
    if (fd < 0 || libc.send(fd, request, request.length, 0) < 0) throw failure();
    return readDump(fd);
  } finally {
    libc.close(fd);
  }
}

function readDump(fd: number): Link[] {
  const received = Buffer.alloc(READ_BYTES);
  const links: Link[] = [];
  for (;;) {
    const got = loadLibc().recv(fd, received, READ_BYTES, 0);
    if (got < 0) throw failure();
    for (const message of readMessages(received, got)) {
      if (message.type === NLMSG_DONE) return links;
      if (message.type === NLMSG_ERROR) throw failure(-message.bytes.readInt32LE(message.payload));
      if (message.type === RTM_NEWLINK) links.push(readLink(message));
    }
  }
}

function readLink({ bytes, payload, end }: Message): Link {
  let link = { name: '', kind: '', master: 0 };
  const filters = { 4: false, 6: false };
  visitAttributes(bytes, payload + LINK_HEADER_BYTES, end, (type, start, stop) => {
    if (type === IFLA_IFNAME) link = { ...link, name: bytes.toString('latin1', start, stop - 1) };
    if (type === IFLA_MASTER) link = { ...link, master: bytes.readUInt32LE(start) };
    if (type !== IFLA_LINKINFO) return;
    visitAttributes(bytes, start, stop, (info, from, until) => {
      if (info === IFLA_INFO_KIND) link = { ...link, kind: bytes.toString('latin1', from, until).replace(/\0$/, '') };
      if (info !== IFLA_INFO_DATA || link.kind !== 'bridge') return;
      visitAttributes(bytes, from, until, (data, at) => {
        if (data === IFLA_BR_NF_CALL_IPTABLES) filters[4] = bytes[at] !== 0;
        if (data === IFLA_BR_NF_CALL_IP6TABLES) filters[6] = bytes[at] !== 0;
      });
    });
  });
  return { index: bytes.readInt32LE(payload + 4), ...link, filters };
}

function failure(errno: number = loadLibc().errno()): FirewallError {
  return new FirewallError({ code: 'netlink', doing: 'read the network devices', errno });
}
