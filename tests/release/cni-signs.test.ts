// What other engines say of policies that were written: what speaks for it, what denies it, and what says nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { CILIUM_ENDPOINT, POLICY_ENDPOINT, readCniSigns } from '../../src/release/cni-signs.ts';
import type { ObjectChange } from '../../src/release/prepare-objects.ts';
import { placeOfObject } from '../../src/release/release-object.ts';

const pod = (name: string): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels: { app: name } }, spec: { containers: [{ name: 'a', image: 'none' }] } });
const POLICY: WantedObject = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'in', namespace: 'shop' }, spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] } };
const WALL: WantedObject = { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', metadata: { name: 'wall' }, spec: { priority: 5, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] } };

const endpoint = (name: string, enforcing: boolean | undefined): WantedObject => ({ apiVersion: 'cilium.io/v2', kind: 'CiliumEndpoint', metadata: { name, namespace: 'shop' }, status: enforcing === undefined ? { state: 'ready' } : { policy: { ingress: { enforcing }, egress: { enforcing: false } } } });
const resolved = (name: string): WantedObject => ({ apiVersion: 'networking.k8s.aws/v1alpha1', kind: 'PolicyEndpoint', metadata: { name: `${name}-x7k2p`, namespace: 'shop' }, spec: { policyRef: { name, namespace: 'shop' } } });
const zone = (name: string, status: 'True' | 'False', message = 'done'): object => ({ type: `Ready-In-Zone-${name}`, status, message });

/** Of a release that writes `wanted` into a shop of two pods without policies, besides what an engine has written. */
async function signs(wanted: WantedObject, ...written: readonly WantedObject[]): Promise<readonly string[]> {
  const fake = new FakeCluster();
  for (const kind of [CILIUM_ENDPOINT, POLICY_ENDPOINT, placeOfObject(WALL).served]) fake.serve(kind);
  for (const object of [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, wanted, ...written]) fake.put(object);
  return (await readCniSigns(fake, judgmentOf(wanted))).map(({ standing, message }) => `${standing}: ${message}`);
}

function judgmentOf(wanted: WantedObject): Parameters<typeof readCniSigns>[1] {
  const compiled = (...objects: readonly object[]) => compileCluster(readManifests([sourceFromText('cluster', [pod('web'), pod('api'), ...objects].map((object) => JSON.stringify(object)).join('\n---\n'))]).cluster);
  const change: ObjectChange = { place: placeOfObject(wanted), held: undefined, wanted, result: wanted, how: 'apply', conflicts: [], isAdopted: false, isRestore: false };
  const plan = { way: 'direct' as const, steps: [], harms: new Map(), before: compiled(), after: compiled(wanted) };
  return { changes: [change], plan };
}

test('where no engine writes anything there is no sign, nor where its kinds are not served', async () => {
  const nowhere = new FakeCluster();
  assert.deepEqual(await readCniSigns(nowhere, judgmentOf(POLICY)), []);
  assert.deepEqual(await signs(POLICY), []);
  assert.deepEqual(await signs(WALL), []);
});

test('Cilium: each pod that is newly isolated has to be enforced; endpoints that tell no policy say nothing', async () => {
  assert.deepEqual(await signs(POLICY, endpoint('web', true), endpoint('api', true)), ['yes: Cilium says that it enforces on all 2 pods that are newly isolated (CiliumEndpoint), and not by which policy']);
  assert.deepEqual(await signs(POLICY, endpoint('web', true), endpoint('api', false)), ['no: Cilium says that it does not enforce the ingress of shop/api (CiliumEndpoint)']);
  assert.deepEqual(await signs(POLICY, endpoint('web', undefined), endpoint('api', undefined)), []);
});

test('the AWS VPC CNI: what its controller has passed on', async () => {
  assert.deepEqual(await signs(POLICY, resolved('in')), ['yes: the controller of the AWS VPC CNI has passed it on to its agents (PolicyEndpoint), which do not say what they hold']);
  assert.deepEqual(await signs(POLICY, resolved('older')), ['unclear: the controller of the AWS VPC CNI has not passed on shop/in (PolicyEndpoint)']);
});

test('OVN-Kubernetes: conditions by zone of a policy of the whole cluster', async () => {
  const told = (...conditions: readonly object[]): Promise<readonly string[]> => signs({ ...WALL, status: { conditions } } as WantedObject);
  assert.deepEqual(await told(zone('n1', 'True'), zone('n2', 'True')), ['yes: OVN-Kubernetes says that 2 zones took it, and not in which generation']);
  assert.deepEqual(await told(zone('n1', 'True'), zone('n2', 'False', 'no address set')), ['no: OVN-Kubernetes says of AdminNetworkPolicy wall in zone n2: no address set']);
  assert.deepEqual(await told({ type: 'Accepted', status: 'True' }), []);
});
