// A real API server: a staged policy becomes the real one, whole, also where one of its name stands and where the first try broke off.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';

const wants = needs('apiserver');
const crdFiles = globSync('deploy/crds/*.yaml', { cwd: cloneRoot }).map((file) => join(cloneRoot, file));
const server = wants.skip === undefined ? startApiServer({ crdFiles: [...policyCrdFiles(), ...crdFiles] }) : undefined;

function promote(...words: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(join(cloneRoot, 'bin/bulkhead'), ['promote', '--kubeconfig', server!.kubeconfig, ...words], { encoding: 'utf8', input: '' });
}

const apply = (object: unknown): void => void server!.kubectl(['apply', '-f', '-'], JSON.stringify(object));
const specOf = (kind: string, name: string): unknown => (JSON.parse(server!.kubectl(['get', kind, name, '-o', 'json'])) as { readonly spec: unknown }).spec;
const isThere = (kind: string, name: string): boolean => server!.kubectl(['get', kind, name, '--ignore-not-found', '-o', 'name']) !== '';
const staged = (networkPolicy: unknown): unknown => ({ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'StagedPolicy', metadata: { name: 'web', namespace: 'default' }, spec: { networkPolicy } });

const SPEC = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'], ingress: [{ ports: [{ protocol: 'TCP', port: 80 }] }] };

test('what was counted is said, nobody is asked, nothing is changed; then it is', wants, () => {
  apply(staged(SPEC));
  const status = { nodes: { n1: { generation: 1, since: '2026-01-01T00:00:00Z', judged: 9, wouldRefuse: 2, wouldAllow: 0, unknown: 1, witnesses: [{ direction: 'ingress', source: 'shop/evil', target: 'default/web', protocol: 'TCP', port: 81, judged: 2 }] }, n2: { generation: 1, since: '2026-01-01T00:00:10Z', judged: 1 }, old: { generation: 0, judged: 100 } } };
  server!.kubectl(['patch', 'stagedpolicy', 'web', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
  const asked = promote('default/web');
  assert.equal(asked.status, 1);
  assert.match(asked.stderr, /2 nodes have judged it since 2026-01-01T00:00:10Z: 10 judgments, of which it would refuse 2 that are allowed today/);
  assert.match(asked.stderr, /would refuse shop\/evil -> default\/web TCP\/81, 2 times/);
  assert.ok(!isThere('networkpolicy', 'web'));
  assert.equal(promote('--yes', 'default/web').status, 0);
  assert.deepEqual(specOf('networkpolicy', 'web'), SPEC);
  assert.ok(!isThere('stagedpolicy', 'web'));
});

test('a policy of its name is replaced whole, whoever wrote its fields, and keeps its labels', wants, () => {
  apply({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'default', labels: { team: 'a' } }, spec: { ...SPEC, podSelector: { matchLabels: { app: 'web', tier: 'front' } }, policyTypes: ['Ingress', 'Egress'], egress: [{}] } });
  apply(staged({ podSelector: { matchLabels: { app: 'web' } } }));
  const { status, stderr } = promote('--yes', '--keep', 'default/web');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /it takes the place of the policy of its name/);
  assert.deepEqual(specOf('networkpolicy', 'web'), { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] });
  assert.equal(server!.kubectl(['get', 'networkpolicy', 'web', '-o', 'jsonpath={.metadata.labels.team}']), 'a');
});

test('a promotion that broke off before its end goes on from there', wants, () => {
  const { status, stderr } = promote('default/web');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /is there already/);
  assert.ok(!isThere('stagedpolicy', 'web'));
  const gone = promote('--yes', 'default/web');
  assert.deepEqual([gone.status, /stagedpolicies.* "web" not found/.test(gone.stderr)], [3, true], gone.stderr);
});

