// Plans of labs: pods, names, addresses, ports, Services, the DNS pod.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import type { LedgerEntry } from '../../src/kernel/firewall.ts';
import { LabError } from '../../src/lab/lab-error.ts';
import { planLab, PODS_MAX, withLabAddresses, type LabPlan } from '../../src/lab/lab-plan.ts';
import { nameLedgerEntry } from '../../src/lab/name-ledger-entry.ts';
import { placementOf } from '../../src/lab/lab-placement.ts';
import { MENTIONED_PORTS_MAX } from '../../src/lab/probed-port.ts';
import type { ClusterPolicy } from '../../src/model/cluster-policy.ts';
import { EVERYTHING } from '../../src/model/selector.ts';
import { readManifests } from '../../src/read/read.ts';
import { cidr, cluster, origin, pod, policy, rule, service } from './example-cluster.ts';

function names(plan: LabPlan): string[] {
  return plan.pods.map(({ name }) => name);
}

test('gives each replica a namespace of its own, with an address of each family', () => {
  const plan = planLab(cluster({ pods: [pod('a/web', { replicas: 3 }), pod('a/db')] }));
  assert.deepEqual(names(plan), ['a/web-0', 'a/web-1', 'a/web-2', 'a/db', 'kube-system/kube-dns']);
  const addresses = plan.pods.flatMap((one) => one.addresses.map(formatIpAddress));
  assert.equal(new Set(addresses).size, 10);
  assert.equal(new Set(plan.endpoints.map(({ place }) => place)).size, 5);
});

test('the cluster to compile has the pods of the plan, by index', () => {
  const input = cluster({ pods: [pod('a/web', { replicas: 2 }), pod('a/host', { hostNetwork: true })], services: [service('a/web', { ports: ['TCP/80>80'] })] });
  const plan = planLab(input);
  const lab = withLabAddresses(input, plan);
  assert.deepEqual(lab.pods.map((one) => `${one.namespace}/${one.name}`), names(plan));
  assert.deepEqual(lab.pods.map(({ addresses }) => addresses), plan.pods.map(({ addresses }) => addresses));
  assert.deepEqual(lab.pods.map(({ replicas }) => replicas), [1, 1, 1, 1]);
  assert.deepEqual(lab.pods.map(({ nodeName }) => nodeName), ['node-1', 'node-1', 'node-2', 'node-1']);
  assert.deepEqual(lab.services.map(({ clusterIps }) => clusterIps), plan.services.map(({ addresses }) => addresses));
  assert.equal(lab.podRanges.length, 2);
});

// Pods with host network share the second node's address and namespace; one of them stands for all as a peer.
test('puts host network pods on a node of their own', () => {
  const plan = planLab(cluster({ pods: [pod('a/one', { hostNetwork: true }), pod('a/two', { hostNetwork: true }), pod('b/web')] }));
  assert.deepEqual(plan.pods[0]!.addresses, plan.hostNode.addresses);
  assert.equal(plan.endpoints[0]!.place, plan.endpoints[1]!.place);
  assert.notEqual(plan.endpoints[0]!.place, plan.endpoints[2]!.place);
  const placement = placementOf(plan);
  assert.deepEqual(placement.remotePods, [{ pod: 0, addresses: plan.hostNode.addresses }]);
  assert.deepEqual(placement.localPods.map((place) => place.pod), [2, 3]);
});

// Names: a made-up one never meets another pod's own.
for (const [title, pods, wanted] of [
  ['a replica beside a pod of that name', [pod('a/web', { replicas: 2 }), pod('a/web-0', { kind: 'Pod' })], ['a/web-deployment-0', 'a/web-1', 'a/web-0']],
  ['two controllers of one name', [pod('a/web'), pod('a/web', { kind: 'StatefulSet' })], ['a/web', 'a/web-statefulset']],
  ['three of one name and kind', [pod('a/web'), pod('a/web'), pod('a/web')], ['a/web', 'a/web-deployment', 'a/web-2']],
  ['the same name elsewhere', [pod('a/web'), pod('b/web')], ['a/web', 'b/web']],
] as const) {
  test(`names are distinct: ${title}`, () => {
    assert.deepEqual(names(planLab(cluster({ pods }))).filter((name) => !name.startsWith('kube-system')), wanted);
  });
}

