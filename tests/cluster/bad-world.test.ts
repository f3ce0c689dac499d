// A real API server on bad days, while policies are applied and taken back: quotas, namespaces that go away, a server that answers late or wrongly, an engine that does not enforce.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { openFaultyWay } from './faulty-way.ts';
import { policyCrdFiles } from './policy-crds.ts';

const wants = needs('apiserver');
const crdFiles = [...policyCrdFiles(), ...['connectionprobes', 'nodeenforcements', 'stagedpolicies', 'stagedclusterpolicies'].map((name) => join(cloneRoot, `deploy/crds/${name}.yaml`))];
const server = wants.skip === undefined ? startApiServer({ crdFiles }) : undefined;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bad-world-'));
after(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Beside this process, which may be the way to the server. */
function bulkhead(kubeconfig: string, ...words: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', kubeconfig], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk) => (said[stream] += String(chunk)));
    child.on('close', (status) => resolve({ status, ...said }));
  });
}

const kubectl = (words: readonly string[], input?: string): string => server!.kubectl(words, input);
const policyNames = (namespace: string): string => kubectl(['get', 'networkpolicy', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}']);

function policyFile(namespace: string, ...names: readonly string[]): string {
  const path = join(folder, `${namespace}-${names.join('-')}.yaml`);
  const spec = { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] };
  writeFileSync(path, names.map((name) => JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec })).join('\n---\n'));
  return path;
}

function testFile(namespace: string): string {
  const path = join(folder, `${namespace}.test.yaml`);
  writeFileSync(path, `apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: t }\nexpect:\n  - allow: { from: ${namespace}/web, to: ${namespace}/api, on: tcp/80 }\n`);
  return path;
}

/** Two pods that say they run on a node, and two that call each other by what they are. */
function shop(namespace: string): void {
  kubectl(['create', 'namespace', namespace]);
  kubectl(['create', 'serviceaccount', 'default', '-n', namespace]);
  for (const [index, app] of ['web', 'api'].entries()) {
    kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: app, namespace, labels: { app } }, spec: { nodeName: 'node-1', containers: [{ name: 'a', image: 'none', ports: [{ containerPort: 80 }] }] } }));
    kubectl(['patch', 'pod', app, '-n', namespace, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { phase: 'Running', podIP: `10.9.${namespace.charCodeAt(0)}.${index + 1}`, podIPs: [{ ip: `10.9.${namespace.charCodeAt(0)}.${index + 1}` }], conditions: [{ type: 'Ready', status: 'True' }] } })]);
  }
}

test('a quota that is used up is told beforehand, of policies and of the history, and nothing is written', wants, async () => {
  shop('a');
  const fill = (namespace: string, resource: string): void => {
    kubectl(['create', 'quota', 'full', '-n', namespace, `--hard=count/${resource}=1`]);
    const amounts = { [`count/${resource}`]: '1' };
    kubectl(['patch', 'quota', 'full', '-n', namespace, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { hard: amounts, used: amounts } })]);
  };
  fill('a', 'networkpolicies.networking.k8s.io');
  const policies = await bulkhead(server!.kubeconfig, 'apply', policyFile('a', 'one', 'two'), '--yes');
  assert.deepEqual([policies.status, /a quota of the namespace a is used up: NetworkPolicy a\/one cannot be written.*\n {2}help: kubectl describe quota -n a/.test(policies.stderr)], [3, true], policies.stderr);
  assert.equal(policyNames('a'), '');
  shop('b');
  kubectl(['create', 'namespace', 'kept']);
  fill('kept', 'configmaps');
  const history = await bulkhead(server!.kubeconfig, 'apply', policyFile('b', 'one'), '--yes', '--keep-in', 'kept');
  assert.deepEqual([history.status, /exceeded quota/.test(history.stderr), policyNames('b')], [3, true, ''], history.stderr);
  assert.equal(kubectl(['get', 'lease', '-n', 'kept', '-o', 'name']), '');
});

