// The ledger of a node's kernel as flows, with an agent in between: counts, names at the time, rules, and what happens when somebody leaves, dies or turns the clock.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { encode } from 'dns-packet';
import { endName, type FlowRecord } from '../../src/flow/flow-record.ts';
import { NodeFlows } from '../../src/observe/observe.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { readManifests } from '../../src/read/read.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { World } from '../agent/world.ts';

const ip = (text: string): NonNullable<ReturnType<typeof parseIpAddress>> => parseIpAddress(text)!;
const [WEB, DB, OUTSIDE] = ['10.0.0.1', '10.0.0.2', '203.0.113.7'];
const STEP_MS = 15_000;

interface PodWishes {
  readonly address: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string;
}

function podObject(name: string, { address, labels = { app: name }, node = 'n1' }: PodWishes): Parameters<World['put']>[0] {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels }, spec: { nodeName: node, containers: [] }, status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } };
}

const DB_FROM_WEB = {
  apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'db', namespace: 'shop' },
  spec: { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 3306 }] }] },
};

class FlowWorld extends World {
  readonly records: FlowRecord[] = [];
  lost = 0;

  constructor() {
    super(['n1'], () => 0.5);
    this.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'a' } } });
    this.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDRs: ['10.0.0.0/24'] }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } });
    this.put(podObject('web', { address: WEB }));
    this.put(podObject('db', { address: DB }));
    this.put(DB_FROM_WEB);
  }

  get node(): NonNullable<ReturnType<World['nodes']['get']>> {
    return this.nodes.get('n1')!;
  }

  async start(): Promise<void> {
    this.node.start();
    await this.advance(10);
    this.node.agent!.flows.addSink({ take: (records, lost) => {
      this.records.push(...records);
      this.lost += lost;
    } });
  }

  open(source: string, target: string, { port = 3306, times = 1, asked }: { readonly port?: number; readonly times?: number; readonly asked?: readonly [address: string, port: number] } = {}): void {
    const place = asked === undefined ? {} : { asked: { address: ip(asked[0]), port: asked[1] } };
    for (let time = 0; time < times; time++) this.node.kernel.decide({ source: ip(source), target: ip(target), protocol: 6, port, ...place });
  }

  /** Each record since the last call in one line, sorted. */
  lines(): readonly string[] {
    return this.records.splice(0).map(({ verdict, source, target, port, count }) => `${verdict} ${endName(source)} ${endName(target)} ${port} ${count}`).sort();
  }
}

async function started(context: TestContext): Promise<FlowWorld> {
  const world = new FlowWorld();
  context.after(() => world.stop());
  await world.start();
  return world;
}

test('counts what was let through and refused, with names, times and the rules of both sides', async (context) => {
  const world = await started(context);
  world.open(WEB, DB, { times: 3 });
  world.open(OUTSIDE, DB, { times: 2 });
  await world.advance(STEP_MS);
  const [allowed, denied] = ['allowed', 'denied'].map((verdict) => world.records.find((record) => record.verdict === verdict)!) as [FlowRecord, FlowRecord];
  assert.equal(world.records.length, 2);
  assert.deepEqual([allowed.count, allowed.openings, denied.count, denied.openings], [3, 3, 2, 0]);
  assert.deepEqual(allowed.reason?.ingress.rules.map(({ name, index }) => `${name} ${index}`), ['db 0']);
  assert.deepEqual(denied.reason?.ingress.isolatedBy.map(({ name }) => name), ['db']);
  assert.equal(denied.reason?.ingress.nearMiss?.name, 'db');
  assert.equal(allowed.node, 'n1');
  assert.ok(allowed.source.kind === 'pod' && allowed.source.labels.get('app') === 'web' && allowed.source.namespaceLabels.get('team') === 'a');
  assert.ok(allowed.firstSeen <= allowed.lastSeen && allowed.lastSeen <= world.clock.now().getTime());
  assert.deepEqual(world.node.agent!.state.flows, { ...world.node.agent!.state.flows, allowed: 3, denied: 2, lost: 0, unexplained: 0 });
});

test('what does not grow is not told again', async (context) => {
  const world = await started(context);
  world.open(WEB, DB);
  await world.advance(STEP_MS);
  assert.equal(world.lines().length, 1);
  await world.advance(2 * STEP_MS);
  assert.deepEqual(world.lines(), []);
});

test('a pod that has left keeps its name, and who gets its address within a second another', async (context) => {
  const world = await started(context);
  world.open(WEB, DB, { times: 2 });
  world.api.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' } });
  await world.advance(300);
  world.put(podObject('late', { address: WEB }));
  await world.advance(300);
  world.open(WEB, DB, { times: 5 });
  await world.advance(STEP_MS);
  assert.deepEqual(world.lines(), ['allowed shop/web shop/db 3306 2', 'denied shop/late shop/db 3306 5']);
});

