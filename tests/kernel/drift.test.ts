// Foreign hands in our table are noticed, undone and told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf } from '../../src/emit/elements.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import type { Ruleset } from '../../src/emit/ruleset.ts';
import type { Drift, Firewall } from '../../src/kernel/firewall.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { needs } from '../needs.ts';
import { addressOf, fakeWorld, kernelWorld, type KernelWorld } from './firewall-world.ts';
import { LARGE_RULESETS } from './large-rulesets.ts';
import { rulesetOf } from './rules.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { changeTo, readRuleset, takenOver } from './whole-ruleset.ts';

const HELD = rulesetOf({ isolated: { ingress: ['b'] }, allowed: [{ direction: 'ingress', local: 'b', peer: 'a', ports: [80, 80] }] });

function inWatchedWorld(name: string, run: (world: KernelWorld, repair: () => Drift | undefined) => void): void {
  test(name, needs('kernel'), () => {
    const world = kernelWorld();
    const unwatch = world.firewall.watch(() => undefined);
    try {
      world.firewall.load(loadSteps(HELD));
      run(world, () => world.firewall.repair(() => elementsOf(HELD)));
    } finally {
      unwatch();
      world.close();
    }
  });
}

interface Hand {
  readonly name: string;
  readonly text: string;
  readonly kind: Drift['kind'];
  readonly found: readonly string[];
}

const HANDS: readonly Hand[] = [
  { name: 'flushes everything', text: 'flush ruleset', kind: 'gone', found: [] },
  { name: 'deletes the table', text: 'delete table inet bulkhead', kind: 'gone', found: [] },
  { name: 'switches the table off', text: 'add table inet bulkhead { flags dormant; }', kind: 'gone', found: [] },
  { name: 'takes the hook', text: 'delete chain inet bulkhead hook_forward', kind: 'gone', found: [] },
  { name: 'takes the hook before translation', text: 'delete chain inet bulkhead hook_prerouting', kind: 'rules', found: ['chain hook_prerouting removed', 'rules of chain hook_prerouting removed'] },
  { name: 'lets everything in by a rule', text: 'insert rule inet bulkhead egress accept', kind: 'rules', found: ['rules of chain egress changed'] },
  { name: 'takes the rules of a chain', text: 'flush chain inet bulkhead cut', kind: 'rules', found: ['rules of chain cut removed'] },
  { name: 'freezes the generation', text: 'flush chain inet bulkhead gate\nadd rule inet bulkhead gate ct state established accept', kind: 'rules', found: ['rules of chain gate changed'] },
  { name: 'hooks a chain of its own', text: 'add chain inet bulkhead theirs { type filter hook forward priority -5; }', kind: 'rules', found: ['chain theirs added'] },
  { name: 'allows a pair', text: 'add element inet bulkhead pi4 { 10.0.0.2 . 0:3 : 8000:b }', kind: 'elements', found: ['pi4 { 10.0.0.2 . 0:3 : 8000:b } added'] },
  { name: 'frees a pod', text: 'delete element inet bulkhead li4 { 10.0.0.2 }\nadd element inet bulkhead li4 { 10.0.0.2 : 0:0 }', kind: 'elements', found: ['li4 { 10.0.0.2 : 0:0 } added', 'li4 { 10.0.0.2 : 0:1 } removed'] },
  { name: 'empties a set', text: 'flush set inet bulkhead podrange6', kind: 'elements', found: ['podrange6 { fd00::-fd00::ffff } removed'] },
];

for (const { name, text, kind, found } of HANDS) {
  inWatchedWorld(`a hand that ${name} is undone and told`, ({ hosts, firewall, attempt, connect }, repair) => {
    assert.equal(repair(), undefined);
    const kept = connect({ source: addressOf('a', 4), target: addressOf('b', 4), protocol: 'tcp', port: 80 });
    loadNft(`${text}\n`, { namespace: hosts.router, doing: 'lay hands on the table' });
    const drift = repair();
    assert.deepEqual([drift?.kind, drift?.found, drift?.by?.name], [kind, found, 'nft']);
    assert.deepEqual(readRuleset(firewall), HELD);
    assert.equal(repair(), undefined);
    assert.equal(kept.exchange(), 'answered');
    assert.equal(attempt({ source: addressOf('c', 4), target: addressOf('b', 4), protocol: 'tcp', port: 80 }), 'drop');
    assert.deepEqual(takenOver(openFirewall({ namespace: hosts.router })), HELD);
  });
}

