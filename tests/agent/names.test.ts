// Rules that name domains, from an answer of DNS to what the kernel decides, on a node with an agent.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { encode } from 'dns-packet';
import { startAgent } from '../../src/agent/agent.ts';
import type { AnswerSource } from '../../src/agent/answer-watch.ts';
import { ADDRESSES_PER_POD_MAX } from '../../src/agent/learnt-names.ts';
import { formatIpAddress, parseIpAddress } from '../../src/base/ip-address.ts';
import { createFakeFirewall, endsKey, type PacketVerdict } from '../../src/kernel/fake-firewall.ts';
import { FirewallError } from '../../src/kernel/firewall-error.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { FakeClock } from './fake-clock.ts';
import { World } from './world.ts';

const CNP = { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy' };
const ip = (text: string): NonNullable<ReturnType<typeof parseIpAddress>> => parseIpAddress(text)!;

const [ASKER, OTHER] = ['10.0.0.1', '10.0.0.2'];
const OUTSIDE = '203.0.113.7';

function podObject(name: string, address: string, labels: Readonly<Record<string, string>> = { app: 'web' }): Parameters<World['put']>[0] {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels }, spec: { nodeName: 'n1', containers: [] }, status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }, { ip: `fd00::${address.split('.')[3]}` }] } };
}

interface PolicyOptions {
  readonly names: readonly string[];
  /** Of addresses, before the names are asked. */
  readonly denied?: string;
}

function namingPolicy({ names, denied }: PolicyOptions): Parameters<World['put']>[0] {
  return { ...CNP, metadata: { name: 'names' }, spec: { tier: 'Admin', priority: 10, subject: { namespaces: {} }, egress: [
    ...(denied === undefined ? [] : [{ action: 'Deny', to: [{ networks: [denied] }] }]),
    { action: 'Accept', to: [{ domainNames: names }], protocols: [{ tcp: { destinationPort: { number: 443 } } }] },
    { action: 'Deny', to: [{ networks: ['0.0.0.0/0', '::/0'] }] },
  ] } };
}

class NamedWorld extends World {
  constructor(policy: PolicyOptions = { names: ['www.example.org', '*.wild.example.org'] }) {
    super(['n1'], () => 0.5);
    this.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    this.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDRs: ['10.0.0.0/24', 'fd00::/64'] } });
    this.put(podObject('asker', ASKER));
    this.put(podObject('other', OTHER));
    this.put(namingPolicy(policy));
  }

  get node(): NonNullable<ReturnType<World['nodes']['get']>> {
    return this.nodes.get('n1')!;
  }

  /** The pod is told, and the agent has had the time to hear it. */
  async tell(name: string, { addresses = [OUTSIDE], ttl = 60, pod = ASKER }: { readonly addresses?: readonly string[]; readonly ttl?: number; readonly pod?: string } = {}): Promise<void> {
    const type = addresses[0]!.includes(':') ? 'AAAA' : 'A';
    this.node.answer(ip(pod), encode({ type: 'response', id: 7, flags: 0x180, questions: [{ type, name }], answers: addresses.map((data) => ({ type, name, ttl, data })) }));
    await this.advance(10);
  }

  decide(target: string, { source = ASKER, port = 443, established = false }: { readonly source?: string; readonly port?: number; readonly established?: boolean } = {}): PacketVerdict {
    const connection = established ? { connection: { kind: 'established', generation: -1 } as const } : {};
    return this.node.kernel.decide({ source: ip(source), target: ip(target), protocol: 6, port, ...connection });
  }

  troubles(): readonly string[] {
    return this.node.agent!.state.troubles.map(({ code, message }) => `${code}: ${message}`);
  }
}

function inNamedWorld(name: string, run: (world: NamedWorld, context: TestContext) => Promise<void>, policy?: PolicyOptions): void {
  test(name, async (context) => {
    const world = new NamedWorld(policy);
    context.after(() => world.stop());
    world.node.start();
    await world.advance(1_000);
    assert.deepEqual(world.troubles(), []);
    assert.equal(world.decide(OUTSIDE), 'drop');
    await run(world, context);
  });
}

