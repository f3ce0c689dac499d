// What the edits of findings write, each made as `lint --fix --yes` makes it, after its proof.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { saysWhoCalls } from '../../src/lint/callers/callers.ts';
import { lintCluster } from '../../src/lint/lint.ts';
import { mendForm, proposeEdit, type EditState, type LintTexts } from '../../src/mend/prove-edits.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';

const FILE = 'a.yaml';

const lintTexts: LintTexts = (texts) => {
  const { cluster, findings, written } = readManifests([sourceFromText(FILE, texts.get(FILE)!.whole)], { keepsWritten: saysWhoCalls });
  return { cluster, findings: [...findings, ...lintCluster(cluster, compileCluster(cluster), { written })] };
};

/** Makes every edit of the code that is proven. */
function mend(code: string, text: string): string {
  const texts = new Map([[FILE, { whole: text, manifests: text }]]);
  const only = (state: EditState): EditState => ({ ...state, linted: { ...state.linted, findings: state.linted.findings.map((finding) => (finding.code === code ? finding : withoutEdits(finding))) } });
  const lint: LintTexts = (now) => only({ texts: now, linted: lintTexts(now) }).linted;
  let { state } = mendForm(only({ texts, linted: lintTexts(texts) }), lint);
  const declined = new Set<string>();
  for (let next = proposeEdit(state, lint, declined); next !== undefined; next = proposeEdit(state, lint, declined)) state = next.next;
  return state.texts.get(FILE)!.whole;
}

function withoutEdits(finding: Finding): Finding {
  const { edits, ...rest } = finding;
  return edits === undefined ? finding : rest;
}

