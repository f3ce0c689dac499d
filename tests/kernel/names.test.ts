// Policies that name domains with an agent on a real kernel: a pod asks the node's cache of DNS, and connections open, stay and end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'dns-packet';
import type { RunningAgent } from '../../src/agent/agent.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { openLogGroup } from '../../src/kernel/log-group.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { addAddress, LOOPBACK_INDEX, Rtnetlink } from '../../src/kernel/rtnetlink.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { needs } from '../needs.ts';
import { addressOf, HOSTS, kernelWorld, type Attempt, type HostName } from './firewall-world.ts';
import { KernelAgent, until } from './kernel-agent.ts';
import { SOCK_DGRAM, type WiredHost } from './wired-hosts.ts';

const GROUP = 1054;
const NODE_DNS = parseIpAddress('169.254.20.10')!;
const CNP = { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy' };

function naming(names: readonly string[]): Parameters<FakeCluster['put']>[0] {
  return { ...CNP, metadata: { name: 'names' }, spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, egress: [
    { action: 'Accept', to: [{ networks: ['169.254.20.10/32'] }] },
    { action: 'Accept', to: [{ domainNames: names }], protocols: [{ tcp: { destinationPort: { number: 80 } } }] },
    { action: 'Deny', to: [{ networks: ['0.0.0.0/0', '::/0'] }] },
  ] } };
}

class NamesOnKernel {
  readonly world = kernelWorld({ answerGroup: GROUP });
  readonly api = new FakeCluster('small');
  readonly #server: number;
  #running: KernelAgent | undefined;

  constructor() {
    const links = new Rtnetlink(this.world.hosts.router);
    links.apply([addAddress(LOOPBACK_INDEX, NODE_DNS)]);
    links.close();
    this.#server = this.#bound({ namespace: this.world.hosts.router, addresses: [] }, NODE_DNS, 53);
    this.api.serve({ ...CNP, resource: 'clusternetworkpolicies', isNamespaced: false });
    this.api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    this.api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDRs: ['10.0.0.0/24', 'fd00::/64'] } });
    for (const name of ['a', 'b', 'c'] as const) this.api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels: { app: name } }, spec: { nodeName: 'n1', containers: [] }, status: { phase: 'Running', podIP: HOSTS[name][0], podIPs: HOSTS[name].map((ip) => ({ ip })) } });
  }

  get agent(): RunningAgent['agent'] {
    return this.#running!.agent;
  }

  async start(): Promise<void> {
    const namespace = this.world.hosts.router;
    const firewall = openFirewall({ namespace, answerGroup: GROUP });
    const answers = { open: (listener: Parameters<typeof openLogGroup>[1]) => openLogGroup({ namespace, group: GROUP }, listener), servers: [NODE_DNS] };
    this.#running = new KernelAgent({ api: this.api, firewall, node: 'n1', clock: systemClock, answers });
    await this.#running.ready();
  }

  /** Nothing is taken back, as by kill -9. */
  async end(): Promise<void> {
    await this.#running?.end();
    this.#running = undefined;
  }

  async committed(act: () => void): Promise<void> {
    await this.#running!.committed(act);
  }

  /** The pod asks the node's cache, and is told of the host outside. */
  ask(pod: HostName, name: string, family: 4 | 6 = 4): void {
    const libc = loadLibc();
    const fd = this.#bound(this.#host(pod), addressOf(pod, 4), 40_000 + (this.#ports += 1));
    const target = socketAddress(NODE_DNS, 53);
    const [type, data] = family === 4 ? (['A', HOSTS.outside[0]] as const) : (['AAAA', HOSTS.outside[1]] as const);
    const bytes = Buffer.alloc(512);
    const from = Buffer.alloc(28);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(from.length);
    libc.sendto(fd, Buffer.from('?'), 1, 0, target, target.length);
    poll(() => libc.recvfrom(this.#server, bytes, bytes.length, 0, from, size) > 0);
    const answer = encode({ type: 'response', id: 7, flags: 0x180, questions: [{ type, name }], answers: [{ type, name, ttl: 5, data }] });
    libc.sendto(this.#server, answer, answer.length, 0, from, size.readUInt32LE());
    poll(() => libc.recv(fd, bytes, bytes.length, 0) === answer.length);
  }

  isOpen(pod: HostName, family: 4 | 6 = 4): boolean {
    return this.world.attempt(this.attempt(pod, family)) === 'accept';
  }

  attempt(pod: HostName, family: 4 | 6 = 4): Attempt {
    return { source: addressOf(pod, family), target: addressOf('outside', family), protocol: 'tcp', port: 80 };
  }

  async close(): Promise<void> {
    await this.end();
    this.world.close();
  }

  #ports = 0;

  #host(name: HostName): WiredHost {
    return this.world.hosts.hosts[Object.keys(HOSTS).indexOf(name)]!;
  }

  #bound(host: WiredHost, address: NonNullable<ReturnType<typeof parseIpAddress>>, port: number): number {
    const fd = this.world.hosts.socket(host, address.family, SOCK_DGRAM);
    const bytes = socketAddress(address, port);
    assert.equal(loadLibc().bind(fd, bytes, bytes.length), 0);
    return fd;
  }
}

