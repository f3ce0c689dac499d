// One set of questions to a firewall, answered by the fake with a decision and by the kernel with real packets between namespaces.
import { existsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { createFakeFirewall, type FakeFirewall, type PacketVerdict } from '../../src/kernel/fake-firewall.ts';
import type { Firewall, FirewallOptions } from '../../src/kernel/firewall.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { inNamespace } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, WiredHosts, type WiredHost } from './wired-hosts.ts';

export interface Attempt {
  readonly source: IpAddress;
  readonly target: IpAddress;
  /** `icmp` is ICMPv6 where the addresses are IPv6. */
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port: number;
}

/** What comes of a packet in a connection that is open. */
export type Exchange = 'answered' | 'reset' | 'dropped';

export interface LiveFlow {
  exchange(): Exchange;
}

export interface World {
  readonly firewall: Firewall;
  attempt(attempt: Attempt): PacketVerdict;
  /** Opens a connection that is allowed. */
  connect(attempt: Attempt): LiveFlow;
  close(): void;
}

/** Three pods, one pod that nobody told the firewall of, one host outside; each with an address of either family. */
export const HOSTS = {
  a: ['10.0.0.1', 'fd00::1'],
  b: ['10.0.0.2', 'fd00::2'],
  c: ['10.0.0.3', 'fd00::3'],
  unknown: ['10.0.0.9', 'fd00::9'],
  outside: ['192.0.2.1', '2001:db8::1'],
} as const;

export type HostName = keyof typeof HOSTS;

export function addressOf(host: HostName, family: 4 | 6): IpAddress {
  return parseIpAddress(HOSTS[host][family === 4 ? 0 : 1])!;
}

/** Where hosts answer. */
export const TCP_PORTS: readonly number[] = [80, 81];
export const UDP_PORTS: readonly number[] = [53];

export function protocolNumber({ protocol, source }: Attempt): number {
  if (protocol === 'icmp') return source.family === 4 ? 1 : 58;
  return protocol === 'tcp' ? 6 : 17;
}

export function fakeWorld(options: FirewallOptions = {}): World {
  const firewall = createFakeFirewall(options);
  const packet = (attempt: Attempt): Parameters<FakeFirewall['decide']>[0] => ({ ...attempt, protocol: protocolNumber(attempt) });
  return {
    firewall,
    attempt: (attempt) => firewall.decide(packet(attempt)),
    connect: (attempt) => {
      if (firewall.decide(packet(attempt)) !== 'accept') throw new Error('the connection is not allowed');
      let generation = firewall.currentGeneration();
      return {
        exchange: () => {
          const verdict = firewall.decide({ ...packet(attempt), connection: { kind: 'established', generation } });
          if (verdict === 'accept') generation = firewall.currentGeneration();
          return verdict === 'accept' ? 'answered' : verdict === 'reset' ? 'reset' : 'dropped';
        },
      };
    },
    close: () => firewall.close(),
  };
}

/** Bound on the wait for what a packet comes to; on an idle machine it takes microseconds. */
const WAIT_MS = 10_000;
const POLL_MS = 5;
/** A connection lives as long as its test: 30 seconds are less than a load takes in an emulated machine. Not there for the root of a user namespace. */
const UDP_TIMEOUT_FILE = '/proc/sys/net/netfilter/nf_conntrack_udp_timeout';

export interface KernelWorld extends World {
  readonly hosts: WiredHosts;
}

export function kernelWorld(options: FirewallOptions & { readonly batchBytesMax?: number } = {}): KernelWorld {
  const hosts = new WiredHosts(Object.values(HOSTS).map((texts) => texts.map((text) => parseIpAddress(text)!)));
  const firewall = openFirewall({ ...options, namespace: hosts.router });
  inNamespace(hosts.router, () => existsSync(UDP_TIMEOUT_FILE) && writeFileSync(UDP_TIMEOUT_FILE, '600'));
  const wire = new Wire(hosts, firewall);
  return {
    hosts,
    firewall,
    attempt: (attempt) => wire.attempt(attempt),
    connect: (attempt) => wire.connect(attempt),
    close: () => {
      firewall.close();
      hosts.close();
    },
  };
}

class Wire {
  private readonly hosts: WiredHosts;
  private readonly firewall: Firewall;
  /** By address, kind and port. */
  private readonly servers = new Map<string, number>();
  private nextPort = 20_000;

  constructor(hosts: WiredHosts, firewall: Firewall) {
    this.hosts = hosts;
    this.firewall = firewall;
    for (const host of hosts.hosts) {
      for (const [kind, ports] of [[SOCK_STREAM, TCP_PORTS], [SOCK_DGRAM, UDP_PORTS]] as const) {
        for (const port of ports) {
          for (const [index, fd] of hosts.listen(host, kind, port).entries()) this.servers.set(serverKey(host.addresses[index]!, kind, port), fd);
        }
      }
    }
  }

  attempt(attempt: Attempt): PacketVerdict {
    const refusedBefore = this.refusedPackets(attempt);
    const outcome = attempt.protocol === 'tcp' ? this.openTcp(attempt).outcome : attempt.protocol === 'udp' ? this.sendUdp(attempt) : this.ping(attempt);
    return this.wait(attempt, () => outcome() ?? (this.refusedPackets(attempt) > refusedBefore ? 'drop' : undefined));
  }

  connect(attempt: Attempt): LiveFlow {
    return attempt.protocol === 'tcp' ? this.connectTcp(attempt) : this.connectUdp(attempt);
  }

  private connectTcp(attempt: Attempt): LiveFlow {
    const { fd, outcome } = this.openTcp(attempt);
    const verdict = this.wait(attempt, outcome);
    if (verdict !== 'accept') throw new Error(`the connection was answered with ${verdict}`);
    const server = this.hosts.track(this.wait(attempt, () => {
      const accepted = loadLibc().accept4(this.serverOf(attempt, SOCK_STREAM), null, null, 0x80800);
      return accepted < 0 ? undefined : accepted;
    }));
    return this.liveFlow(attempt, fd, () => {
      if (receive(server) === undefined) return;
      loadLibc().send(server, Buffer.from('pong'), 4, MSG_NOSIGNAL);
    });
  }

  private connectUdp(attempt: Attempt): LiveFlow {
    const fd = this.boundSocket(attempt, SOCK_DGRAM);
    const bytes = socketAddress(attempt.target, attempt.port);
    loadLibc().connect(fd, bytes, bytes.length);
    const server = this.serverOf(attempt, SOCK_DGRAM);
    return this.liveFlow(attempt, fd, () => {
      const peer = Buffer.alloc(28);
      const size = Buffer.alloc(4);
      size.writeUInt32LE(peer.length);
      if (loadLibc().recvfrom(server, Buffer.alloc(64), 64, MSG_DONTWAIT, peer, size) >= 0) {
        loadLibc().sendto(server, Buffer.from('pong'), 4, 0, peer, size.readUInt32LE());
      }
    });
  }

  private liveFlow(attempt: Attempt, fd: number, serve: () => void): LiveFlow {
    return {
      exchange: () => {
        const refusedBefore = this.refusedPackets(attempt);
        loadLibc().send(fd, Buffer.from('ping'), 4, MSG_NOSIGNAL);
        return this.wait(attempt, (): Exchange | undefined => {
          serve();
          const got = receive(fd);
          if (got !== undefined) return got === 'reset' ? 'reset' : 'answered';
          // A connection that is cut has its reset on the way.
          return attempt.protocol === 'udp' && this.refusedPackets(attempt) > refusedBefore ? 'dropped' : undefined;
        });
      },
    };
  }

  private openTcp(attempt: Attempt): { fd: number; outcome: () => PacketVerdict | undefined } {
    const fd = this.boundSocket(attempt, SOCK_STREAM);
    const bytes = socketAddress(attempt.target, attempt.port);
    loadLibc().connect(fd, bytes, bytes.length);
    return {
      fd,
      outcome: () => {
        if (!isReady(fd, POLLOUT)) return undefined;
        const errno = socketError(fd);
        if (errno === 0) return 'accept';
        if (errno === constants.errno.ECONNREFUSED) return 'reset';
        throw new Error(`connect: errno ${errno}`);
      },
    };
  }

  private sendUdp(attempt: Attempt): () => PacketVerdict | undefined {
    const fd = this.boundSocket(attempt, SOCK_DGRAM);
    const bytes = socketAddress(attempt.target, attempt.port);
    loadLibc().sendto(fd, Buffer.from('ping'), 4, 0, bytes, bytes.length);
    const server = this.serverOf(attempt, SOCK_DGRAM);
    return () => (receive(server) === undefined ? undefined : 'accept');
  }

  private ping(attempt: Attempt): () => PacketVerdict | undefined {
    const isFour = attempt.source.family === 4;
    const fd = this.hosts.socket(this.hostOf(attempt.source), attempt.source.family, SOCK_RAW, isFour ? 1 : 58);
    // Echo request with its checksum; the kernel fills in the one of ICMPv6.
    const request = Buffer.from(isFour ? [8, 0, 0xf7, 0xff, 0, 0, 0, 0] : [128, 0, 0, 0, 0, 0, 0, 0]);
    const bytes = socketAddress(attempt.target, 0);
    loadLibc().sendto(fd, request, request.length, 0, bytes, bytes.length);
    const reply = Buffer.alloc(256);
    return () => {
      while (loadLibc().recv(fd, reply, reply.length, MSG_DONTWAIT) > 0) {
        if (isFour ? reply[20] === 0 : reply[0] === 129) return 'accept';
      }
      return undefined;
    };
  }

  private boundSocket({ source }: Attempt, kind: number): number {
    const fd = this.hosts.socket(this.hostOf(source), source.family, kind);
    const bytes = socketAddress(source, this.nextPort++);
    if (loadLibc().bind(fd, bytes, bytes.length) !== 0) throw new Error(`bind: errno ${loadLibc().errno()}`);
    return fd;
  }

  private hostOf(address: IpAddress): WiredHost {
    return this.hosts.hosts.find(({ addresses }) => addresses.some(({ family, value }) => family === address.family && value === address.value))!;
  }

  private serverOf({ target, port }: Attempt, kind: number): number {
    return this.servers.get(serverKey(target, kind, port))!;
  }

  private refusedPackets(attempt: Attempt): number {
    return this.firewall.readLedger()
      .filter((entry) => entry.verdict === 'denied' && entry.protocol === protocolNumber(attempt) && entry.port === (attempt.protocol === 'icmp' ? 0 : attempt.port))
      .filter((entry) => entry.source.value === attempt.source.value && entry.target.value === attempt.target.value && entry.source.family === attempt.source.family)
      .reduce((sum, entry) => sum + entry.packets, 0);
  }

  private wait<Value>(attempt: Attempt, look: () => Value | undefined): Value {
    const start = performance.now();
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() - start > WAIT_MS) {
        throw new Error(`nothing came of ${formatIpAddress(attempt.source)} → ${formatIpAddress(attempt.target)} ${attempt.protocol} ${attempt.port}`);
      }
      loadLibc().poll(Buffer.alloc(8), 0, POLL_MS);
    }
  }
}

const POLLOUT = 4;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;

function serverKey(address: IpAddress, kind: number, port: number): string {
  return `${formatIpAddress(address)} ${kind} ${port}`;
}

function receive(fd: number): 'data' | 'reset' | undefined {
  const got = loadLibc().recv(fd, Buffer.alloc(64), 64, MSG_DONTWAIT);
  if (got >= 0) return 'data';
  const errno = loadLibc().errno();
  if (errno === constants.errno.ECONNRESET || errno === constants.errno.EPIPE) return 'reset';
  if (errno === constants.errno.EAGAIN) return undefined;
  throw new Error(`recv: errno ${errno}`);
}

function isReady(fd: number, events: number): boolean {
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd);
  entry.writeInt16LE(events, 4);
  return loadLibc().poll(entry, 1, 0) > 0;
}

function socketError(fd: number): number {
  const value = Buffer.alloc(4);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(4);
  loadLibc().getsockopt(fd, SOL_SOCKET, SO_ERROR, value, size);
  return value.readInt32LE();
}
