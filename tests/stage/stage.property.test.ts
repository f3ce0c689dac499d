// What a staged policy would refuse, counted from the ledger of a kernel, is what the kernel refuses once the policy is in force.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileCluster } from '../../src/compile/compile.ts';
import { ownNodePair } from '../../src/analyze/decide.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import { createFakeFirewall, type FakeFirewall, type Packet } from '../../src/kernel/fake-firewall.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { comparePrecedence } from '../../src/model/cluster-policy.ts';
import type { JudgedPolicy } from '../../src/stage/judge-flows.ts';
import { StagedCounter } from '../../src/stage/stage.ts';
import { checkWith } from '../clusters/check-property.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { settleCluster } from '../clusters/settle.ts';
import { onTwoNodes, placementOf } from '../emit/two-nodes.ts';

const NOW = new Date(0);
const ICMP = 1;

function firewallOf(cluster: Cluster): FakeFirewall {
  const firewall = createFakeFirewall();
  firewall.load(loadSteps(emitRuleset(compileCluster(cluster), placementOf(cluster, 'n1')).ruleset));
  return firewall;
}

/** `isNew`: one of the policies is not in force and staged; else it is in force, and staged with what it says of one direction alone. */
interface Choice {
  readonly which: number;
  readonly isNew: boolean;
  readonly traffic: readonly number[];
}

const choice: fc.Arbitrary<Choice> = fc.record({ which: fc.nat(), isNew: fc.boolean(), traffic: fc.array(fc.noBias(fc.nat()), { minLength: 1, maxLength: 120, size: 'max' }) });

function withPolicy(cluster: Cluster, policy: JudgedPolicy): Cluster {
  const isOther = (one: JudgedPolicy): boolean => one.kind !== policy.kind || one.name !== policy.name || (one.kind === 'NetworkPolicy' && policy.kind === 'NetworkPolicy' && one.namespace !== policy.namespace);
  const policies = policy.kind === 'NetworkPolicy' ? [...cluster.policies.filter(isOther), policy].sort((a, b) => (a.namespace < b.namespace || (a.namespace === b.namespace && a.name < b.name) ? -1 : 1)) : cluster.policies;
  const clusterPolicies = policy.kind === 'NetworkPolicy' ? cluster.clusterPolicies : [...cluster.clusterPolicies.filter(isOther), policy].sort(comparePrecedence);
  return { ...cluster, policies, clusterPolicies };
}

function packetsOf(cluster: Cluster, numbers: readonly number[]): Packet[] {
  const program = compileCluster(cluster);
  const ends = [...cluster.pods.flatMap(({ addresses }, pod) => addresses.map((address) => ({ address, pod }))), ...outsideAddresses(cluster).map((address) => ({ address, pod: undefined as number | undefined }))];
  const points = trafficPoints(cluster);
  return numbers.flatMap((number): Packet[] => {
    const source = ends[number % ends.length]!;
    const target = ends[Math.floor(number / 7) % ends.length]!;
    const point = points[Math.floor(number / 3) % points.length]!;
    if (source.address.family !== target.address.family || source.pod === target.pod) return [];
    // What passes between a pod and its own node does not pass the hook.
    if (source.pod !== undefined && target.pod !== undefined && ownNodePair(program, { kind: 'pod', pod: source.pod }, { kind: 'pod', pod: target.pod }) !== undefined) return [];
    return [{ source: source.address, target: target.address, protocol: point.protocol === 'other' ? ICMP : PROTOCOL_NUMBER[point.protocol], port: point.protocol === 'other' ? 0 : point.port }];
  });
}

test('counted is what the kernel would refuse, and nothing is touched', () => {
  let refused = 0;
  let allowed = 0;
  checkWith(choice, (raw, { which, isNew, traffic }) => {
    const whole = onTwoNodes(settleCluster(raw));
    const all: readonly JudgedPolicy[] = [...whole.policies, ...whole.clusterPolicies];
    if (all.length === 0) return;
    const chosen = all[which % all.length]!;
    const inForce: Cluster = isNew
      ? { ...whole, policies: whole.policies.filter((one) => one !== chosen), clusterPolicies: whole.clusterPolicies.filter((one) => one !== chosen) }
      : whole;
    const staged: JudgedPolicy = isNew ? chosen : chosen.kind === 'NetworkPolicy' ? { ...chosen, egress: undefined } : { ...chosen, egress: [] };
    const [now, then] = [firewallOf(inForce), firewallOf(withPolicy(inForce, staged))];
    const packets = packetsOf(inForce, traffic);
    const before = packets.map((packet) => now.decide(packet) === 'accept');
    const after = packets.map((packet) => then.decide(packet) === 'accept');
    const counter = new StagedCounter();
    counter.put({ kind: staged.kind === 'NetworkPolicy' ? 'StagedPolicy' : 'StagedClusterPolicy', name: staged.name, uid: 'u', generation: 1, policies: [staged] }, NOW);
    counter.count(now.readLedger({ drain: true }), { cluster: inForce, node: 'n1', now: NOW });
    const [count] = counter.counts();
    const expected = { wouldRefuse: before.filter((was, index) => was && !after[index]).length, wouldAllow: before.filter((was, index) => !was && after[index]).length };
    const counted = { wouldRefuse: count!.wouldRefuse, wouldAllow: count!.wouldAllow };
    assert.deepEqual(counted, expected, `unknown: ${count!.unknown}`);
    assert.ok(count!.witnesses.reduce((sum, { judged }) => sum + judged, 0) <= count!.wouldRefuse);
    assert.equal(count!.witnesses.length > 0, count!.wouldRefuse > 0);
    refused += counted.wouldRefuse;
    allowed += counted.wouldAllow;
  }, { share: 0.6 });
  assert.ok(refused > 10 && allowed > 10, `${refused} would be refused, ${allowed} allowed, in all`);
});

test('of an audited namespace counted is what the kernel would refuse with all its policies in force', () => {
  let refused = 0;
  let deciding = 0;
  checkWith(choice, (raw, { which, traffic }) => {
    const whole = onTwoNodes(settleCluster(raw));
    const names = [...new Set(whole.policies.map(({ namespace }) => namespace))];
    if (names.length === 0) return;
    const name = names[which % names.length]!;
    const policies = whole.policies.filter(({ namespace }) => namespace === name);
    const inForce: Cluster = { ...whole, policies: whole.policies.filter(({ namespace }) => namespace !== name) };
    const [now, then] = [firewallOf(inForce), firewallOf(whole)];
    const packets = packetsOf(inForce, traffic);
    const before = packets.map((packet) => now.decide(packet) === 'accept');
    const after = packets.map((packet) => then.decide(packet) === 'accept');
    const counter = new StagedCounter();
    counter.put({ kind: 'Namespace', name, uid: 'u', generation: 0, policies }, NOW);
    counter.count(now.readLedger({ drain: true }), { cluster: inForce, node: 'n1', now: NOW });
    const [count] = counter.counts();
    const expected = { wouldRefuse: before.filter((was, index) => was && !after[index]).length, wouldAllow: before.filter((was, index) => !was && after[index]).length };
    assert.deepEqual({ wouldRefuse: count!.wouldRefuse, wouldAllow: count!.wouldAllow }, expected, `unknown: ${count!.unknown}`);
    assert.ok(count!.rules.every(({ policy }) => policies.some((one) => one.name === policy)));
    refused += count!.wouldRefuse;
    deciding += count!.rules.length;
  }, { share: 0.6 });
  assert.ok(refused > 10 && deciding > 5, `${refused} would be refused, ${deciding} rules decided, in all`);
});
