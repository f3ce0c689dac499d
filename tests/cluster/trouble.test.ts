// A real API server on bad days: lists that etcd has forgotten, rights that are missing, a server that goes away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { readCluster } from '../../src/kube/kube.ts';
import { runBulkhead } from '../cli/run-bulkhead.ts';
import { policy } from '../kube/cluster-cases.ts';
import { stillPacing } from '../kube/spoken-server.ts';
import { needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { otherUser, restrictedUser } from './restricted-user.ts';
import { applyObject } from './write-object.ts';

const wants = needs('apiserver');
// With snapshots of its cache a server remembers every list it began; without, as before 1.34, etcd's compaction takes them away.
const server = wants.skip === undefined ? startApiServer({ extraArgs: '--feature-gates=ListFromCacheSnapshot=false' }) : undefined;

const POLICIES = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', resource: 'networkpolicies', isNamespaced: true };

test('a list that etcd has forgotten begins again', wants, async () => {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  const names = Array.from({ length: 620 }, (_, index) => `p${String(index).padStart(3, '0')}`);
  for (const name of names) await applyObject(connection, policy('default', { podSelector: {}, policyTypes: ['Ingress'] }, name));
  let found: string[] = [];
  let restarts = 0;
  let count = 0;
  for await (const event of new KubeApi(connection).list(POLICIES)) {
    if (event.kind === 'restart') {
      restarts++;
      found = [];
      continue;
    }
    found.push(event.object.metadata.name);
    // In the middle of the first page, so before the second one is asked for.
    if (++count === 100) await forgetHistory();
  }
  assert.deepEqual({ restarts, found }, { restarts: 1, found: names });
});

/** What `etcd` does every few minutes by order of the API server: everything before now is gone. */
async function forgetHistory(): Promise<void> {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  await applyObject(connection, policy('default', { podSelector: { matchLabels: { a: 'b' } }, policyTypes: ['Ingress'] }, 'p000'));
  const range = await etcd('range', { key: Buffer.from('/').toString('base64') });
  const revision = (range as { readonly header: { readonly revision: string } }).header.revision;
  await etcd('compaction', { revision, physical: true });
}

async function etcd(what: string, request: object): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${server!.etcdPort}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(request) });
  assert.equal(answer.status, 200);
  return answer.json();
}

test('missing rights end with 3 and the words that grant them; --lenient goes on and says what is missing', wants, () => {
  const KUBECONFIG = restrictedUser(server!, 'dave', ['nodes']);
  const { status, stdout, stderr } = runBulkhead(['reach', '--cluster'], { env: { KUBECONFIG } });
  assert.deepEqual([status, stdout], [3, '']);
  assert.match(stderr, /`dave` may not list nodes in the cluster lab/);
  const grant = /help: grant it: (kubectl create clusterrole .*?) && (kubectl create clusterrolebinding .*?); or/.exec(stderr);
  assert.ok(grant !== null, stderr);
  const lenient = runBulkhead(['reach', '--cluster', '--lenient'], { env: { KUBECONFIG } });
  assert.equal(lenient.status, 0, lenient.stderr);
  assert.match(lenient.stderr, /warning\[not-listed\]: the cluster lab does not let this user list nodes/);
  // The words do what they say.
  for (const command of grant.slice(1)) server!.kubectl(command.split(' ').slice(1));
  assert.equal(runBulkhead(['reach', '--cluster'], { env: { KUBECONFIG } }).status, 0);
});

test('nobody known is told so', wants, () => {
  const KUBECONFIG = otherUser(server!, 'stranger', () => ({ token: 'nobody' }));
  const { status, stderr } = runBulkhead(['reach', '--cluster'], { env: { KUBECONFIG } });
  assert.equal(status, 3);
  assert.match(stderr, /does not know who is asking \(401\)/);
});

test('a server that goes away while it is read is a failure, soon', wants, async () => {
  const pacing = stillPacing();
  const api = new KubeApi(await openConnection({ kubeconfig: server!.kubeconfig }), { pacing });
  await readCluster(api);
  server!.stop();
  await assert.rejects(readCluster(api), (error) => error instanceof ClusterError && error.code === 'unreachable');
  assert.ok(pacing.waits.length > 0, 'it was waited for');
  const { status, stderr } = runBulkhead(['reach', '--cluster'], { env: { KUBECONFIG: server!.kubeconfig } });
  assert.equal(status, 3);
  assert.match(stderr, /cannot be reached: the connection is refused/);
});
