// The cases that both firewalls must pass: the fake by deciding, the kernel with real packets between namespaces.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpAddress as text } from '../../src/base/ip-address.ts';
import { ALL_PORTS, OTHER_POINT, portSetOf, subtractPorts } from '../../src/base/port-set.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import type { FirewallOptions, LedgerEntry } from '../../src/kernel/firewall.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import { needs } from '../needs.ts';
import { addressOf, fakeWorld, kernelWorld, type Attempt, type HostName, type World } from './firewall-world.ts';
import { rulesetOf, type Rule, type Rules } from './rules.ts';
import { changeTo, readRuleset } from './whole-ruleset.ts';

const HTTP = portSetOf('TCP', 80, 80);
const DNS = portSetOf('UDP', 53, 53);
const FAMILIES = [4, 6] as const;

const worlds = [
  { name: 'fake', open: fakeWorld, options: {} },
  { name: 'kernel', open: kernelWorld, options: needs('kernel') },
] as const;

function both(name: string, run: (world: World) => void, firewallOptions: FirewallOptions = {}): void {
  for (const { name: kind, open, options } of worlds) {
    test(`${kind}: ${name}`, options, () => {
      const world = open(firewallOptions);
      try {
        run(world);
      } finally {
        world.close();
      }
    });
  }
}

/** Both families must give the same verdict. */
function verdict(world: World, source: HostName, target: HostName, protocol: Attempt['protocol'], port = 0): string {
  const [four, six] = FAMILIES.map((family) => world.attempt({ source: addressOf(source, family), target: addressOf(target, family), protocol, port }));
  assert.equal(four, six, `${source} → ${target} ${protocol} ${port}: the families differ`);
  return four!;
}

const ingressOf = (local: Rule['local'], peer: Rule['peer'], ports: Rule['ports']): Rule => ({ direction: 'ingress', local, peer, ports });
const egressOf = (local: Rule['local'], peer: Rule['peer'], ports: Rule['ports']): Rule => ({ direction: 'egress', local, peer, ports });
const B_SERVES_HTTP: Rules = { isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'a', HTTP)] };

both('without isolation everything passes', (world) => {
  world.firewall.load(loadSteps(rulesetOf({})));
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'udp', 53), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'icmp'), 'accept');
  assert.equal(verdict(world, 'outside', 'b', 'tcp', 80), 'accept');
});

both('an isolated target lets in what a rule allows, and nothing else', (world) => {
  world.firewall.load(loadSteps(rulesetOf(B_SERVES_HTTP)));
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 81), 'drop');
  assert.equal(verdict(world, 'c', 'b', 'tcp', 80), 'drop');
  assert.equal(verdict(world, 'outside', 'b', 'tcp', 80), 'drop');
  assert.equal(verdict(world, 'a', 'b', 'udp', 53), 'drop');
  assert.equal(verdict(world, 'b', 'a', 'tcp', 80), 'accept');
});

both('a connection needs yes from both ends', (world) => {
  world.firewall.load(loadSteps(rulesetOf({
    isolated: { egress: ['a'], ingress: ['b', 'c'] },
    allowed: [egressOf('a', 'b', [...HTTP, ...DNS]), ingressOf('b', 'a', DNS), ingressOf('c', 'a', HTTP)],
  })));
  assert.equal(verdict(world, 'a', 'b', 'udp', 53), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'drop');
  assert.equal(verdict(world, 'a', 'c', 'tcp', 80), 'drop');
  assert.equal(verdict(world, 'a', 'outside', 'tcp', 80), 'drop');
});

both('ranges outside the cluster have classes of their own', (world) => {
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'outside', HTTP)] })));
  assert.equal(verdict(world, 'outside', 'b', 'tcp', 80), 'accept');
  assert.equal(verdict(world, 'outside', 'b', 'tcp', 81), 'drop');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'drop');
});

both('exact ports, ranges, whole protocols and every port', (world) => {
  const allowed = [
    ingressOf('b', 'a', [80, 81]),
    ingressOf('b', 'c', [1, 65535]),
    ingressOf('b', 'outside', ALL_PORTS),
  ];
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'] }, allowed })));
  assert.equal(verdict(world, 'a', 'b', 'tcp', 81), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'udp', 53), 'drop');
  assert.equal(verdict(world, 'c', 'b', 'tcp', 81), 'accept');
  assert.equal(verdict(world, 'c', 'b', 'udp', 53), 'drop');
  assert.equal(verdict(world, 'c', 'b', 'icmp'), 'drop');
  assert.equal(verdict(world, 'outside', 'b', 'udp', 53), 'accept');
  assert.equal(verdict(world, 'outside', 'b', 'icmp'), 'accept');
});

both('protocols without ports pass by a bit of their own', (world) => {
  const allBut80 = subtractPorts(ALL_PORTS, HTTP);
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'a', allBut80), ingressOf('b', 'c', [OTHER_POINT, OTHER_POINT])] })));
  assert.equal(verdict(world, 'a', 'b', 'icmp'), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 81), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'drop');
  assert.equal(verdict(world, 'c', 'b', 'icmp'), 'accept');
  assert.equal(verdict(world, 'c', 'b', 'udp', 53), 'drop');
});

