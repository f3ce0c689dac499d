// A namespace that asks to be audited: its NetworkPolicies are judged and not enforced, all others are; where that is not allowed all of them are enforced.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { AUDIT_LABEL } from '../../src/model/namespace-audit.ts';
import { assertAlike, differences, freshKernel, World, type SimulatedNode } from './world.ts';

const NODE = 'n1';

const OUTSIDE = parseIpAddress('203.0.113.9')!;

interface Shop {
  readonly world: World;
  readonly node: SimulatedNode;
  label(namespace: string, value: string | undefined): void;
  /** Whether the outside reaches the pod on the port. */
  reaches(pod: string, port: number): boolean;
  standings(): readonly string[];
}

const ADDRESSES: Readonly<Record<string, string>> = { 'shop/web': '10.244.1.2', 'shop/db': '10.244.1.3', 'bank/safe': '10.244.1.4' };

/** In both namespaces two policies that let in port 80 of `web` and nothing else; an Admin policy denies port 81 to all. */
async function open(allowsAudit = true): Promise<Shop> {
  const world = new World([NODE], () => 0.5);
  world.allowsAudit = allowsAudit;
  const node = world.nodes.get(NODE)!;
  world.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] } });
  const label = (name: string, value: string | undefined): void => world.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: value === undefined ? {} : { [AUDIT_LABEL]: value } } });
  for (const namespace of ['shop', 'bank']) {
    label(namespace, undefined);
    const policy = (name: string, spec: object): void => world.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec });
    policy('closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    policy('web', { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ ports: [{ port: 80 }] }] });
  }
  world.put({ apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name: 'wall' }, spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, egress: [{ name: 'no-81', action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }], protocols: [{ tcp: { destinationPort: { number: 81 } } }] }] } });
  for (const [place, podIP] of Object.entries(ADDRESSES)) {
    const [namespace, name] = place.split('/') as [string, string];
    world.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: name } }, spec: { nodeName: NODE, containers: [] }, status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } });
  }
  node.start();
  await world.advance(2000);
  return {
    world, node, label,
    reaches: (pod, port) => node.kernel.decide({ source: OUTSIDE, target: parseIpAddress(ADDRESSES[pod]!)!, protocol: PROTOCOL_NUMBER.TCP, port }) === 'accept',
    standings: () => node.agent!.state.policies.map(({ kind, namespace, name, inForceSince, isAudited }) => `${kind === 'NetworkPolicy' ? `${namespace}/` : ''}${name} ${isAudited ? 'audited' : inForceSince === undefined ? 'pending' : 'in force'}`),
  };
}

async function settled({ world, node }: Shop): Promise<void> {
  await world.advance(2000);
  assertAlike(await world.cluster(), NODE, { held: node.kernel, packetsMax: 2000, when: 'at rest' });
}

test('audited, its policies are in no kernel and never called in force; those of others and of the cluster are', async () => {
  const shop = await open();
  await settled(shop);
  assert.deepEqual([shop.reaches('shop/web', 80), shop.reaches('shop/db', 80), shop.reaches('bank/safe', 80)], [true, false, false]);
  shop.label('shop', 'true');
  await settled(shop);
  assert.deepEqual([shop.reaches('shop/web', 80), shop.reaches('shop/db', 80), shop.reaches('bank/safe', 80)], [true, true, false]);
  assert.equal(shop.node.kernel.decide({ source: parseIpAddress(ADDRESSES['shop/db']!)!, target: OUTSIDE, protocol: PROTOCOL_NUMBER.TCP, port: 81 }), 'drop', 'policies of the cluster stay in force');
  assert.deepEqual(shop.standings(), ['wall in force', 'bank/closed in force', 'bank/web in force', 'shop/closed audited', 'shop/web audited']);
  assert.deepEqual(shop.node.agent!.audited.map(({ name, audited }) => [name, audited.name]), [['closed', 'closed'], ['web', 'web']]);
  assert.equal(shop.node.agent!.isReady, true);
  shop.label('shop', 'yes');
  await settled(shop);
  assert.deepEqual([shop.reaches('shop/web', 80), shop.reaches('shop/db', 80)], [true, false]);
  assert.deepEqual(shop.standings(), ['wall in force', 'bank/closed in force', 'bank/web in force', 'shop/closed in force', 'shop/web in force']);
  await shop.world.stop();
});

test('while it is audited policies come, change and go; after a restart and a new list it is as before', async () => {
  const shop = await open();
  shop.label('shop', 'true');
  const put = (port: number): void => shop.world.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'more', namespace: 'shop' }, spec: { podSelector: {}, ingress: [{ ports: [{ port }] }] } });
  for (const act of [() => put(1), () => put(2), () => shop.world.api.compact(), () => shop.world.api.remove({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed', namespace: 'shop' } })]) {
    act();
    await settled(shop);
    assert.equal(shop.reaches('shop/db', 80), true);
  }
  await shop.node.kill();
  shop.node.start();
  await settled(shop);
  assert.deepEqual(shop.standings().filter((line) => line.startsWith('shop/')), ['shop/more audited', 'shop/web audited']);
  shop.label('shop', undefined);
  await settled(shop);
  assert.deepEqual([shop.reaches('shop/db', 80), shop.reaches('shop/db', 2)], [false, true]);
  assert.deepEqual(shop.standings().filter((line) => line.startsWith('shop/')), ['shop/more in force', 'shop/web in force']);
  await shop.world.stop();
});

test('an agent that does not allow it enforces, and says so', async () => {
  const shop = await open(false);
  shop.label('shop', 'true');
  await shop.world.advance(2000);
  assert.equal(shop.reaches('shop/db', 80), false);
  const { isReady, troubles, policies } = shop.node.agent!.state;
  assert.deepEqual([isReady, troubles.map(({ code }) => code)], [true, ['audit-not-allowed']]);
  assert.ok(policies.every(({ isAudited, inForceSince }) => !isAudited && inForceSince !== undefined));
  shop.label('shop', undefined);
  await shop.world.advance(2000);
  assert.deepEqual(shop.node.agent!.state.troubles, []);
  await shop.world.stop();
});

test('switched on or off and broken off at any step, nothing opens that neither allows', async () => {
  for (const [before, after] of [[undefined, 'true'], ['true', undefined]] as const) {
    for (let steps = 0; steps < 8; steps++) {
      for (const kind of ['kill', 'refuse'] as const) {
        const shop = await open();
        shop.label('shop', before);
        await settled(shop);
        const clusters = [await shop.world.cluster()];
        shop.node.breakNextChange({ kind, steps });
        shop.label('shop', after);
        clusters.push(await shop.world.cluster());
        await shop.world.advance(0);
        assert.deepEqual(openBeyond(shop, clusters), [], `${kind} at step ${steps}`);
        if (shop.node.agent === undefined) shop.node.start();
        await settled(shop);
        await shop.world.stop();
      }
    }
  }
});

function openBeyond({ node }: Shop, clusters: readonly Cluster[]): readonly string[] {
  const open = clusters.map((cluster) => new Set(differences(cluster, NODE, { held: node.kernel, wanted: freshKernel(cluster, NODE), packetsMax: 2000 }).filter(({ isOpen }) => isOpen).map(({ text }) => text)));
  return [...open[0]!].filter((text) => open[1]!.has(text));
}