inWatchedWorld('a connection that a foreign hand let in is cut', ({ hosts, connect }, repair) => {
  loadNft('add element inet bulkhead pi4 { 10.0.0.2 . 0:3 : 8000:b }\n', { namespace: hosts.router, doing: 'lay hands on the table' });
  const flow = connect({ source: addressOf('c', 4), target: addressOf('b', 4), protocol: 'tcp', port: 80 });
  assert.equal(flow.exchange(), 'answered');
  assert.equal(repair()?.kind, 'elements');
  assert.equal(flow.exchange(), 'reset');
});

inWatchedWorld('what others do in tables of their own, and what we do in ours, is no drift', ({ hosts, firewall }, repair) => {
  loadNft('table inet theirs { set some { type ipv4_addr; }; chain theirs { type filter hook forward priority 5; }; }\n', { namespace: hosts.router, doing: 'load a table of others' });
  let wasRead = false;
  const wanted = rulesetOf({});
  changeTo(firewall, wanted);
  assert.equal(firewall.repair(() => ((wasRead = true), elementsOf(wanted))), undefined);
  assert.equal(wasRead, false);
  assert.equal(repair(), undefined);
});

test('fake: a table that is gone, and elements of others', () => {
  const { firewall } = fakeWorld();
  const fake = firewall as Firewall & { tamper: (hand: 'gone') => void };
  fake.load(loadSteps(HELD));
  let calls = 0;
  const unwatch = fake.watch(() => calls++);
  fake.tamper('gone');
  assert.equal(fake.repair(() => elementsOf(HELD))?.kind, 'gone');
  assert.deepEqual(readRuleset(fake), HELD);
  unwatch();
  assert.equal(calls, 1);
});

const FLUSHES = process.env['BULKHEAD_NIGHTLY'] === '1' ? 50 : 5;

test('a ruleset flushed by somebody is back within a second, and the window is measured', needs('kernel'), async (context) => {
  const world = kernelWorld();
  const [wanted] = LARGE_RULESETS;
  world.firewall.load(loadSteps(wanted));
  const traffic = new SteadyTraffic(world.hosts, [
    { source: 'a', target: 'b', isAllowed: true },
    { source: 'c', target: 'b', isAllowed: false },
  ]);
  try {
    const windowsMs: number[] = [];
    for (let round = 0; round < FLUSHES; round++) windowsMs.push(await flushAndWait(world, wanted));
    const { leaked, wronglyRefused, sent } = await traffic.stop();
    context.diagnostic(`flushed ${FLUSHES} times; open for ${windowsMs.map((ms) => ms.toFixed(0)).join(', ')} ms; of ${sent} datagrams ${leaked} leaked, ${wronglyRefused} were refused while the table was filled`);
    assert.deepEqual(readRuleset(world.firewall), wanted);
    assert.ok((await leaksWithoutTable(world)) > 0, 'nothing leaked while nothing was there: the probes see nothing');
  } finally {
    traffic.end();
    world.close();
  }
});

/** Of the same path, with nobody to put the table back. */
async function leaksWithoutTable({ firewall, hosts }: KernelWorld): Promise<number> {
  firewall.remove();
  const traffic = new SteadyTraffic(hosts, [{ source: 'c', target: 'a', isAllowed: false }]);
  await new Promise((done) => setTimeout(done, 200));
  return (await traffic.stop()).leaked;
}

async function flushAndWait({ firewall, hosts }: KernelWorld, wanted: Ruleset): Promise<number> {
  return new Promise((done, fail) => {
    const unwatch = firewall.watch(() => {
      const drift = firewall.repair(() => elementsOf(wanted));
      if (drift === undefined) return;
      unwatch();
      if (drift.kind === 'gone') done(performance.now() - flushedAt);
      else fail(new Error(drift.kind));
    });
    let flushedAt = 0;
    setTimeout(() => {
      loadNft('flush ruleset\n', { namespace: hosts.router, doing: 'flush' });
      flushedAt = performance.now();
    }, 100);
  });
}
