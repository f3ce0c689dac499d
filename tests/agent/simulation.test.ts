// Thousands of orders of events and faults: nothing opens that neither what was told before nor what is told now allows, claims are true, and all ends as it should.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'dns-packet';
import fc from 'fast-check';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import { formatIpAddress, formatIpRange, parseIpAddress } from '../../src/base/ip-address.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import { onTwoNodes, NODES } from '../emit/two-nodes.ts';
import { manifests } from '../clusters/manifests.ts';
import { randomCluster } from '../clusters/random-cluster.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { settleCluster } from '../clusters/settle.ts';
import { assertAlike, differences, freshKernel, World, type SimulatedNode } from './world.ts';

const RUNS = 60;
const RUNS_NIGHTLY = 3000;

const EVENTS = ['put', 'put', 'put', 'put', 'remove', 'remove', 'move-pod', 'cut', 'go-away', 'come-back', 'compact', 'refuse', 'fill', 'fill', 'clear', 'kill-in-change', 'kill', 'start', 'start', 'jump', 'answer', 'answer', 'wait'] as const;

interface Event {
  readonly kind: (typeof EVENTS)[number];
  readonly at: number;
  readonly waitMs: number;
}

const events: fc.Arbitrary<readonly Event[]> = fc.array(fc.record({ kind: fc.constantFrom(...EVENTS), at: fc.nat(10_000), waitMs: fc.constantFrom(0, 0, 1, 300, 5000) }), { minLength: 5, maxLength: 40, size: 'max' });

test('whatever comes in whatever order, nothing opens, nothing is claimed that is not so, and the end is right', async () => {
  const seed = process.env['BULKHEAD_SEED'];
  const runs = process.env['BULKHEAD_NIGHTLY'] === '1' ? RUNS_NIGHTLY : RUNS;
  await fc.assert(fc.asyncProperty(randomCluster, randomCluster, events, runStory), { numRuns: runs, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) });
});

async function runStory(raw: RawCluster, pool: RawCluster, story: readonly Event[]): Promise<void> {
  let chance = 0.5;
  const world = new World(NODES, () => (chance = (chance * 7.13) % 1));
  const objects = objectsOf(raw);
  const others = [...objectsOf(pool), ...objects];
  for (const object of objects) putIfTaken(world, object);
  for (const node of world.nodes.values()) node.start();
  await world.advance(1000);
  try {
    for (const event of story) {
      act(world, others, event);
      await world.advance(event.waitMs);
      for (const node of world.nodes.values()) look(node, `after ${event.kind}`);
    }
    await heal(world);
    const cluster = await world.cluster();
    for (const { name, kernel, agent } of world.nodes.values()) {
      assert.deepEqual(agent!.state.troubles.filter(({ code }) => code !== 'pod-ranges-unknown'), []);
      assert.equal(agent!.state.isReady, true);
      assert.ok(agent!.state.policies.every(({ inForceSince }) => inForceSince !== undefined));
      assertAlike(cluster, name, { held: kernel, packetsMax: 4000, when: 'at the end' });
      assertNames(world.nodes.get(name)!);
    }
  } finally {
    await world.stop();
  }
}

/** Holds one node's kernel against what its agent was told last, and at its last commit. */
function look({ agent, kernel, name, inForce, told, toldSince }: SimulatedNode, when: string): void {
  if (inForce === undefined || told === undefined) return;
  const state = agent?.state;
  const isDone = state?.isReady === true || (state !== undefined && state.troubles.some(({ code }) => code === 'capacity') && state.troubles.every(({ code }) => code === 'capacity' || code === 'cluster' || code === 'pod-ranges-unknown'));
  if (isDone && state.policies.every(({ inForceSince }) => inForceSince !== undefined)) {
    return assertAlike(told, name, { held: kernel, packetsMax: 100, when: `${when}, ready` });
  }
  // Between two states: open is only what one of them allows, or one between them whose change broke off: a policy that is closed for lack of room stays as it is until there is room. Where nobody knows the pod ranges, a new pod is open until its address is known.
  const newcomers = localAddresses(told, name).filter((address) => !localAddresses(inForce, name).includes(address));
  const openBeyond = (cluster: Cluster): readonly string[] =>
    differences(told, name, { held: kernel, wanted: freshKernel(cluster, name), packetsMax: 100 }).filter(({ isOpen, ends }) => isOpen && !ends.some((end) => newcomers.includes(end))).map(({ text }) => text);
  const opened = [told, ...toldSince].reduce((left, cluster) => (left.length === 0 ? left : openBeyond(cluster).filter((text) => left.includes(text))), openBeyond(inForce));
  if (opened.length > 0) assert.fail(`${when}: ${opened[0]} is open on ${name}, and neither what was in force nor what was told since allows it`);
}

function localAddresses({ pods }: Cluster, node: string): readonly string[] {
  return pods.filter(({ nodeName, hostNetwork }) => nodeName === node && !hostNetwork).flatMap(({ addresses }) => addresses.map(formatIpAddress));
}

