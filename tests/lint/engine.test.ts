// What engines do otherwise: each fact finds the place of a policy that it concerns, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import { ENGINE_NAMES } from '../../src/lint/engines/engine.ts';
import { ALL_ENGINES, ENGINE_WORDS, findEngine } from '../../src/lint/engines/list.ts';
import { lintAnswer } from '../../src/lint/checks/lint-meaning.ts';
import { policyText, readText } from '../read/reading.ts';

const pod = (more = ''): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: c}]}\n${more}---\n`;

/** `warning 12:3`, of what differs. */
function differences(engine: string, text: string): string[] {
  const { cluster, findings } = readText(text);
  assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
  return lintAnswer(cluster, compileCluster(cluster), { engine: findEngine(engine) })
    .filter(({ code }) => code === 'engine-differs')
    .map(({ severity, range }) => `${severity} ${range?.start.line}:${range?.start.column}`);
}

function differs(name: string, engine: string, expected: readonly string[], spec: string, before = ''): void {
  test(`${engine}: ${name}`, () => assert.deepEqual(differences(engine, `${before}${policyText(spec)}`), expected));
}

const from = (peer: string, ports = ''): string => `  podSelector: {}\n  ingress:\n  - from: [${peer}]\n${ports}`;
const block = (cidr: string, except = ''): string => from(`{ipBlock: {cidr: "${cidr}"${except}}}`);
const ports = (list: string): string => `  podSelector: {}\n  ingress:\n  - ports: [${list}]\n`;
const many = (count: number): string => Array.from({ length: count }, (_, index) => `{port: ${index + 1}}`).join(', ');

// An ipBlock in Cilium: only where the answer counts pods or nodes for it.
differs('a block, and no address is known', 'cilium', [], block('10.0.0.0/8'), pod());
differs('a block over a pod', 'cilium', ['warning 15:12'], block('10.0.0.0/8'), pod('status: {podIP: 10.0.0.7}\n'));
differs('a block that excepts the pod', 'cilium', [], block('10.0.0.0/8', ', except: [10.0.0.0/24]'), pod('status: {podIP: 10.0.0.7}\n'));
differs('a block elsewhere', 'cilium', [], block('192.168.0.0/16'), pod('status: {podIP: 10.0.0.7}\n'));
differs('a block over a node', 'cilium', ['warning 15:12'], block('10.0.0.0/8'), 'apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus:\n  addresses: [{type: InternalIP, address: 10.0.0.7}]\n---\n');
differs('a range of ports, SCTP', 'cilium', ['info 9:13', 'info 9:36'], ports('{port: 1, endPort: 2}, {port: 1, protocol: SCTP}'));
differs('one port as a range', 'cilium', [], ports('{port: 1, endPort: 1}'));
differs('the same for the product', 'gke-dataplane-v2', ['info 9:13'], ports('{port: 1, endPort: 2}'));

// The agent of AWS.
differs('24 ports', 'aws', [], ports(many(24)));
differs('25 ports', 'aws', ['warning 9:12'], ports(many(25)));
differs('blocks of one family', 'aws', [], block('2001:db8::/32'));
differs('blocks of both families', 'aws', ['info 9:42'], from('{ipBlock: {cidr: 1.0.0.0/8}}, {ipBlock: {cidr: "2001:db8::/32"}}'));
differs('a block of the other family', 'aws', ['warning 15:12'], block('2001:db8::/32').replace('{}', '{matchLabels: {app: x}}'), pod('status: {podIP: 10.0.0.7}\n'));
differs('a pod without an owner', 'aws', ['warning 6:1'], '  podSelector: {}\n', pod());

// Azure, on Windows above all.
differs('IPv6', 'azure-npm', ['warning 9:12'], block('2001:db8::/32'));
differs('IPv4', 'azure-npm', [], block('192.0.2.0/24'));
differs('except', 'azure-npm-windows', ['warning 9:12'], block('10.0.0.0/8', ', except: [10.0.0.0/24]'));
differs('a port by name', 'azure-npm-windows', ['warning 9:13'], ports('{port: http}'));
differs('selectors that exclude', 'azure-npm-windows', ['warning 8:5', 'warning 10:12'], '  podSelector:\n    matchExpressions: [{key: a, operator: NotIn, values: [b]}]\n  ingress:\n  - from: [{namespaceSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}, {podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}}]\n');
differs('plain fields', 'calico', [], from('{podSelector: {}}'));

const TIERS = 'apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: a}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{namespaces: {}}]}]}\n';
for (const [engine, expected] of [
  ['k3s', ['warning 1:1']],
  ['cilium', ['info 1:1']],
  ['kindnet', []],
] as const) {
  test(`${engine}: a cluster-wide policy`, () => assert.deepEqual(differences(engine, TIERS), expected));
}

test('without an engine there is no note', () => {
  const { cluster } = readText(`${pod()}${policyText(ports(many(30)))}`);
  const codes = lintAnswer(cluster, compileCluster(cluster)).map(({ code }) => code);
  assert.ok(!codes.includes('engine-differs') && !codes.includes('engine-note'));
});

test('every engine has its name, words of its own, and facts with source and date', () => {
  assert.deepEqual(ALL_ENGINES.map(({ name }) => name), ENGINE_NAMES);
  assert.equal(new Set(ENGINE_WORDS).size, ENGINE_WORDS.length);
  for (const { name, facts } of ALL_ENGINES) {
    assert.ok(facts.length > 0, name);
    for (const { text, source, date } of facts) assert.ok(text !== '' && source !== '' && /^20\d\d-\d\d$/.test(date) && !text.endsWith('.'), `${name}: ${text}`);
  }
});
