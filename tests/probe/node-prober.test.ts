// The prober of a node: it does what a probe for its node asks, refuses the rest with a sentence, and leaves nothing open whatever happens.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import type { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { CONNECTION_PROBE, NODE_LABEL, readProbeStatus, type ProbeStatus } from '../../src/probe/connection-probe.ts';
import { runNodeProber } from '../../src/probe/node-prober.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { fakeNetwork, probedCluster, putPod, type FakeNetwork } from './probing-world.ts';

const PODS = [{ name: 'web', node: 'n1', ip: '10.244.1.5' }, { name: 'db', node: 'n1', ip: '10.244.1.6' }, { name: 'far', node: 'n2', ip: '10.244.2.5' }];
const MARK = '0123456789abcdef';

interface Running {
  readonly cluster: FakeCluster;
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly uids: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

function start(context: TestContext, network: FakeNetwork): Running {
  const cluster = probedCluster([]);
  const uids = Object.fromEntries(PODS.map((pod) => [pod.name, putPod(cluster, pod)]));
  const clock = new FakeClock();
  const stop = new AbortController();
  const ended = runNodeProber({ api: cluster, node: 'n1', openNetwork: network.open, clock, onNote: () => undefined, signal: stop.signal });
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advance(0);
    await ended;
  };
  context.after(end);
  return { cluster, clock, network, uids, stop: end };
}

const probe = (name: string, spec: object, metadata: object = {}): WantedObject => ({ apiVersion: CONNECTION_PROBE.apiVersion, kind: CONNECTION_PROBE.kind, metadata: { name, labels: { [NODE_LABEL]: 'n1' }, ...metadata }, spec: { node: 'n1', mark: MARK, ttlSeconds: 30, ...spec } });

async function statusOf(cluster: FakeCluster, name: string): Promise<ProbeStatus | undefined> {
  return readProbeStatus(await cluster.get({ served: CONNECTION_PROBE, name }));
}

const attempt = ({ uids }: Running, name: string, address: string, more: object = {}): object => ({ pod: { namespace: 'shop', name, uid: uids[name] ?? 'none' }, address, protocol: 'TCP', port: 80, ...more });

test('attempts are opened from the pod, silent ones twice, and by the node where that is asked for', async (context) => {
  const network = fakeNetwork(['10.244.1.5', '10.244.1.6'], (source, place) => (place.startsWith('203.0.113.7') ? (source === '10.250.0.11' ? 'connected' : 'silent') : place.endsWith('/81') ? 'silent' : 'connected'));
  const world = start(context, network);
  world.cluster.put(probe('one', { attempts: [attempt(world, 'web', '10.244.1.6'), attempt(world, 'web', '10.244.1.6', { port: 81 }), attempt(world, 'db', '203.0.113.7', { control: true })] }));
  await world.clock.advance(0);
  const { state, attempts } = (await statusOf(world.cluster, 'one'))!;
  assert.equal(state, 'Done');
  assert.deepEqual(attempts, [{ answer: 'connected' }, { answer: 'silent' }, { answer: 'silent', control: 'connected' }]);
  assert.deepEqual(network.tried.sort(), ['10.244.1.5 10.244.1.6 TCP/80', '10.244.1.5 10.244.1.6 TCP/81', '10.244.1.5 10.244.1.6 TCP/81', '10.244.1.6 203.0.113.7 TCP/80', '10.244.1.6 203.0.113.7 TCP/80', '10.250.0.11 203.0.113.7 TCP/80']);
  assert.equal(network.held.size, 0, 'no namespace stays open');
});

test('a server of DNS is asked in its own words where it does not echo', async (context) => {
  const network = fakeNetwork(['10.244.1.5'], () => 'silent');
  const world = start(context, network);
  world.cluster.put(probe('names', { attempts: [attempt(world, 'web', '10.96.0.10', { protocol: 'UDP', port: 53 }), attempt(world, 'web', '10.96.0.10', { protocol: 'UDP', port: 54 })] }));
  await world.clock.advance(0);
  assert.deepEqual(network.tried.map((line) => line.split('/')[1]), ['53', '54', '53', '54', '53']);
});

const listen = (world: Running, port: number): object => ({ pod: { namespace: 'shop', name: 'db', uid: world.uids['db'] }, address: '10.244.1.6', protocol: 'TCP', port, sources: ['10.244.2.5'] });

for (const { name, end } of [
  { name: 'its probe is taken away', end: async ({ cluster }: Running) => cluster.delete({ served: CONNECTION_PROBE, name: 'ears' }) },
  { name: 'its time is over', end: async ({ clock }: Running) => clock.advance(30_000) },
  { name: 'the prober is told to end', end: async ({ stop }: Running) => stop() },
]) {
  test(`a listener ends when ${name}`, async (context) => {
    const network = fakeNetwork(['10.244.1.6'], () => 'connected', ['10.244.1.6 TCP/80']);
    const world = start(context, network);
    world.cluster.put(probe('ears', { listen: [listen(world, 80), listen(world, 9000)] }));
    await world.clock.advance(100);
    assert.deepEqual((await statusOf(world.cluster, 'ears'))!.listen.map(({ result }) => result), ['served', 'listening']);
    assert.deepEqual([...network.listening], ['10.244.1.6 TCP/9000']);
    await end(world);
    await world.clock.advance(100);
    assert.deepEqual([[...network.listening], network.held.size], [[], 0]);
  });
}