const PODS = ['shop/web', 'shop/db', 'tools/job'].map((name) => {
  const [namespace, app] = name.split('/');
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: ${app}, namespace: ${namespace}, labels: { app: ${app} } }\nspec: { containers: [{ name: main, ports: [{ containerPort: 80 }] }] }\n---\n`;
}).join('');

const HEAD = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: guard, namespace: shop }\nspec:\n';

/** Each also with Windows' line ends. */
function writes(code: string, name: string, before: string, after: string): void {
  test(`${code}: ${name}`, () => {
    const [text, wanted] = [PODS + HEAD + before, PODS + HEAD + after];
    assert.equal(mend(code, text), wanted);
    assert.equal(mend(code, text.replaceAll('\n', '\r\n')), wanted.replaceAll('\n', '\r\n'));
  });
}

const WEB = '  podSelector: { matchLabels: { app: web } }\n';
const FROM_DB = '[{ podSelector: { matchLabels: { app: db } } }]';

writes('rule-redundant', 'the rule goes, the comments beside it stay', `${WEB}  ingress:\n  # all\n  - from: ${FROM_DB} # of it\n  # some\n  - from: ${FROM_DB}\n    ports:\n    - port: 80\n  # end\n`, `${WEB}  ingress:\n  # all\n  - from: ${FROM_DB} # of it\n  # some\n  # end\n`);
writes('rule-redundant', 'a rule with a comment in it stays', `${WEB}  ingress:\n  - from: ${FROM_DB}\n  - from: ${FROM_DB}\n    ports: # some\n    - port: 80\n`, `${WEB}  ingress:\n  - from: ${FROM_DB}\n  - from: ${FROM_DB}\n    ports: # some\n    - port: 80\n`);
writes('rule-redundant', 'a list in flow style stays', `${WEB}  ingress: [{ from: ${FROM_DB} }, { from: ${FROM_DB} }]\n`, `${WEB}  ingress: [{ from: ${FROM_DB} }, { from: ${FROM_DB} }]\n`);
writes('and-instead-of-or', 'a second item begins', `${WEB}  ingress:\n    -   from:\n          -   namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: tools } }\n              # and\n              podSelector: { matchLabels: { app: db } }\n`, `${WEB}  ingress:\n    -   from:\n          -   namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: tools } }\n              # and\n          -   podSelector: { matchLabels: { app: db } }\n`);
writes('and-instead-of-or', 'in flow style as well', `${WEB}  ingress:\n  - from:\n    - { podSelector: { matchLabels: { app: db } }, namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: tools } } }\n`, `${WEB}  ingress:\n  - from:\n    - { podSelector: { matchLabels: { app: db } } }\n    - { namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: tools } } }\n`);
writes('section-without-effect', 'the direction in a list in flow style', `${WEB}  policyTypes: [Egress] # both\n  ingress:\n  - from: ${FROM_DB}\n`, `${WEB}  policyTypes: [Egress, Ingress] # both\n  ingress:\n  - from: ${FROM_DB}\n`);
writes('section-without-effect', 'the direction in a list in block style', `${WEB}  policyTypes:\n    - Ingress # one\n  egress:\n  - ports: [{ port: 53 }, { port: 53, protocol: UDP }]\n`, `${WEB}  policyTypes:\n    - Egress\n    - Ingress # one\n  egress:\n  - ports: [{ port: 53 }, { port: 53, protocol: UDP }]\n`);
writes('section-without-effect', 'both directions where none is named', `${WEB}  egress: []\n`, `  policyTypes: [Ingress, Egress]\n${WEB}  egress: []\n`);
writes('dns-without-tcp', 'TCP before UDP, in block style', `${WEB}  policyTypes: [Egress]\n  egress:\n  - ports:\n      # names\n      -   protocol: UDP # short\n          port: 53\n`, `${WEB}  policyTypes: [Egress]\n  egress:\n  - ports:\n      # names\n      -   protocol: TCP\n          port: 53\n      -   protocol: UDP # short\n          port: 53\n`);
writes('dns-without-tcp', 'TCP before UDP, in flow style', `${WEB}  policyTypes: [Egress]\n  egress: [{ ports: [{ protocol: UDP, port: 53 }] }]\n`, `${WEB}  policyTypes: [Egress]\n  egress: [{ ports: [{ protocol: TCP, port: 53 }, { protocol: UDP, port: 53 }] }]\n`);

test('rule-redundant: of the last rule an empty list is left, of a whole policy nothing', () => {
  const wide = `${HEAD.replace('guard', 'wide')}  podSelector: {}\n  ingress:\n  - from: ${FROM_DB}\n---\n`;
  const narrow = `${HEAD}${WEB}  policyTypes: [Ingress, Egress]\n  ingress:\n  - from: ${FROM_DB}\n    ports: [{ port: 80 }]\n`;
  assert.equal(mend('rule-redundant', PODS + wide + narrow), `${PODS}${wide}${HEAD}${WEB}  policyTypes: [Ingress, Egress]\n  ingress: []\n`);
  assert.equal(mend('rule-redundant', PODS + wide + narrow.replace(', Egress', '')), PODS + wide);
});

test('a near miss of a cluster-wide policy is mended in its subject and in its peers', () => {
  const policy = (subject: string, peer: string): string => `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: base }\nspec:\n  tier: Admin\n  priority: 10\n  subject:\n    pods:\n      namespaceSelector: { matchLabels: { team: ${subject} } }\n      podSelector: {}\n  ingress:\n  - action: Accept\n    from:\n    - pods: { podSelector: { matchLabels: { app: '${peer}' } } }\n`;
  const text = `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { team: payments } }\n---\n${PODS.replaceAll('app: web', 'app: gateway')}`;
  assert.equal(mend('peer-matches-nothing', mend('selects-no-pods', text + policy('paiments', 'gatewya'))), text + policy('payments', 'gateway').replace("'gateway'", '"gateway"'));
});

const CLOSED = `${HEAD}  podSelector: {}\n`;

test('the policy that lets in Prometheus is written behind the object that asks for it', () => {
  const prometheus = 'apiVersion: v1\nkind: Pod\nmetadata: { name: prometheus-0, namespace: monitoring, labels: { app.kubernetes.io/name: prometheus } }\nspec: { containers: [{ name: main }] }\n---\n';
  const asking = `${PODS.replace('labels: { app: db } }', 'labels: { app: db }, annotations: { prometheus.io/scrape: "true", prometheus.io/port: "80" } }')}${prometheus}`;
  const mended = mend('scraper-blocked', asking + CLOSED);
  const written = '---\n# Prometheus may scrape.\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: db-from-prometheus\n  namespace: shop\nspec:\n  podSelector:\n    matchLabels:\n      app: db\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } }\n      podSelector: { matchLabels: { app.kubernetes.io/name: prometheus } }\n    ports:\n    - port: 80\n';
  const at = asking.indexOf('---\n', asking.indexOf('prometheus.io/port'));
  assert.equal(mended, asking.slice(0, at) + written + asking.slice(at) + CLOSED);
});

test('the policy that lets in the API server has its address where the input knows it', () => {
  const called = 'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec: { selector: { app: web }, ports: [{ port: 443, targetPort: 80 }] }\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: web }\nwebhooks: [{ name: a.b.c, clientConfig: { service: { namespace: shop, name: web } } }]\n---\n';
  const server = 'apiVersion: v1\nkind: Endpoints\nmetadata: { name: kubernetes, namespace: default }\nsubsets: [{ addresses: [{ ip: 192.0.2.7 }], ports: [{ name: https, port: 6443 }] }]\n---\n';
  assert.match(mend('webhook-blocked', PODS + called + server + CLOSED), /name: web-from-api-server\n[^]* {2}- from:\n {4}- ipBlock: \{ cidr: "192\.0\.2\.7\/32" \}\n {4}ports:\n {4}- port: 80\n---/);
  assert.match(mend('webhook-blocked', PODS + called + CLOSED), /# The API server calls, from an address that the manifests do not show[^]* {2}ingress:\n {2}- ports:\n {4}- port: 80\n---/);
});
