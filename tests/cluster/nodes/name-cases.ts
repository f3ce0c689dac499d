// Policies that name domains, on real nodes: pods ask the cluster's DNS, and reach what they were told, as long as it is good.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encode } from 'dns-packet';
import { CLUSTER_POLICIES } from '../../../src/agent/followed-kinds.ts';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../../src/base/ip-address.ts';
import { loadLibc } from '../../../src/kernel/libc.ts';
import { inNamespace } from '../../../src/kernel/network-namespace.ts';
import { addressBytes, socketAddress } from '../../../src/kernel/socket-address.ts';
import { applyObject } from '../write-object.ts';
import { Agent } from './agent.ts';
import { LIVE_PORT, type FleetEnd } from './fleet.ts';
import { keepTalking, LiveConnection } from './live-connection.ts';
import { callAll, endNamed, type Call } from './service-cases.ts';
import { networkPolicy, removePolicies, type World } from './world.ts';

const POLICY = 'names';

function namingPolicy(names: readonly string[]): Parameters<typeof applyObject>[1] {
  return { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name: POLICY }, spec: {
    tier: 'Admin', priority: 10, subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'a' } } }, egress: [
      { name: 'dns', action: 'Accept', to: [{ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }] },
      { name: 'names', action: 'Accept', to: [{ domainNames: names }], protocols: [{ tcp: { destinationPort: { number: 80 } } }, { tcp: { destinationPort: { number: LIVE_PORT } } }] },
      { name: 'rest', action: 'Deny', to: [{ networks: ['0.0.0.0/0', '::/0'] }] },
    ],
  } };
}

/** A custom resource that is there is changed by the fields that it is given. */
async function putPolicy({ cluster }: World, policy: ReturnType<typeof namingPolicy>): Promise<void> {
  await cluster.api.apply(CLUSTER_POLICIES.ClusterNetworkPolicy, policy, { fieldManager: 'test' });
}

/** What it takes for a packet of the log to be opened for. */
const SOON_MS = 3_000;

