// Which answers of DNS come to the log group: those of servers that are believed, to questions that the pod itself asked.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode } from 'dns-packet';
import { readDnsAnswer } from '../../src/base/dns-answer.ts';
import { formatIpAddress, parseIpAddress, type IpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { readUdpPacket } from '../../src/base/udp-packet.ts';
import type { Element } from '../../src/emit/element.ts';
import type { ChangeStep } from '../../src/emit/plan-change.ts';
import type { SetName } from '../../src/emit/set-shape.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { openLogGroup } from '../../src/kernel/log-group.ts';
import { inNamespace } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import type { PacketLog } from '../../src/kernel/packet-log.ts';
import { addAddress, LOOPBACK_INDEX, Rtnetlink } from '../../src/kernel/rtnetlink.ts';
import { addressBytes, socketAddress } from '../../src/kernel/socket-address.ts';
import { needs } from '../needs.ts';
import { addressOf, HOSTS, type HostName } from './firewall-world.ts';
import { SOCK_DGRAM, SOCK_RAW, WiredHosts, type WiredHost } from './wired-hosts.ts';

const GROUP = 1053;
const DNS = 53;
const SERVICE: Readonly<Record<IpFamily, IpAddress>> = { 4: parseIpAddress('10.96.0.10')!, 6: parseIpAddress('fd00:96::10')! };
const NODE_LOCAL = parseIpAddress('169.254.20.10')!;
const FAMILIES = [4, 6] as const;

/** `a` is under rules that name domains, `b` is a server that is believed, as is whoever stands behind the Service. */
const STEPS: readonly ChangeStep[] = FAMILIES.flatMap((family) => [
  put(`ask${family}`, { key: [addressOf('a', family).value] }),
  put(`dnsat${family}`, { key: [addressOf('b', family).value] }),
  put(`dnsvia${family}`, { key: [SERVICE[family].value] }),
]);

function put(set: SetName, ...added: readonly Element[]): ChangeStep {
  return { set, removed: [], added };
}

class AnswerWorld {
  readonly hosts = new WiredHosts(Object.values(HOSTS).map((texts) => texts.map((text) => parseIpAddress(text)!)));
  readonly firewall = openFirewall({ namespace: this.hosts.router, answerGroup: GROUP });
  /** `PREFIX SOURCE > TARGET` of each packet that came, with the addresses in it. */
  readonly seen: string[] = [];
  readonly #log: PacketLog;
  #nextPort = 30_000;

  constructor() {
    this.firewall.load(STEPS);
    this.#log = openLogGroup({ namespace: this.hosts.router, group: GROUP }, {
      packet: ({ prefix, bytes }) => this.seen.push(describe(prefix, bytes)),
      lost: () => this.seen.push('lost'),
      failed: (error) => this.seen.push(error.message),
    });
  }

  host(name: HostName): WiredHost {
    return this.hosts.hosts[Object.keys(HOSTS).indexOf(name)]!;
  }

  /** The asker's port, when the question has come to whoever listens and that one has answered. */
  ask(asker: HostName, asked: IpAddress, { server, name = 'www.example.org' }: { readonly server: number; readonly name?: string }): number {
    const libc = loadLibc();
    const { family } = asked;
    const port = this.#nextPort++;
    const fd = this.bound(this.host(asker), addressOf(asker, family), port);
    const target = socketAddress(asked, DNS);
    const from = Buffer.alloc(28);
    const size = Buffer.alloc(4);
    const question = Buffer.alloc(512);
    libc.sendto(fd, Buffer.from('?'), 1, 0, target, target.length);
    size.writeUInt32LE(from.length);
    poll(() => libc.recvfrom(server, question, question.length, 0, from, size) > 0, 'the question has not come');
    const answer = answerFor(family, name);
    libc.sendto(server, answer, answer.length, 0, from, size.readUInt32LE());
    poll(() => libc.recv(fd, question, question.length, 0) === answer.length, 'the answer has not come');
    return port;
  }

  bound(host: Pick<WiredHost, 'namespace'>, address: IpAddress, port: number): number {
    const fd = this.hosts.socket({ ...host, addresses: [] }, address.family, SOCK_DGRAM);
    const bytes = socketAddress(address, port);
    assert.equal(loadLibc().bind(fd, bytes, bytes.length), 0);
    return fd;
  }

  nft(text: string): void {
    loadNft(text, { namespace: this.hosts.router, doing: 'load rules of others' });
  }

  /** What came, once an answer that is known to come has. */
  async told(): Promise<readonly string[]> {
    const server = this.bound(this.host('b'), addressOf('b', 4), 5053);
    this.nft(`table ip marker { chain c { type nat hook prerouting priority -101; ip daddr 10.96.9.9 udp dport 53 dnat to 10.0.0.2:5053; }; }\n`);
    this.ask('a', parseIpAddress('10.96.9.9')!, { server, name: 'last.example.org' });
    const last = (): number => this.seen.findIndex((line) => line.includes('last.example.org'));
    for (let tries = 0; last() < 0 && tries < 2000; tries++) await sleep(5);
    return this.seen.slice(0, last());
  }

  close(): void {
    this.#log.close();
    this.firewall.close();
    this.hosts.close();
  }
}

