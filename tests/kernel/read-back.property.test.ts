// Random rulesets one after the other: the kernel holds what the fake holds, whatever the size of batches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LAST_ADDRESS, type IpFamily, type IpRange } from '../../src/base/ip-address.ts';
import { ALL_PORTS, OTHER_POINT, unionPorts, type PortSet } from '../../src/base/port-set.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { sortRuleset } from '../../src/emit/sort-ruleset.ts';
import type { Profile, Ruleset } from '../../src/emit/ruleset.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { closeNamespace, createNamespace } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { needs } from '../needs.ts';
import { changeTo, readRuleset } from './whole-ruleset.ts';

const RUNS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 500 : 25;
const CHANGES_MAX = 6;
const SMALL_BATCH_BYTES = 1500;

test('the kernel holds what the fake holds', needs('kernel'), () => {
  fc.assert(fc.property(fc.array(randomRuleset, { minLength: 2, maxLength: CHANGES_MAX }), fc.boolean(), ([first, ...rest], isSmall) => {
    const namespace = createNamespace();
    const kernel = openFirewall({ namespace, ...(isSmall ? { batchBytesMax: SMALL_BATCH_BYTES } : {}) });
    const fake = createFakeFirewall();
    try {
      for (const firewall of [kernel, fake]) firewall.load(loadSteps(first!));
      assert.deepEqual(readRuleset(kernel), first);
      for (const wanted of rest) {
        for (const firewall of [kernel, fake]) changeTo(firewall, wanted);
        assert.deepEqual(readRuleset(kernel), wanted);
        assert.deepEqual(readRuleset(fake), wanted);
      }
    } finally {
      kernel.close();
      closeNamespace(namespace);
    }
  }), { numRuns: RUNS });
});

const record = <Shape extends object>(fields: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }): fc.Arbitrary<Shape> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<Shape>;
const family: fc.Arbitrary<IpFamily> = fc.constantFrom(4, 6);
const direction = fc.constantFrom('egress' as const, 'ingress' as const);
const address = record({ family, value: fc.oneof(fc.bigInt(0n, 5n), fc.constantFrom(0xfffffffen, 0xffffffffn)) });
const peerClass = fc.integer({ min: 0, max: 4 });

const ports: fc.Arbitrary<PortSet> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(ALL_PORTS) },
  { weight: 4, arbitrary: fc.array(fc.constantFrom<PortSet>([80, 80], [80, 90], [85, 100], [1, 65535], [65537, 131071], [131073, 131080], [196607, 196607], [443, 443], [OTHER_POINT, OTHER_POINT]), { minLength: 1, maxLength: 4 }).map((parts) => parts.reduce(unionPorts, [])) },
);

/** Disjoint ranges, some of them neighbors, some at either end of the space. */
const ranges: fc.Arbitrary<readonly { readonly range: IpRange; readonly peerClass: number }[]> = record({ family, cuts: fc.uniqueArray(fc.oneof(fc.bigInt(0n, 40n), fc.bigInt(0xfffffff0n, 0xffffffffn)), { maxLength: 6 }), classes: fc.array(peerClass, { minLength: 7, maxLength: 7 }) })
  .map(({ family: own, cuts, classes }) => {
    const starts = [...new Set([0n, ...cuts])].sort((a, b) => (a < b ? -1 : 1));
    return starts.flatMap((first, index) => {
      const last = (starts[index + 1] ?? LAST_ADDRESS[own] + 1n) - 1n;
      return classes[index] === 0 ? [] : [{ range: { family: own, first, last }, peerClass: classes[index]! }];
    });
  });

const randomRuleset: fc.Arbitrary<Ruleset> = record({
    localPods: fc.uniqueArray(record({ address, isEgressIsolated: fc.boolean(), isIngressIsolated: fc.boolean(), isSelfAllowed: fc.boolean() }), { selector: keyOf, maxLength: 5 }),
    podRanges: ranges.map((list) => list.slice(0, 2).map(({ range }) => range)),
    podClasses: fc.uniqueArray(record({ direction, address, peerClass }), { selector: (entry) => `${entry.direction} ${keyOf(entry)}`, maxLength: 12 }),
    rangeClasses: fc.tuple(direction, ranges).map(([own, list]) => list.map((entry) => ({ direction: own, ...entry }))),
    // Ids stand for their ports: a bit of them stands in the id's number.
    pairs: fc.uniqueArray(record({ direction, address, peerClass, profile: fc.integer({ min: 1, max: 4 }) }), { selector: (entry) => `${entry.direction} ${keyOf(entry)} ${entry.peerClass}`, maxLength: 12 }),
    profiles: fc.array(ports, { minLength: 4, maxLength: 4 }),
  })
  .map(({ profiles, ...rest }) => {
    const used = new Set(rest.pairs.map((pair) => pair.profile));
    return sortRuleset({ ...rest, profiles: profiles.flatMap((set, index): Profile[] => (used.has(index + 1) ? [{ id: index + 1, ports: set }] : [])) });
  });

function keyOf({ address: { family: own, value } }: { readonly address: { readonly family: IpFamily; readonly value: bigint } }): string {
  return `${own} ${value}`;
}
