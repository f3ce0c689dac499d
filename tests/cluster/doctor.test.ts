// A real API server: the diagnosis of each engine as the fake gives it; rights that are missing; a server that is slow, gone, or gone in the middle.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupOf, type ServedKind, type WantedObject } from '../../src/kube/cluster-api.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { supportCases } from '../doctor/support-cases.ts';
import { agent, configMap, node, policy } from '../doctor/support-objects.ts';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { otherUser, restrictedUser } from './restricted-user.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;
const kubectl = (words: readonly string[], objects: readonly unknown[]): void => void (objects.length > 0 && server!.kubectl([...words, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })));

let held: readonly WantedObject[] = [];

/** Whatever the case before left goes; then the objects, and what stands in their status. */
async function fill(objects: readonly WantedObject[], kinds: readonly ServedKind[]): Promise<{ readonly api: KubeApi }> {
  kubectl(['delete', '--force', '--grace-period=0', '--wait=false', '--ignore-not-found'], held.filter(({ kind }) => kind !== 'Namespace'));
  const definitions = kinds.map(definitionOf);
  kubectl(['apply', '--server-side', '--force-conflicts'], [...definitions, ...objects.filter(({ kind }) => kind === 'Namespace')]);
  held = [...objects, ...definitions];
  const api = new KubeApi(await openConnection({ kubeconfig: server!.kubeconfig }));
  for (const kind of kinds) await served(api, kind);
  kubectl(['apply', '--server-side', '--force-conflicts'], objects);
  for (const object of objects.filter((one) => one['status'] !== undefined)) {
    const { namespace, name } = object.metadata;
    await api.patchStatus({ served: servedKindOf(object, kinds), name, ...(namespace === undefined ? {} : { namespace }) }, object['status'] as object as Record<string, unknown>); // it has one
  }
  return { api };
}

function definitionOf({ apiVersion, kind, resource }: ServedKind): WantedObject {
  const [group, version] = apiVersion.split('/') as [string, string];
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${resource}.${group}` }, spec: { group, scope: 'Cluster', names: { kind, plural: resource }, versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }] } };
}

async function served(api: KubeApi, kind: ServedKind): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      for await (const _ of api.list(kind)) break;
      return;
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code === 'forbidden') throw error;
      await sleep(50);
    }
  }
  assert.fail(`${groupOf(kind.apiVersion)}/${kind.kind} is not served`);
}

function servedKindOf({ apiVersion, kind, metadata }: WantedObject, kinds: readonly ServedKind[]): ServedKind {
  return kinds.find((one) => one.kind === kind && one.apiVersion === apiVersion) ?? { apiVersion, kind, resource: `${kind.toLowerCase()}s`, isNamespaced: metadata.namespace !== undefined };
}

supportCases(fill, wants);

function doctor(...words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(join(cloneRoot, 'bin/bulkhead'), ['doctor', ...words], { encoding: 'utf8' });
}

const FLANNEL = [node('a'), ...agent({ daemonSet: 'kube-flannel-ds', containers: [{ name: 'kube-flannel', image: 'ghcr.io/flannel-io/flannel:v0.27.0' }], nodes: ['a'] }), policy()];
const CILIUM = [node('a'), ...agent({ daemonSet: 'cilium', containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.18.2' }], nodes: ['a'] }), configMap('cilium-config', {})];

test('the command: 0 where all nodes enforce, 1 where one does not, and a snapshot says the same', wants, async () => {
  await fill(CILIUM, []);
  const well = doctor('--kubeconfig', server!.kubeconfig);
  assert.equal(well.status, 0, well.stderr);
  assert.match(well.stdout, /^a +enforced +Cilium v1\.18\.2 +pod kube-system\/cilium-a is ready$/m);
  await fill(FLANNEL, []);
  const inert = doctor('--kubeconfig', server!.kubeconfig);
  assert.equal(inert.status, 1, inert.stderr);
  assert.match(inert.stdout, /flannel connects pods and enforces no policies/);
  assert.match(inert.stdout, /inert on 1 of 1 node; the cluster has 1 NetworkPolicy/);
  assert.match(inert.stdout, /what listens on a pod's own node/);
  const kept = spawnSync(join(cloneRoot, 'bin/bulkhead'), ['snapshot', '--cluster', '--kubeconfig', server!.kubeconfig], { encoding: 'utf8' });
  assert.equal(kept.status, 0, kept.stderr);
  const file = `${server!.kubeconfig}.snapshot`;
  writeFileSync(file, kept.stdout);
  assert.equal(doctor('--snapshot', file).stdout, inert.stdout);
  assert.equal(spawnSync(join(cloneRoot, 'bin/bulkhead'), ['reach', '--snapshot', file], { encoding: 'utf8' }).status, 0);
  for (const format of ['wide', 'md', 'json', 'yaml']) assert.equal(doctor('--kubeconfig', server!.kubeconfig, '-o', format).status, 1, format);
});

test('rights that are missing are named: status 3 where nothing can be said, else unknown', wants, async () => {
  await fill(CILIUM, []);
  const none = doctor('--kubeconfig', restrictedUser(server!, 'dora', ['daemonsets.apps']));
  assert.equal(none.status, 3);
  assert.match(none.stderr, /without the right to list daemonsets\.apps[^]*--resource=daemonsets\.apps/);
  const some = doctor('--kubeconfig', restrictedUser(server!, 'dave', []));
  assert.equal(some.status, 1, some.stderr);
  assert.match(some.stdout, /unknown[^]*not read:[^]*get configmaps\/cilium-config in kube-system[^]*--resource=[^ ]*configmaps/);
});

test('who may not make a namespace cannot probe: a sentence with the rights, status 3', wants, async () => {
  await fill([node('a')], []);
  const user = restrictedUser(server!, 'dina', []);
  for (const how of ['--live', '--conformance']) {
    const refused = doctor(how, '--kubeconfig', user);
    assert.deepEqual([refused.status, /a namespace could not be made[^]*it takes the verbs create, get, list and delete on namespaces/.test(refused.stderr)], [3, true], refused.stderr);
  }
  assert.equal(doctor('--live', '--kubeconfig', server!.kubeconfig, '--node', 'b').status, 2);
  assert.equal(doctor('--live', '--snapshot', 'x').status, 2);
  assert.equal(doctor('-o', 'junit', '--kubeconfig', server!.kubeconfig).status, 2);
});

test('a token that is no longer good, and a server that is gone: a sentence each, and status 3', wants, async () => {
  const expired = doctor('--kubeconfig', otherUser(server!, 'late', () => ({ token: 'expired' })));
  assert.deepEqual([expired.status, expired.stderr.includes('401')], [3, true], expired.stderr);
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as AddressInfo; // it listens on a port
  await new Promise((resolve) => gone.close(resolve));
  const file = `${server!.kubeconfig}.gone`;
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }], users: [], contexts: [{ name: 'c', context: { cluster: 'c', user: '' } }], 'current-context': 'c' }));
  const away = doctor('--kubeconfig', file);
  assert.deepEqual([away.status, away.stderr.includes('cannot be reached: the connection is refused')], [3, true], away.stderr);
});
