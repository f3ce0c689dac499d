// What an emission holds and leaves out, and which ids survive from one to the next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpAddress, formatIpRange, parseIpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { emitRuleset, type Emission } from '../../src/emit/emit.ts';
import { formatRuleset } from '../../src/emit/format-ruleset.ts';
import { NO_IDS, settleIds, type EmittedIds } from '../../src/emit/ids.ts';
import { planChange } from '../../src/emit/plan-change.ts';
import type { RawCluster, RawPolicy, RawWorkload } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';

/** `name address labels`, all pods of namespace `a`; the first one is local, the others are not. */
function emit(pods: readonly string[], policies: readonly RawPolicy[], options: { readonly podRanges?: readonly string[]; readonly previous?: EmittedIds } = {}): Emission {
  const raw: RawCluster = { namespaces: [], workloads: pods.map(workload), policies, clusterPolicies: [], nodes: [], podRanges: options.podRanges ?? [] };
  const cluster = settleCluster(raw);
  const places = cluster.pods.map(({ addresses }, pod) => ({ pod, addresses }));
  const placement = { localPods: places.slice(0, 1), remotePods: places.slice(1), podRanges: cluster.podRanges, localPodRanges: [] };
  return emitRuleset(compileCluster(cluster), placement, options.previous ?? NO_IDS);
}

function workload(text: string): RawWorkload {
  const [name, address, ...labels] = text.split(' ');
  return { kind: 'Pod', namespace: 'a', name: name!, labels: Object.fromEntries(labels.map((label) => label.split('='))), replicas: 1, containers: [], hostNetwork: false, nodeName: undefined, addresses: [address!] };
}

const LOCAL = 'a-local 10.0.0.1 app=local';

/** Ingress to the local pod from pods with a role, on TCP ports. */
function allow(role: string, ...ports: number[]): RawPolicy {
  return { namespace: 'a', name: `allow-${role}`, spec: { podSelector: { matchLabels: { app: 'local' } }, ingress: [{ from: [{ podSelector: { matchLabels: { role } } }], ports: ports.map((port) => ({ port })) }] } };
}

function allowBlock(name: string, cidr: string): RawPolicy {
  return { namespace: 'a', name, spec: { podSelector: { matchLabels: { app: 'local' } }, ingress: [{ from: [{ ipBlock: { cidr } }] }] } };
}

function classOf({ ruleset }: Emission, address: string): number | undefined {
  return ruleset.podClasses.find((entry) => entry.direction === 'ingress' && formatIpAddress(entry.address) === address)?.peerClass;
}

test('peers that the local pods treat alike are one class, and those refused have no entry', () => {
  const emission = emit([LOCAL, 'b 10.0.0.2 role=x', 'c 10.0.0.3 role=y', 'd 10.0.0.4 role=z'], [allow('x', 80), allow('y', 80)]);
  assert.equal(classOf(emission, '10.0.0.2'), classOf(emission, '10.0.0.3'));
  assert.equal(classOf(emission, '10.0.0.4'), undefined);
  assert.deepEqual([emission.ruleset.pairs.length, emission.ruleset.profiles.length], [1, 1]);
});

test('a pod that no policy governs needs no class of anybody', () => {
  const { ruleset } = emit([LOCAL, 'b 10.0.0.2 role=x'], []);
  assert.deepEqual(ruleset.localPods.map(({ isEgressIsolated, isIngressIsolated }) => [isEgressIsolated, isIngressIsolated]), [[false, false]]);
  assert.deepEqual([ruleset.podClasses, ruleset.rangeClasses, ruleset.pairs, ruleset.profiles], [[], [], [], []]);
});

test('pod ranges are cut out of the ranges outside', () => {
  const { ruleset } = emit([LOCAL], [allowBlock('p', '10.0.0.0/8')], { podRanges: ['10.0.0.0/24'] });
  assert.deepEqual(ruleset.rangeClasses.map(({ range }) => formatIpRange(range)), ['10.0.1.0-10.255.255.255']);
});

test('neighboring ranges of one class are one', () => {
  const { ruleset } = emit([LOCAL], [allowBlock('p', '10.0.0.0/9'), allowBlock('q', '10.128.0.0/9')]);
  assert.deepEqual(ruleset.rangeClasses.map(({ range }) => formatIpRange(range)), ['10.0.0.0-10.255.255.255']);
});

test('an ipBlock matches the pods whose address it contains, known ones alone where ranges are', () => {
  const emission = emit([LOCAL, 'b 10.0.0.2 role=x'], [allowBlock('p', '10.0.0.0/8')], { podRanges: ['10.0.0.0/24'] });
  assert.equal(classOf(emission, '10.0.0.2'), emission.ruleset.rangeClasses[0]!.peerClass);
});

test('an address that two pods claim has a class without pairs', () => {
  const emission = emit([LOCAL, 'b 10.0.0.2 role=x', 'c 10.0.0.2 role=y'], [allow('x', 80), allowBlock('p', '10.0.0.0/8')]);
  assert.deepEqual(emission.disputed.map(formatIpAddress), ['10.0.0.2']);
  assert.equal(classOf(emission, '10.0.0.2'), 0);
});