function poll(isDone: () => boolean): void {
  for (let tries = 0; tries < 2000; tries++) {
    if (isDone()) return;
    loadLibc().poll(Buffer.alloc(8), 0, 2);
  }
  throw new Error('no packet came');
}

test('what a pod was told is open to it alone, for both families, through another agent and a new generation', needs('kernel'), async () => {
  const names = new NamesOnKernel();
  try {
    names.api.put(naming(['www.example.org']));
    await names.start();
    assert.deepEqual([names.isOpen('a'), names.isOpen('a', 6), names.isOpen('c')], [false, false, false]);
    names.ask('a', 'www.example.org');
    names.ask('a', 'www.example.org', 6);
    await until(() => names.world.firewall.readNamed().length === 2, 'nobody heard of it');
    // Before all others that the server takes.
    const live = names.world.connect(names.attempt('a'));
    assert.deepEqual([names.isOpen('a'), names.isOpen('a', 6), names.isOpen('c')], [true, true, false]);
    assert.equal(live.exchange(), 'answered');
    await names.end();
    assert.deepEqual([names.isOpen('a'), live.exchange()], [true, 'answered']);
    await names.start();
    assert.equal(names.agent.state.names.addresses, 2);
    assert.deepEqual([names.isOpen('a'), names.isOpen('c'), live.exchange()], [true, false, 'answered']);
    await names.end();
    // As if the time of all names had run out while nobody looked; then something is taken from somebody else.
    names.world.firewall.freshen([], { isAll: true });
    await names.start();
    const { generations } = names.agent.commits;
    await names.committed(() => names.api.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'closed', namespace: 'shop' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } }));
    assert.ok(names.agent.commits.generations > generations);
    assert.deepEqual([names.isOpen('a'), live.exchange()], [false, 'answered']);
    await names.committed(() => names.api.put(naming(['else.example.org'])));
    assert.deepEqual([names.isOpen('a'), live.exchange()], [false, 'reset']);
  } finally {
    await names.close();
  }
});

test('a table that others took comes back with what is open', needs('kernel'), async () => {
  const names = new NamesOnKernel();
  try {
    names.api.put(naming(['*.example.org']));
    await names.start();
    names.ask('a', 'a.b.example.org');
    await until(() => names.world.firewall.readNamed().length === 1, 'nobody heard of it');
    assert.deepEqual(names.world.firewall.readNamed().map(({ names: known }) => known), [['a.b.example.org']]);
    names.world.firewall.remove();
    await until(() => names.agent.state.kernel.driftRepairs > 0, 'nobody noticed');
    assert.deepEqual([names.isOpen('a'), names.isOpen('c')], [true, false]);
    await names.committed(() => names.api.put(naming(['example.org'])));
    assert.equal(names.isOpen('a'), false);
  } finally {
    await names.close();
  }
});
