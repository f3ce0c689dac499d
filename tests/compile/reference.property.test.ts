// Random clusters: what the compiled Program decides is what the reference says, for every pair, port and family that could differ.
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { holdToReference } from '../clusters/hold-to-reference.ts';
import { settleCluster } from '../clusters/settle.ts';

test('the Program decides as the reference does', () => {
  checkClusters((raw) => {
    const cluster = settleCluster(raw);
    holdToReference(compileCluster(cluster), cluster);
  });
});
