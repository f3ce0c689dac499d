// Real manifests: each folder of the shared data reads as a cluster without an error.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readManifests, sourceFromText, type ReadResult } from '../../src/read/read.ts';
import { needs, sharedPath } from '../needs.ts';
import { formatFindings, formatPod, readText } from './reading.ts';

function readFolder(folder: string): ReadResult {
  const files = globSync(sharedPath('data', folder, '**/*.yaml')).sort();
  return readManifests(files.map((file) => sourceFromText(file, readFileSync(file, 'utf8'))));
}

function reads(folder: string, counts: { readonly pods: number; readonly policies: number; readonly services: number }, findings: readonly string[]): void {
  test(`reads ${folder}`, needs('shared'), () => {
    const result = readFolder(folder);
    assert.deepEqual(result.findings.map(({ severity, code }) => `${severity} ${code}`), findings);
    const { pods, policies, services } = result.cluster;
    assert.deepEqual({ pods: pods.length, policies: policies.length, services: services.length }, counts);
  });
}

reads('online-boutique', { pods: 12, policies: 13, services: 12 }, ['info object-not-read']);
reads('sock-shop', { pods: 14, policies: 13, services: 14 }, ['info duplicate-object']);
reads('kube-prometheus', { pods: 11, policies: 8, services: 8 }, []);

test('the pods of a Prometheus come from its custom resource', needs('shared'), () => {
  const pods = readFolder('kube-prometheus').cluster.pods.filter(({ workload }) => workload.kind === 'Prometheus').map(formatPod);
  assert.equal(pods.length, 2);
  assert.match(pods[0]!, /^monitoring\/Prometheus\/k8s prometheus-k8s-0 x1 \{.*app\.kubernetes\.io\/component=prometheus .*prometheus=k8s.*\} TCP\/9090=web TCP\/8080=reloader-web$/);
});

function fencedYaml(file: string, first: RegExp): string {
  const text = readFileSync(sharedPath('seeds', file), 'utf8');
  const block = [...text.matchAll(/```(?:yaml)?\n(.*?)```/gs)].map((match) => match[1]!).find((fenced) => first.test(fenced));
  assert.ok(block !== undefined, `${file} holds a manifest`);
  return block;
}

test('the first seed is broken, and its line is named', needs('shared'), () => {
  const { cluster, findings } = readText(fencedYaml('000_2843c68aaa14a8c6.txt', /NetworkPolicy/));
  assert.deepEqual(formatFindings(findings), ['error yaml-indentation 5:11']);
  assert.deepEqual(cluster.policies, []);
});

test('the second seed is accepted', needs('shared'), () => {
  const { cluster, findings } = readText(fencedYaml('001_54ea78dea0c72d33.txt', /NetworkPolicy/));
  assert.deepEqual(findings, []);
  assert.equal(cluster.policies[0]?.name, 'my-network-policy');
});
