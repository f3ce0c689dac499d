// Connections to a Service in the kernel's ledger: what was asked for stands beside what was reached, and what came straight to a pod stands apart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpAddress, parseIpAddress } from '../../src/base/ip-address.ts';
import { portSetOf, unionPorts } from '../../src/base/port-set.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import type { LedgerEntry } from '../../src/kernel/firewall.ts';
import { loadNft, runNft } from '../../src/kernel/internal/run-nft.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { openObserver } from '../../src/kernel/observing-firewall.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { needs } from '../needs.ts';
import { addressOf, kernelWorld, type HostName, type KernelWorld } from './firewall-world.ts';
import { rulesetOf } from './rules.ts';
import { SOCK_DGRAM } from './wired-hosts.ts';

const SERVICE = { 4: '10.96.0.7', 6: 'fd96::7' } as const;
const ASKED_PORT = 8080;
const PORTS = unionPorts(portSetOf('TCP', 80, 80), portSetOf('UDP', 53, 53));
/** `b` lets in `a` and nobody else. */
const OPEN_TO_A = rulesetOf({ isolated: { ingress: ['b'] }, allowed: [{ direction: 'ingress', local: 'b', peer: 'a', ports: PORTS }] });

function loadService({ hosts }: KernelWorld): void {
  const lead = (family: 4 | 6): string => {
    const word = family === 4 ? 'ip' : 'ip6';
    const target = formatIpAddress(addressOf('b', family));
    const to = (port: number): string => (family === 4 ? `${target}:${port}` : `[${target}]:${port}`);
    return `${word} daddr ${SERVICE[family]} tcp dport ${ASKED_PORT} dnat ${word} to ${to(80)}; ${word} daddr ${SERVICE[family]} udp dport ${ASKED_PORT} dnat ${word} to ${to(53)};`;
  };
  loadNft(`table inet services { chain before { type nat hook prerouting priority -100; ${lead(4)} ${lead(6)} }; }`, { namespace: hosts.router, doing: 'load a service' });
}

/** A datagram from a socket of its own, answered or not. */
function send({ hosts }: KernelWorld, source: HostName, target: string, port: number): void {
  const address = parseIpAddress(target)!;
  const own = addressOf(source, address.family);
  const host = hosts.hosts.find(({ addresses }) => addresses.some(({ family, value }) => family === own.family && value === own.value))!;
  const bytes = socketAddress(address, port);
  loadLibc().sendto(hosts.socket(host, address.family, SOCK_DGRAM), Buffer.from('?'), 1, 0, bytes, bytes.length);
}

/** IPv4 and IPv6 alike. */
function lines(entries: readonly LedgerEntry[], family: 4 | 6): readonly string[] {
  const name = (value: bigint): string => (['a', 'b', 'c'] as const).find((host) => addressOf(host, family).value === value) ?? 'somebody';
  return entries.filter(({ source }) => source.family === family).map(({ verdict, source, target, protocol, port, asked, packets }) => {
    const way = asked === undefined ? 'straight' : `as ${formatIpAddress(asked.address) === SERVICE[family] ? 'the Service' : 'something'}:${asked.port}`;
    return `${packets} ${verdict} ${name(source.value)} ${name(target.value)} ${protocol}/${port} ${way}`;
  }).sort();
}

test('what was asked for stands beside what was reached', needs('kernel'), () => {
  const world = kernelWorld();
  try {
    loadService(world);
    world.firewall.load(loadSteps(OPEN_TO_A));
    const drained = (): readonly LedgerEntry[] => world.firewall.readLedger({ drain: true });
    for (const family of [4, 6] as const) {
      const [service, pod] = [SERVICE[family], formatIpAddress(addressOf('b', family))];
      const open = (target: string, port: number): void => assert.equal(world.attempt({ source: addressOf('a', family), target: parseIpAddress(target)!, protocol: 'tcp', port }), 'accept');
      for (let time = 0; time < 3; time++) open(service, ASKED_PORT);
      for (let time = 0; time < 2; time++) open(pod, 80);
      for (let time = 0; time < 4; time++) send(world, 'a', service, ASKED_PORT);
      send(world, 'a', pod, 53);
      for (let time = 0; time < 2; time++) send(world, 'c', service, ASKED_PORT);
      for (let time = 0; time < 5; time++) send(world, 'c', pod, 53);
      assert.deepEqual(lines(drained(), family), [
        '1 allowed a b 17/53 straight',
        '2 allowed a b 6/80 straight',
        '2 denied c b 17/53 as the Service:8080',
        '3 allowed a b 6/80 as the Service:8080',
        '4 allowed a b 17/53 as the Service:8080',
        '5 denied c b 17/53 straight',
      ]);
      send(world, 'a', pod, 53);
      assert.deepEqual(lines(drained(), family), ['1 allowed a b 17/53 straight'], 'a record that went on under both names');
      send(world, 'a', service, ASKED_PORT);
      assert.deepEqual(lines(drained(), family), ['1 allowed a b 17/53 as the Service:8080']);
    }
    assert.deepEqual(drained(), []);
    assert.match(runNft(['list', 'table', 'inet', 'bulkhead'], { namespace: world.hosts.router, doing: 'list' }), /ct status dnat update @deny_asked_udp6/);
  } finally {
    world.close();
  }
});

const FOREIGN = 'table inet somebody { chain judge { type filter hook forward priority 0; policy accept; ct original ip saddr SOURCE udp dport 53 drop; }; }';

test('an observer tells it as well, of what somebody else lets through and refuses', needs('kernel'), () => {
  const world = kernelWorld();
  const observer = openObserver({ namespace: world.hosts.router });
  try {
    loadService(world);
    loadNft(FOREIGN.replace('SOURCE', formatIpAddress(addressOf('c', 4))), { namespace: world.hosts.router, doing: 'load the rules of somebody else' });
    observer.load([]);
    const drained = (family: 4 | 6): readonly string[] => lines(observer.readLedger({ drain: true }), family);
    for (const family of [4, 6] as const) {
      const [service, pod] = [SERVICE[family], formatIpAddress(addressOf('b', family))];
      for (const [target, port] of [[service, ASKED_PORT], [service, ASKED_PORT], [pod, 53]] as const) send(world, 'a', target, port);
      for (let time = 0; time < 2; time++) send(world, 'c', service, ASKED_PORT);
      for (let time = 0; time < 3; time++) send(world, 'c', pod, 53);
      const udp = family === 4 ? 'denied' : 'allowed';
      const told = [...drained(family), ...drained(family)].sort();
      assert.deepEqual(told, [`2 ${udp} c b 17/53 as the Service:8080`, `3 ${udp} c b 17/53 straight`, '1 allowed a b 17/53 straight', '2 allowed a b 17/53 as the Service:8080'].sort());
    }
    assert.deepEqual([...drained(4), ...drained(6)], []);
  } finally {
    observer.remove();
    observer.close();
    world.close();
  }
});
