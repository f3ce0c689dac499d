// A real API server: a report of a cluster shows its releases and what enforces, and says what the user may not read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles() }) : undefined;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-report-'));
after(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly at: string;
  readonly releases: readonly { readonly release: string; readonly revision: number; readonly state: string }[];
  readonly enforcement: { readonly enforced: boolean } | null;
  readonly frameworks: readonly { readonly controls: readonly { readonly number: string; readonly verdict: string }[] }[];
  readonly unread: readonly string[];
}

function bulkhead(...words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', server!.kubeconfig], { encoding: 'utf8', input: '' });
}

function report(...words: readonly string[]): Report {
  const { status, stdout, stderr } = bulkhead('report', '--cluster', '-o', 'json', ...words);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Report;
}

test('a cluster tells its releases and that nothing enforces; of one namespace nothing is vouched for', wants, () => {
  const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny', namespace: 'default' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } };
  writeFileSync(join(folder, 'deny.json'), JSON.stringify(policy));
  const applied = bulkhead('apply', join(folder, 'deny.json'), '--yes');
  assert.equal(applied.status, 0, `${applied.stdout}${applied.stderr}`);
  const whole = report();
  assert.deepEqual(whole.releases.map(({ release, revision, state }) => [release, revision, state]), [['default', 1, 'written']]);
  assert.equal(whole.enforcement?.enforced, false);
  assert.deepEqual(whole.unread, []);
  assert.ok(Math.abs(Date.parse(whole.at) - Date.now()) < 600_000);
  const ofDefault = (one: Report): string => one.frameworks[0]!.controls.find(({ number }) => number === '5.3.2')!.verdict;
  assert.equal(ofDefault(whole), 'not-met');
  const part = report('-n', 'default');
  assert.deepEqual(part.unread, ['of the cluster only the namespace default was read']);
  assert.equal(ofDefault(part), 'unknown');
});