inNamedWorld('an answer opens the ports of the rule to the pod that asked, and to no other', async (world) => {
  await world.tell('www.example.org');
  assert.equal(world.decide(OUTSIDE), 'accept');
  assert.equal(world.decide(OUTSIDE, { port: 80 }), 'drop');
  assert.equal(world.decide(OUTSIDE, { source: OTHER }), 'drop');
  assert.equal(world.decide('203.0.113.8'), 'drop');
  assert.deepEqual(world.node.agent!.state.names, { addresses: 1, answers: { learnt: 1, other: 0, unreadable: 0, full: 0, unseen: 0 } });
});

inNamedWorld('IPv6 as well, also when the question is asked over IPv4', async (world) => {
  await world.tell('www.example.org', { addresses: ['2001:db8::7'] });
  await world.tell('www.example.org', { addresses: ['2001:db8::8'], pod: 'fd00::1' });
  assert.equal(world.decide('2001:db8::8', { source: 'fd00::1' }), 'accept');
  assert.equal(world.decide('2001:db8::7', { source: 'fd00::1' }), 'accept');
  assert.equal(world.decide('2001:db8::7', { source: 'fd00::2' }), 'drop');
});

inNamedWorld('a wildcard covers one label and more, and never the name itself', async (world) => {
  await world.tell('wild.example.org', { addresses: ['203.0.113.20'] });
  await world.tell('a.WILD.example.org', { addresses: ['203.0.113.21'] });
  await world.tell('b.a.wild.example.org', { addresses: ['203.0.113.22'] });
  await world.tell('awild.example.org', { addresses: ['203.0.113.23'] });
  assert.deepEqual(['20', '21', '22', '23'].map((host) => world.decide(`203.0.113.${host}`)), ['drop', 'accept', 'accept', 'drop']);
});

inNamedWorld('it is open for its TTL, for a minute at least and a day at most', async (world) => {
  await world.tell('www.example.org', { addresses: ['203.0.113.30'], ttl: 1 });
  await world.tell('www.example.org', { addresses: ['203.0.113.31'], ttl: 90 });
  await world.tell('www.example.org', { addresses: ['203.0.113.32'], ttl: 1_000_000 });
  const open = (): string => ['30', '31', '32'].map((host) => (world.decide(`203.0.113.${host}`) === 'accept' ? '1' : '0')).join('');
  await world.advance(59_000);
  assert.equal(open(), '111');
  await world.advance(2_000);
  assert.equal(open(), '011');
  await world.advance(30_000);
  assert.equal(open(), '001');
  await world.advance(86_300_000);
  assert.equal(open(), '001');
  await world.advance(70_000);
  assert.equal(open(), '000');
});

inNamedWorld('a later answer counts from then on', async (world) => {
  await world.tell('www.example.org');
  await world.advance(40_000);
  await world.tell('www.example.org');
  await world.advance(40_000);
  assert.equal(world.decide(OUTSIDE), 'accept');
});

inNamedWorld('when the time is over live connections stay, whatever else changes, and go with the rule', async (world) => {
  await world.tell('www.example.org');
  world.node.kernel.connections.add(endsKey(ip(ASKER), ip(OUTSIDE)));
  await world.advance(200_000);
  assert.equal(world.decide(OUTSIDE), 'drop');
  const { generations } = world.node.agent!.state.commits;
  world.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed', namespace: 'shop' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } });
  await world.advance(100_000);
  assert.ok(world.node.agent!.state.commits.generations > generations);
  assert.equal(world.decide(OUTSIDE, { established: true }), 'accept');
  world.put(namingPolicy({ names: ['else.example.org'] }));
  await world.advance(100);
  assert.equal(world.decide(OUTSIDE, { established: true }), 'reset');
});

inNamedWorld('what no connection needs is forgotten, without judging others anew', async (world) => {
  await world.tell('www.example.org');
  const { generations } = world.node.agent!.state.commits;
  await world.advance(200_000);
  assert.equal(world.node.agent!.state.names.addresses, 0);
  assert.deepEqual(world.node.kernel.readNamed(), []);
  assert.equal(world.node.agent!.state.commits.generations, generations);
});

