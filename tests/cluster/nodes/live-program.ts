// What the API server says now, compiled: as `bulkhead reach --cluster` would answer, but without what an audited namespace does not enforce.
import assert from 'node:assert/strict';
import { hasErrors } from '../../../src/base/finding.ts';
import { compileCluster } from '../../../src/compile/compile.ts';
import type { Program } from '../../../src/compile/program.ts';
import { readCluster } from '../../../src/kube/kube.ts';
import { snapshotText } from '../../../src/kube/snapshot.ts';
import { asksForAudit } from '../../../src/model/namespace-audit.ts';
import { readManifests, sourceFromText } from '../../../src/read/read.ts';
import type { NodeCluster } from './node-cluster.ts';

export async function readProgram({ api }: NodeCluster): Promise<Program> {
  const { entries } = await readCluster(api);
  const { cluster, findings } = readManifests([{ ...sourceFromText('cluster.json', [...snapshotText(entries)].join('')), isBase: true }]);
  assert.ok(!hasErrors(findings), JSON.stringify(findings, undefined, 1));
  const audited = new Set(cluster.namespaces.filter(({ labels }) => asksForAudit(labels)).map(({ name }) => name));
  return compileCluster({ ...cluster, policies: cluster.policies.filter(({ namespace }) => !audited.has(namespace)) });
}