export function declareNames(world: () => World): void {
  test('a name that a pod asked for is open to it, and to no other', async () => {
    const names = await NamesOnNodes.start(world(), ['www.example.test', '*.wild.example.test']);
    assert.deepEqual(await names.open('a/x'), []);
    assert.deepEqual(names.ask('a/x', 'www.example.test'), names.outside);
    await names.becomes('a/x', names.outside);
    assert.deepEqual([await names.open('a/y'), await names.open('a/bare')], [[], []]);
    assert.deepEqual(names.ask('a/y', 'wild.example.test'), names.outside);
    assert.deepEqual(names.ask('a/bare', 'far.away.wild.example.test.'), names.outside);
    await names.becomes('a/bare', names.outside);
    assert.deepEqual(await names.open('a/y'), []);
    assert.deepEqual(names.ask('a/y', 'WWW.example.test'), names.outside);
    await names.becomes('a/y', names.outside);
    await removePolicies(world().cluster);
  });

  test('an agent that is killed and another leave what was told open, and what goes on untouched', async () => {
    const names = await NamesOnNodes.start(world(), ['killed.example.test']);
    const { cluster } = world();
    names.ask('a/x', 'killed.example.test');
    await names.becomes('a/x', names.outside);
    const live = names.connect('a/x');
    await keepTalking([live], 500);
    for (const agent of world().agents) await agent.end('SIGKILL');
    await keepTalking([live], 500);
    assert.deepEqual(await names.open('a/x'), names.outside);
    world().agents = cluster.nodes.map((node) => new Agent(cluster, node));
    await Promise.all(world().agents.map((agent) => agent.ready()));
    await keepTalking([live], 500);
    assert.deepEqual([await names.open('a/x'), await names.open('a/y')], [names.outside, []]);
    // Something is taken from somebody: all connections are judged again.
    await applyObject(cluster.connection, networkPolicy('b/closed', { podSelector: {}, policyTypes: ['Ingress'] }));
    await keepTalking([live], 1_500);
    assert.equal(live.state, 'open');
    assert.ok(live.heard > 0 && live.said - live.heard < 50, `${live.said} words, ${live.heard} echoes`);
    await putPolicy(world(), namingPolicy(['else.example.test']));
    for (let tries = 0; live.state === 'open' && tries < 100; tries++) await keepTalking([live], 50);
    assert.equal(live.state, 'reset');
    assert.deepEqual(await names.open('a/x'), []);
    await removePolicies(cluster);
  });

  test('what an attacker answers is not believed', async () => {
    const names = await NamesOnNodes.start(world(), ['forged.example.test']);
    await putPolicy(world(), { ...namingPolicy(['forged.example.test']), spec: { ...(namingPolicy(['forged.example.test'])['spec'] as object), egress: [
      { name: 'accomplice', action: 'Accept', to: [{ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'c' } } }] },
      ...((namingPolicy(['forged.example.test'])['spec'] as { readonly egress: readonly object[] }).egress),
    ] } });
    // Of the same node as the asker.
    const accomplice = names.end('c/x');
    const server = await names.serve(accomplice);
    try {
      assert.deepEqual(names.ask('a/x', 'forged.example.test', accomplice.addresses[0]), names.outside.slice(0, 1));
    } finally {
      server.kill();
      await once(server, 'exit');
    }
    // On a bridge nobody knows who sent it: a pod with NET_RAW can take any neighbor's address there.
    if (world().cluster.combination.cni === 'ptp') names.forge({ asker: 'a/x', forger: accomplice });
    await sleep(500);
    assert.deepEqual(await names.open('a/x'), []);
    names.ask('a/x', 'forged.example.test');
    await names.becomes('a/x', names.outside);
    await removePolicies(world().cluster);
  });

  // It takes a minute, and what is left out where everything is wanted has failed.
  if (process.env['BULKHEAD_NIGHTLY'] !== '1') return;
  test('when the time is over nobody opens anything, and what goes on goes on', async () => {
    const names = await NamesOnNodes.start(world(), ['ended.example.test']);
    names.ask('a/x', 'ended.example.test');
    await names.becomes('a/x', names.outside);
    const live = names.connect('a/x');
    await keepTalking([live], 50_000);
    assert.deepEqual(await names.open('a/x'), names.outside);
    await keepTalking([live], 15_000);
    assert.deepEqual(await names.open('a/x'), []);
    await applyObject(world().cluster.connection, networkPolicy('b/closed', { podSelector: {}, policyTypes: ['Ingress'] }));
    await keepTalking([live], 70_000);
    assert.equal(live.state, 'open');
    assert.deepEqual(await names.open('a/x'), []);
    names.ask('a/x', 'ended.example.test');
    await names.becomes('a/x', names.outside);
    live.close();
    await removePolicies(world().cluster);
  });
}

class NamesOnNodes {
  /** Addresses of the host outside, as texts. */
  readonly outside: readonly string[];
  readonly #ends: readonly FleetEnd[];
  readonly #dns: string;

  private constructor({ cluster }: World, ends: readonly FleetEnd[]) {
    this.#ends = ends;
    this.outside = cluster.outside.addresses.map(formatIpAddress);
    this.#dns = cluster.kubectl(['-n', 'kube-system', 'get', 'service', 'kube-dns', '-o', 'jsonpath={.spec.clusterIP}']).trim();
  }

  /** With the policy in force. */
  static async start(world: World, names: readonly string[]): Promise<NamesOnNodes> {
    const own = new NamesOnNodes(world, await world.fleet.ends());
    await putPolicy(world, namingPolicy(names));
    await own.becomes('a/x', []);
    await Promise.all(world.agents.map((agent) => agent.ready()));
    return own;
  }

