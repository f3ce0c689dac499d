// Pods on one bridge behind a Service: whoever speaks in a connection that was cut is told so, by the address that it knows.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { formatIpAddress, parseIpAddress } from '../../src/base/ip-address.ts';
import { portSetOf } from '../../src/base/port-set.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { inNamespace } from '../../src/kernel/network-namespace.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { needs } from '../needs.ts';
import { addressOf, HOSTS, kernelWorld, type KernelWorld } from './firewall-world.ts';
import { rulesetOf } from './rules.ts';
import { changeTo } from './whole-ruleset.ts';
import { SOCK_STREAM, type WiredHosts } from './wired-hosts.ts';

const PORT = 8080;
const SERVICES = { 4: parseIpAddress('10.96.0.1')!, 6: parseIpAddress('fd96::1')! } as const;
const DNAT = `table inet services {
  chain before { type nat hook prerouting priority -100; ip daddr 10.96.0.1 dnat ip to 10.0.0.2; ip6 daddr fd96::1 dnat ip6 to fd00::2; }
}\n`;
const MASQUERADE = `table inet services {
  chain after { type nat hook postrouting priority 100; ip daddr 10.0.0.2 snat ip to 169.254.1.1; ip6 daddr fd00::2 snat ip6 to fd99::1; }
}\n`;
const CLOSED = rulesetOf({ isolated: { ingress: ['b'] } });
const ONLY_C = rulesetOf({ isolated: { ingress: ['b'] }, allowed: [{ direction: 'ingress', local: 'b', peer: 'c', ports: portSetOf('TCP', PORT, PORT) }] });
const OPEN = rulesetOf({});

for (const family of [4, 6] as const) {
  for (const isMasqueraded of [false, true]) {
    for (const speaker of ['client', 'server'] as const) {
      onBridge(`IPv${family}${isMasqueraded ? ', masqueraded' : ''}: the ${speaker} speaks`, ({ hosts, firewall }) => {
        if (isMasqueraded) loadNft(MASQUERADE, { namespace: hosts.router, doing: 'masquerade' });
        firewall.load(loadSteps(OPEN));
        const [cut, kept] = [new Conversation(hosts, 'a', family), new Conversation(hosts, 'c', family)];
        changeTo(firewall, ONLY_C);
        assert.equal(cut.say(speaker), 'reset');
        assert.equal(kept.say(speaker), 'heard');
      });
    }
  }
}

onBridge('a port from which a connection was cut opens another one, once that is allowed', ({ hosts, firewall }) => {
  firewall.load(loadSteps(OPEN));
  const cut = new Conversation(hosts, 'a', 4);
  changeTo(firewall, CLOSED);
  for (const speaker of ['client', 'server'] as const) assert.equal(cut.say(speaker), 'reset');
  changeTo(firewall, OPEN);
  const again = new Conversation(hosts, 'a', 4);
  for (const speaker of ['client', 'server', 'client'] as const) assert.equal(again.say(speaker), 'heard');
});

function onBridge(name: string, run: (world: KernelWorld) => void): void {
  test(`a connection through a Service on a bridge, ${name}`, needs('kernel'), () => {
    const world = kernelWorld();
    try {
      joinToBridge(world.hosts);
      loadNft(DNAT, { namespace: world.hosts.router, doing: 'load a Service' });
      run(world);
    } finally {
      world.close();
    }
  });
}

/** The hosts' ends of the router become ports of one bridge, which stands in for them. */
function joinToBridge({ router }: WiredHosts): void {
  const hosts = Object.values(HOSTS).flatMap((addresses, index) => [
    `link set v${index} master br0`,
    ...addresses.flatMap((address) => [`route replace ${address} dev br0`, `neigh replace ${address} lladdr 02:01:00:00:00:0${index + 1} nud permanent dev br0`]),
  ]);
  const lines = ['link add br0 type bridge', 'link set br0 addrgenmode none', 'link set br0 up', 'address add 169.254.1.1/32 dev br0', 'address add fd99::1/128 dev br0 nodad', ...hosts];
  inNamespace(router, () => {
    for (const file of ['iptables', 'ip6tables']) writeFileSync(`/proc/sys/net/bridge/bridge-nf-call-${file}`, '1');
    const ran = spawnSync('ip', ['-b', '-'], { input: lines.join('\n'), encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } });
    assert.equal(ran.status, 0, ran.stderr);
  });
}

const CLIENT_PORT = 30_000;
/** Bound on the wait for what a word comes to: TCP says it again after 200 ms. */
const WAIT_MS = 10_000;
const POLL_MS = 5;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SOCK_NONBLOCK = 0x800;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

/** A connection to the Service in front of `b`, with both of its ends. */
class Conversation {
  readonly #ends: Readonly<Record<'client' | 'server', number>>;

  constructor(hosts: WiredHosts, from: 'a' | 'c', family: 4 | 6) {
    const libc = loadLibc();
    const [source, target] = [hosts.hosts[Object.keys(HOSTS).indexOf(from)]!, hosts.hosts[1]!];
    const bind = (fd: number, address: Buffer): number => {
      libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ONE, ONE.length);
      if (libc.bind(fd, address, address.length) !== 0) throw new Error(`bind: errno ${libc.errno()}`);
      return fd;
    };
    const listener = bind(hosts.untrackedSocket(target, family, SOCK_STREAM), socketAddress(addressOf('b', family), PORT));
    libc.listen(listener, 1);
    const client = bind(hosts.untrackedSocket(source, family, SOCK_STREAM), socketAddress(addressOf(from, family), CLIENT_PORT));
    const service = socketAddress(SERVICES[family], PORT);
    libc.connect(client, service, service.length);
    const server = wait(`a connection to ${formatIpAddress(SERVICES[family])}`, () => {
      const accepted = libc.accept4(listener, null, null, SOCK_NONBLOCK);
      return accepted < 0 ? undefined : accepted;
    });
    libc.close(listener);
    this.#ends = { client: hosts.track(client), server: hosts.track(server) };
  }

  /** What comes of a word to who says it and who should hear it. */
  say(speaker: 'client' | 'server'): 'heard' | 'reset' {
    const { client, server } = this.#ends;
    const [mouth, ear] = speaker === 'client' ? [client, server] : [server, client];
    loadLibc().send(mouth, WORD, WORD.length, MSG_NOSIGNAL);
    return wait(`a word of the ${speaker}`, () => (read(ear) === 'data' ? 'heard' : read(mouth) === 'reset' ? 'reset' : undefined));
  }
}

const WORD = Buffer.from('word');
const ONE = Buffer.from([1, 0, 0, 0]);

function read(fd: number): 'data' | 'reset' | undefined {
  if (loadLibc().recv(fd, Buffer.alloc(64), 64, MSG_DONTWAIT) > 0) return 'data';
  return loadLibc().errno() === constants.errno.ECONNRESET ? 'reset' : undefined;
}

function wait<Value>(what: string, look: () => Value | undefined): Value {
  for (const deadline = performance.now() + WAIT_MS; performance.now() < deadline; loadLibc().poll(Buffer.alloc(8), 0, POLL_MS)) {
    const found = look();
    if (found !== undefined) return found;
  }
  throw new Error(`nothing came of ${what}`);
}