const TOLD: Readonly<Record<IpFamily, string>> = { 4: '192.0.2.77', 6: '2001:db8::77' };

function answerFor(family: IpFamily, name = 'www.example.org'): Buffer {
  const type = family === 4 ? 'A' : 'AAAA';
  return encode({ type: 'response', id: 7, flags: 0x180, questions: [{ type, name }], answers: [{ type, name, ttl: 60, data: TOLD[family] }] });
}

function describe(prefix: string, bytes: Uint8Array): string {
  const packet = readUdpPacket(bytes);
  if (packet === undefined) return `${prefix} unreadable`;
  const answer = readDnsAnswer(packet.payload);
  const told = answer === undefined ? 'nothing' : `${answer.name} ${answer.addresses.map(({ address }) => formatIpAddress(address)).join()}`;
  return `${prefix} ${formatIpAddress(packet.source)} > ${formatIpAddress(packet.target)}: ${told}`;
}

function poll(isDone: () => boolean, message: string): void {
  for (let tries = 0; tries < 2000; tries++) {
    if (isDone()) return;
    loadLibc().poll(Buffer.alloc(8), 0, 2);
  }
  throw new Error(message);
}

function inWorld(name: string, run: (world: AnswerWorld) => Promise<void> | void): void {
  test(name, needs('kernel'), async () => {
    const world = new AnswerWorld();
    try {
      await run(world);
    } finally {
      world.close();
    }
  });
}

inWorld('an answer of a server that is believed is told, and comes to the pod', async (world) => {
  assert.equal(world.firewall.answersProblem, undefined);
  for (const family of FAMILIES) world.ask('a', addressOf('b', family), { server: world.bound(world.host('b'), addressOf('b', family), DNS) });
  assert.deepEqual(await world.told(), ['answer 10.0.0.2 > 10.0.0.1: www.example.org 192.0.2.77', 'answer fd00::2 > fd00::1: www.example.org 2001:db8::77']);
});

inWorld('through a Service, on whatever port the server answers', async (world) => {
  world.nft(`table inet nat { chain c { type nat hook prerouting priority -100; ip daddr 10.96.0.10 udp dport 53 dnat ip to 10.0.0.3:5353; ip6 daddr fd00:96::10 udp dport 53 dnat ip6 to [fd00::3]:5353; }; }\n`);
  for (const family of FAMILIES) world.ask('a', SERVICE[family], { server: world.bound(world.host('c'), addressOf('c', family), 5353) });
  assert.deepEqual(await world.told(), ['answer 10.0.0.3 > 10.0.0.1: www.example.org 192.0.2.77', 'answer fd00::3 > fd00::1: www.example.org 2001:db8::77']);
});

inWorld('of a server on the node itself behind a Service', async (world) => {
  const node = parseIpAddress('192.0.2.254')!;
  addToRouter(world, node);
  world.nft('table ip nat { chain c { type nat hook prerouting priority -100; ip daddr 10.96.0.10 udp dport 53 dnat to 192.0.2.254:5353; }; }\n');
  world.ask('a', SERVICE[4], { server: world.bound({ namespace: world.hosts.router }, node, 5353) });
  assert.deepEqual(await world.told(), ['answer 192.0.2.254 > 10.0.0.1: www.example.org 192.0.2.77']);
});

inWorld('of the node\'s own cache, in conntrack or kept out of it, also at the address of the Service', async (world) => {
  for (const address of [NODE_LOCAL, SERVICE[4]]) addToRouter(world, address);
  const servers = [NODE_LOCAL, SERVICE[4]].map((address) => ({ address, server: world.bound({ namespace: world.hosts.router }, address, DNS) }));
  for (const { address, server } of servers) world.ask('a', address, { server });
  world.nft('table ip raw { chain p { type filter hook prerouting priority -300; udp dport 53 notrack; }; chain o { type filter hook output priority -300; udp sport 53 notrack; }; }\n');
  for (const { address, server } of servers) world.ask('a', address, { server });
  world.nft('delete table ip raw\n');
  const wanted = ['answer 169.254.20.10 > 10.0.0.1: www.example.org 192.0.2.77', 'answer 10.96.0.10 > 10.0.0.1: www.example.org 192.0.2.77'];
  assert.deepEqual(await world.told(), [...wanted, ...wanted]);
});