test('what somebody left behind is taken away, and what an earlier process began is not begun again', async (context) => {
  const network = fakeNetwork(['10.244.1.6'], () => 'connected');
  const world = start(context, network);
  world.cluster.put({ ...probe('begun', { listen: [listen(world, 9000)] }), status: { state: 'Working' } });
  world.cluster.put(probe('left', { listen: [listen(world, 9001)] }));
  await world.clock.advance(100);
  assert.deepEqual([...network.listening], ['10.244.1.6 TCP/9001']);
  await world.clock.advance(200_000);
  await assert.rejects(world.cluster.get({ served: CONNECTION_PROBE, name: 'begun' }), /not found/);
  await assert.rejects(world.cluster.get({ served: CONNECTION_PROBE, name: 'left' }), /not found/);
});

test('while the API server is away a listener ends all the same, and what is left is taken away when it is back', async (context) => {
  const network = fakeNetwork(['10.244.1.6'], () => 'connected');
  const world = start(context, network);
  world.cluster.put(probe('ears', { listen: [listen(world, 9000)] }));
  await world.clock.advance(100);
  assert.equal(network.listening.size, 1);
  world.cluster.goAway();
  await world.clock.advance(200_000);
  assert.deepEqual([network.listening.size, network.held.size], [0, 0]);
  world.cluster.comeBack();
  await world.clock.advance(20_000);
  await assert.rejects(world.cluster.get({ served: CONNECTION_PROBE, name: 'ears' }), /not found/);
});

const skipped: readonly { readonly name: string; readonly entry: (world: Running) => object; readonly why: RegExp }[] = [
  { name: 'a pod of another node', entry: (world) => attempt(world, 'far', '10.244.1.6'), why: /not on this node/ },
  { name: 'a pod that has gone', entry: (world) => attempt(world, 'nobody', '10.244.1.6'), why: /has gone/ },
  { name: 'a pod that was made anew', entry: (world) => ({ ...attempt(world, 'web', '10.244.1.6'), pod: { namespace: 'shop', name: 'web', uid: 'older' } }), why: /another pod has its name/ },
  { name: 'loopback', entry: (world) => attempt(world, 'web', '127.0.0.1'), why: /no address that is called/ },
  { name: 'multicast', entry: (world) => attempt(world, 'web', 'ff02::1'), why: /no address that is called/ },
  { name: 'a name', entry: (world) => attempt(world, 'web', 'example.org'), why: /no address that is called/ },
  { name: 'another family', entry: (world) => attempt(world, 'web', 'fd00::1'), why: /no address of IPv6/ },
  { name: 'a pod on the network of its node', entry: (world) => ({ ...attempt(world, 'host', '10.244.1.6'), pod: { namespace: 'shop', name: 'host', uid: putPod(world.cluster, { name: 'host', node: 'n1', ip: '10.250.0.11', fields: { spec: { hostNetwork: true } } }) } }), why: /shares the network of its node/ },
  { name: 'a pod on its way out', entry: (world) => ({ ...attempt(world, 'old', '10.244.1.6'), pod: { namespace: 'shop', name: 'old', uid: putPod(world.cluster, { name: 'old', node: 'n1', ip: '10.244.1.5', fields: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } } }) } }), why: /being deleted/ },
  { name: 'a pod without a namespace here', entry: (world) => ({ ...attempt(world, 'new', '10.244.1.6'), pod: { namespace: 'shop', name: 'new', uid: putPod(world.cluster, { name: 'new', node: 'n1', ip: '10.244.1.99' }) } }), why: /no network namespace of this node/ },
];

test('what is not tried, and why', async (context) => {
  const network = fakeNetwork(['10.244.1.5', '10.244.1.6', '10.250.0.11', '10.244.2.5'], () => 'connected');
  const world = start(context, network);
  world.cluster.put(probe('mixed', { attempts: [...skipped.map(({ entry }) => entry(world)), attempt(world, 'web', '10.244.1.6')] }));
  await world.clock.advance(0);
  const { attempts } = (await statusOf(world.cluster, 'mixed'))!;
  for (const [index, { name, why }] of skipped.entries()) {
    assert.equal(attempts[index]!.answer, 'skipped', name);
    assert.match(attempts[index]!.message!, why, name);
  }
  assert.equal(attempts.at(-1)!.answer, 'connected');
  assert.deepEqual(network.tried, ['10.244.1.5 10.244.1.6 TCP/80'], 'nothing else went over the wire');
  assert.equal(network.held.size, 0);
});

test('probes that are not understood, too old or too many are refused; one for another node is let be', async (context) => {
  const network = fakeNetwork(['10.244.1.5', '10.244.1.6'], () => 'connected');
  const world = start(context, network);
  world.cluster.put(probe('unknown', { attempts: [{ ...attempt(world, 'web', '10.244.1.6'), protocol: 'ICMP' }] }));
  world.cluster.put(probe('marked', { mark: 'short', attempts: [attempt(world, 'web', '10.244.1.6')] }));
  world.cluster.put(probe('late', { attempts: [attempt(world, 'web', '10.244.1.6')] }, { creationTimestamp: '2025-12-31T23:00:00Z' }));
  world.cluster.put(probe('other', { node: 'n2', attempts: [attempt(world, 'web', '10.244.1.6')] }));
  await world.clock.advance(0);
  assert.deepEqual(await Promise.all(['unknown', 'marked', 'late', 'other'].map(async (name) => (await statusOf(world.cluster, name))?.message)), ['this version of the prober does not understand it', 'this version of the prober does not understand it', 'it was made too long ago', undefined]);
  assert.deepEqual(network.tried, []);
  for (let count = 0; count < 10; count++) world.cluster.put(probe(`ears-${count}`, { listen: [listen(world, 9000 + count)] }));
  await world.clock.advance(100);
  const states = await Promise.all(Array.from({ length: 10 }, async (_, count) => (await statusOf(world.cluster, `ears-${count}`))!.state));
  assert.deepEqual([states.filter((state) => state === 'Listening').length, states.filter((state) => state === 'Refused').length], [8, 2]);
  assert.equal(network.listening.size, 8);
});