both('a pod that is not known yet gets nothing and sends nothing', (world) => {
  world.firewall.load(loadSteps(rulesetOf({})));
  assert.equal(verdict(world, 'a', 'unknown', 'tcp', 80), 'drop');
  assert.equal(verdict(world, 'unknown', 'a', 'udp', 53), 'drop');
  assert.deepEqual(reasons(world, 'a', 'unknown'), ['unknown-pod']);
});

both('the answer to what is refused is a matter of the setting', (world) => {
  world.firewall.load(loadSteps(rulesetOf(B_SERVES_HTTP)));
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'accept');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 81), 'reset');
}, { deny: 'reject' });

both('a connection that a change refuses is reset, an allowed one never notices', (world) => {
  world.firewall.load(loadSteps(rulesetOf(B_SERVES_HTTP)));
  const flows = FAMILIES.map((family) => ({
    cut: world.connect({ source: addressOf('a', family), target: addressOf('b', family), protocol: 'tcp', port: 80 }),
    kept: world.connect({ source: addressOf('a', family), target: addressOf('c', family), protocol: 'tcp', port: 80 }),
  }));
  for (const { cut, kept } of flows) assert.deepEqual([cut.exchange(), kept.exchange()], ['answered', 'answered']);
  changeTo(world.firewall, rulesetOf({ isolated: { ingress: ['b'] } }));
  for (const { cut, kept } of flows) assert.deepEqual([cut.exchange(), kept.exchange()], ['reset', 'answered']);
});

both('a datagram flow that a change refuses stops', (world) => {
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'a', DNS)] })));
  const flows = FAMILIES.map((family) => world.connect({ source: addressOf('a', family), target: addressOf('b', family), protocol: 'udp', port: 53 }));
  for (const flow of flows) assert.equal(flow.exchange(), 'answered');
  changeTo(world.firewall, rulesetOf({ isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'c', DNS)] }));
  for (const flow of flows) assert.equal(flow.exchange(), 'dropped');
});

both('kept connections live on after a change that refuses them, new ones are refused', (world) => {
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'a', [...HTTP, ...DNS])] })));
  const flows = FAMILIES.flatMap((family) => ([['tcp', 80], ['udp', 53]] as const).map(([protocol, port]) =>
    world.connect({ source: addressOf('a', family), target: addressOf('b', family), protocol, port })));
  for (const flow of flows) assert.equal(flow.exchange(), 'answered');
  const closed = rulesetOf({ isolated: { ingress: ['b'] } });
  changeTo(world.firewall, closed);
  for (const flow of flows) assert.equal(flow.exchange(), 'answered');
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'drop');
  world.firewall.load(loadSteps(closed));
  for (const flow of flows) assert.equal(flow.exchange(), 'answered');
}, { onChange: 'keep' });

both('kept connections end with the pod', (world) => {
  const rules: Rules = { isolated: { ingress: ['b'] }, allowed: [ingressOf('b', 'a', [...HTTP, ...DNS])] };
  world.firewall.load(loadSteps(rulesetOf(rules)));
  const ends = { source: addressOf('a', 4), target: addressOf('b', 4) } as const;
  const [cut, stopped] = [world.connect({ ...ends, protocol: 'tcp', port: 80 }), world.connect({ ...ends, protocol: 'udp', port: 53 })];
  const kept = world.connect({ source: addressOf('a', 4), target: addressOf('c', 4), protocol: 'tcp', port: 80 });
  for (const flow of [cut, stopped, kept]) assert.equal(flow.exchange(), 'answered');
  // The address comes back as another pod's, which nobody may reach.
  changeTo(world.firewall, rulesetOf({ pods: ['a', 'c'] }));
  changeTo(world.firewall, rulesetOf({ isolated: { ingress: ['b'] } }));
  assert.deepEqual([cut.exchange(), stopped.exchange(), kept.exchange()], ['reset', 'dropped', 'answered']);
}, { onChange: 'keep' });

both('a change that only adds judges no live connection again', (world) => {
  world.firewall.load(loadSteps(rulesetOf(B_SERVES_HTTP)));
  const attempt: Attempt = { source: addressOf('a', 4), target: addressOf('b', 4), protocol: 'tcp', port: 80 };
  const flow = world.connect(attempt);
  assert.equal(flow.exchange(), 'answered');
  const judged = packets(world, attempt);
  changeTo(world.firewall, rulesetOf({ ...B_SERVES_HTTP, allowed: [...B_SERVES_HTTP.allowed!, ingressOf('b', 'c', HTTP)] }));
  assert.equal(flow.exchange(), 'answered');
  assert.equal(packets(world, attempt), judged);
  assert.equal(verdict(world, 'c', 'b', 'tcp', 80), 'accept');
  changeTo(world.firewall, rulesetOf(B_SERVES_HTTP));
  assert.equal(flow.exchange(), 'answered');
  assert.equal(packets(world, attempt), judged + 1);
});

