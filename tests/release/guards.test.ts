// What guards see: connections that the cluster lives on, allowed before and refused by the new policies; what was refused before is no news.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { saysWhoCalls } from '../../src/lint/callers/callers.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { flowCuts } from '../../src/release/flow-cuts.ts';
import { findCuts, type GuardContext } from '../../src/release/guards.ts';
import { namespaceCuts } from '../../src/release/namespace-cuts.ts';

const pod = (namespace: string, name: string, labels: string, port = 80, protocol = 'TCP', address = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { ${labels} } }
spec: { containers: [{ name: a, image: none, ports: [{ containerPort: ${port}, protocol: ${protocol} }] }] }
${address === '' ? '' : `status: { podIP: ${address} }`}
---`;

const policy = (namespace: string, name: string, spec: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ${spec} }
---`;

const service = (namespace: string, name: string, app: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { app: ${app} }, ports: [{ port: 443, targetPort: 8443 }] }
---`;

const SHOP = pod('shop', 'web', 'app: web', 8443) + pod('shop', 'operator', 'app: operator') + pod('kube-system', 'coredns', 'k8s-app: kube-dns', 53, 'UDP') + service('shop', 'web', 'web');

const API_SERVER = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: kubernetes, namespace: default, labels: { kubernetes.io/service-name: kubernetes } }
addressType: IPv4
endpoints: [{ addresses: [192.0.2.1] }]
ports: [{ name: https, port: 6443, protocol: TCP }]
---`;

const INGRESS = `${pod('ingress', 'controller', 'app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller')}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: site, namespace: shop }
spec: { ingressClassName: nginx, defaultBackend: { service: { name: web, port: { number: 443 } } } }
---`;

