// Listeners inside namespaces: the expected sources reach them in both families, nobody else does, and nothing is left when they are closed.
import assert from 'node:assert/strict';
import { accessSync, constants, mkdtempSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { openNetnsFolder } from '../../src/kernel/netns-folder.ts';
import type { NamespaceFd } from '../../src/kernel/network-namespace.ts';
import type { PodListener, PodNetwork } from '../../src/kernel/pod-network.ts';
import type { ProbeAnswer, ProbeTask } from '../../src/kernel/prober.ts';
import { needs, type TestNeeds } from '../needs.ts';

const MARK = Buffer.from('bulkhead0123456789abcdef');
const address = (text: string): IpAddress => parseIpAddress(text)!;

/** Three hosts on one wire, named in a folder as container runtimes do it. */
const HOSTS = { friend: ['10.77.0.1', 'fd77::1'], stranger: ['10.77.0.2', 'fd77::2'], target: ['10.77.0.3', 'fd77::3'] } as const;
type Host = keyof typeof HOSTS;

interface Wire {
  readonly network: PodNetwork;
  readonly namespaces: Readonly<Record<Host, NamespaceFd>>;
}

/** `ip netns` writes there, which a root that is only mapped may not. */
const wants: TestNeeds = accessible('/run') ? needs('kernel', 'root') : { skip: 'needs to write /run/netns: run it as root' };

function accessible(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function run(...words: readonly string[]): void {
  const { status, stderr } = spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' });
  assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
}

function wireHosts(context: TestContext): Wire {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-netns-'));
  const prefix = `bhp${process.pid}`;
  context.after(() => {
    for (const host of [...Object.keys(HOSTS), 'switch']) spawnSync('ip', ['netns', 'del', `${prefix}-${host}`]);
    for (const host of Object.keys(HOSTS)) spawnSync('umount', ['--lazy', join(folder, host)]);
    spawnSync('rm', ['-rf', folder]);
  });
  const bridge = `${prefix}-switch`;
  run('ip', 'netns', 'add', bridge);
  run('ip', '-n', bridge, 'link', 'add', 'br0', 'up', 'type', 'bridge');
  for (const [host, addresses] of Object.entries(HOSTS)) {
    const name = `${prefix}-${host}`;
    run('ip', 'netns', 'add', name);
    run('ip', '-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `to-${host}`, 'netns', bridge);
    run('ip', '-n', bridge, 'link', 'set', `to-${host}`, 'master', 'br0', 'up');
    for (const own of addresses) run('ip', '-n', name, 'address', 'add', `${own}/${own.includes(':') ? 64 : 24}`, 'dev', 'eth0', ...(own.includes(':') ? ['nodad'] : []));
    for (const link of ['lo', 'eth0']) run('ip', '-n', name, 'link', 'set', link, 'up');
    writeFileSync(join(folder, host), '');
    run('mount', '--bind', `/run/netns/${name}`, join(folder, host));
  }
  writeFileSync(join(folder, 'not-mounted-yet'), '');
  const network = openNetnsFolder(folder, MARK);
  const hosts = Object.keys(HOSTS) as Host[];
  const found = network.find([...hosts.map((host) => HOSTS[host].map(address)), [address('10.77.0.9')]]);
  assert.equal(found.at(-1), undefined, 'nobody has that address');
  context.after(() => found.forEach((namespace) => namespace !== undefined && network.close(namespace)));
  return { network, namespaces: Object.fromEntries(hosts.map((host, index) => [host, found[index]!])) as Record<Host, NamespaceFd> };
}

async function call({ network, namespaces }: Wire, host: Host, target: string, { protocol, port, listeners }: { readonly protocol: 'TCP' | 'UDP'; readonly port: number; readonly listeners: readonly PodListener[] }): Promise<ProbeAnswer> {
  const to = address(target);
  const source = HOSTS[host].map(address).find(({ family }) => family === to.family)!;
  const task: ProbeTask = { namespace: namespaces[host], source, target: to, targetNamespace: namespaces.target, protocol, port };
  const round = network.prober.open([task]);
  try {
    for (let look = 0; look < 20 && round.answers[0] === 'silent'; look++) {
      for (const listener of listeners) listener.answer();
      await round.collect(20);
    }
    return round.answers[0]!;
  } finally {
    round.close();
  }
}

test('expected sources alone reach a listener, in both families and protocols, and nobody does when it is closed', wants, async (context) => {
  const wire = wireHosts(context);
  const { network, namespaces } = wire;
  for (const [index, target] of HOSTS.target.entries()) {
    for (const protocol of ['TCP', 'UDP'] as const) {
      const sources = ['10.77.0.7', 'fd77::7', HOSTS.friend[index]!, HOSTS.friend[index]!].map(address).filter(({ family }) => family === address(target).family);
      const outcome = network.listen({ namespace: namespaces.target, address: address(target), protocol, port: 80, sources, mark: MARK });
      assert.equal(outcome.kind, 'listening');
      const listeners = outcome.kind === 'listening' ? [outcome.listener] : [];
      const arrives = protocol === 'TCP' ? 'connected' : 'replied';
      const what = `${protocol} ${target}`;
      assert.equal(await call(wire, 'friend', target, { protocol, port: 80, listeners }), arrives, what);
      assert.equal(await call(wire, 'stranger', target, { protocol, port: 80, listeners }), 'silent', `${what}: a stranger gets no answer at all`);
      assert.equal(network.listen({ namespace: namespaces.target, address: address(target), protocol, port: 80, sources, mark: MARK }).kind, 'served');
      for (const listener of listeners) listener.close();
      assert.equal(await call(wire, 'friend', target, { protocol, port: 80, listeners: [] }), 'refused', `${what}: closed`);
    }
  }
});

test('a datagram without the mark gets no answer, and a listener without sources takes nobody', wants, async (context) => {
  const wire = wireHosts(context);
  const listen = (port: number, sources: readonly IpAddress[], mark: Buffer): readonly PodListener[] => {
    const outcome = wire.network.listen({ namespace: wire.namespaces.target, address: address('10.77.0.3'), protocol: 'UDP', port, sources, mark });
    assert.equal(outcome.kind, 'listening');
    return outcome.kind === 'listening' ? [outcome.listener] : [];
  };
  const other = listen(80, [address('10.77.0.1')], Buffer.from('bulkheadfedcba9876543210'));
  const nobody = listen(81, [], MARK);
  context.after(() => [...other, ...nobody].forEach((listener) => listener.close()));
  assert.equal(await call(wire, 'friend', '10.77.0.3', { protocol: 'UDP', port: 80, listeners: other }), 'silent');
  assert.equal(await call(wire, 'friend', '10.77.0.3', { protocol: 'UDP', port: 81, listeners: nobody }), 'silent');
});

test('a filter of as many sources as may be takes each of them', wants, async (context) => {
  const wire = wireHosts(context);
  for (const target of HOSTS.target) {
    const { family } = address(target);
    const own = HOSTS.friend.map(address).find((one) => one.family === family)!;
    const others = Array.from({ length: 31 }, (_, index): IpAddress => ({ family, value: own.value + BigInt(index + 100) }));
    for (const sources of [[own, ...others], [...others, own]]) {
      const outcome = wire.network.listen({ namespace: wire.namespaces.target, address: address(target), protocol: 'TCP', port: 443, sources, mark: MARK });
      assert.equal(outcome.kind, 'listening', formatIpAddress(own));
      const listeners = outcome.kind === 'listening' ? [outcome.listener] : [];
      assert.equal(await call(wire, 'friend', target, { protocol: 'TCP', port: 443, listeners }), 'connected');
      assert.equal(await call(wire, 'stranger', target, { protocol: 'TCP', port: 443, listeners }), 'silent');
      listeners[0]?.close();
    }
  }
});