test('a namespace that goes away takes nothing new; what was written into it before needs no taking back', wants, async () => {
  shop('c');
  const file = policyFile('c', 'one');
  assert.equal((await bulkhead(server!.kubeconfig, 'apply', file, '--yes', '--release', 'c', '--wait', '0')).status, 0);
  kubectl(['delete', 'namespace', 'c', '--wait=false']);
  const more = await bulkhead(server!.kubeconfig, 'apply', policyFile('c', 'one', 'two'), '--yes', '--release', 'c');
  assert.deepEqual([more.status, /the namespace c is going away, and takes nothing new: NetworkPolicy c\/two cannot be written\n {2}help: wait until it is gone/.test(more.stderr)], [3, true], more.stderr);
  const back = await bulkhead(server!.kubeconfig, 'rollback', 'c', '--yes', '--wait', '0');
  assert.deepEqual([back.status, policyNames('c')], [0, ''], back.stderr);
});

test('with --atomic it is taken back too where the world fails behind the last write, and the failure is told', wants, async (t) => {
  shop('d');
  const way = await openFaultyWay(t, server!, ({ method, path }) => (method === 'POST' && path.includes('/connectionprobes') ? { kind: 'answer', status: 500 } : undefined));
    const taken = await bulkhead(way.kubeconfig, 'apply', policyFile('d', 'one'), '--yes', '--release', 'd', '--test', testFile('d'), '--wait', '0', '--atomic');
  assert.equal(taken.status, 3, taken.stderr);
  assert.match(taken.stderr, /revision 1 of d is written.*--atomic: it is taken back.*revision 2 of d is written.*answers 500: a bad day/s);
  assert.equal(policyNames('d'), '');
  assert.match((await bulkhead(server!.kubeconfig, 'history', 'd')).stdout, /d +1 .*taken back/);
});

test('a slow server is waited for, by every verb that reads and writes releases', wants, async (t) => {
  shop('e');
  const way = await openFaultyWay(t, server!, () => ({ kind: 'wait', ms: 40 }));
  const apply = await bulkhead(way.kubeconfig, 'apply', policyFile('e', 'one'), '--yes', '--release', 'e', '--wait', '5s');
  assert.deepEqual([apply.status, policyNames('e')], [0, 'one'], apply.stderr);
  const history = await bulkhead(way.kubeconfig, 'history', 'e');
  assert.match(history.stdout, /e +1 .* apply +\+1 ~0 -0 +written/);
  const doctor = await bulkhead(way.kubeconfig, 'doctor');
  assert.equal(doctor.stderr, '');
  const back = await bulkhead(way.kubeconfig, 'rollback', 'e', '--yes', '--wait', '0');
  assert.deepEqual([back.status, policyNames('e')], [0, ''], back.stderr);
});

test('where another engine enforces, what it says of the pods is waited for; what it denies to the end is not in force', wants, async () => {
  shop('f');
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'ciliumendpoints.cilium.io' }, spec: { group: 'cilium.io', scope: 'Namespaced', names: { plural: 'ciliumendpoints', singular: 'ciliumendpoint', kind: 'CiliumEndpoint', listKind: 'CiliumEndpointList' }, versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: schema } }] } }));
  kubectl(['wait', '--for=condition=Established', 'crd/ciliumendpoints.cilium.io', '--timeout=30s']);
  const tell = (enforcing: boolean): void => void kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'cilium.io/v2', kind: 'CiliumEndpoint', metadata: { name: 'api', namespace: 'f' }, status: { policy: { ingress: { enforcing }, egress: { enforcing: false } } } }));
  tell(false);
  const open = await bulkhead(server!.kubeconfig, 'apply', policyFile('f', 'one'), '--yes', '--release', 'f', '--wait', '1s', '--atomic');
  assert.deepEqual([open.status, policyNames('f')], [1, ''], open.stderr);
  assert.match(open.stderr, /no agent reports from any node.*; Cilium says that it does not enforce the ingress of f\/api \(CiliumEndpoint\).*--atomic: it is taken back/s);
  tell(true);
  const taken = await bulkhead(server!.kubeconfig, 'apply', policyFile('f', 'one'), '--yes', '--release', 'f', '--wait', '30s', '--atomic');
  assert.deepEqual([taken.status, policyNames('f')], [0, 'one'], taken.stderr);
  assert.match(taken.stderr, /Cilium says that it enforces on the pod that is newly isolated \(CiliumEndpoint\), and not by which policy/);
});
