// Hosts as network namespaces around one router, with sockets that are opened, answered and closed synchronously.
import { type IpAddress } from '../../src/base/ip-address.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { closeNamespace, createNamespace, inNamespace, type NamespaceFd } from '../../src/kernel/network-namespace.ts';
import * as link from '../../src/kernel/rtnetlink.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { writeFileSync } from 'node:fs';

export interface WiredHost {
  readonly namespace: NamespaceFd;
  readonly addresses: readonly IpAddress[];
}

const GATEWAYS: readonly IpAddress[] = [{ family: 4, value: 0xa9fe0101n }, { family: 6, value: 0xfe80n << 112n | 1n }];
const FIRST_INDEX = 10;
/** The other end of the veth in the host's own namespace. */
const HOST_INDEX = 2;

export class WiredHosts {
  readonly router: NamespaceFd;
  readonly hosts: readonly WiredHost[];
  private readonly open: number[] = [];

  constructor(addresses: readonly (readonly IpAddress[])[]) {
    this.router = createNamespace();
    inNamespace(this.router, () => {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
      writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1');
    });
    const router = new link.Rtnetlink(this.router);
    router.apply([link.linkUp(link.LOOPBACK_INDEX)]);
    this.hosts = addresses.map((own, index) => wire(router, index, own));
    router.close();
  }

  /** A socket of the host, closed with everything else. */
  socket(host: WiredHost, family: 4 | 6, kind: number, protocol = 0): number {
    return this.track(this.untrackedSocket(host, family, kind, protocol));
  }

  /** The caller closes it. */
  untrackedSocket(host: WiredHost, family: 4 | 6, kind: number, protocol = 0): number {
    const libc = loadLibc();
    const fd = inNamespace(host.namespace, () => libc.socket(family === 4 ? AF_INET : AF_INET6, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    if (fd < 0) throw new Error(`socket: errno ${libc.errno()}`);
    return fd;
  }

  /** Answers on a port of each family. */
  listen(host: WiredHost, kind: number, port: number): number[] {
    const libc = loadLibc();
    return host.addresses.map((address) => {
      const fd = this.socket(host, address.family, kind);
      const bytes = socketAddress(address, port);
      if (libc.bind(fd, bytes, bytes.length) !== 0) throw new Error(`bind: errno ${libc.errno()}`);
      if (kind === SOCK_STREAM && libc.listen(fd, 16) !== 0) throw new Error(`listen: errno ${libc.errno()}`);
      return fd;
    });
  }

  track(fd: number): number {
    this.open.push(fd);
    return fd;
  }

  close(): void {
    for (const fd of this.open) loadLibc().close(fd);
    for (const host of this.hosts) closeNamespace(host.namespace);
    closeNamespace(this.router);
  }
}

function wire(router: link.Rtnetlink, index: number, addresses: readonly IpAddress[]): WiredHost {
  const namespace = createNamespace();
  const [outer, inner] = [Buffer.from([2, 0, 0, 0, 0, index + 1]), Buffer.from([2, 1, 0, 0, 0, index + 1])];
  const here = FIRST_INDEX + index;
  router.apply([
    link.addVeth({ index: here, name: `v${index}`, mac: outer, peer: { index: HOST_INDEX, name: 'eth0', mac: inner, namespace } }),
    link.withoutAddressGeneration(here),
    link.linkUp(here),
    ...addresses.flatMap((address) => [link.addHostRoute(here, address), link.addNeighbor(here, address, inner)]),
  ]);
  const host = new link.Rtnetlink(namespace);
  host.apply([
    link.linkUp(link.LOOPBACK_INDEX),
    link.withoutAddressGeneration(HOST_INDEX),
    link.linkUp(HOST_INDEX),
    ...addresses.map((address) => link.addAddress(HOST_INDEX, address)),
    ...GATEWAYS.flatMap((gateway) => [
      ...(gateway.family === 4 ? [link.addHostRoute(HOST_INDEX, gateway)] : []),
      link.addDefaultRoute(HOST_INDEX, gateway),
      link.addNeighbor(HOST_INDEX, gateway, outer),
    ]),
  ]);
  host.close();
  return { namespace, addresses };
}

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const AF_INET = 2;
const AF_INET6 = 10;
