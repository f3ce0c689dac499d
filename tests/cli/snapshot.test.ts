// `bulkhead snapshot`, and `--snapshot` in place of the manifests that it was made of.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder, runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

const CLOSED = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: server, namespace: app }\nspec: { podSelector: { matchLabels: { role: server } }, policyTypes: [Ingress] }\n';

function folderWithSnapshot(t: Parameters<typeof makeFolder>[0]): string {
  const folder = makeFolder(t, { 'a.yaml': SMALL_CLUSTER, 'closed.yaml': CLOSED });
  const { status, stdout, stderr } = runBulkhead(['snapshot', '-f', 'a.yaml'], { cwd: folder });
  assert.equal(status, 0, stderr);
  writeFileSync(join(folder, 's.json'), stdout);
  return folder;
}

test('a snapshot answers as its manifests do, and its snapshot is itself', (t) => {
  const cwd = folderWithSnapshot(t);
  for (const words of [['reach', '-o', 'json'], ['explain', 'app/client', 'app/server', 'tcp/8080'], ['lint', '-o', 'json'], ['prove', 'deny internet -> app/server']]) {
    const [verb, ...rest] = words as [string, ...string[]];
    const fromFile = runBulkhead([verb, '-f', 'a.yaml', ...rest], { cwd });
    const fromSnapshot = runBulkhead([verb, '--snapshot', 's.json', ...rest], { cwd });
    const plain = (text: string): string => text.replaceAll(/(a\.yaml|s\.json):\d+(:\d+)?/g, 'FILE').replaceAll(/"(file|range)":.*/g, '');
    if (verb !== 'lint') assert.equal(plain(fromSnapshot.stdout), plain(fromFile.stdout), verb);
    assert.equal(fromSnapshot.status, fromFile.status, verb);
  }
  assert.equal(runBulkhead(['snapshot', '--snapshot', 's.json'], { cwd }).stdout, readFileSync(join(cwd, 's.json'), 'utf8'));
});

test('standard input can be kept as well', (t) => {
  const cwd = folderWithSnapshot(t);
  assert.equal(runBulkhead(['snapshot', '-f', '-'], { cwd, input: SMALL_CLUSTER }).stdout, readFileSync(join(cwd, 's.json'), 'utf8'));
});

test('what if: manifests take the place of what the snapshot holds', (t) => {
  const cwd = folderWithSnapshot(t);
  assert.equal(runBulkhead(['explain', '--snapshot', 's.json', 'app/client', 'app/server', 'tcp/8080'], { cwd }).status, 0);
  assert.equal(runBulkhead(['explain', '--snapshot', 's.json', '-f', 'closed.yaml', 'app/client', 'app/server', 'tcp/8080'], { cwd }).status, 1);
});

test('diff: what applying manifests changes, and a snapshot as one of two', (t) => {
  const cwd = folderWithSnapshot(t);
  const applied = runBulkhead(['diff', '--snapshot', 's.json', 'closed.yaml', '--exit-code'], { cwd });
  assert.match(applied.stdout, /lost\n {2}- app\/client +→ +app\/server +TCP 8080/);
  assert.equal(applied.status, 1);
  assert.equal(runBulkhead(['diff', 'a.yaml', 's.json', '--exit-code'], { cwd }).status, 0);
  assert.equal(runBulkhead(['prove', '--equal', 'a.yaml', 's.json'], { cwd }).status, 0);
});

test('what cannot be understood is not kept', (t) => {
  const cwd = makeFolder(t, { 'a.yaml': CLOSED.replace('podSelector', 'podselector') });
  const { status, stdout, stderr } = runBulkhead(['snapshot', '-f', 'a.yaml'], { cwd });
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /nothing was written/);
});

test('policies of engines stay known in a snapshot', (t) => {
  const cilium = 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: l7, namespace: app }\nspec: { endpointSelector: {} }\n';
  const cwd = makeFolder(t, { 'a.yaml': `${SMALL_CLUSTER}---\n${cilium}` });
  const { status, stdout } = runBulkhead(['snapshot', '--lenient', '-f', 'a.yaml'], { cwd });
  assert.equal(status, 0);
  writeFileSync(join(cwd, 's.json'), stdout);
  const { status: reachStatus, stderr } = runBulkhead(['reach', '--snapshot', 's.json'], { cwd });
  assert.equal(reachStatus, 2);
  assert.match(stderr, /unsupported-policy-kind.*`app\/l7`/);
});

