// Callers that policies lock out: what makes the findings come and go.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lintManifests } from '../../src/lint/lint-manifests.ts';
import { needs, sharedPath } from '../needs.ts';

const CODES = ['scraper-blocked', 'webhook-blocked'];

function messagesOf(texts: readonly { readonly name: string; readonly text: string }[]): readonly string[] {
  return lintManifests(texts).filter(({ code }) => CODES.includes(code)).map(({ message }) => message);
}

/** Of every Service of kube-prometheus, on the ports that its own monitors name. */
const MONITOR = `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: { name: all, namespace: monitoring }
spec:
  selector: { matchLabels: { app.kubernetes.io/part-of: kube-prometheus } }
  endpoints: [${['https-main', 'https-self', 'https', 'http', 'web', 'reloader-web'].map((port) => `{ port: ${port} }`).join(', ')}]
`;

test('kube-prometheus lets its scraper in, and is told where a policy no longer does', needs('shared'), () => {
  const folder = sharedPath('data', 'kube-prometheus');
  const texts = globSync('**/*.yaml', { cwd: folder }).sort().map((name) => ({ name, text: readFileSync(`${folder}/${name}`, 'utf8') })).concat({ name: 'monitor.yaml', text: MONITOR });
  assert.deepEqual(messagesOf(texts), []);
  const changed = texts.map(({ name, text }) => ({ name, text: name === 'kubeStateMetrics-networkPolicy.yaml' ? text.replace('app.kubernetes.io/name: prometheus', 'app.kubernetes.io/name: grafana') : text }));
  assert.deepEqual(messagesOf(changed), [8443, 9443].map((port) => `the ServiceMonitor \`monitoring/all\` asks Prometheus to scrape \`monitoring/kube-state-metrics\` on TCP ${port}, and NetworkPolicy \`monitoring/kube-state-metrics\` keeps out Prometheus, \`monitoring/k8s\``));
});

const WEBHOOK = `apiVersion: v1
kind: Pod
metadata: { name: hook, namespace: checks, labels: { app: hook } }
spec: { containers: [{ name: main, image: example/hook, ports: [{ name: https, containerPort: 9443 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: hook, namespace: checks }
spec: { selector: { app: hook }, ports: [{ port: 443, targetPort: https }] }
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1.checks.example }
spec: { group: checks.example, version: v1, service: { namespace: checks, name: hook } }
---
`;
const ADDRESS = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: kubernetes, namespace: default, labels: { kubernetes.io/service-name: kubernetes } }
addressType: IPv4
endpoints: [{ addresses: [192.0.2.10] }]
ports: [{ name: https, port: 6443 }]
---
`;

/** `from` and `ports` as flow maps of YAML. */
function webhookBehind(rule: string, beside = ''): readonly string[] {
  const policy = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: hook, namespace: checks }\nspec: { podSelector: {}, ingress: [${rule}] }\n`;
  return messagesOf([{ name: 'checks.yaml', text: WEBHOOK + beside + policy }]);
}

const START = 'the APIService `v1.checks.example` has the API server call `checks/hook` on TCP 9443, and NetworkPolicy `checks/hook`';

test('a webhook is shut where no address may come in on its port', () => {
  for (const rule of ['', '{ from: [{ namespaceSelector: {} }] }', '{ ports: [{ port: 443 }] }']) assert.deepEqual(webhookBehind(rule), [`${START} lets in no address outside the pods`], rule);
  for (const rule of ['{}', '{ ports: [{ port: https }] }', '{ from: [{ ipBlock: { cidr: 198.51.100.0/24 } }] }']) assert.deepEqual(webhookBehind(rule), [], rule);
});

test('where the address of the API server is known, it alone counts', () => {
  assert.deepEqual(webhookBehind('{ from: [{ ipBlock: { cidr: 198.51.100.0/24 } }] }', ADDRESS), [`${START} keeps out its address`]);
  assert.deepEqual(webhookBehind('{ from: [{ ipBlock: { cidr: 192.0.2.0/24 } }] }', ADDRESS), []);
});

test('the pods that carry the connections of the API server may be meant', () => {
  const tunnel = '{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }, podSelector: { matchLabels: { k8s-app: konnectivity-agent } } }] }';
  assert.deepEqual(webhookBehind(tunnel), []);
  assert.equal(webhookBehind(tunnel.replace('agent', 'server')).length, 1);
});
