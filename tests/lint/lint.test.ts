// What lint says only of a whole cluster, and what its edits write.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { applyEdits, editsOf } from '../../src/mend/apply-edits.ts';
import { lintAnswer, type LintOptions } from '../../src/lint/checks/lint-meaning.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';

function lint(text: string, options: LintOptions = {}): Finding[] {
  const { cluster, findings } = readManifests([sourceFromText('a.yaml', text)]);
  assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
  return lintAnswer(cluster, compileCluster(cluster), options);
}

const WEB = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: main, image: example/web }] }\n---\n';

function policy(namespace: string, spec: string): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: guard, namespace: ${namespace} }\nspec:\n${spec}`;
}

// Files show a part of a cluster; a live cluster shows all of it.
test('what is missing is nothing only where the whole cluster is known', () => {
  const elsewhere = `${WEB}${policy('data', '  podSelector: { matchLabels: { app: db } }\n')}`;
  assert.deepEqual(lint(elsewhere), []);
  assert.deepEqual(lint(elsewhere, { isWholeCluster: true }).map(({ code }) => code), ['selects-no-pods']);
  const fromElsewhere = `${WEB}${policy('shop', '  podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector: { matchLabels: { team: payments } }\n')}`;
  assert.deepEqual(lint(fromElsewhere), []);
  assert.deepEqual(lint(fromElsewhere, { isWholeCluster: true }).map(({ code }) => code), ['peer-matches-nothing']);
});

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'shop'].map((name) => `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n---\n`).join('');
const peerOf = (selector: string): string => policy('shop', `  podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector: { matchLabels: { ${selector} } }\n`);
const saidOf = (text: string): string[] => lint(text).map(({ code, severity }) => `${severity} ${code}`);

// An export has the namespaces that every cluster makes, and a cluster has pods of its own.
test('an input with the namespaces of a whole cluster tells which labels none of them has', () => {
  assert.deepEqual(saidOf(NAMESPACES + WEB + peerOf('team: payments')), ['warning peer-matches-nothing']);
  assert.deepEqual(saidOf(NAMESPACES + WEB + peerOf('kubernetes.io/metadata.name: payments')), ['warning peer-matches-nothing']);
  assert.deepEqual(saidOf(NAMESPACES + peerOf('team: payments')), ['warning peer-matches-nothing']);
  const elsewhere = policy('default', '  podSelector: { matchLabels: { app: db } }\n');
  assert.deepEqual(saidOf(NAMESPACES + WEB + elsewhere), []);
  assert.deepEqual(saidOf(NAMESPACES + WEB + WEB.replaceAll('shop', 'kube-system') + elsewhere), ['warning selects-no-pods']);
});

// Files that describe their namespaces may leave out the one that is meant; a platform labels its own.
test('a label that no described namespace has is worth a word, and no warning', () => {
  const two = NAMESPACES.split('---\n').slice(3, 5).join('---\n') + '---\n';
  assert.deepEqual(saidOf(two + WEB + peerOf('team: payments')), ['info peer-matches-nothing']);
  assert.deepEqual(saidOf(two + WEB + peerOf('network.openshift.io/policy-group: ingress')), []);
  assert.deepEqual(saidOf(two + WEB + peerOf('kubernetes.io/metadata.name: payments')), []);
  assert.deepEqual(saidOf(two + WEB + WEB.replaceAll('shop', 'data') + peerOf('team: payments')), []);
  assert.deepEqual(saidOf(WEB + peerOf('team: payments')), []);
});

// The namespaces of others are named alike on purpose.
test('a namespace that is not in the input is no misspelling of its sibling', () => {
  for (const [own, other, said] of [['team-a', 'team-b', 0], ['eu1-shop', 'eu2-shop', 0], ['shop', 'shpo', 1], ['monitoring', 'monitorng', 1]] as const) {
    const text = WEB.replaceAll('shop', own) + peerOf(`kubernetes.io/metadata.name: ${other}`).replaceAll('namespace: shop', `namespace: ${own}`);
    assert.equal(saidOf(text).length, said, `${own}, ${other}`);
  }
});

test('the rule for DNS is written before the first rule, in its columns', () => {
  const spec = '  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n    -  to: # the peers\n       - podSelector: {}\n       ports:\n       - port: 80\n    -  ports:\n       - port: 443\n';
  const text = `${WEB}${policy('shop', spec)}`;
  const findings = lint(text);
  assert.deepEqual(findings.map(({ code }) => code), ['egress-without-dns']);
  const fixed = applyEdits(text, editsOf(findings));
  assert.deepEqual(lint(fixed), []);
  assert.ok(fixed.endsWith('         port: 53\n    -  to: # the peers\n       - podSelector: {}\n       ports:\n       - port: 80\n    -  ports:\n       - port: 443\n'));
});

test('a list in flow style gets the advice without an edit', () => {
  const findings = lint(`${WEB}${policy('shop', '  podSelector: {}\n  policyTypes: [Egress]\n  egress: [ { ports: [{ port: 80 }] } ]\n')}`);
  assert.deepEqual(findings.map(({ code, edits }) => [code, edits]), [['egress-without-dns', undefined]]);
});

test('an edit of a label keeps its quotes and adds those that YAML needs', () => {
  const pod = WEB.replace('app: web', 'app: "trues"');
  const text = (value: string): string => `${pod}${policy('shop', `  podSelector:\n    matchLabels:\n      app: ${value}\n`)}`;
  assert.deepEqual(lint(text('"truez"'))[0]?.edits?.map((edit) => edit.text), ['"trues"']);
  assert.deepEqual(lint(text('truez'))[0]?.edits?.map((edit) => edit.text), ['trues']);
  assert.deepEqual(lint(text('truez').replaceAll('trues', 'true'))[0]?.edits?.map((edit) => edit.text), ['"true"']);
});

// Who may be meant by a label that only a controller gives is not known.
test('a selector of pod-template-hash is not judged', () => {
  const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec:\n  selector: { matchLabels: { app: web } }\n  template:\n    metadata: { labels: { app: web } }\n    spec: { containers: [{ name: main, image: example/web }] }\n---\n';
  assert.deepEqual(lint(`${deployment}${policy('shop', '  podSelector: { matchLabels: { app: web, pod-template-hash: abc } }\n')}`), []);
});

// The Service says that the pods listen on 9090, though they declare another port.
test('a port that a Service leads to is not reversed', () => {
  const pods = `${WEB.replace('image: example/web', 'image: example/web, ports: [{ containerPort: 80 }]')}${WEB.replaceAll('web', 'prometheus').replace('image: example/prometheus', 'image: example/prometheus, ports: [{ containerPort: 9090 }]')}`;
  const rule = policy('shop', '  podSelector: { matchLabels: { app: web } }\n  ingress:\n  - from:\n    - podSelector: { matchLabels: { app: prometheus } }\n    ports:\n    - port: 9090\n');
  const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec: { selector: { app: web }, ports: [{ port: 80, targetPort: 9090 }] }\n---\n';
  assert.deepEqual(lint(`${pods}${rule}`).map(({ code }) => code), ['reversed-direction']);
  assert.deepEqual(lint(`${pods}${service}${rule}`), []);
});

// What enforces DNS elsewhere: OpenShift's pods listen on 5353, and a cache may run on each node.
test('the rule for DNS is that of the pods of the input', () => {
  const dns = 'apiVersion: v1\nkind: Pod\nmetadata: { name: dns-default, namespace: openshift-dns, labels: { dns.operator.openshift.io/daemonset-dns: default } }\nspec: { containers: [{ name: dns, image: example/dns, ports: [{ containerPort: 5353, protocol: UDP }, { containerPort: 5353 }] }] }\n---\n';
  const cache = 'apiVersion: v1\nkind: Pod\nmetadata: { name: node-local-dns, namespace: kube-system, labels: { k8s-app: node-local-dns } }\nspec: { hostNetwork: true, containers: [{ name: dns, image: example/dns }] }\n---\n';
  const text = `${dns}${cache}${WEB}${policy('shop', '  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n  - to:\n    - podSelector: {}\n')}`;
  const findings = lint(text);
  assert.deepEqual(findings.map(({ code }) => code), ['egress-without-dns']);
  assert.match(findings[0]!.help!, /port 5353 .* `dns\.operator\.openshift\.io\/daemonset-dns=default` of namespace `openshift-dns`; and to 169\.254\.20\.10/);
  const fixed = applyEdits(text, editsOf(findings));
  assert.deepEqual(lint(fixed), []);
  assert.match(fixed, /daemonset-dns: default\n {4}- ipBlock:\n {8}cidr: 169\.254\.20\.10\/32\n {4}ports:\n {4}- protocol: UDP\n {6}port: 5353\n/);
});
