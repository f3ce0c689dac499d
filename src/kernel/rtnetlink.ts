// Links, addresses, routes and neighbors of a network namespace, written straight over rtnetlink: no process per change.
import type { IpAddress } from '../base/ip-address.ts';
import { loadLibc } from './libc.ts';
import { inNamespace, type NamespaceFd } from './network-namespace.ts';
import { addressBytes, addressFamily, AF_INET6 } from './socket-address.ts';
import { attribute, nested, netlinkRequest, readReplies, type Attribute } from './internal/rtnetlink-message.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST } from './internal/rtnetlink-message.ts';

/** One change of a namespace's network, as bytes; `what` names it in a failure. */
export interface LinkChange {
  readonly what: string;
  readonly type: number;
  readonly header: Buffer;
  readonly attributes: readonly Attribute[];
}

/** The loopback device is always the first. */
export const LOOPBACK_INDEX = 1;

export type Mac = Buffer;

/** Raises a device. */
export function linkUp(index: number): LinkChange {
  return { what: `raise link ${index}`, type: RTM_NEWLINK, header: linkHeader(index, IFF_UP), attributes: [] };
}

/** No link-local address of its own: no duplicate address detection and no router solicitation, both of which cost seconds. */
export function withoutAddressGeneration(index: number): LinkChange {
  const mode = attribute(IFLA_INET6_ADDR_GEN_MODE, Buffer.from([IN6_ADDR_GEN_MODE_NONE]));
  const attributes = [nested(IFLA_AF_SPEC, [nested(AF_INET6, [mode])])];
  return { what: `stop address generation on link ${index}`, type: RTM_NEWLINK, header: linkHeader(index, 0), attributes };
}

export interface VethPair {
  readonly index: number;
  readonly name: string;
  readonly mac: Mac;
  readonly peer: { readonly index: number; readonly name: string; readonly mac: Mac; readonly namespace: NamespaceFd };
}

/** A veth pair, one end here and the other in a second namespace; both are down, for a peer raised at creation gives ENOTCONN. */
export function addVeth({ index, name, mac, peer }: VethPair): LinkChange {
  const peerAttributes = [
    attribute(IFLA_IFNAME, text(peer.name)),
    attribute(IFLA_ADDRESS, peer.mac),
    attribute(IFLA_NET_NS_FD, number32(peer.namespace)),
  ];
  const data = nested(IFLA_INFO_DATA, [nested(VETH_INFO_PEER, peerAttributes, linkHeader(peer.index, 0))]);
  return {
    what: `add veth ${name}`,
    type: RTM_NEWLINK,
    header: linkHeader(index, 0),
    attributes: [
      attribute(IFLA_IFNAME, text(name)),
      attribute(IFLA_ADDRESS, mac),
      nested(IFLA_LINKINFO, [attribute(IFLA_INFO_KIND, text('veth')), data]),
    ],
  };
}

/** The one address alone (/32 or /128), usable at once: no duplicate address detection. */
export function addAddress(index: number, address: IpAddress): LinkChange {
  const header = Buffer.alloc(8);
  header[0] = addressFamily(address);
  header[1] = address.family === 4 ? 32 : 128;
  header[2] = address.family === 4 ? 0 : IFA_F_NODAD;
  header.writeUInt32LE(index, 4);
  const bytes = addressBytes(address);
  return { what: 'add address', type: RTM_NEWADDR, header, attributes: [attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes)] };
}

/** The address is at the other end of the device. */
export function addHostRoute(index: number, target: IpAddress): LinkChange {
  const scope = target.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  const header = routeHeader(addressFamily(target), target.family === 4 ? 32 : 128, scope);
  return { what: 'add route', type: RTM_NEWROUTE, header, attributes: [attribute(RTA_DST, addressBytes(target)), attribute(RTA_OIF, number32(index))] };
}

/** All else goes through a gateway that is at the other end of the device. */
export function addDefaultRoute(index: number, gateway: IpAddress): LinkChange {
  const header = routeHeader(addressFamily(gateway), 0, RT_SCOPE_UNIVERSE);
  return { what: 'add default route', type: RTM_NEWROUTE, header, attributes: [attribute(RTA_GATEWAY, addressBytes(gateway)), attribute(RTA_OIF, number32(index))] };
}

/** Permanent, so that it is never asked for and never counts against the neighbor table's limits. */
export function addNeighbor(index: number, address: IpAddress, mac: Mac): LinkChange {
  const header = Buffer.alloc(12);
  header[0] = addressFamily(address);
  header.writeInt32LE(index, 4);
  header.writeUInt16LE(NUD_PERMANENT, 8);
  return { what: 'add neighbor', type: RTM_NEWNEIGH, header, attributes: [attribute(NDA_DST, addressBytes(address)), attribute(NDA_LLADDR, mac)] };
}

/** An open rtnetlink socket of one namespace. */
export class Rtnetlink {
  private readonly fd: number;
  private sequence = 0;

  constructor(namespace: NamespaceFd) {
    const libc = loadLibc();
    this.fd = inNamespace(namespace, () => libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (this.fd < 0) throw new RtnetlinkError('open an rtnetlink socket', libc.errno(), undefined);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) libc.setsockopt(this.fd, SOL_NETLINK, option, number32(1), 4);
  }

  /** Makes the changes in order; throws on the first that is refused, and others may have been made. */
  apply(changes: readonly LinkChange[]): void {
    for (let start = 0; start < changes.length; start += CHANGES_PER_SEND) {
      this.send(changes.slice(start, start + CHANGES_PER_SEND));
    }
  }

  close(): void {
    loadLibc().close(this.fd);
  }

  private send(changes: readonly LinkChange[]): void {
    const libc = loadLibc();
    const first = this.sequence + 1;
    const requests = changes.map(({ type, header, attributes }) =>
      netlinkRequest({ type, flags: NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, sequence: ++this.sequence, header, attributes }),
    );
    const bytes = Buffer.concat(requests);
    if (libc.send(this.fd, bytes, bytes.length, 0) < 0) throw new RtnetlinkError('send to rtnetlink', libc.errno(), undefined);
    let answered = 0;
    while (answered < changes.length) {
      const size = libc.recv(this.fd, replies, replies.length, 0);
      if (size < 0) throw new RtnetlinkError('read from rtnetlink', libc.errno(), undefined);
      for (const reply of readReplies(replies.subarray(0, size))) {
        answered++;
        if (reply.errno !== 0) throw new RtnetlinkError(changes[reply.sequence - first]?.what ?? 'change a link', reply.errno, reply.message);
      }
    }
  }
}

export class RtnetlinkError extends Error {
  readonly code = 'rtnetlink-refused';
  readonly errno: number;
  constructor(what: string, errno: number, message: string | undefined) {
    super(`cannot ${what}: errno ${errno}${message === undefined ? '' : ` (${message})`}`);
    this.name = 'RtnetlinkError';
    this.errno = errno;
  }
}

// Each answer takes most of a kilobyte of the socket's 208 KiB receive buffer.
const CHANGES_PER_SEND = 128;

const replies = Buffer.alloc(1 << 16);

function linkHeader(index: number, flags: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(flags, 12);
  return header;
}

function routeHeader(family: number, prefixLength: number, scope: number): Buffer {
  return Buffer.from([family, prefixLength, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, 0, 0, 0, 0]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

// linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/neighbour.h, linux/veth.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_NEWNEIGH = 28;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