both('generations come round without letting old connections through', (world) => {
  world.firewall.load(loadSteps(rulesetOf(B_SERVES_HTTP)));
  const flow = world.connect({ source: addressOf('a', 4), target: addressOf('b', 4), protocol: 'tcp', port: 80 });
  const [closed, open] = [rulesetOf({ isolated: { ingress: ['b'] } }), rulesetOf(B_SERVES_HTTP)];
  // 127 changes that take away bring back the value in which the flow was judged.
  for (let change = 0; change < 127; change++) {
    changeTo(world.firewall, closed);
    if (change < 126) changeTo(world.firewall, open);
  }
  assert.equal(flow.exchange(), 'reset');
});

both('the ledger says who talked, who was refused and why, once for each drain', (world) => {
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'], egress: ['c'] }, allowed: [ingressOf('b', 'a', HTTP)] })));
  verdict(world, 'a', 'b', 'tcp', 80);
  verdict(world, 'outside', 'b', 'udp', 53);
  verdict(world, 'c', 'a', 'tcp', 80);
  const entries = world.firewall.readLedger({ drain: true });
  assert.deepEqual(entries.map(summary).sort(), [
    'allowed 10.0.0.1 10.0.0.2 6 80 - profile 11',
    'allowed fd00::1 fd00::2 6 80 - profile 11',
    'denied 10.0.0.3 10.0.0.1 6 80 egress',
    'denied 192.0.2.1 10.0.0.2 17 53 ingress',
    'denied 2001:db8::1 fd00::2 17 53 ingress',
    'denied fd00::3 fd00::1 6 80 egress',
  ]);
  assert.ok(entries.every((entry) => entry.packets >= 1));
  world.firewall.readLedger({ drain: true });
  verdict(world, 'a', 'b', 'tcp', 80);
  assert.ok(world.firewall.readLedger({ drain: true }).map(summary).includes('allowed 10.0.0.1 10.0.0.2 6 80 - profile 11'));
});

both('replacing a table keeps what it says', (world) => {
  const ruleset = rulesetOf(B_SERVES_HTTP);
  for (let turn = 0; turn < 3; turn++) {
    world.firewall.load(loadSteps(ruleset));
    assert.deepEqual(readRuleset(world.firewall), ruleset);
    assert.equal(verdict(world, 'a', 'b', 'tcp', 81), 'drop');
  }
});

both('without the table everything is open', (world) => {
  world.firewall.load(loadSteps(rulesetOf({ isolated: { ingress: ['b'] } })));
  world.firewall.remove();
  assert.throws(() => world.firewall.read(), (error) => error instanceof FirewallError && error.code === 'table-missing');
  world.firewall.remove();
  world.firewall.load(loadSteps(rulesetOf({})));
  assert.equal(verdict(world, 'a', 'b', 'tcp', 80), 'accept');
});

both('what the kernel refuses changes nothing and is named', (world) => {
  const ruleset = rulesetOf(B_SERVES_HTTP);
  world.firewall.load(loadSteps(ruleset));
  const value = addressOf('a', 4).value;
  const plans = [
    { set: 'pci4', removed: [], added: [{ key: [value], data: 77 }], code: 'element-conflict', offender: 'pci4 { 10.0.0.1 : 0:4d }' },
    { set: 'pci4', removed: [{ key: [value + 100n] }], added: [], code: 'element-absent', offender: 'pci4 { 10.0.0.101 }' },
    { set: 'bci4', removed: [], added: [{ key: [5n], last: [9n], data: 4 }], code: 'element-conflict', offender: 'bci4 { 0.0.0.5-0.0.0.9 : 0:4 }' },
  ] as const;
  for (const { code, offender, ...step } of plans) {
    assert.throws(() => world.firewall.apply({ steps: [step], takesAway: false }), (error) => {
      assert.ok(error instanceof FirewallError);
      assert.equal(error.code, code);
      assert.ok(error.offender?.includes(offender.slice(7, -2)), error.message);
      return true;
    });
    assert.deepEqual(readRuleset(world.firewall), ruleset);
  }
  changeTo(world.firewall, rulesetOf({}));
  assert.deepEqual(readRuleset(world.firewall), rulesetOf({}));
});

function reasons(world: World, source: HostName, target: HostName): (string | undefined)[] {
  const entries = world.firewall.readLedger().filter((entry) => entry.source.value === addressOf(source, 4).value && entry.target.value === addressOf(target, 4).value);
  return [...new Set(entries.map((entry) => entry.refusal))];
}

function packets(world: World, { source, target, port }: Attempt): number {
  return world.firewall.readLedger()
    .filter((entry) => entry.source.value === source.value && entry.target.value === target.value && entry.port === port)
    .reduce((sum, entry) => sum + entry.packets, 0);
}

function summary({ verdict: kind, source, target, protocol, port, refusal, profile }: LedgerEntry): string {
  return `${kind} ${text(source)} ${text(target)} ${protocol} ${port} ${refusal ?? `- profile ${profile}`}`;
}