const WEBHOOK = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: checks }
webhooks: [{ name: a.example, clientConfig: { service: { namespace: shop, name: web, port: 443 } } }]
---`;

const NO_EGRESS = 'podSelector: {}, policyTypes: [Egress]';
const DNS_ONLY = 'podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 53, protocol: UDP }] }]';
const NO_INGRESS = 'podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress]';
const PODS_ONLY = 'podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [{ from: [{ namespaceSelector: {} }] }]';

/** Guards that see something, each once, and the first thing that each says. */
function cuts(cluster: string, before: string, after: string, context: Partial<GuardContext> = {}): readonly (readonly [string, string])[] {
  const read = (text: string) => readManifests([sourceFromText('cluster', text)], { keepsWritten: saysWhoCalls });
  const [old, now] = [read(cluster + before), read(cluster + after)];
  assert.deepEqual([...old.findings, ...now.findings].filter(({ severity }) => severity === 'error'), []);
  const pair = { before: compileCluster(old.cluster), after: compileCluster(now.cluster) };
  const found = [...findCuts(pair, { written: old.written, apiCallers: new Set(['shop/operator']), ...context }), ...namespaceCuts(pair)];
  return [...Map.groupBy(found, ({ guard }) => guard)].map(([guard, own]) => [guard, `${own[0]!.message} | ${own[0]!.traffic} | ${own[0]!.policy} | ${own[0]!.more}`] as const);
}

test('DNS: pods that asked some pod of DNS and can ask none any more', () => {
  assert.deepEqual(cuts(SHOP, '', policy('shop', 'out', NO_EGRESS)), [['dns', 'shop/operator asks DNS of kube-system/coredns | UDP 53 | the egress side of NetworkPolicy `shop/out` | 1'], ['namespace', 'no pod of shop may open a connection any more, and 2 may today | everything | NetworkPolicy `shop/out` | 0']]);
  assert.deepEqual(cuts(SHOP, '', policy('shop', 'out', DNS_ONLY)), []);
  assert.deepEqual(cuts(SHOP, policy('shop', 'old', NO_EGRESS), policy('shop', 'out', NO_EGRESS)), [], 'they were cut before');
  assert.deepEqual(cuts(SHOP, '', policy('kube-system', 'in', 'podSelector: {}, policyTypes: [Ingress]')), [['dns', 'shop/operator asks DNS of kube-system/coredns | UDP 53 | the ingress side of NetworkPolicy `kube-system/in` | 1'], ['namespace', 'no pod of kube-system may take a connection any more, and 1 may today | everything | NetworkPolicy `kube-system/in` | 0']]);
  const second = SHOP + pod('kube-system', 'coredns-2', 'k8s-app: kube-dns, app: second', 53, 'UDP');
  assert.deepEqual(cuts(second, '', policy('kube-system', 'in', 'podSelector: { matchLabels: { app: second } }, policyTypes: [Ingress]')), [], 'the other one still answers');
});

test('the API server: pods whose account has rights, and no others', () => {
  assert.deepEqual(cuts(SHOP + API_SERVER, '', policy('shop', 'out', DNS_ONLY)), [['api-server', 'shop/operator asks the API server at 192.0.2.1 | TCP 6443 | the egress side of NetworkPolicy `shop/out` | 0']]);
  assert.deepEqual(cuts(SHOP + API_SERVER, '', policy('shop', 'out', DNS_ONLY), { apiCallers: new Set() }), []);
  assert.deepEqual(cuts(SHOP + API_SERVER, '', policy('shop', 'out', DNS_ONLY), { apiCallers: undefined }), [], 'nobody knows who asks it, which is said elsewhere');
});

test('the way in: an Ingress from its controller to the pods behind it', () => {
  assert.deepEqual(cuts(SHOP + INGRESS, '', policy('shop', 'in', NO_INGRESS)), [['ingress', 'Ingress shop/site leads from ingress/controller to shop/web | TCP 8443 | the ingress side of NetworkPolicy `shop/in` | 0']]);
  assert.deepEqual(cuts(SHOP + INGRESS, '', policy('shop', 'in', PODS_ONLY)), []);
  assert.deepEqual(cuts(SHOP + INGRESS, policy('shop', 'old', NO_INGRESS), policy('shop', 'in', NO_INGRESS)), []);
});

test('webhooks: the API server from outside the pods', () => {
  const [[guard, message] = ['none', '']] = cuts(SHOP + API_SERVER + WEBHOOK, '', policy('shop', 'in', PODS_ONLY), { apiCallers: new Set() });
  assert.deepEqual([guard, /has the API server call `shop\/web` on TCP 8443, and NetworkPolicy `shop\/in` keeps out its address/.test(message)], ['webhooks', true], message);
  assert.deepEqual(cuts(SHOP + API_SERVER + WEBHOOK, policy('shop', 'old', PODS_ONLY), policy('shop', 'in', PODS_ONLY), { apiCallers: new Set() }), []);
});

test('a whole namespace: nothing comes in, or nothing goes out, any more', () => {
  const whole = (before: string, after: string, cluster = SHOP): readonly string[] => cuts(cluster, before, after, { apiCallers: new Set() }).filter(([guard]) => guard === 'namespace').map(([, text]) => text);
  const deny = (type: string): string => policy('shop', 'deny', `podSelector: {}, policyTypes: [${type}]`);
  const own = (type: string, rule: string): string => policy('shop', 'own', `podSelector: { matchLabels: { app: web } }, policyTypes: [${type}], ${rule}`);
  assert.deepEqual(whole('', deny('Ingress')), ['no pod of shop may take a connection any more, and 2 may today | everything | NetworkPolicy `shop/deny` | 0']);
  assert.deepEqual(whole('', deny('Egress')), ['no pod of shop may open a connection any more, and 2 may today | everything | NetworkPolicy `shop/deny` | 0']);
  assert.deepEqual(whole('', deny('Ingress') + own('Ingress', 'ingress: [{ from: [{ podSelector: {} }] }]')), [], 'one pod is let in');
  assert.deepEqual(whole('', deny('Egress') + own('Egress', 'egress: [{ ports: [{ port: 53 }] }]')), [], 'one pod gets out');
  assert.deepEqual(whole(deny('Ingress'), deny('Ingress') + policy('shop', 'more', 'podSelector: {}, policyTypes: [Ingress]')), [], 'it was so before');
  assert.deepEqual(whole('', policy('shop', 'some', 'podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress]')), [], 'the other pod is as it was');
  const idle = `\napiVersion: v1\nkind: Pod\nmetadata: { name: job, namespace: jobs }\nspec: { containers: [{ name: a, image: none }] }\n---`;
  const jobs = (type: string): string => policy('jobs', 'deny', `podSelector: {}, policyTypes: [${type}]`);
  assert.deepEqual([whole('', jobs('Ingress'), idle), whole('', jobs('Egress'), idle).length], [[], 1], 'nobody asks for a pod without ports and Services');
});

/** From the shop's web to its operator. */
const SEEN: FlowRecord = {
  verdict: 'allowed',
  source: { kind: 'pod', namespace: 'shop', workload: { kind: 'Pod', namespace: 'shop', name: 'web' }, pod: 'web', labels: new Map([['app', 'web']]), namespaceLabels: new Map(), address: undefined },
  target: { kind: 'pod', namespace: 'shop', workload: { kind: 'Pod', namespace: 'shop', name: 'operator' }, pod: 'operator', labels: new Map([['app', 'operator']]), namespaceLabels: new Map(), address: undefined },
  family: 4,
  protocol: 6,
  port: 80,
  count: 7,
  openings: undefined,
  firstSeen: 0,
  lastSeen: 1000,
  node: undefined,
  service: undefined,
  reason: undefined,
};

test('recorded flows: what went through and would be refused, unless the old policies refuse it already', () => {
  const table = new FlowTable();
  for (const record of [SEEN, { ...SEEN, port: 81, count: 9 }, { ...SEEN, port: 82, verdict: 'denied' as const }]) table.add(record);
  const compiled = (policies: string) => compileCluster(readManifests([sourceFromText('cluster', SHOP + policies)]).cluster);
  const only81 = policy('shop', 'in', 'podSelector: { matchLabels: { app: operator } }, policyTypes: [Ingress], ingress: [{ ports: [{ port: 81 }] }]');
  const told = (before: string, after: string): readonly string[] => flowCuts({ before: compiled(before), after: compiled(after) }, table).map(({ message, traffic, policy: refuser, more }) => `${message} | ${traffic} | ${refuser} | ${more}`);
  assert.deepEqual(told('', only81), ['shop/web → shop/operator was seen 7 times, last at 1970-01-01T00:00:01Z | tcp/80 | NetworkPolicy shop/in (nearest is ingress rule 1 of NetworkPolicy shop/in: the rule lists TCP 81, and TCP 80 was asked) | 0']);
  assert.equal(told('', policy('shop', 'out', NO_EGRESS)).length, 2);
  assert.deepEqual(told(only81, only81), []);
});
