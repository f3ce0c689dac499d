// A policy that a node has no room for is closed and named, and all others keep working; it is taken up again when it fits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeAgent } from '../../src/agent/node-agent.ts';
import type { ToldChange, ToldPolicy } from '../../src/agent/told.ts';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import { rulesetOf } from '../../src/emit/elements.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import type { Firewall } from '../../src/kernel/firewall.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { closeNamespace, createNamespace } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { needs } from '../needs.ts';
import { FakeClock } from './fake-clock.ts';

const podText = (name: string, address: string): string => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec: { nodeName: here, containers: [ { name: c, image: c } ] }
status: { podIP: ${address}, podIPs: [ { ip: ${address} } ], phase: Running }
`;

/** Tells so many peers apart. */
const blocks = (count: number): string => Array.from({ length: count }, (_, index) => `    - { from: [ { ipBlock: { cidr: 192.168.${index}.0/24 } } ], ports: [ { port: ${1000 + index} } ] }\n`).join('');

const policyText = (name: string, app: string, count: number): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  podSelector: { matchLabels: { app: ${app} } }
  ingress:
${blocks(count)}`;

const tierText = (count: number): string => `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: tier }
spec:
  tier: Admin
  priority: 5
  subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: web } } } }
  egress:
${Array.from({ length: count }, (_, index) => `    - { name: r${index}, action: Deny, to: [ { networks: [ 192.168.${index}.0/24 ] } ], protocols: [ { tcp: { destinationPort: { number: ${1000 + index} } } } ] }\n`).join('')}`;

const NODE = 'apiVersion: v1\nkind: Node\nmetadata: { name: here }\n';
const PODS = [NODE, podText('web', '10.0.0.1'), podText('db', '10.0.0.2')];

function clusterOf(...texts: readonly string[]): Cluster {
  return readManifests([sourceFromText('shop.yaml', [...PODS, ...texts].join('---\n'))]).cluster;
}

function told(name: string, generation = 1, kind = 'NetworkPolicy'): ToldPolicy {
  return { apiVersion: kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'policy.networking.k8s.io/v1alpha2', kind, namespace: kind === 'NetworkPolicy' ? 'shop' : '', name, uid: name, generation, resourceVersion: '1', problem: undefined };
}

function put(text: string, name: string, generation: number): ToldChange {
  return { change: { kind: 'put-policy', policy: clusterOf(text).policies[0]! }, policy: told(name, generation) };
}

