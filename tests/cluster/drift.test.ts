// A real API server: drift of a cluster becomes Events, each once, and one more when it is over; and what others made of a release is told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { restrictedUser } from './restricted-user.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles() }) : undefined;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-drift-'));
after(() => rmSync(folder, { recursive: true }));

const TOLD = join(folder, 'told.json');

function drift(kubeconfig = server!.kubeconfig): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(join(cloneRoot, 'bin/bulkhead'), ['drift', '--cluster', '--lenient', '--events', 'shop', '--told', TOLD, '--kubeconfig', kubeconfig], { encoding: 'utf8', input: '' });
}

function events(): readonly string[] {
  const { items } = JSON.parse(server!.kubectl(['get', 'events.events.k8s.io', '-n', 'shop', '-o', 'json'])) as { readonly items: readonly { readonly reason: string; readonly type: string; readonly note: string; readonly reportingController: string }[] };
  return items.filter(({ reportingController }) => reportingController === 'bulkhead.dev/drift').map(({ reason, type, note }) => `${type} ${reason} ${note}`).sort();
}

test('what has drifted is an Event once, and once more when it is over; who may not write Events has told nobody', wants, () => {
  const { kubectl } = server!;
  kubectl(['create', 'namespace', 'shop']);
  kubectl(['create', 'serviceaccount', 'default', '-n', 'shop']);
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: { containers: [{ name: 'a', image: 'none' }] } }));
  const refused = drift(restrictedUser(server!, 'reader', []));
  assert.deepEqual([refused.status, /events/.test(refused.stderr), existsSync(TOLD), events()], [3, true, false, []], refused.stderr);
  for (let run = 0; run < 2; run++) {
    const told = drift();
    assert.equal(told.status, 0, told.stderr);
    assert.equal(events().length, 2, told.stdout);
  }
  assert.match(events()[0]!, /^Warning PolicyDrift unprotected-workload: .*shop\/web/);
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny', namespace: 'shop' }, spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } }));
  const over = drift();
  assert.equal(over.status, 0, over.stderr);
  assert.match(events()[0]!, /^Normal PolicyDriftOver over: unprotected-workload .*shop\/web/);
  assert.equal(events().length, 4, over.stdout);
});

test('since a release: what others made of its policies is told, and nothing where they are as it wrote them', wants, () => {
  const { kubectl, kubeconfig } = server!;
  const bulkhead = (...words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => spawnSync(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', kubeconfig], { encoding: 'utf8', input: '' });
  const told = (): readonly string[] => {
    const { status, stdout, stderr } = bulkhead('drift', '--cluster', '--since-release', 'bank', '-o', 'json');
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as { readonly drift: readonly { readonly kind: string; readonly subject: string }[] }).drift.map(({ kind, subject }) => `${kind} ${subject}`);
  };
  kubectl(['create', 'namespace', 'bank']);
  kubectl(['create', 'serviceaccount', 'default', '-n', 'bank']);
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'vault', namespace: 'bank', labels: { app: 'vault' } }, spec: { containers: [{ name: 'a', image: 'none' }] } }));
  const policy = (name: string, app: string): object => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'bank' }, spec: { podSelector: { matchLabels: { app } }, policyTypes: ['Ingress', 'Egress'] } });
  const file = join(folder, 'bank.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [policy('vault', 'vault'), policy('later', 'none-yet')] }));
  const none = bulkhead('drift', '--cluster', '--since-release', 'bank');
  assert.deepEqual([none.status, /there is no release `bank`/.test(none.stderr)], [2, true], none.stderr);
  const applied = bulkhead('apply', file, '--release', 'bank', '--yes', '--allow', 'namespace', '--wait', '0');
  assert.equal(applied.status, 0, applied.stdout + applied.stderr);
  assert.deepEqual(told(), []);
  const newcomer = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'newcomer', namespace: 'bank' }, spec: { containers: [{ name: 'a', image: 'none' }] } };
  kubectl(['apply', '-f', '-'], JSON.stringify(newcomer));
  assert.deepEqual(told(), ['unprotected-workload bank/newcomer egress', 'unprotected-workload bank/newcomer ingress'], 'it came since');
  kubectl(['delete', 'pod', 'newcomer', '-n', 'bank', '--grace-period=0', '--force']);
  kubectl(['patch', 'networkpolicy', 'vault', '-n', 'bank', '--type=json', '-p', '[{"op":"replace","path":"/spec/podSelector/matchLabels/app","value":"valut"}]']);
  assert.deepEqual(told(), ['unprotected-workload bank/vault egress', 'unprotected-workload bank/vault ingress', 'selects-nothing NetworkPolicy bank/vault']);
  kubectl(['delete', 'networkpolicy', 'vault', '-n', 'bank']);
  assert.deepEqual(told(), ['unprotected-workload bank/vault egress', 'unprotected-workload bank/vault ingress']);
  assert.equal(bulkhead('rollback', 'bank', '--yes', '--wait', '0').status, 0);
  assert.deepEqual(told(), [], 'what was taken back is not wanted any more');
});