  end(name: string): FleetEnd {
    return endNamed(this.#ends, name);
  }

  /** As a resolver in the pod does; gives what it was told, IPv4 first. */
  ask(pod: string, name: string, server?: IpAddress): readonly string[] {
    const { namespace, addresses } = this.end(pod);
    const script = `const { Resolver } = require('node:dns').promises; const r = new Resolver({ timeout: 2000, tries: 2 }); r.setServers(['${server === undefined ? this.#dns : formatIpAddress(server)}']);
      (async () => { for (const family of ${JSON.stringify(addresses.length > 1 && server === undefined ? [4, 6] : [4])}) console.log((await r['resolve' + family]('${name}')).join('\\n')); })();`;
    const { stdout, stderr, status } = spawnSync('nsenter', [`--net=/proc/${process.pid}/fd/${namespace}`, '--', process.execPath, '-e', script], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(status, 0, `${pod} was not told of ${name}: ${stderr}`);
    return stdout.trim().split('\n').map((text) => formatIpAddress(parseIpAddress(text)!));
  }

  /** Addresses of the host outside that take a new connection of the pod. */
  async open(pod: string): Promise<readonly string[]> {
    const targets = this.outside.map((text) => parseIpAddress(text)!);
    const answers = await callAll(targets.map((target): Call => ({ end: this.end(pod), target, protocol: 'TCP', port: 80 })));
    return this.outside.filter((_, index) => answers[index]);
  }

  async becomes(pod: string, wanted: readonly string[]): Promise<void> {
    const deadline = performance.now() + SOON_MS;
    for (;;) {
      const open = await this.open(pod);
      if (open.join() === wanted.join()) return;
      if (performance.now() > deadline) assert.deepEqual(open, wanted);
    }
  }

  connect(pod: string): LiveConnection {
    return new LiveConnection({ namespace: this.end(pod).namespace, target: parseIpAddress(this.outside[0]!)!, protocol: 'TCP', port: LIVE_PORT });
  }

  /** A server of DNS in a pod, which tells whoever asks of the host outside. */
  async serve({ namespace }: FleetEnd): Promise<ChildProcess> {
    const packet = fileURLToPath(import.meta.resolve('dns-packet'));
    const script = `const { decode, encode } = require('${packet}'); const s = require('node:dgram').createSocket('udp4');
      s.on('message', (m, r) => { const { id, questions } = decode(m); s.send(encode({ type: 'response', id, flags: 0x180, questions, answers: [{ type: 'A', name: questions[0].name, ttl: 300, data: '${this.outside[0]!}' }] }), r.port, r.address); });
      s.bind(53, '0.0.0.0', () => console.log('ready'));`;
    const child = spawn('nsenter', [`--net=/proc/${process.pid}/fd/${namespace}`, '--', process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return child;
  }

  /** The asker tells its accomplice from which port it asks, and that one answers in the name of the cluster's DNS. */
  forge({ asker, forger }: { readonly asker: string; readonly forger: FleetEnd }): void {
    const libc = loadLibc();
    const { namespace, addresses: [own] } = this.end(asker);
    const port = 40_053;
    const fd = inNamespace(namespace, () => libc.socket(2, 2, 0));
    const bound = socketAddress(own!, port);
    assert.equal(libc.bind(fd, bound, bound.length), 0);
    const question = encode({ type: 'query', id: 9, flags: 0x100, questions: [{ type: 'A', name: 'nothing.cluster.local' }] });
    const dns = socketAddress(parseIpAddress(this.#dns)!, 53);
    libc.sendto(fd, question, question.length, 0, dns, dns.length);
    const server = this.#ends.find(({ name }) => name.startsWith('kube-system/coredns'))!.addresses[0]!;
    const raw = inNamespace(forger.namespace, () => libc.socket(2, 3, 255));
    const packet = forgedAnswer({ source: server, target: own!, port, told: this.outside[0]! });
    const target = socketAddress(own!, 0);
    for (let times = 0; times < 20; times++) assert.equal(libc.sendto(raw, packet, packet.length, 0, target, target.length), packet.length);
    libc.close(raw);
    libc.close(fd);
  }
}

function forgedAnswer({ source, target, port, told }: { readonly source: IpAddress; readonly target: IpAddress; readonly port: number; readonly told: string }): Buffer {
  const name = 'forged.example.test';
  const payload = encode({ type: 'response', id: 9, flags: 0x180, questions: [{ type: 'A', name }], answers: [{ type: 'A', name, ttl: 300, data: told }] });
  const packet = Buffer.alloc(28 + payload.length);
  packet[0] = 0x45;
  packet[8] = 64;
  packet[9] = 17;
  addressBytes(source).copy(packet, 12);
  addressBytes(target).copy(packet, 16);
  packet.writeUInt16BE(53, 20);
  packet.writeUInt16BE(port, 22);
  packet.writeUInt16BE(8 + payload.length, 24);
  payload.copy(packet, 28);
  return packet;
}