test('refuses too many pods, and runs fewer replicas when told', () => {
  const input = cluster({ pods: [pod('a/web', { replicas: 2147483647 }), pod('a/db', { replicas: PODS_MAX })] });
  assert.throws(() => planLab(input), (error) => error instanceof LabError && error.code === 'too-many-pods' && /--replicas 1/.test(error.message));
  const plan = planLab(input, { replicasMax: 2 });
  assert.equal(plan.pods.length, 5);
  assert.equal(plan.replicasLeftOut, 2147483647 - 2 + PODS_MAX - 2);
  assert.match(plan.notes.join(), /further replicas are not run/);
});

test('adds the pod that answers names, and says that it did', () => {
  const plan = planLab(cluster({ pods: [pod('zoo/web'), pod('a/db')] }));
  assert.equal(plan.pods[plan.dnsPod!]!.name, 'kube-system/kube-dns');
  assert.deepEqual(plan.dnsPods, [plan.dnsPod]);
  assert.deepEqual(plan.dnsAddresses, plan.services.find(({ name }) => name === 'kube-dns')!.addresses);
});

test("answers on the input's own DNS pods where it has some", () => {
  const own = cluster({
    pods: [pod('kube-system/coredns', { replicas: 2, labels: { 'k8s-app': 'kube-dns' }, ports: ['dns:UDP/1053'] })],
    services: [service('kube-system/kube-dns', { selector: { 'k8s-app': 'kube-dns' }, ports: ['UDP/53>dns'] })],
  });
  const plan = planLab(own);
  assert.deepEqual(names(plan), ['kube-system/coredns-0', 'kube-system/coredns-1']);
  assert.equal(plan.dnsPod, undefined);
  assert.deepEqual(plan.dnsPods, [0, 1]);
});

test('a DNS Service that leads nowhere is given the pod', () => {
  const plan = planLab(cluster({ pods: [pod('a/x')], services: [service('kube-system/kube-dns', { selector: { none: 'such' }, ports: ['UDP/53>53'] })] }));
  assert.deepEqual(plan.services.map(({ name, pods }) => [name, pods.map((one) => plan.pods[one]!.name)]), [['kube-dns', ['kube-system/kube-dns']]]);
});

test('tries the own ports, those that policies name, and one that nobody does', () => {
  const input = cluster({
    pods: [pod('a/web', { ports: ['http:TCP/8080', 'SCTP/99'] }), pod('a/other', { ports: ['TCP/7777'] })],
    policies: [policy('a/p', { ingress: [rule([], ['TCP/80', 'UDP/1000-2000', 'TCP/http', 'SCTP/500-600'])] })],
  });
  const plan = planLab(input, { outsideRanges: [cidr('0.0.0.0/0')] });
  const portsOf = (name: string, protocol: string): number[] =>
    plan.endpoints.find((end) => end.name === name)!.ports.filter((port) => port.protocol === protocol).map(({ port }) => port);
  assert.deepEqual(portsOf('a/web', 'TCP'), [80, 99, 500, 600, 1000, 2000, 7778, 8080]);
  assert.deepEqual(portsOf('a/web', 'UDP'), portsOf('a/web', 'TCP'));
  assert.deepEqual(portsOf('a/web', 'SCTP'), [99, 500, 600, 7778]);
  assert.deepEqual(portsOf('0.0.0.0-255.255.255.255', 'TCP'), [80, 500, 600, 1000, 2000, 7778]);
});

test('a port that nobody names lies in no range, and is at least no end where ranges cover all', () => {
  const withPorts = (...ports: string[]): number => planLab(cluster({ pods: [pod('a/x', { ports: ['TCP/7778'] })], policies: [policy('a/p', { ingress: [rule([], ports)] })] })).ports.unnamed;
  assert.equal(withPorts('TCP/7000-7777'), 7779);
  assert.equal(withPorts('TCP/7000-65535'), 1);
  assert.equal(withPorts('TCP/1-7777', 'UDP/7777-65535'), 7779);
});

test('counts the ports beyond the bound', () => {
  const ports = Array.from({ length: MENTIONED_PORTS_MAX + 3 }, (_, index) => `TCP/${100 + index}`);
  const plan = planLab(cluster({ pods: [pod('a/x')], policies: [policy('a/p', { ingress: [rule([], ports)] })] }));
  assert.equal(plan.ports.numbers.length, MENTIONED_PORTS_MAX);
  assert.match(plan.notes.join(), /3 further ports/);
});

