// What only the kernel can show: marks of others, services, tables of an earlier process, small batches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { portSetOf } from '../../src/base/port-set.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { EMPTY_RULESET, type Ruleset } from '../../src/emit/ruleset.ts';
import { sortRuleset } from '../../src/emit/sort-ruleset.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import { loadNft, runNft } from '../../src/kernel/internal/run-nft.ts';
import type { NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { needs } from '../needs.ts';
import { addressOf, kernelWorld, type KernelWorld } from './firewall-world.ts';
import { inEmptyNamespace } from './in-empty-namespace.ts';
import { LARGE_RULESETS } from './large-rulesets.ts';
import { rulesetOf } from './rules.ts';
import { changeTo, readRuleset } from './whole-ruleset.ts';

const HTTP = portSetOf('TCP', 80, 80);
const CLOSED = rulesetOf({ isolated: { ingress: ['b'] } });
const OPEN_TO_A = rulesetOf({ isolated: { ingress: ['b'] }, allowed: [{ direction: 'ingress', local: 'b', peer: 'a', ports: HTTP }] });

function inWorld(name: string, run: (world: KernelWorld) => void): void {
  test(name, needs('kernel'), () => {
    const world = kernelWorld();
    try {
      run(world);
    } finally {
      world.close();
    }
  });
}

function tablesOf(namespace: NamespaceFd): string[] {
  return runNft(['list', 'tables'], { namespace, doing: 'list tables' }).trim().split('\n').sort();
}

inWorld('marks of others stay, on allowed packets and on refused flows', ({ hosts, firewall, attempt }) => {
  loadNft(`table inet others {
    counter whole { }
    counter broken { }
    chain early { type filter hook prerouting priority 0; policy accept; meta mark set 0xab8302c0; ct mark set ct mark or 0x00070080; }
    chain late { type filter hook postrouting priority 0; policy accept; meta mark 0xab8302c0 ct mark and 0xffffff80 == 0x00070080 counter name whole accept; meta l4proto tcp counter name broken; }
  }`, { namespace: hosts.router, doing: 'load the marks of others' });
  firewall.load(loadSteps(OPEN_TO_A));
  for (const family of [4, 6] as const) {
    const target = addressOf('b', family);
    assert.equal(attempt({ source: addressOf('a', family), target, protocol: 'tcp', port: 80 }), 'accept');
    assert.equal(attempt({ source: addressOf('c', family), target, protocol: 'tcp', port: 80 }), 'drop');
  }
  const packets = (name: string): number =>
    Number(/packets (\d+)/.exec(runNft(['list', 'counter', 'inet', 'others', name], { namespace: hosts.router, doing: 'read a counter' }))![1]);
  assert.equal(packets('broken'), 0);
  assert.ok(packets('whole') >= 4);
});

inWorld('a pod reaches itself through its own Service, isolated or not', ({ hosts, firewall, attempt }) => {
  loadNft(`table inet services {
    chain before { type nat hook prerouting priority -100; ip daddr 10.96.0.1 dnat ip to 10.0.0.1; ip6 daddr fd96::1 dnat ip6 to fd00::1; }
    chain after { type nat hook postrouting priority 100; ip saddr 10.0.0.1 ip daddr 10.0.0.1 snat ip to 10.96.0.1; ip6 saddr fd00::1 ip6 daddr fd00::1 snat ip6 to fd96::1; }
  }`, { namespace: hosts.router, doing: 'load a service' });
  firewall.load(loadSteps(rulesetOf({ isolated: { egress: ['a'], ingress: ['a'] } })));
  for (const [family, service] of [[4, '10.96.0.1'], [6, 'fd96::1']] as const) {
    const source = addressOf('a', family);
    assert.equal(attempt({ source, target: parseIpAddress(service)!, protocol: 'tcp', port: 80 }), 'accept');
    assert.equal(attempt({ source: addressOf('b', family), target: source, protocol: 'tcp', port: 80 }), 'drop');
  }
  const own = firewall.readLedger().filter((entry) => entry.source.value === entry.target.value);
  assert.deepEqual(own.map(({ verdict, profile }) => `${verdict} ${profile}`), ['allowed 0', 'allowed 0']);
});

inWorld('another process takes over the table and judges live connections on', ({ hosts, firewall, connect }) => {
  firewall.load(loadSteps(OPEN_TO_A));
  const flow = connect({ source: addressOf('a', 4), target: addressOf('b', 4), protocol: 'tcp', port: 80 });
  assert.equal(flow.exchange(), 'answered');
  const heir = openFirewall({ namespace: hosts.router });
  try {
    assert.deepEqual(readRuleset(heir), OPEN_TO_A);
    changeTo(heir, CLOSED);
    assert.deepEqual(readRuleset(heir), CLOSED);
    assert.equal(flow.exchange(), 'reset');
  } finally {
    heir.close();
  }
});

inWorld('a table that is replaced while connections live keeps the allowed ones and cuts the others', ({ hosts, firewall, connect }) => {
  firewall.load(loadSteps(OPEN_TO_A));
  const kept = connect({ source: addressOf('a', 6), target: addressOf('b', 6), protocol: 'tcp', port: 80 });
  const cut = connect({ source: addressOf('a', 4), target: addressOf('c', 4), protocol: 'tcp', port: 80 });
  firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b', 'c'] }, allowed: [{ direction: 'ingress', local: 'b', peer: 'a', ports: HTTP }] })));
  assert.equal(kept.exchange(), 'answered');
  assert.equal(cut.exchange(), 'reset');
  assert.deepEqual(tablesOf(hosts.router), ['table inet bulkhead']);
});

inEmptyNamespace('a replacement that broke off between its two turns is finished by the next load', (namespace) => {
  const earlier = openFirewall({ namespace, table: 'bulkhead_next' });
  earlier.load(loadSteps(OPEN_TO_A));
  earlier.close();
  loadNft('table inet bulkhead { chain gate { }; }', { namespace, doing: 'leave half a table' });
  const firewall = openFirewall({ namespace });
  assert.throws(() => firewall.read(), (error) => error instanceof FirewallError && error.code === 'table-missing');
  firewall.load(loadSteps(CLOSED));
  assert.deepEqual(readRuleset(firewall), CLOSED);
  assert.deepEqual(tablesOf(namespace), ['table inet bulkhead']);
  firewall.remove();
  assert.deepEqual(tablesOf(namespace), ['']);
  firewall.close();
});

inEmptyNamespace('a ruleset larger than a batch is loaded and changed in parts', (namespace) => {
  const firewall = openFirewall({ namespace, batchBytesMax: 4096 });
  firewall.load(loadSteps(manyPeers(0)));
  assert.deepEqual(readRuleset(firewall), manyPeers(0));
  changeTo(firewall, manyPeers(1));
  assert.deepEqual(readRuleset(firewall), manyPeers(1));
  firewall.close();
});

inEmptyNamespace('a socket of 208 KiB, which is all that a plain user gets, takes rulesets of any size', (namespace) => {
  const [first, second] = LARGE_RULESETS;
  const firewall = openFirewall({ namespace, sendBufferBytes: 106_496 });
  firewall.load(loadSteps(first));
  assert.deepEqual(readRuleset(firewall), first);
  changeTo(firewall, second);
  assert.deepEqual(readRuleset(firewall), second);
  firewall.close();
});

inEmptyNamespace('nft takes the text of the fake, and the kernel then holds the same', (namespace) => {
  const fake = createFakeFirewall();
  const ruleset = rulesetOf({ isolated: { ingress: ['b'], egress: ['a'] }, allowed: [{ direction: 'ingress', local: 'b', peer: 'outside', ports: [80, 90, 65537, 131071] }] });
  fake.load(loadSteps(ruleset));
  loadNft(fake.listing(), { namespace, doing: 'load the text of the fake' });
  const firewall = openFirewall({ namespace });
  assert.deepEqual(readRuleset(firewall), ruleset);
  firewall.close();
});

test('a load into a namespace without rights is refused with words', needs('kernel'), () => {
  assert.throws(() => loadNft('table inet x { chain y { no such rule } }', { namespace: undefined, doing: 'try a rule' }), (error) => {
    assert.ok(error instanceof FirewallError);
    assert.equal(error.code, 'nft-refused');
    assert.match(error.offender ?? '', /no such rule/);
    return true;
  });
});

/** A thousand peers in classes that shift with `shift`, and ranges that are cut elsewhere. */
function manyPeers(shift: number): Ruleset {
  const local = { family: 4, value: 0x0a000001n } as const;
  const podClasses = Array.from({ length: 1000 }, (_, index) => ({ direction: 'egress' as const, address: { family: 4 as const, value: 0x0a010000n + BigInt(index) }, peerClass: 1 + ((index + shift) % 7) }));
  const rangeClasses = Array.from({ length: 200 }, (_, index) => {
    const first = BigInt(index * 1000 + shift * 300);
    return { direction: 'egress' as const, range: { family: 4 as const, first, last: first + 999n }, peerClass: 1 + (index % 7) };
  });
  const pairs = Array.from({ length: 7 }, (_, index) => ({ direction: 'egress' as const, address: local, peerClass: index + 1, profile: 1 }));
  return sortRuleset({ ...EMPTY_RULESET, localPods: [{ address: local, isEgressIsolated: true, isIngressIsolated: false, isSelfAllowed: true }], podClasses, rangeClasses, pairs, profiles: [{ id: 1, ports: HTTP }] });
}
