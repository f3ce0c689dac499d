// Manifests applied onto a cluster: what of the cluster they take the place of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifests, sourceFromText, type ReadFile, type ReadOptions, type ReadResult } from '../../src/read/read.ts';
import { formatFindings, formatPod, formatPolicy } from './reading.ts';

function base(text: string): ReadFile {
  return { ...sourceFromText('cluster', text), isBase: true };
}

function apply(text: string, options: ReadOptions = {}): ReadResult {
  return readManifests([base(LIVE), sourceFromText('file.yaml', text)], options);
}

/** A Deployment with a ReplicaSet, one running pod and a finished one; a pod of nobody. */
const LIVE = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { replicas: 1, template: { metadata: { labels: { app: web } }, spec: { containers: [{ ports: [{ containerPort: 80, protocol: TCP }] }] } } }
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: { name: web-7c, namespace: shop, ownerReferences: [{ kind: Deployment, name: web, controller: true }] }
spec: { replicas: 1 }
---
apiVersion: v1
kind: Pod
metadata: { name: web-7c-x, namespace: shop, labels: { app: web, pod-template-hash: 7c }, ownerReferences: [{ kind: ReplicaSet, name: web-7c, controller: true }] }
spec: { containers: [{ ports: [{ containerPort: 80, protocol: TCP }] }] }
status: { podIP: 10.244.0.5 }
---
apiVersion: v1
kind: Pod
metadata: { name: alone, namespace: other, labels: { app: alone } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress] }
`;

const WEB = 'shop/Deployment/web web-7c-x x1 {app=web pod-template-hash=7c} TCP/80 10.244.0.5';
const ALONE = 'other/Pod/alone alone x1 {app=alone}';

function deployment(spec: string): string {
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: ${spec}\n`;
}

test('the cluster as it is', () => {
  const { cluster, findings } = readManifests([base(LIVE)]);
  assert.deepEqual(findings, []);
  assert.deepEqual(cluster.pods.map(formatPod), [ALONE, WEB]);
});

test('a policy takes the place of the one of its name, and others join', () => {
  const { cluster, findings } = apply(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: {}, policyTypes: [Egress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: other }
spec: { podSelector: {}, policyTypes: [Ingress] }
`);
  assert.deepEqual(findings, []);
  assert.deepEqual(cluster.policies.map((policy) => `${policy.namespace} ${formatPolicy(policy)} ${policy.origin.document.file}`), [
    'other on everything; in []; out free file.yaml',
    'shop on everything; in free; out [] file.yaml',
  ]);
});

test('a namespace takes its labels from the file', () => {
  const { cluster } = apply('apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { team: b } }\n');
  assert.equal(cluster.namespaces.find(({ name }) => name === 'shop')?.labels.get('team'), 'b');
});

test('a workload that changes in number alone keeps its pods', () => {
  const { cluster, findings } = apply(deployment('{ replicas: 5, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c, image: new, ports: [{ containerPort: 80 }] }] } } }'));
  assert.deepEqual(findings, []);
  assert.deepEqual(cluster.pods.map(formatPod), [ALONE, WEB]);
});

for (const [what, labels, port, pod] of [
  ['labels', '{ app: web, tier: front }', '80', '{app=web tier=front pod-template-hash=?} TCP/80'],
  ['ports', '{ app: web }', '8080', '{app=web pod-template-hash=?} TCP/8080'],
] as const) {
  test(`a workload that changes its ${what} gets new pods`, () => {
    const { cluster, findings } = apply(deployment(`{ replicas: 2, template: { metadata: { labels: ${labels} }, spec: { containers: [{ ports: [{ containerPort: ${port} }] }] } } }`));
    assert.deepEqual(findings, []);
    assert.deepEqual(cluster.pods.map(formatPod), [ALONE, `shop/Deployment/web web x2 ${pod}`]);
  });
}

test('the order of files does not matter', () => {
  const file = sourceFromText('file.yaml', deployment('{ template: { metadata: { labels: { app: new } }, spec: { containers: [] } } }'));
  const pods = (files: readonly ReadFile[]): string[] => readManifests(files).cluster.pods.map(formatPod);
  assert.deepEqual(pods([file, base(LIVE)]), pods([base(LIVE), file]));
});

test('what is wrong with an object that goes is not said', () => {
  const broken = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: p, namespace: shop }\nspec: { podSelector: {}, ingress: [{ ports: [{ port: 0 }] }] }\n';
  assert.deepEqual(formatFindings(readManifests([base(broken)]).findings), ['error invalid-port 4:54']);
  assert.deepEqual(readManifests([base(broken), sourceFromText('file.yaml', broken.replace('port: 0', 'port: 1'))]).findings, []);
});

test('two files that differ are an error, with a cluster behind them too', () => {
  const other = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\nspec: { podSelector: {}, policyTypes: [TYPE] }\n';
  const { findings } = readManifests([base(LIVE), sourceFromText('a.yaml', other.replace('TYPE', 'Ingress')), sourceFromText('b.yaml', other.replace('TYPE', 'Egress'))]);
  assert.deepEqual(findings.map(({ code, file }) => `${code} ${file}`), ['duplicate-object b.yaml']);
});

test('of the cluster, one namespace alone may be asked for; files that name none belong to it', () => {
  const { cluster, findings } = apply('apiVersion: v1\nkind: Pod\nmetadata: { name: new }\n', { defaultNamespace: 'shop' });
  assert.deepEqual(findings, []);
  assert.deepEqual(cluster.pods.map(({ namespace, name }) => `${namespace}/${name}`), ['shop/new', 'shop/web-7c-x']);
  assert.deepEqual(cluster.namespaces.map(({ name }) => name), ['shop']);
});