test('two pods of one name one after the other are told apart by their labels', async (context) => {
  const world = await started(context);
  world.open(WEB, DB);
  world.put(podObject('web', { address: WEB, labels: { app: 'batch' } }));
  await world.advance(300);
  world.open(WEB, DB);
  await world.advance(STEP_MS);
  const told = world.records.map(({ verdict, source, reason }) => [verdict, source.kind === 'pod' ? source.labels.get('app') : '', reason?.ingress.verdict]);
  assert.deepEqual(told, [['allowed', 'web', 'allows'], ['denied', 'batch', 'refuses']]);
});

test('each is judged by the policies under which it was let through', async (context) => {
  const world = await started(context);
  world.open(WEB, DB);
  world.put({ ...DB_FROM_WEB, spec: { podSelector: {}, policyTypes: ['Ingress'] } });
  await world.advance(300);
  world.open(WEB, DB);
  await world.advance(STEP_MS);
  assert.deepEqual(world.records.map(({ verdict, reason }) => [verdict, reason?.ingress.verdict, reason?.ingress.rules.length]), [['allowed', 'allows', 1], ['denied', 'refuses', 0]]);
});

test('the node itself and another host are no pods', async (context) => {
  const world = await started(context);
  world.open(WEB, OUTSIDE, { port: 443 });
  world.open(WEB, '192.0.2.1', { port: 10_250 });
  await world.advance(STEP_MS);
  assert.deepEqual(world.records.map(({ target }) => [endName(target), target.kind === 'outside' && target.isOwnNode]).sort(), [['203.0.113.7', false], ['n1', true]]);
});

test('a host outside has the names that the very pod looked up, and who gets its address has none of them', async (context) => {
  const world = new FlowWorld();
  context.after(() => world.stop());
  world.namesHosts = true;
  await world.start();
  world.node.answer(ip(WEB), encode({ type: 'response', id: 7, flags: 0x180, questions: [{ type: 'A', name: 'www.example.org' }], answers: [{ type: 'A', name: 'www.example.org', ttl: 60, data: OUTSIDE }] }));
  for (const pod of [WEB, DB]) world.open(pod, OUTSIDE, { port: 443 });
  await world.advance(STEP_MS);
  assert.deepEqual(world.lines(), [`allowed shop/db ${OUTSIDE} 443 1`, 'allowed shop/web www.example.org 443 1']);
  assert.ok(world.node.kernel.read().get('ask4')!.length === 2 && world.node.agent!.state.troubles.every(({ code }) => code !== 'names'));
  world.api.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' } });
  world.put(podObject('late', { address: WEB }));
  await world.advance(300);
  world.open(WEB, OUTSIDE, { port: 443 });
  await world.advance(STEP_MS);
  assert.deepEqual(world.lines(), [`allowed shop/late ${OUTSIDE} 443 1`]);
});

test('no rule is named for what was refused before its pod was known', async (context) => {
  const world = await started(context);
  world.open('10.0.0.77', DB);
  await world.advance(STEP_MS);
  assert.deepEqual(world.records.map(({ verdict, reason }) => [verdict, reason]), [['denied', undefined]]);
  assert.equal(world.node.agent!.state.flows.unexplained, 1);
});

test('a clock that somebody turns back turns no flow around', async (context) => {
  const world = await started(context);
  world.open(WEB, DB, { times: 2 });
  world.clock.jump(-3_600_000);
  await world.advance(STEP_MS);
  const [record] = world.records;
  assert.ok(record!.firstSeen <= record!.lastSeen);
  assert.ok(Math.abs(record!.lastSeen - world.clock.now().getTime()) <= STEP_MS);
});

test('an agent that was killed counts what the kernel counted meanwhile when it is back', async (context) => {
  const world = await started(context);
  world.open(WEB, DB);
  await world.node.kill();
  world.open(WEB, DB, { times: 4 });
  await world.start();
  await world.advance(STEP_MS);
  assert.equal(world.records.reduce((sum, { openings }) => sum + openings!, 0), 5);
});

test('what finds no room in the kernel is counted', async () => {
  const firewall = createFakeFirewall({ ledgerSizeMax: 4 });
  firewall.load([]);
  const { cluster } = readManifests([]);
  const flows = new NodeFlows({ node: 'n1', firewall, clock: new FakeClock(), observes: false });
  const taken: [number, number][] = [];
  flows.addSink({ take: (records, lost) => taken.push([records.length, lost]) });
  flows.begin(() => cluster);
  for (let index = 0; index < 7; index++) firewall.decide({ source: ip(WEB), target: { family: 4, value: 0xc0000000n + BigInt(index) }, protocol: 6, port: 80 });
  flows.drain();
  flows.drain();
  assert.deepEqual(taken, [[4, 3], [0, 0]]);
  assert.equal(flows.state.lost, 3);
  flows.stop();
});