inNamedWorld('a connection of many days is remembered beyond what the kernel keeps by itself', async (world) => {
  await world.tell('www.example.org');
  world.node.kernel.connections.add(endsKey(ip(ASKER), ip(OUTSIDE)));
  const before = world.node.agent!.state.commits.count;
  await world.advance(3 * 86_400_000);
  assert.ok(world.node.agent!.state.commits.count - before >= 2, 'it was written anew');
  assert.equal(world.decide(OUTSIDE, { established: true }), 'accept');
});

inNamedWorld('another process goes on with what the kernel knows, as long as it is good', async (world) => {
  await world.tell('www.example.org');
  world.node.kernel.connections.add(endsKey(ip(ASKER), ip(OUTSIDE)));
  await world.node.kill();
  await world.advance(20_000);
  assert.equal(world.decide(OUTSIDE), 'accept');
  world.node.start();
  await world.advance(20_000);
  assert.equal(world.decide(OUTSIDE), 'accept');
  await world.advance(200_000);
  assert.equal(world.decide(OUTSIDE), 'drop');
  assert.equal(world.decide(OUTSIDE, { established: true }), 'accept');
});

inNamedWorld('a policy that changed while nobody looked closes what it does not name', async (world) => {
  await world.tell('www.example.org');
  await world.node.kill();
  world.put(namingPolicy({ names: ['else.example.org'] }));
  await world.advance(1_000);
  assert.equal(world.decide(OUTSIDE), 'accept');
  world.node.start();
  await world.advance(1_000);
  assert.deepEqual([world.decide(OUTSIDE), world.decide(OUTSIDE, { established: true })], ['drop', 'reset']);
});

inNamedWorld('a table that is gone comes back with what is open', async (world) => {
  await world.tell('www.example.org');
  world.node.kernel.tamper('gone');
  await world.advance(100);
  assert.equal(world.node.agent!.state.kernel.driftRepairs, 1);
  assert.deepEqual([world.decide(OUTSIDE), world.decide(OUTSIDE, { source: OTHER })], ['accept', 'drop']);
});

inNamedWorld('what stands before the rule keeps its word, wherever a name leads', async (world) => {
  await world.tell('www.example.org', { addresses: ['10.96.0.1', '169.254.169.254', OUTSIDE] });
  assert.deepEqual([world.decide('10.96.0.1'), world.decide('169.254.169.254'), world.decide(OUTSIDE)], ['drop', 'accept', 'accept']);
}, { names: ['www.example.org'], denied: '10.0.0.0/8' });

inNamedWorld('addresses that are no single host\'s are not taken', async (world) => {
  await world.tell('www.example.org', { addresses: ['127.0.0.1', '224.0.0.1', '0.0.0.0', '255.255.255.255'] });
  assert.equal(world.node.agent!.state.names.addresses, 0);
});

inNamedWorld('an address where pods are is closed until one is known there', async (world) => {
  await world.tell('www.example.org', { addresses: ['10.0.0.9'] });
  assert.equal(world.decide('10.0.0.9'), 'drop');
  world.put(podObject('late', '10.0.0.9', {}));
  await world.advance(100);
  assert.deepEqual([world.decide('10.0.0.9'), world.decide('10.0.0.9', { port: 80 })], ['accept', 'drop']);
});

inNamedWorld('who gets the address of a pod that is gone gets nothing that it was told', async (world) => {
  await world.tell('www.example.org');
  world.api.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'asker', namespace: 'shop' } });
  world.put(podObject('next', ASKER));
  await world.advance(100);
  assert.equal(world.decide(OUTSIDE), 'drop');
  assert.equal(world.node.agent!.state.names.addresses, 0);
});

