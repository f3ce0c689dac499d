// A table outlives the process that wrote it: the next one goes on with it, replaces it without a gap, or finishes what broke off.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import { loadNft, runNft } from '../../src/kernel/internal/run-nft.ts';
import type { NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { openFirewall, type NftFirewallOptions } from '../../src/kernel/nft-firewall.ts';
import { cloneRoot, needs } from '../needs.ts';
import { kernelWorld } from './firewall-world.ts';
import { inEmptyNamespace } from './in-empty-namespace.ts';
import { LARGE_RULESETS } from './large-rulesets.ts';
import { rulesetOf } from './rules.ts';
import { SteadyTraffic, type Path } from './steady-traffic.ts';
import { changeTo, readRuleset, takenOver } from './whole-ruleset.ts';

const CLOSED = rulesetOf({ isolated: { ingress: ['b'] } });

function leave(options: NftFirewallOptions): void {
  const earlier = openFirewall(options);
  earlier.load(loadSteps(CLOSED));
  earlier.close();
}

inEmptyNamespace('a table that an earlier process left is taken over as it stands', (namespace) => {
  leave({ namespace });
  const firewall = openFirewall({ namespace });
  assert.deepEqual(takenOver(firewall), CLOSED);
  firewall.close();
});

inEmptyNamespace('where no table is there is nothing to take over', (namespace) => {
  const firewall = openFirewall({ namespace });
  assert.equal(firewall.takeOver(), undefined);
  firewall.close();
});

// What an earlier process left, and what somebody did to it, that only a load may replace.
const NOT_OURS: readonly { readonly name: string; readonly left?: NftFirewallOptions; readonly text?: string }[] = [
  { name: 'another answer to what is refused', left: { deny: 'reject' } },
  { name: 'other bits of the mark', left: { markMask: 0xff00 } },
  { name: 'a rule more', text: 'add rule inet bulkhead judge counter' },
  { name: 'a rule that lets everything in', text: 'insert rule inet bulkhead hook_forward accept' },
  { name: 'a rule less', text: 'flush chain inet bulkhead stamp' },
  { name: 'a chain of somebody', text: 'add chain inet bulkhead theirs { type filter hook forward priority -5; }' },
  { name: 'a set of somebody', text: 'add set inet bulkhead theirs { type ipv4_addr; }' },
  { name: 'a table that is switched off', text: 'add table inet bulkhead { flags dormant; }' },
];

for (const { name, left, text } of NOT_OURS) {
  inEmptyNamespace(`not taken over, but replaced: ${name}`, (namespace) => {
    leave({ ...left, namespace });
    if (text !== undefined) loadNft(`${text}\n`, { namespace, doing: 'change the table' });
    const firewall = openFirewall({ namespace });
    assert.equal(firewall.takeOver(), undefined);
    firewall.load(loadSteps(CLOSED));
    assert.deepEqual(takenOver(firewall), CLOSED);
    firewall.close();
  });
}

inEmptyNamespace('bits of the mark that are no neighbors, or one alone, are refused', (namespace) => {
  for (const markMask of [0, 0x1, 0x5, -1, 0x1ffffffff]) assert.throws(() => openFirewall({ namespace, markMask }), RangeError);
});

/** Since Linux 6.9; `supported` is what this kernel says. */
inEmptyNamespace('an owner keeps others from its table, and leaves it behind', (namespace) => {
  const owner = openFirewall({ namespace, isOwner: true });
  owner.load(loadSteps(CLOSED));
  const isOwned = !tryNft(namespace, 'delete table inet bulkhead');
  if (!isOwned) {
    owner.load(loadSteps(CLOSED));
    return owner.close();
  }
  runNft(['flush', 'ruleset'], { namespace, doing: 'flush everything' });
  assert.deepEqual(readRuleset(owner), CLOSED);
  const rival = openFirewall({ namespace, isOwner: true });
  assert.throws(() => rival.takeOver(), (error) => error instanceof FirewallError && error.code === 'table-in-use');
  owner.close();
  assert.deepEqual(takenOver(rival), CLOSED);
  assert.equal(tryNft(namespace, 'delete table inet bulkhead'), false);
  rival.close();
  assert.equal(tryNft(namespace, 'delete table inet bulkhead'), true);
});

function tryNft(namespace: NamespaceFd, command: string): boolean {
  try {
    runNft(command.split(' '), { namespace, doing: command });
    return true;
  } catch (error) {
    if (error instanceof FirewallError) return false;
    throw error;
  }
}

const KILLS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 300 : 6;
const KILL_AFTER_MS_MAX = 400;

const PATHS: readonly Path[] = [
  { source: 'a', target: 'b', isAllowed: true },
  { source: 'a', target: 'b', isAllowed: true, isLive: true },
  { source: 'b', target: 'a', isAllowed: true },
  { source: 'c', target: 'b', isAllowed: false },
  { source: 'outside', target: 'b', isAllowed: false },
  { source: 'c', target: 'outside', isAllowed: false },
  { source: 'a', target: 'unknown', isAllowed: false },
];

// Kernels differ in whether a table has an owner; a small buffer makes every load one of many parts.
const KILLED: readonly { readonly name: string; readonly options: NftFirewallOptions }[] = [
  { name: 'a large buffer', options: {} },
  { name: 'a table with an owner', options: { isOwner: true } },
  { name: 'a small buffer', options: { sendBufferBytes: 106_496 } },
];

for (const { name, options } of KILLED) {
  test(`killed at any moment, with ${name}: nothing leaks, nothing is refused`, needs('kernel'), async (context) => {
    const world = kernelWorld(options);
    world.firewall.load(loadSteps(LARGE_RULESETS[0]));
    world.firewall.close();
    const traffic = new SteadyTraffic(world.hosts, PATHS);
    try {
      for (let round = 0; round < KILLS; round++) await killLater(world.hosts.router, options);
      const heir = openFirewall({ ...options, namespace: world.hosts.router });
      if (heir.takeOver() === undefined) heir.load(loadSteps(LARGE_RULESETS[1]));
      else changeTo(heir, LARGE_RULESETS[1]);
      assert.deepEqual(readRuleset(heir), LARGE_RULESETS[1]);
      heir.close();
      const count = await traffic.stop();
      context.diagnostic(`${KILLS} kills, ${JSON.stringify(count)}`);
      assert.deepEqual({ ...count, sent: undefined }, { sent: undefined, leaked: 0, wronglyRefused: 0, wrongAt: [] });
    } finally {
      traffic.end();
      world.hosts.close();
    }
  });
}

async function killLater(namespace: NamespaceFd, options: NftFirewallOptions): Promise<void> {
  const child = spawn(process.execPath, [join(cloneRoot, 'tests/kernel/loading-process.ts'), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit', namespace] });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout!, 'data'), ended]);
  await new Promise((done) => setTimeout(done, randomInt(KILL_AFTER_MS_MAX)));
  child.kill('SIGKILL');
  const [status] = (await ended) as [number | null];
  assert.equal(status, null, 'it ended by itself');
}