test('an address of two pods that no policy treats unlike is open to both, though a selector tells them apart', () => {
  const peers = [{ podSelector: { matchLabels: { role: 'x' } }, namespaceSelector: { matchLabels: { team: 'other' } } }];
  const elsewhere: RawPolicy = { namespace: 'a', name: 'elsewhere', spec: { podSelector: { matchLabels: { app: 'local' } }, ingress: [{ from: peers }] } };
  const emission = emit([LOCAL, 'b 10.0.0.2 role=x', 'c 10.0.0.2 role=y'], [elsewhere, allowBlock('p', '10.0.0.0/8')]);
  assert.deepEqual(emission.disputed, []);
  assert.notEqual(classOf(emission, '10.0.0.2'), 0);
});

test('a local pod whose address is disputed is closed', () => {
  const cluster = settleCluster({ namespaces: [], workloads: [workload(LOCAL), workload('b 10.0.0.1 role=x')], policies: [allow('x', 80)], clusterPolicies: [], nodes: [], podRanges: [] });
  const places = cluster.pods.map(({ addresses }, pod) => ({ pod, addresses }));
  const { ruleset } = emitRuleset(compileCluster(cluster), { localPods: places, remotePods: [], podRanges: [] });
  assert.deepEqual(ruleset.localPods, [{ address: parseIpAddress('10.0.0.1'), isEgressIsolated: true, isIngressIsolated: true, isSelfAllowed: false }]);
  assert.deepEqual(ruleset.pairs, []);
});

const PEERS = [LOCAL, 'b 10.0.0.2 role=x', 'c 10.0.0.3 role=x'];
/** The second peer leaves the class of the first. */
const ONE_LEFT = [LOCAL, 'b 10.0.0.2 role=x', 'c 10.0.0.3 role=gone'];

test('a class keeps its id while its meaning changes, if nobody leaves it', () => {
  const first = emit(PEERS, [allow('x', 80)]);
  const wider = emit(PEERS, [allow('x', 80, 81)], { previous: first.ids });
  assert.equal(classOf(wider, '10.0.0.2'), classOf(first, '10.0.0.2'));
  assert.equal(planChange(first.ruleset, wider.ruleset).takesAway, false);
  assert.equal(planChange(wider.ruleset, first.ruleset).takesAway, true);
});

test('a class that somebody leaves keeps its id as long as it means nothing wider', () => {
  const first = emit(PEERS, [allow('x', 80)]);
  const left = emit(ONE_LEFT, [allow('x', 80)], { previous: first.ids });
  assert.equal(classOf(left, '10.0.0.2'), classOf(first, '10.0.0.2'));
  assert.equal(classOf(left, '10.0.0.3'), undefined);
  const wider = emit(ONE_LEFT, [allow('x', 80, 81)], { previous: left.ids });
  assert.notEqual(classOf(wider, '10.0.0.2'), classOf(first, '10.0.0.2'));
});

test('once no packet can hold it, the id may mean something wider', () => {
  const first = emit(PEERS, [allow('x', 80)]);
  const left = emit(ONE_LEFT, [allow('x', 80)], { previous: first.ids });
  const wider = emit(ONE_LEFT, [allow('x', 80, 81)], { previous: settleIds(left.ids) });
  assert.equal(classOf(wider, '10.0.0.2'), classOf(first, '10.0.0.2'));
});

test('leaving and widening in one change gives a new id', () => {
  const first = emit(PEERS, [allow('x', 80)]);
  const wider = emit(ONE_LEFT, [allow('x', 80, 81)], { previous: first.ids });
  assert.notEqual(classOf(wider, '10.0.0.2'), classOf(first, '10.0.0.2'));
});

test('nothing changes when nothing changed', () => {
  const first = emit(PEERS, [allow('x', 80), allowBlock('p', '192.168.0.0/16')]);
  const again = emit(PEERS, [allow('x', 80), allowBlock('p', '192.168.0.0/16')], { previous: first.ids });
  assert.deepEqual(again.ruleset, first.ruleset);
  assert.deepEqual(planChange(first.ruleset, again.ruleset).steps, []);
});

test('the text names each set with its elements', () => {
  const { ruleset } = emit([LOCAL, 'b 10.0.0.2 role=x'], [allow('x', 80)]);
  assert.equal(formatRuleset(ruleset), `add element inet bulkhead le4 {
  10.0.0.1 : 0:0
}
add element inet bulkhead li4 {
  10.0.0.1 : 0:1
}
add element inet bulkhead pci4 {
  10.0.0.2 : 0:1
}
add element inet bulkhead pi4 {
  10.0.0.1 . 0:1 : 0:2
}
add element inet bulkhead self4 {
  10.0.0.1 . 10.0.0.1
}
add element inet bulkhead px {
  0:2 . tcp . 80 : 0:2
}
`);
});