inNamedWorld('a pod that is told more than is held is closed there, and that is said', async (world) => {
  const address = (host: number): string => formatIpAddress({ family: 4, value: ip('198.18.0.0').value + BigInt(host) });
  for (let from = 0; from < ADDRESSES_PER_POD_MAX; from += 64) await world.tell('www.example.org', { addresses: Array.from({ length: 64 }, (_, host) => address(from + host)) });
  assert.deepEqual(world.troubles(), []);
  await world.tell('www.example.org');
  assert.equal(world.decide(OUTSIDE), 'drop');
  assert.equal(world.decide(address(ADDRESSES_PER_POD_MAX - 1)), 'accept');
  assert.match(world.troubles().join(), /^names: more addresses were told/);
  const [policy] = world.node.agent!.state.policies;
  assert.match(policy!.problem ?? '', /more addresses were told/);
  await world.tell('www.example.org', { pod: OTHER });
  assert.equal(world.decide(OUTSIDE, { source: OTHER }), 'accept');
  await world.advance(200_000);
  assert.deepEqual(world.troubles(), []);
});

inNamedWorld('nobody listens while no policy names domains', async (world) => {
  world.put({ ...namingPolicy({ names: ['x.y'] }), spec: { tier: 'Admin', priority: 10, subject: { namespaces: {} }, egress: [{ action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] }] } });
  await world.advance(100);
  await world.tell('www.example.org');
  assert.equal(world.node.agent!.state.names.answers.learnt, 0);
});

// --- Where answers cannot be seen

const REFUSING: AnswerSource = {
  open: () => {
    throw new FirewallError({ code: 'not-permitted', doing: 'listen to log group 1053', said: 'somebody does' });
  },
  servers: [ip('192.0.2.53')],
};

const SILENT: AnswerSource = { open: () => ({ close: () => {} }), servers: [] };

async function troublesOf(context: TestContext, { answers, services = [] }: { readonly answers?: AnswerSource; readonly services?: readonly Parameters<World['put']>[0][] }): Promise<{ readonly troubles: string; readonly problem: string | undefined; readonly believed: readonly string[] }> {
  const api = new FakeCluster('small');
  api.serve({ ...CNP, resource: 'clusternetworkpolicies', isNamespaced: false });
  for (const object of [...['kube-system', 'shop'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })), { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.0.0.0/24' } }, namingPolicy({ names: ['www.example.org'] }), ...services]) api.put(object);
  const clock = new FakeClock(() => 0.5);
  const stop = new AbortController();
  const firewall = createFakeFirewall();
  const { agent, ended } = startAgent({ api, clock, node: 'n1', firewall, signal: stop.signal, ...(answers === undefined ? {} : { answers }) });
  context.after(async () => {
    stop.abort();
    await ended;
  });
  await clock.advance(1_000);
  const believed = [...firewall.read().get('dnsvia4')!].map(({ key }) => formatIpAddress({ family: 4, value: key[0] as bigint })); // a field of kind address
  return { troubles: agent.state.troubles.map(({ code, message }) => `${code}: ${message}`).join('\n'), problem: agent.state.policies[0]!.problem, believed };
}

test('an agent that looks at no answers says so, of the policy too', async (context) => {
  const { troubles, problem } = await troublesOf(context, {});
  assert.match(troubles, /^names: nobody looks at answers of DNS here/);
  assert.match(problem!, /nobody looks at answers/);
});

test('a log group that cannot be had is told', async (context) => {
  assert.match((await troublesOf(context, { answers: REFUSING })).troubles, /^names: answers of DNS cannot be seen: cannot listen to log group 1053: somebody does: rules that name domains let nothing through/);
});

test('a cluster without DNS is told, and one with it is believed', async (context) => {
  assert.match((await troublesOf(context, { answers: SILENT })).troubles, /^names: no Service of the cluster's DNS is known/);
  const service = (name: string, clusterIP: string, more: object = {}): Parameters<World['put']>[0] => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'kube-system', ...more }, spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 53, protocol: 'UDP' }] } });
  const services = [service('kube-dns', '10.96.0.10'), service('rke2-coredns', '10.96.0.11', { labels: { 'k8s-app': 'kube-dns' } }), service('else', '10.96.0.12'), { ...service('kube-dns', '10.96.0.13'), metadata: { name: 'kube-dns', namespace: 'shop' } }];
  const { troubles, problem, believed } = await troublesOf(context, { answers: SILENT, services });
  assert.deepEqual([troubles, problem, believed], ['', undefined, ['10.96.0.10', '10.96.0.11']]);
});
