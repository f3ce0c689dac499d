// What conversion does with more than the new kind takes, and with what it cannot say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertPolicies, type Conversion } from '../../src/compare/convert.ts';
import { hasErrors } from '../../src/base/finding.ts';
import { readText } from '../read/reading.ts';
import { convertedYaml } from '../../src/report/define/policy-yaml.ts';

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: main, image: example/web, ports: [{ containerPort: 80, name: http }] }] }
`;

function admin(name: string, priority: number, spec: object): string {
  return JSON.stringify({ apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', metadata: { name }, spec: { priority, subject: { namespaces: {} }, ...spec } });
}

function clusterWide(name: string, priority: number, spec: object = {}): string {
  return JSON.stringify({ apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name }, spec: { tier: 'Admin', priority, subject: { namespaces: {} }, ...spec } });
}

function convert(...policies: readonly string[]): Conversion {
  const { cluster, findings } = readText([POD, ...policies].join('\n---\n'));
  assert.ok(!hasErrors(findings), JSON.stringify(findings));
  return convertPolicies(cluster);
}

/** `name priority ingress rules/egress rules`, in order. */
function summary({ policies }: Conversion): string[] {
  return policies.map(({ policy }) => `${policy.name} ${policy.priority} ${policy.ingress.length}/${policy.egress.length}`);
}

const everyPod = [{ namespaces: {} }];
const denyPort = (port: number): object => ({ action: 'Deny', from: everyPod, ports: [{ portNumber: { protocol: 'TCP', port } }] });

test('more rules than the new kind takes become several policies, one after the other', () => {
  const rules = Array.from({ length: 60 }, (_, index) => denyPort(index + 1));
  assert.deepEqual(summary(convert(admin('long', 10, { ingress: rules }))), ['long 10 25/0', 'long-2 11 25/0', 'long-3 12 10/0']);
});

test('policies behind make room, those of the new kind too', () => {
  const rules = Array.from({ length: 60 }, (_, index) => denyPort(index + 1));
  const accept = { ingress: [{ action: 'Accept', from: everyPod }] };
  const found = convert(admin('long', 998, { ingress: rules }), clusterWide('next', 999, accept), clusterWide('last', 1000));
  assert.deepEqual(summary(found), ['long 996 25/0', 'long-2 997 25/0', 'long-3 998 10/0']);
  const tight = convert(admin('first', 0, { ingress: rules }), clusterWide('next', 1, accept));
  assert.deepEqual(summary(tight), ['first 0 25/0', 'first-2 1 25/0', 'first-3 2 10/0', 'next 3 1/0']);
});

test('more peers, networks and ports than the new kind takes become several rules', () => {
  const networks = Array.from({ length: 40 }, (_, index) => ({ networks: Array.from({ length: 25 }, (_unused, last) => `10.${index}.${last}.0/24`) }));
  const ports = Array.from({ length: 30 }, (_, index) => ({ portNumber: { protocol: 'UDP', port: index + 1 } }));
  const found = convert(admin('wide', 1, { egress: [{ action: 'Deny', to: networks, ports }] }));
  assert.deepEqual(summary(found), ['wide 1 0/4']);
  const { findings } = readText([...convertedYaml(found.policies)].join(''));
  assert.deepEqual(findings, []);
});

test('a rule that matches nothing is left out, and start = end is a number', () => {
  const found = convert(admin('odd', 1, { ingress: [
    { action: 'Deny', from: everyPod, ports: [{ portRange: { start: 9, end: 8 } }] },
    { action: 'Deny', from: everyPod, ports: [{ portRange: { start: 9, end: 9 } }] },
  ] }));
  assert.deepEqual(found.policies[0]?.policy.ingress.map(({ ports }) => (ports.kind === 'listed' ? ports.ports.map(({ kind }) => kind) : ports.kind)), [['range']]);
  assert.match([...convertedYaml(found.policies)].join(''), /number: 9/);
});

test('a name that is taken gets a number', () => {
  assert.deepEqual(summary(convert(admin('same', 1, { ingress: [denyPort(1)] }), clusterWide('same', 5))), ['same-2 1 1/0']);
});

test('a rule that fails closed is refused, and with it everything', () => {
  const unreadable = { action: 'Deny', from: [{ namespaces: { matchExpressions: [{ key: 'app', operator: 'Like', values: ['x'] }] } }] };
  const { policies, refusals } = convert(admin('odd', 1, { ingress: [unreadable] }), admin('good', 2, { ingress: [denyPort(1)] }));
  assert.deepEqual(policies, []);
  assert.deepEqual(refusals.map(({ code }) => code), ['cannot-convert']);
});

test('policies of one priority are refused where their order could matter, others get priorities of their own', () => {
  const accept = { action: 'Allow', from: everyPod, ports: [{ portNumber: { protocol: 'TCP', port: 1 } }] };
  const differing = convert(admin('a', 5, { ingress: [accept] }), admin('b', 5, { ingress: [denyPort(1)] }));
  assert.deepEqual(differing.refusals.map(({ code, object }) => `${code} ${object?.name}`), ['cannot-convert b']);
  assert.deepEqual(summary(convert(admin('a', 5, { ingress: [denyPort(1)] }), admin('b', 5, { ingress: [denyPort(2)] }))), ['a 5 1/0', 'b 6 1/0']);
});