test('says that names of domains lead nowhere', () => {
  const naming: ClusterPolicy = {
    kind: 'ClusterNetworkPolicy', name: 'names', tier: 'Admin', priority: 1, subject: { namespaceSelector: EVERYTHING, podSelector: EVERYTHING }, ingress: [], origin,
    egress: [{ index: 0, name: undefined, action: 'Accept', peers: { kind: 'listed', peers: [{ kind: 'domain-name', pattern: 'www.example.org', origin }] }, ports: { kind: 'every' }, origin }],
  };
  assert.deepEqual(planLab(cluster({ pods: [pod('a/x')] })).notes, []);
  assert.deepEqual(planLab({ ...cluster({ pods: [pod('a/x')] }), clusterPolicies: [naming] }).notes, ['what pods send to the node they run on is not judged here; on a real node the egress rules of cluster-wide policies judge it', 'names of domains lead nowhere here: what names accepts by name is neither open nor tried']);
});

test('a Service leads to the ports that its names have on each pod', () => {
  const plan = planLab(cluster({
    pods: [pod('a/one', { labels: { app: 'w' }, ports: ['http:TCP/81'] }), pod('a/two', { labels: { app: 'w' }, ports: ['http:TCP/82'] }), pod('a/three', { labels: { app: 'w' }, ports: ['http:UDP/83'] }), pod('b/no', { labels: { app: 'w' }, ports: ['http:TCP/84'] })],
    services: [service('a/w', { selector: { app: 'w' }, ports: ['TCP/80>http'] }), service('a/all', { selector: {}, ports: ['TCP/80>80'] })],
  }));
  assert.deepEqual(plan.services[0]!.ports[0]!.backends, [{ pod: 0, port: 81 }, { pod: 1, port: 82 }]);
  assert.deepEqual(plan.services[1]!.pods, []);
});

test('names the ends of a ledger entry', () => {
  const plan = planLab(cluster({ pods: [pod('a/web'), pod('a/h1', { hostNetwork: true }), pod('a/h2', { hostNetwork: true })] }), { outsideRanges: [cidr('0.0.0.0/0')] });
  const entry = { verdict: 'denied', protocol: 6, port: 80, asked: undefined, refusal: 'ingress', profile: 0, packets: 1, idleMs: 0 } as const;
  const web = plan.pods[0]!.addresses[0]!;
  const named = nameLedgerEntry({ ...entry, source: plan.outside.hosts[0]!.address, target: web }, plan);
  assert.deepEqual([named.sourceName, named.targetName], ['0.0.0.0-255.255.255.255', 'a/web']);
  const other = nameLedgerEntry({ ...entry, source: plan.hostNode.addresses[0]!, target: { family: 4, value: 0x01020304n } }, plan);
  assert.deepEqual([other.sourceName, other.targetName], ['node-2', '1.2.3.4']);
});

test('names the Service that was asked for, by its own port and protocol', () => {
  const plan = planLab(cluster({ pods: [pod('a/web', { ports: ['http:TCP/8080'] })], services: [service('a/front', { selector: { app: 'web' }, ports: ['TCP/80>http'] })] }));
  const [address] = plan.services.find(({ name }) => name === 'front')!.addresses;
  const serviceOf = (asked: LedgerEntry['asked'], protocol = 6): string | undefined =>
    nameLedgerEntry({ verdict: 'allowed', protocol, port: 8080, asked, refusal: undefined, profile: 0, packets: 1, idleMs: 0, source: plan.node.addresses[0]!, target: plan.pods[0]!.addresses[0]! }, plan).service;
  assert.deepEqual([serviceOf({ address: address!, port: 80 }), serviceOf({ address: address!, port: 80 }, 17), serviceOf({ address: address!, port: 8080 }), serviceOf(undefined)], ['a/front', undefined, undefined, undefined]);
});

// NetworkPolicy never judges what a pod sends to its own node, and no ingress rule does.
test('says that egress to the own node is not judged, where rules of tiers would judge it', () => {
  const text = (direction: string): string => `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: closed}
spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ${direction}: [{action: Deny, ${direction === 'egress' ? 'to' : 'from'}: [{namespaces: {}}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a}
spec: {containers: [{name: main, image: registry.example/main}]}
`;
  const notesOf = (direction: string): string => {
    const { cluster: read, findings } = readManifests([{ name: 'text', chunks: () => [new TextEncoder().encode(text(direction))] }]);
    assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
    return planLab(read).notes.join();
  };
  assert.match(notesOf('egress'), /the node they run on is not judged here/);
  assert.doesNotMatch(notesOf('ingress'), /node they run on/);
  assert.doesNotMatch(planLab(cluster({ pods: [pod('a/web')], policies: [policy('a/closed', { egress: [rule([])] })] })).notes.join(), /node they run on/);
});
