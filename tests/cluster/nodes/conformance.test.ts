// What policies of every kind do to the connections of real clusters, in several combinations of CNI, nodes, families and kube-proxy.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { applyObject } from '../write-object.ts';
import { combinations, describeCombination } from './combination.ts';
import { holdTruth, type HeldTruth } from './hold-truth.ts';
import { declareLiveConnections } from './live-cases.ts';
import { NETWORK_POLICY_CASES, type PolicyCase } from './policy-cases.ts';
import { declareRandomSets } from './random-cases.ts';
import { declareServices, removeServices } from './service-cases.ts';
import { TIER_CASES } from './tier-cases.ts';
import { declareUpdates } from './update-cases.ts';
import { declareNames } from './name-cases.ts';
import { describeOnNodes, removePolicies, type World } from './world.ts';

for (const combination of combinations()) {
  describeOnNodes(describeCombination(combination), { combination }, (world) => {
    const seen: HeldTruth[] = [];
    afterEach(async () => {
      await removePolicies(world().cluster);
      await removeServices(world());
    });
    for (const one of [...NETWORK_POLICY_CASES, ...TIER_CASES]) test(one.name, async () => void seen.push(await holdCase(world(), one)));
    test('without policies everything comes through', async () => void seen.push(await holdTruth(world().cluster, world().fleet)));
    declareUpdates(world, seen);
    declareServices(world);
    declareLiveConnections(world);
    declareNames(world);
    declareRandomSets(world, seen);
    test('figures', () => console.log(`${describeCombination(combination)}: ${figures(seen)}`));
  });
}

async function holdCase({ cluster, fleet }: World, { policies, through, stopped }: PolicyCase): Promise<HeldTruth> {
  for (const policy of policies) await applyObject(cluster.connection, policy);
  const held = await holdTruth(cluster, fleet);
  for (const name of through) assert.ok(held.through.has(name), `${name} should come through`);
  for (const name of stopped) assert.ok(held.tried.has(name) && !held.through.has(name), `${name} should be stopped`);
  return held;
}

function figures(seen: readonly HeldTruth[]): string {
  const settled = seen.map(({ settledMs }) => settledMs).sort((a, b) => a - b);
  const sum = (part: 'probed' | 'allowed' | 'denied'): number => seen.reduce((total, table) => total + table[part], 0);
  return `${seen.length} states, ${sum('probed')} connections as computed, ${sum('allowed')} of them allowed and ${sum('denied')} refused; the table agreed after ${Math.round(settled[settled.length >> 1] ?? 0)} ms (median), ${Math.round(settled.at(-1) ?? 0)} ms (longest)`;
}