/** Who lets in or out how many kinds of peers. */
function pairsIn(firewall: Firewall): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { direction, address } of rulesetOf(firewall.read()).pairs) {
    const key = `${direction} ${formatIpAddress(address)}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function isolatedIn(firewall: Firewall): readonly string[] {
  return rulesetOf(firewall.read()).localPods.filter(({ isIngressIsolated }) => isIngressIsolated).map(({ address }) => formatIpAddress(address));
}

interface Standing {
  readonly isReady: boolean;
  readonly troubles: readonly string[];
  readonly policies: Readonly<Record<string, string>>;
}

function standing({ state: { isReady, troubles, policies } }: NodeAgent): Standing {
  return {
    isReady,
    troubles: troubles.filter(({ code }) => code !== 'pod-ranges-unknown').map(({ code, message }) => `${code}: ${message}`),
    policies: Object.fromEntries(policies.map(({ name, inForceSince, problem }) => [name, inForceSince === undefined ? 'pending' : (problem ?? 'in force')])),
  };
}

const IN_BOTH: readonly (readonly [name: string, needs: ReturnType<typeof needs>, run: (check: (firewall: Firewall) => Promise<void>) => Promise<void>])[] = [
  ['the fake', {}, (check) => check(createFakeFirewall())],
  ['the kernel', needs('kernel'), async (check) => {
    const namespace = createNamespace();
    const firewall = openFirewall({ namespace });
    try {
      await check(firewall);
    } finally {
      firewall.close();
      closeNamespace(namespace);
    }
  }],
];

for (const [name, wants, run] of IN_BOTH) {
  test(`a policy that needs more than a set may hold is closed, and no other, in ${name}`, wants, () => run(async (firewall) => {
    const clock = new FakeClock();
    const agent = new NodeAgent({ node: 'here', firewall, clock, setSizeMax: 20 });
    const said = 'set pi4 would hold more than 20 elements';
    const closed: Standing = { isReady: false, troubles: [`capacity: NetworkPolicy/shop/large is closed: ${said}`], policies: { large: said, small: 'in force' } };
    agent.begin(clusterOf(policyText('large', 'web', 40), policyText('small', 'db', 2)), [told('large'), told('small')]);
    await clock.advance(10);
    assert.deepEqual(standing(agent), closed);
    assert.deepEqual([pairsIn(firewall), isolatedIn(firewall)], [{ 'ingress 10.0.0.2': 2 }, ['10.0.0.1', '10.0.0.2']]);
    // Nothing is tried while nothing changes, others change meanwhile, and large ones that are tried again stay closed.
    const { count } = agent.commits;
    await clock.advance(600_000);
    assert.equal(agent.commits.count, count);
    agent.change([put(policyText('small', 'db', 3), 'small', 2)]);
    await clock.advance(600_000);
    assert.deepEqual([standing(agent).policies['small'], pairsIn(firewall)], ['in force', { 'ingress 10.0.0.2': 3 }]);
    assert.equal(standing(agent).policies['large'], said);
    agent.change([put(policyText('large', 'web', 4), 'large', 2)]);
    await clock.advance(10);
    assert.deepEqual(standing(agent), { isReady: true, troubles: [], policies: { large: 'in force', small: 'in force' } });
    assert.deepEqual(pairsIn(firewall), { 'ingress 10.0.0.1': 4, 'ingress 10.0.0.2': 3 });
    // What was there before is not closed for what comes.
    agent.change([put(policyText('small', 'db', 30), 'small', 3)]);
    await clock.advance(10);
    assert.deepEqual(pairsIn(firewall), { 'ingress 10.0.0.1': 4 });
    agent.change([{ change: { kind: 'remove-policy', namespace: 'shop', name: 'small' } }]);
    await clock.advance(10);
    assert.deepEqual([standing(agent), isolatedIn(firewall)], [{ isReady: true, troubles: [], policies: { large: 'in force' } }, ['10.0.0.1']]);
    agent.stop();
  }));

  test(`a cluster-wide policy that is too large denies everything to those it selects, in ${name}`, wants, () => run(async (firewall) => {
    const clock = new FakeClock();
    const agent = new NodeAgent({ node: 'here', firewall, clock, setSizeMax: 20 });
    agent.begin(clusterOf(tierText(25), policyText('small', 'db', 2)), [told('tier', 1, 'ClusterNetworkPolicy'), told('small')]);
    await clock.advance(10);
    assert.deepEqual(pairsIn(firewall), { 'ingress 10.0.0.2': 2 });
    assert.deepEqual(rulesetOf(firewall.read()).localPods.map(({ isEgressIsolated }) => isEgressIsolated), [true, false]);
    assert.match(standing(agent).policies['tier']!, /^set pr would hold/);
    agent.stop();
  }));
}

test('a policy with which all would list too many address blocks is closed before it is compiled, wherever it stands', async () => {
  const clock = new FakeClock();
  const firewall = createFakeFirewall();
  const agent = new NodeAgent({ node: 'here', firewall, clock, addressBlocksMax: 50 });
  const said = 'with it the policies of the cluster would list more than 50 address blocks';
  // Of three that are there at once the largest; it governs nobody here.
  agent.begin(clusterOf(policyText('large', 'elsewhere', 40), policyText('small', 'db', 20), policyText('tiny', 'web', 2)), [told('large'), told('small'), told('tiny')]);
  await clock.advance(10);
  assert.deepEqual(standing(agent), { isReady: false, troubles: [`capacity: NetworkPolicy/shop/large is closed: ${said}`], policies: { large: said, small: 'in force', tiny: 'in force' } });
  agent.change([put(policyText('tiny', 'web', 31), 'tiny', 2)]);
  await clock.advance(10);
  assert.deepEqual([standing(agent).policies['tiny'], pairsIn(firewall), isolatedIn(firewall)], [said, { 'ingress 10.0.0.2': 20 }, ['10.0.0.1', '10.0.0.2']]);
  // Where others go, there is room; what still does not fit stays closed.
  agent.change([{ change: { kind: 'remove-policy', namespace: 'shop', name: 'small' } }]);
  await clock.advance(600_000);
  const { policies } = standing(agent);
  assert.deepEqual(Object.values(policies).toSorted(), ['in force', said]);
  agent.change([put(policyText('large', 'elsewhere', 4), 'large', 2), put(policyText('tiny', 'web', 30), 'tiny', 3)]);
  await clock.advance(10);
  assert.deepEqual([standing(agent), pairsIn(firewall)], [{ isReady: true, troubles: [], policies: { large: 'in force', tiny: 'in force' } }, { 'ingress 10.0.0.1': 30 }]);
  agent.stop();
});

test('what a kernel refuses for lack of room closes one policy after the other, and comes in again when there is room', needs('kernel'), async () => {
  const namespace = createNamespace();
  const firewall = openFirewall({ namespace });
  // Nobody looks after the table, whose sets get bounds here that they do not have by themselves.
  let isLoaded = false;
  const load = (steps: Parameters<Firewall['load']>[0]): void => {
    firewall.load(steps);
    isLoaded = true;
  };
  const unwatched: Firewall = Object.assign(Object.create(firewall) as Firewall, { load, takeOver: () => (isLoaded ? firewall.read() : undefined), watch: () => () => undefined });
  const bound = (size: number): void => loadNft(`add map inet bulkhead pi4 { type ipv4_addr . classid : classid; size ${size}; }\n`, { namespace, doing: 'bound a set' });
  try {
    const clock = new FakeClock();
    const agent = new NodeAgent({ node: 'here', firewall: unwatched, clock });
    agent.begin(clusterOf(policyText('small', 'db', 2)), [told('small')]);
    await clock.advance(10);
    bound(10);
    agent.change([put(policyText('large', 'web', 40), 'large', 1)]);
    await clock.advance(100);
    assert.deepEqual([standing(agent).isReady, pairsIn(firewall), isolatedIn(firewall)], [false, { 'ingress 10.0.0.2': 2 }, ['10.0.0.2']]);
    await clock.advance(2000);
    const { policies, troubles } = standing(agent);
    assert.match(policies['large']!, /^the kernel takes no more: cannot change elements of table `bulkhead`: ENFILE/);
    assert.deepEqual([policies['small'], troubles.length], ['in force', 1]);
    assert.deepEqual([pairsIn(firewall), isolatedIn(firewall)], [{ 'ingress 10.0.0.2': 2 }, ['10.0.0.1', '10.0.0.2']]);
    agent.change([put(policyText('small', 'db', 3), 'small', 2)]);
    await clock.advance(10);
    assert.deepEqual(pairsIn(firewall), { 'ingress 10.0.0.2': 3 });
    bound(100);
    await clock.advance(300_000);
    assert.deepEqual(standing(agent), { isReady: true, troubles: [], policies: { large: 'in force', small: 'in force' } });
    assert.deepEqual(pairsIn(firewall), { 'ingress 10.0.0.1': 40, 'ingress 10.0.0.2': 3 });
    agent.stop();
  } finally {
    firewall.close();
    closeNamespace(namespace);
  }
});
