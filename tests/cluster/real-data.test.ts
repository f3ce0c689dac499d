// A real cluster answers as the manifests that were applied to it: shared data, cluster-wide policies, snapshots, what if.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { makeFolder, runBulkhead, type Run } from '../cli/run-bulkhead.ts';
import { SECRET } from '../kube/cluster-cases.ts';
import { needs, sharedPath, whyMissing } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';

const wants = needs('apiserver', 'shared');
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles() }) : undefined;

const TIERS = `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: shield }
spec:
  tier: Admin
  priority: 10
  subject: { namespaces: { matchLabels: { kubernetes.io/metadata.name: sock-shop } } }
  ingress: [{ name: refuse, action: Deny, from: [{ namespaces: { matchLabels: { kubernetes.io/metadata.name: default } } }] }]
  egress: [{ name: metadata, action: Deny, to: [{ networks: [169.254.169.254/32] }] }]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: dns }
spec:
  priority: 3
  subject: { namespaces: {} }
  egress: [{ name: dns, action: Allow, to: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { k8s-app: kube-dns } } } }], ports: [{ portNumber: { protocol: UDP, port: 53 } }] }]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: { name: default }
spec:
  subject: { namespaces: { matchLabels: { kubernetes.io/metadata.name: default } } }
  ingress: [{ name: refuse, action: Deny, from: [{ namespaces: { matchLabels: { kubernetes.io/metadata.name: sock-shop } } }] }]
`;

/** Without what needs the CustomResourceDefinitions of an operator. */
const FOLDERS = ['online-boutique', 'sock-shop'].map((name) => sharedPath('data', name));

before(() => {
  if (server === undefined || whyMissing('shared') !== undefined) return;
  server.kubectl(['create', 'namespace', 'sock-shop']);
  for (const folder of FOLDERS) server.kubectl(['apply', '--server-side', '-R', '-f', folder]);
  server.kubectl(['apply', '--server-side', '-f', '-'], TIERS);
});

function bulkhead(words: readonly string[], cwd?: string): Run {
  return runBulkhead(words, { ...(cwd === undefined ? {} : { cwd }), env: { KUBECONFIG: server!.kubeconfig } });
}

function answer(words: readonly string[], cwd?: string): string {
  const { status, stdout, stderr } = bulkhead(words, cwd);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Findings point into other texts, and an empty namespace has no endpoint. */
function reachability(text: string): unknown {
  const { endpoints, allowed } = JSON.parse(text) as { readonly endpoints: unknown; readonly allowed: unknown };
  return { endpoints, allowed };
}

test('reach of the cluster is reach of its manifests', wants, (t) => {
  const folder = makeFolder(t, { 'tiers.yaml': TIERS });
  const fromFiles = answer(['reach', ...FOLDERS.flatMap((file) => ['-f', file]), '-f', join(folder, 'tiers.yaml'), '-o', 'json']);
  assert.ok(fromFiles.length > 10_000);
  assert.deepEqual(reachability(answer(['reach', '--cluster', '-o', 'json'])), reachability(fromFiles));
});

test('a snapshot answers as the cluster, has the same bytes each time, and holds no secret', wants, (t) => {
  server!.kubectl(['create', 'secret', 'generic', 'key', `--from-literal=key=${SECRET}`]);
  server!.kubectl(['annotate', 'deployment', 'frontend', `note=${SECRET}`]);
  const snapshot = answer(['snapshot', '--cluster']);
  assert.equal(answer(['snapshot', '--cluster']), snapshot);
  for (const word of [SECRET, 'managedFields', '"image"', '"env"', '"args"', 'last-applied']) assert.ok(!snapshot.includes(word), word);
  const folder = makeFolder(t, { 's.json': snapshot });
  assert.deepEqual(reachability(answer(['reach', '--snapshot', 's.json', '-o', 'json'], folder)), reachability(answer(['reach', '--cluster', '-o', 'json'])));
  assert.equal(bulkhead(['diff', 's.json', 'cluster', '--exit-code'], folder).status, 0);
});

test('explain points into the object', wants, () => {
  const { status, stdout } = bulkhead(['explain', '--cluster', 'sock-shop/front-end', 'sock-shop/carts-db', 'tcp/27017']);
  assert.equal(status, 1);
  assert.match(stdout, /cluster lab, NetworkPolicy sock-shop\/[a-z-]+:\d+:\d+/);
});

test('what if manifests were applied: diff says what it would change, and then it is so', wants, (t) => {
  const policy = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: shut, namespace: default }\nspec: { podSelector: { matchLabels: { app: frontend } }, policyTypes: [Ingress] }\n';
  const folder = makeFolder(t, { 'shut.yaml': policy, 'frontend.yaml': readFileSync(sharedPath('data/online-boutique/policies/network-policy-frontend.yaml'), 'utf8').replace(/ {2}ingress:[\s\S]*?(?= {2}[a-z]|$)/, '  ingress: []\n') });
  writeFileSync(join(folder, 'before.json'), answer(['snapshot', '--cluster']));
  const foretold = bulkhead(['diff', '--cluster', 'frontend.yaml', '--exit-code', '-o', 'json'], folder);
  assert.equal(foretold.status, 1, foretold.stderr);
  server!.kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(folder, 'frontend.yaml')]);
  const happened = bulkhead(['diff', 'before.json', 'cluster', '--exit-code', '-o', 'json'], folder);
  assert.equal(happened.status, 1, happened.stderr);
  const changes = (text: string): unknown => ({ ...(JSON.parse(text) as object), findings: [] });
  assert.deepEqual(changes(happened.stdout), changes(foretold.stdout));
});

test('one namespace alone', wants, () => {
  const { endpoints } = JSON.parse(answer(['reach', '--cluster', '-n', 'sock-shop', '-o', 'json'])) as { readonly endpoints: readonly { readonly id: string; readonly kind: string; readonly namespace?: string }[] };
  assert.deepEqual([...new Set(endpoints.filter(({ kind }) => kind !== 'Range').map(({ namespace }) => namespace))], ['sock-shop']);
  const missing = bulkhead(['reach', '--cluster', '-n', 'nobody']);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /there is no namespace `nobody` in the cluster lab/);
});

test('policies of a single engine are never passed over', wants, () => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ciliumnetworkpolicies.cilium.io' },
    spec: {
      group: 'cilium.io',
      scope: 'Namespaced',
      names: { plural: 'ciliumnetworkpolicies', singular: 'ciliumnetworkpolicy', kind: 'CiliumNetworkPolicy' },
      versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
    },
  };
  server!.kubectl(['apply', '-f', '-'], JSON.stringify(crd));
  server!.kubectl(['wait', '--for=condition=Established', 'crd/ciliumnetworkpolicies.cilium.io', '--timeout=30s']);
  server!.kubectl(['apply', '-f', '-'], 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: l7, namespace: default }\nspec: { endpointSelector: {} }\n');
  const { status, stderr } = bulkhead(['reach', '--cluster']);
  assert.equal(status, 2, stderr);
  assert.match(stderr, /unsupported-policy-kind.*the CiliumNetworkPolicy `default\/l7`/);
  assert.equal(bulkhead(['reach', '--cluster', '--lenient']).status, 0);
  server!.kubectl(['delete', 'crd', 'ciliumnetworkpolicies.cilium.io']);
});
