// The blocks of a comparison say in few what its changes say pair by pair.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePrograms } from '../../src/compare/compare.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { checkWith } from '../clusters/check-property.ts';
import { randomPolicies } from '../clusters/random-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';

test('the blocks of a comparison, unfolded, are its changes, each once', () => {
  checkWith(randomPolicies, (raw, policies) => {
    const comparison = comparePrograms({ before: compileCluster(settleCluster(raw)), after: compileCluster(settleCluster({ ...raw, policies })) });
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