inWorld('a server of the pod\'s own choice is not believed, nor is one for a pod that nobody looks at', async (world) => {
  for (const family of FAMILIES) world.ask('a', addressOf('c', family), { server: world.bound(world.host('c'), addressOf('c', family), DNS) });
  const server = world.bound(world.host('b'), addressOf('b', 4), DNS);
  world.ask('c', addressOf('b', 4), { server });
  assert.deepEqual(await world.told(), []);
});

inWorld('a Service that leads from a believed server\'s address to another is not believed', async (world) => {
  world.nft('table ip nat { chain c { type nat hook prerouting priority -100; ip daddr 10.0.0.2 udp dport 53 dnat to 10.0.0.3:53; }; }\n');
  world.ask('a', addressOf('b', 4), { server: world.bound(world.host('c'), addressOf('c', 4), DNS) });
  assert.deepEqual(await world.told(), []);
});

inWorld('what nobody asked for is not believed, whoever sends it', async (world) => {
  const libc = loadLibc();
  for (const family of FAMILIES) {
    const from = world.bound(world.host('b'), addressOf('b', family), DNS);
    const target = socketAddress(addressOf('a', family), 30_999);
    libc.sendto(from, answerFor(family), answerFor(family).length, 0, target, target.length);
  }
  assert.deepEqual(await world.told(), []);
});

inWorld('a reply that a neighbor forges with the address of the server comes in the wrong way, and is told as that', async (world) => {
  writeFilters(world);
  const server = world.bound(world.host('b'), addressOf('b', 4), DNS);
  const port = world.ask('a', addressOf('b', 4), { server });
  forge(world.host('c'), { source: addressOf('b', 4), target: addressOf('a', 4), port });
  assert.deepEqual(await world.told(), ['answer 10.0.0.2 > 10.0.0.1: www.example.org 192.0.2.77', 'strange 10.0.0.2 > 10.0.0.1: nothing']);
});

inWorld('of a pod that gets more answers than anybody needs some are told, and that there were more', async (world) => {
  const server = world.bound(world.host('b'), addressOf('b', 4), DNS);
  const began = performance.now();
  const target = socketAddress(addressOf('a', 4), world.ask('a', addressOf('b', 4), { server }));
  const answer = answerFor(4);
  const tooMany = (): number => world.seen.findIndex((line) => line.startsWith('too-many'));
  // A hundred a second are let by besides: a slow machine has to send for longer.
  for (let sent = 0; tooMany() < 0 && sent < 20_000; sent += 50) {
    for (let one = 0; one < 50; one++) loadLibc().sendto(server, answer, answer.length, 0, target, target.length);
    await sleep(1);
  }
  const letBy = 200 + Math.ceil((performance.now() - began) / 10);
  assert.ok(tooMany() >= 200 && tooMany() <= letBy, `${tooMany()} of ${world.seen.length} answers before it was said that there are more, and at most ${letBy} were let by`);
});

inWorld('a group that somebody listens to is refused', ({ hosts }) => {
  assert.throws(() => openLogGroup({ namespace: hosts.router, group: GROUP }, { packet: () => {}, lost: () => {}, failed: () => {} }), /listen to log group 1053.*another process listens to it/);
});

inWorld('a group that is closed is free at once', ({ hosts }) => {
  const open = (): PacketLog => openLogGroup({ namespace: hosts.router, group: GROUP + 1 }, { packet: () => {}, lost: () => {}, failed: () => {} });
  open().close();
  open().close();
});

function addToRouter({ hosts }: AnswerWorld, address: IpAddress): void {
  const links = new Rtnetlink(hosts.router);
  links.apply([addAddress(LOOPBACK_INDEX, address)]);
  links.close();
}

/** The kernel's own check of sources would hide ours. */
function writeFilters({ hosts }: AnswerWorld): void {
  inNamespace(hosts.router, () => {
    for (const name of ['all', 'v0', 'v1', 'v2']) writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, '0');
  });
}

/** From a raw socket, with a header of our own. */
function forge(host: WiredHost, { source, target, port }: { readonly source: IpAddress; readonly target: IpAddress; readonly port: number }): void {
  const libc = loadLibc();
  const payload = answerFor(4);
  const packet = Buffer.alloc(28 + payload.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(17, 9);
  addressBytes(source).copy(packet, 12);
  addressBytes(target).copy(packet, 16);
  packet.writeUInt16BE(DNS, 20);
  packet.writeUInt16BE(port, 22);
  packet.writeUInt16BE(8 + payload.length, 24);
  payload.copy(packet, 28);
  const fd = inNamespace(host.namespace, () => libc.socket(2, SOCK_RAW, 255));
  const address = socketAddress(target, 0);
  assert.equal(libc.sendto(fd, packet, packet.length, 0, address, address.length), packet.length);
  libc.close(fd);
}
