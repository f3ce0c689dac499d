// What a server holds is read as it stands: nothing is refused, and what cannot be understood closes whom it selects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterPolicy, TierRule } from '../../src/model/cluster-policy.ts';
import { formatSelector } from '../../src/model/selector.ts';
import { StoredReader, type StoredMap } from '../../src/read/read-stored.ts';
import type { Value } from '../../src/read/text/yaml-value.ts';
import { formatPod, formatPolicy } from './reading.ts';

function networkPolicy(spec: Value): string {
  const object: StoredMap = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'shop' }, spec };
  const { policy, problem } = new StoredReader().readNetworkPolicy(object);
  return `${formatPolicy(policy)}${problem === undefined ? '' : ` !${problem}`}`;
}

const POLICIES: readonly (readonly [name: string, spec: Value, wanted: RegExp])[] = [
  ['what is understood has no problem', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }, /^on everything; in \[own\/everything: every port\]; out free$/],
  ['sloppy blocks are no problem', { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.5/24' } }] }] }, /^on everything; in \[10\.0\.0\.0\/24: every port\]; out free$/],
  ['no spec selects every pod and lets nothing in', null, /^on everything; in \[\]; out free$/],
  ['a rule with a field that nobody knows allows nothing', { podSelector: {}, ingress: [{ sources: [] }, { from: [{ podSelector: {} }] }] }, /; in \[own\/everything: every port\]; out free !.*no field `sources`/],
  ['a peer with a field that nobody knows is nobody', { podSelector: {}, ingress: [{ from: [{ podSelector: {}, nodeSelector: {} }] }] }, /; in \[nobody: every port\]; out free !.*no field `nodeSelector`/],
  ['a selector with a field that nobody knows selects nobody as a peer', { podSelector: {}, egress: [{ to: [{ podSelector: { matchFields: [] } }] }] }, /; out \[nobody: every port\] !/],
  ['a port with a field that nobody knows is no port', { podSelector: {}, ingress: [{ ports: [{ port: 80, startPort: 1 }] }] }, /; in \[everybody: no port\]; out free !/],
  ['a protocol that nobody knows is no port', { podSelector: {}, ingress: [{ ports: [{ port: 80, protocol: 'QUIC' }] }] }, /; in \[everybody: no port\]; out free !.*QUIC/],
  ['a spec with a field that nobody knows closes whom it selects, in its directions', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'], mode: 'Audit', ingress: [{}] }, /^on app=web; in \[\]; out free !.*no field `mode`/],
  ['a selector that cannot be understood may select every pod of the namespace', { podSelector: { matchExpressions: [{ key: 'app', operator: 'Like', values: ['w'] }] }, policyTypes: ['Egress'], egress: [{}] }, /^on everything; in free; out \[\] !.*Like/],
  ['a type that nobody knows closes both directions', { podSelector: {}, policyTypes: ['Forward'], ingress: [{}] }, /^on everything; in \[\]; out \[\] !.*Forward/],
  ['what is no spec closes everything of its namespace', 'x', /^on everything; in \[\]; out \[\] !/],
];

for (const [name, spec, wanted] of POLICIES) test(name, () => assert.match(networkPolicy(spec), wanted));

function clusterPolicy(kind: ClusterPolicy['kind'], spec: Value): string {
  const object: StoredMap = { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind, metadata: { name: 'default' }, spec };
  const { policy, problem } = new StoredReader().readClusterPolicy(object, kind);
  const { tier, priority, subject, ingress, egress } = policy;
  const rules = (list: readonly TierRule[]): string => list.map(({ action, peers }) => `${action} ${peers.kind === 'everybody' ? 'everybody' : peers.peers.length}`).join(', ');
  return `${tier} ${priority} on ns(${formatSelector(subject.namespaceSelector)})/${formatSelector(subject.podSelector)}; in [${rules(ingress)}]; out [${rules(egress)}]${problem === undefined ? '' : ` !${problem}`}`;
}

const CNP = { tier: 'Admin', priority: 7, subject: { namespaces: { matchLabels: { team: 'a' } } } };
const FROM_ALL = [{ namespaces: {} }];
const ODD = { matchExpressions: [{ key: 'app', operator: 'Like' }] };

const CLUSTER_POLICIES: readonly (readonly [name: string, spec: Value, wanted: RegExp])[] = [
  ['a cluster-wide policy that is understood has no problem', { ...CNP, ingress: [{ action: 'Pass', from: FROM_ALL }] }, /^Admin 7 on ns\(team=a\)\/everything; in \[Pass 1\]; out \[\]$/],
  ['a rule that accepts something odd accepts nothing', { ...CNP, ingress: [{ action: 'Accept', from: [{ namespaces: ODD }] }] }, /; in \[Accept 0\]; out \[\] !/],
  ['a rule that passes something odd denies everybody', { ...CNP, egress: [{ action: 'Pass', to: [{ namespaces: ODD }] }] }, /; in \[\]; out \[Deny everybody\] !/],
  ['a subject that cannot be understood is everybody whom it may mean, where it may deny', { ...CNP, subject: { pods: { namespaceSelector: { matchLabels: { team: 'a' } }, podSelector: ODD } }, ingress: [{ action: 'Deny', from: FROM_ALL }], egress: [{ action: 'Accept', to: FROM_ALL }] }, /^Admin 7 on ns\(team=a\)\/everything; in \[Deny everybody\]; out \[\] !/],
  ['a subject with a field that nobody knows may mean everybody', { ...CNP, subject: { namespaces: { matchLabels: { team: 'a' } }, nodes: {} }, ingress: [{ action: 'Deny', from: FROM_ALL }] }, /^Admin 7 on ns\(everything\)\/everything; in \[Deny everybody\]; out \[\] !/],
  ['a tier that nobody knows comes before all others', { ...CNP, tier: 'Tenant', egress: [{ action: 'Deny', to: FROM_ALL }] }, /^Admin 7 on ns\(team=a\)\/everything; in \[\]; out \[Deny everybody\] !.*Tenant/],
  ['a spec with a field that nobody knows denies where it may deny', { ...CNP, scope: 'x', ingress: [{ action: 'Pass', from: FROM_ALL }] }, /; in \[Deny everybody\]; out \[\] !.*no field `scope`/],
  ['what is no spec denies everything', [], /^Admin 0 on ns\(everything\)\/everything; in \[Deny everybody\]; out \[Deny everybody\] !/],
];

for (const [name, spec, wanted] of CLUSTER_POLICIES) test(name, () => assert.match(clusterPolicy('ClusterNetworkPolicy', spec), wanted));

test('a pod has what rules ask for, and equal parts are one value', () => {
  const reader = new StoredReader();
  const object = (name: string, status: Value): StoredMap => ({
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'web', 'pod-template-hash': '5d9' }, ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5d9', controller: true }] },
    spec: { nodeName: 'n1', containers: [{ ports: [{ containerPort: 8080 }, { name: 'http', containerPort: 80 }] }] },
    status,
  });
  const a = reader.readPod(object('web-5d9-a', { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }));
  const b = reader.readPod(object('web-5d9-b', { phase: 'Failed' }));
  assert.equal(formatPod(a.pod), 'shop/Deployment/web web-5d9-a x1 {app=web pod-template-hash=5d9} TCP/80=http 10.0.0.1 fd00::1');
  assert.deepEqual([a.isFinished, b.isFinished], [false, true]);
  for (const part of ['labels', 'ports', 'workload', 'origin'] as const) assert.equal(a.pod[part], b.pod[part], part);
});

test('a namespace has its name as a label, whatever the object says', () => {
  const labels = (labels: Value): ReadonlyMap<string, string> => new StoredReader().readNamespace({ kind: 'Namespace', metadata: { name: 'shop', labels } }).labels;
  assert.deepEqual([...labels({ team: 'a' })], [['team', 'a'], ['kubernetes.io/metadata.name', 'shop']]);
  assert.deepEqual([...labels({ 'kubernetes.io/metadata.name': 'other' })], [['kubernetes.io/metadata.name', 'shop']]);
});
