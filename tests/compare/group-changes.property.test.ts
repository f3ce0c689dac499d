// Random clusters: the groups of a comparison, unfolded, are its changes, each once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePrograms } from '../../src/compare/compare.ts';
import { groupChanges } from '../../src/compare/group-changes.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { checkWith } from '../clusters/check-property.ts';
import { clusterPair, randomChange } from '../clusters/random-change.ts';

test('groups unfold to the changes, each once', () => {
  checkWith(randomChange, (raw, change) => {
    const [before, after] = clusterPair(raw, change).map(compileCluster);
    const comparison = comparePrograms({ before: before!, after: after! });
    const expected = new Map<string, string>();
    for (const { source, target, gained, lost } of comparison.changes()) {
      if (gained.length > 0) expected.set(`+ ${source} ${target}`, gained.join());
      if (lost.length > 0) expected.set(`- ${source} ${target}`, lost.join());
    }
    const { gained, lost, appeared, vanished } = groupChanges(comparison);
    const seen = new Map<string, string>();
    for (const [sign, groups] of [['+', [...gained, ...appeared]], ['-', [...lost, ...vanished]]] as const) {
      for (const { sources, targets, ports } of groups) {
        for (const source of sources) {
          for (const target of targets) {
            const end = comparison.endpoints[source]!;
            if (source === target && 'pods' in end && end.pods === 1) continue;
            assert.ok(!seen.has(`${sign} ${source} ${target}`), 'a change in two groups');
            seen.set(`${sign} ${source} ${target}`, ports.join());
          }
        }
      }
    }
    assert.deepEqual(new Map([...seen].sort()), new Map([...expected].sort()));
  }, { share: 0.4 });
});