test('it is in the history, and is taken back', wants, () => {
  const bulkhead = (...words: readonly string[]) => spawnSync(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', server!.kubeconfig], { encoding: 'utf8', input: '' });
  assert.match(bulkhead('history').stdout, /default +1 .*\+1 ~0 -1 +written +promote default\/web\n.*default +2 .*\+0 ~1 -0 +written +promote default\/web/s);
  const back = bulkhead('rollback', '--yes');
  assert.equal(back.status, 0, back.stderr);
  assert.deepEqual(specOf('networkpolicy', 'web'), { ...SPEC, podSelector: { matchLabels: { app: 'web', tier: 'front' } }, policyTypes: ['Ingress', 'Egress'], egress: [{}] });
});

test('what had no policy once it was promoted is kept: what comes later is told from it', wants, () => {
  server!.kubectl(['create', 'namespace', 'late']);
  server!.kubectl(['create', 'serviceaccount', 'default', '-n', 'late']);
  const pod = (name: string): void => apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'late', labels: { app: name } }, spec: { containers: [{ name: 'a', image: 'none' }] } });
  const told = (): readonly string[] => {
    const { status, stdout, stderr } = spawnSync(join(cloneRoot, 'bin/bulkhead'), ['drift', '--cluster', '--since-release', 'late', '-o', 'json', '--kubeconfig', server!.kubeconfig], { encoding: 'utf8', input: '' });
    assert.deepEqual([status, stderr], [0, '']);
    return (JSON.parse(stdout) as { readonly drift: readonly { readonly kind: string; readonly subject: string }[] }).drift.map(({ kind, subject }) => `${kind} ${subject}`);
  };
  pod('web');
  pod('bare');
  apply({ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'StagedPolicy', metadata: { name: 'web', namespace: 'late', labels: { 'bulkhead.dev/release': 'late' } }, spec: { networkPolicy: { ...SPEC, policyTypes: ['Ingress', 'Egress'] } } });
  assert.equal(promote('--yes', 'late/web').status, 0);
  assert.deepEqual(told(), []);
  pod('newcomer');
  assert.deepEqual(told(), ['unprotected-workload late/newcomer egress', 'unprotected-workload late/newcomer ingress']);
});

test('a policy of the whole cluster; names that are none', wants, () => {
  const spec = { tier: 'Admin', priority: 5, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] };
  apply({ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'StagedClusterPolicy', metadata: { name: 'wall' }, spec: { clusterNetworkPolicy: spec } });
  const { status, stderr } = promote('--yes', 'wall');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /no node has judged this generation/);
  assert.deepEqual(specOf('clusternetworkpolicy', 'wall'), spec);
  assert.equal(promote('--yes', 'a/b/c').status, 2);
});

test('a staged policy and its real twin are never both left: applied, promoted, taken back, pruned', wants, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-twins-'));
  t.after(() => rmSync(folder, { recursive: true }));
  server!.kubectl(['create', 'namespace', 'twins']);
  const carry = (...words: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', server!.kubeconfig, '--yes', '--wait', '0'], { encoding: 'utf8', input: '' });
    assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return server!.kubectl(['get', 'stagedpolicies,networkpolicies', '-n', 'twins', '-o', 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {end}']).trim();
  };
  const file = (...names: readonly string[]): string => {
    const path = join(folder, `${names.join('-')}.yaml`);
    writeFileSync(path, names.map((name) => JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'twins' }, spec: SPEC })).join('\n---\n'));
    return path;
  };
  const both = file('a', 'b');
  assert.equal(carry('apply', both, '--release', 'twins', '--stage'), 'StagedPolicy/a StagedPolicy/b');
  assert.equal(carry('apply', both, '--release', 'twins'), 'NetworkPolicy/a NetworkPolicy/b');
  assert.equal(carry('rollback', 'twins'), 'StagedPolicy/a StagedPolicy/b');
  assert.equal(promote('--yes', 'twins/a').status, 0);
  assert.equal(carry('apply', both, '--release', 'twins'), 'NetworkPolicy/a NetworkPolicy/b', 'one was promoted before');
  assert.equal(carry('rollback', 'twins'), 'StagedPolicy/b NetworkPolicy/a');
  assert.equal(carry('rollback', 'twins', '--to', '1'), 'StagedPolicy/a StagedPolicy/b', 'behind the promotion');
  assert.equal(carry('apply', file('a'), '--release', 'twins', '--stage', '--prune'), 'StagedPolicy/a');
  assert.equal(carry('rollback', 'twins', '--to', '0'), '');
});