function act(world: World, pool: readonly WantedObject[], { kind, at }: Event): void {
  const node = world.nodes.get(NODES[at % NODES.length]!)!;
  const object = pool[at % pool.length]!;
  switch (kind) {
    case 'put':
      return putIfTaken(world, object);
    case 'remove':
      // A Namespace object outlives what stands in it, and a Node the agent on it.
      return object.kind === 'Namespace' || NODES.some((name) => name === object.metadata.name) ? undefined : ignoring(() => world.api.remove(object));
    case 'move-pod':
      return movePod(world, pool, at);
    case 'cut':
      return world.api.cutWatches();
    case 'go-away':
      return world.api.goAway();
    case 'come-back':
      return world.api.comeBack();
    case 'compact':
      return world.api.compact();
    case 'refuse':
      return node.breakNextChange({ kind: 'refuse', steps: at % 5 });
    case 'fill':
      return node.setRoom(at % 40);
    case 'clear':
      return node.setRoom(Infinity);
    case 'kill-in-change':
      return node.breakNextChange({ kind: 'kill', steps: at % 5 });
    case 'kill':
      return void node.kill();
    case 'start':
      return node.agent === undefined ? node.start() : undefined;
    case 'jump':
      return world.clock.jump((at - 5000) * 1000);
    case 'answer':
      return answerSomePod(node, at);
    case 'wait':
      return undefined;
  }
}

/** Addresses that nothing else is tried with: what a name opens no other part of the story may open. */
function answerSomePod(node: SimulatedNode, at: number): void {
  const pods = node.told === undefined ? [] : localAddresses(node.told, node.name).filter((address) => !address.includes(':'));
  const name = ['example.org', 'www.example.org', 'a.b.example.org'][at % 3]!;
  const message = encode({ type: 'response', id: at, flags: 0x180, questions: [{ type: 'A', name }], answers: [{ type: 'A', name, ttl: at % 90, data: `198.51.100.${at % 8}` }] });
  if (pods.length > 0) node.answer(parseIpAddress(pods[at % pods.length]!)!, at % 10 === 0 ? message.subarray(0, at % message.length) : message);
}

/** At rest the kernel knows what the agent does, and opens by names to no pod that nobody told. */
function assertNames({ name, kernel, agent, told }: SimulatedNode): void {
  const held = kernel.readNamed();
  assert.ok(held.length <= agent!.state.names.addresses, `${name} holds ${held.length} addresses, and knows ${agent!.state.names.addresses}`);
  const locals = new Set(localAddresses(told!, name));
  for (const { pod, names } of held) assert.ok(locals.has(formatIpAddress(pod)) && names.length > 0, `${formatIpAddress(pod)} on ${name}`);
}

/** The address of one pod goes to another at once. */
function movePod(world: World, pool: readonly WantedObject[], at: number): void {
  const pods = pool.filter(({ kind }) => kind === 'Pod');
  const [one, other] = [pods[at % Math.max(1, pods.length)], pods[(at * 7 + 1) % Math.max(1, pods.length)]];
  if (one === undefined || other === undefined || one === other) return;
  ignoring(() => world.api.remove(one));
  putIfTaken(world, { ...other, status: one['status'] });
}

async function heal(world: World): Promise<void> {
  world.api.comeBack();
  for (const node of world.nodes.values()) node.setRoom(Infinity);
  // Policies that there was no room for are tried again after five minutes, and a fault may wait for that change.
  for (const ms of [1000, 300_000, 120_000, 120_000]) {
    await world.advance(ms);
    for (const node of world.nodes.values()) if (node.agent === undefined) node.start();
  }
  await world.advance(120_000);
}

function putIfTaken(world: World, object: WantedObject): void {
  ignoring(() => world.put(object));
}

/** Random objects may be such that a server refuses them. */
function ignoring(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
  }
}

// --- Objects

function objectsOf(raw: RawCluster): readonly WantedObject[] {
  const cluster = onTwoNodes(settleCluster(raw));
  const written = (manifests(raw) as readonly WantedObject[]).filter(({ kind }) => kind === 'Namespace' || kind === 'Node' || kind.endsWith('Policy'));
  const namespaces = cluster.namespaces.map(({ name }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  const ranges = cluster.podRanges.map((range, index) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: `range-${index}` }, spec: { podCIDRs: [formatIpRange(range)] } }));
  const nodes = NODES.map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
  return [...namespaces, ...nodes, ...ranges, ...written, ...cluster.pods.map(podObject)];
}

function podObject({ namespace, name, labels, ports, hostNetwork, nodeName, addresses }: Pod, index: number): WantedObject {
  const ips = addresses.map((address) => ({ ip: formatIpAddress(address) }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index}`, namespace, labels: Object.fromEntries(labels) },
    spec: { nodeName, ...(hostNetwork ? { hostNetwork } : {}), containers: [{ name: 'c', image: 'example/image', ports: ports.map(({ name: portName, protocol, port }) => ({ ...(portName === undefined ? {} : { name: portName }), protocol, containerPort: port })) }] },
    status: { phase: 'Running', ...(ips.length === 0 ? {} : { podIP: ips[0]!.ip, podIPs: ips }), ...(hostNetwork ? { hostIP: ips[0]?.ip, hostIPs: ips } : {}) },
  };
}