test('options that do not go together', (t) => {
  const cwd = folderWithSnapshot(t);
  for (const [words, message] of [
    [['reach', '--cluster', '--snapshot', 's.json'], '--cluster and --snapshot are two clusters'],
    [['reach', '-f', 'a.yaml', '--context', 'x'], '--context says which cluster, and no cluster is asked for'],
    [['reach', '-f', 'a.yaml', '--kubeconfig', 'x'], '--kubeconfig says which cluster, and no cluster is asked for'],
    [['reach', '--cluster', '-A', '-n', 'x'], '-A is every namespace, and -n is one'],
    [['diff', '--snapshot', 's.json', 'a.yaml', 'cluster'], '`cluster` is one of the two'],
    [['diff', '--snapshot', 's.json', '--old-ref', 'HEAD', 'a.yaml'], 'a revision of git and a cluster'],
  ] as const) {
    const { status, stderr } = runBulkhead(words, { cwd });
    assert.equal(status, 2, words.join(' '));
    assert.ok(stderr.includes(message), stderr);
  }
});

test('no cluster is a failure of one sentence', (t) => {
  const cwd = makeFolder(t, { config: 'current-context: a\nclusters: [{ name: a, cluster: { server: "https://127.0.0.1:1" } }]\ncontexts: [{ name: a, context: { cluster: a } }]\n' });
  for (const [env, message] of [
    [{ KUBECONFIG: '', HOME: cwd }, 'no cluster is known: there is no ~/.kube/config, and KUBECONFIG names no file'],
    [{ KUBECONFIG: `missing:${cwd}/config` }, 'the API server https://127.0.0.1:1 (context a) cannot be reached: the connection is refused'],
  ] as const) {
    const { status, stdout, stderr } = runBulkhead(['reach', '--cluster'], { cwd, env });
    assert.deepEqual([status, stdout], [3, '']);
    assert.ok(stderr.includes(message), stderr);
    assert.ok(stderr.trim().split('\n').length <= 2, stderr);
  }
});

const CALLED = `apiVersion: apps/v1
kind: Deployment
metadata: { name: hook, namespace: shop }
spec:
  selector: { matchLabels: { app: hook } }
  template:
    metadata: { labels: { app: hook }, annotations: { prometheus.io/scrape: "true", prometheus.io/port: "9100", example.com/token: hidden } }
    spec: { containers: [{ name: main, image: example/hook, ports: [{ containerPort: 9100 }, { containerPort: 9443 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: hook, namespace: shop }
spec: { selector: { app: hook }, ports: [{ port: 443, targetPort: 9443 }] }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: hook }
webhooks: [{ name: a.b.c, clientConfig: { caBundle: aGlkZGVu, service: { namespace: shop, name: hook } } }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec: { podSelector: {} }
`;

test('who calls pods is kept, and lint of the snapshot says whom policies lock out', (t) => {
  const cwd = makeFolder(t, { 'a.yaml': CALLED });
  writeFileSync(join(cwd, 's.json'), runBulkhead(['snapshot', '-f', 'a.yaml'], { cwd }).stdout);
  assert.doesNotMatch(readFileSync(join(cwd, 's.json'), 'utf8'), /hidden|aGlkZGVu/);
  const codes = (words: readonly string[]): readonly string[] => (JSON.parse(runBulkhead(['lint', '-o', 'json', ...words], { cwd }).stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code).filter((code) => code.endsWith('-blocked')).sort();
  assert.deepEqual(codes(['--snapshot', 's.json']), ['scraper-blocked', 'webhook-blocked']);
  // Objects of the files take the place of those of the snapshot.
  assert.deepEqual(codes(['--snapshot', 's.json', 'a.yaml']), ['scraper-blocked', 'webhook-blocked']);
});
