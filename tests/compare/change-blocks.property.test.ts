// The blocks of a comparison say in few what its changes say pair by pair.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePrograms } from '../../src/compare/compare.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { checkWith } from '../clusters/check-property.ts';
import { clusterPair, randomChange } from '../clusters/random-change.ts';

test('the blocks of a comparison, unfolded, are its changes, each once', () => {
  checkWith(randomChange, (raw, change) => {
    const [before, after] = clusterPair(raw, change).map(compileCluster);
    const comparison = comparePrograms({ before: before!, after: after! });
    const changes = [...comparison.changes()].map(({ source, target, gained, lost }) => `${source} ${target} ${gained.join()} ${lost.join()}`);
    const unfolded: string[] = [];
    for (const { sources, targets, gained, lost } of comparison.blocks()) {
      for (const source of sources) {
        for (const target of targets) {
          const endpoint = comparison.endpoints[source]!;
          const isOnePod = source === target && 'pods' in endpoint && endpoint.pods === 1;
          if (!isOnePod) unfolded.push(`${source} ${target} ${gained.join()} ${lost.join()}`);
        }
      }
    }
    assert.deepEqual(unfolded.sort(), changes.sort());
  }, { share: 0.3 });
});
