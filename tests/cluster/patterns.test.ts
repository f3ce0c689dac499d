// A real API server takes the policy of every pattern, and `bulkhead new --cluster` finds the same names in it as in the manifests.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { patternPages } from '../../scripts/pattern-pages.ts';
import { runBulkhead } from '../cli/run-bulkhead.ts';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';

const wants = needs('apiserver');
// The standard channel: no pattern may need more.
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles('standard') }) : undefined;

before(() => {
  if (server === undefined) return;
  for (const namespace of ['shop', 'blog', 'monitoring', 'ingress-nginx']) server.kubectl(['create', 'namespace', namespace]);
  server.kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager', 'test', '-f', join(cloneRoot, 'examples/patterns/cluster.yaml')]);
});

for (const { name, command } of patternPages(cloneRoot)) {
  test(`${name} is taken by the server, and found by its names`, wants, () => {
    const words = command.split(' ');
    const fromFiles = runBulkhead(words);
    assert.equal(fromFiles.status, 0, fromFiles.stderr);
    server!.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], fromFiles.stdout);
    const fromCluster = runBulkhead([...words.slice(0, words.indexOf('-f')), '--cluster', '--kubeconfig', server!.kubeconfig]);
    assert.equal(fromCluster.stdout, fromFiles.stdout, fromCluster.stderr);
  });
}

test('a name that the cluster does not have is refused', wants, () => {
  const { status, stdout, stderr } = runBulkhead(['new', 'default-deny', '-n', 'shpo', '--cluster', '--kubeconfig', server!.kubeconfig]);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /did you mean `shop`\?/);
});