test('what is refused right after a step is told at once, and a flood of refusals takes one fiftieth of a core', async () => {
  const clock = new FakeClock();
  const slow = { readUnrecorded: () => 0, readLedger: (): [] => (clock.spend(20), []) };
  const flows = new NodeFlows({ node: 'n1', firewall: slow, clock, observes: false });
  const { cluster } = readManifests([]);
  flows.begin(() => cluster);
  await clock.advance(STEP_MS);
  const before = flows.state.drains;
  flows.ring();
  await clock.advance(60);
  assert.equal(flows.state.drains - before, 1);

  const [drained, beganMs] = [flows.state.drainMs, clock.elapsedMs()];
  for (let turn = 0; turn < 6_000; turn++) {
    flows.ring();
    await clock.advance(10);
  }
  const [tookMs, steps] = [flows.state.drainMs - drained, Math.ceil((clock.elapsedMs() - beganMs) / STEP_MS)];
  const part = (tookMs - 20 * steps) / (clock.elapsedMs() - beganMs);
  assert.ok(part > 1 / 60 && part < 1 / 45, `${part} of a core`);
  flows.stop();
});

function service(name: string, spec: Readonly<Record<string, unknown>>, entrances: readonly string[] = []): Parameters<World['put']>[0] {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec, status: { loadBalancer: { ingress: entrances.map((address) => ({ ip: address })) } } } as Parameters<World['put']>[0]; // JSON, all of it
}

const DB_SERVICE = service('db', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], externalIPs: ['198.51.100.9'], ports: [{ port: 33060, targetPort: 3306, nodePort: 30306 }] }, ['198.51.100.7']);

/** `times` by which Service, sorted. */
function services(world: FlowWorld): readonly string[] {
  return world.records.splice(0).map(({ service: name, openings }) => `${openings} ${name ?? 'none'}`).sort();
}

test('what came by a Service is told with its name, and what came straight to a pod never', async (context) => {
  const world = await started(context);
  world.put(DB_SERVICE);
  await world.advance(300);
  world.open(WEB, DB, { times: 5, asked: ['10.96.0.7', 33_060] });
  world.open(WEB, DB, { times: 2 });
  await world.advance(STEP_MS);
  assert.deepEqual(services(world), ['2 none', '5 shop/db']);
  // Its addresses in front of the cluster, and the node's own under another port.
  for (const asked of [['198.51.100.9', 33_060], ['198.51.100.7', 33_060], ['192.0.2.1', 30_306]] as const) {
    world.open(WEB, DB, { asked });
    await world.advance(STEP_MS);
    assert.deepEqual(services(world), ['1 shop/db'], asked.join());
  }
  // Another port, another protocol's, another host, and the port of nodes at an address that is not this node's.
  for (const asked of [['10.96.0.7', 3306], ['10.96.0.8', 33_060], ['192.0.2.1', 33_060], ['192.0.2.9', 30_306]] as const) {
    world.open(WEB, DB, { asked });
    await world.advance(STEP_MS);
    assert.deepEqual(services(world), ['1 none'], asked.join());
  }
});

test('an address that two Services have names neither, and one that changes hands each in its time', async (context) => {
  const world = await started(context);
  world.put(DB_SERVICE);
  world.put(service('twin', { clusterIP: '10.96.0.8', externalIPs: ['198.51.100.9'], ports: [{ port: 33_060 }] }));
  await world.advance(300);
  world.open(WEB, DB, { asked: ['198.51.100.9', 33_060] });
  world.open(WEB, DB, { times: 3, asked: ['10.96.0.7', 33_060] });
  world.api.remove({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: 'shop' } });
  await world.advance(300);
  assert.deepEqual(services(world), ['1 none', '3 shop/db']);
  world.open(WEB, DB, { times: 7, asked: ['10.96.0.7', 33_060] });
  world.put(service('late', { clusterIP: '10.96.0.7', ports: [{ port: 33_060 }] }));
  await world.advance(300);
  assert.deepEqual(services(world), ['7 none'], 'of the one that is gone, and nobody knows of which');
  world.open(WEB, DB, { times: 4, asked: ['10.96.0.7', 33_060] });
  await world.advance(STEP_MS);
  assert.deepEqual(services(world), ['4 shop/late']);
});
