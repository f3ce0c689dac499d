// A cluster in memory with agents on two nodes, and what each node's kernel would hold if nothing had ever gone wrong.
import assert from 'node:assert/strict';
import { startAgent, type RunningAgent } from '../../src/agent/agent.ts';
import { placementOnNode } from './placement-on-node.ts';
import { LocalRanges } from '../../src/agent/local-ranges.ts';
import { formatIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { loadSteps } from '../../src/emit/plan-change.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import { createFakeFirewall, type FakeFirewall, type Packet } from '../../src/kernel/fake-firewall.ts';
import type { PacketListener, PacketLog } from '../../src/kernel/packet-log.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { asksForAudit } from '../../src/model/namespace-audit.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { udpPacket } from './udp-packet.ts';
import { FakeClock } from './fake-clock.ts';
import { FaultyFirewall, Killed, type Fault } from './faulty-firewall.ts';

const ICMP = 1;

const POLICY_KINDS = [
  { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', resource: 'clusternetworkpolicies', isNamespaced: false },
  { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', resource: 'adminnetworkpolicies', isNamespaced: false },
  { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'BaselineAdminNetworkPolicy', resource: 'baselineadminnetworkpolicies', isNamespaced: false },
] as const;

const DNS_SERVER: IpAddress = { family: 4, value: 0xc0000235n };

export class World {
  readonly clock: FakeClock;
  readonly api: FakeCluster = new FakeCluster('simulated');
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** Of the agents that start from now on. */
  allowsAudit = true;
  namesHosts = false;

  constructor(nodes: readonly string[], chance: () => number) {
    this.clock = new FakeClock(chance);
    for (const kind of POLICY_KINDS) this.api.serve(kind);
    this.nodes = new Map(nodes.map((name) => [name, new SimulatedNode(name, this)]));
  }

  /** What the API server holds, read as files are, without the policies of audited namespaces. */
  async cluster(): Promise<Cluster> {
    const texts: string[] = [];
    for (const kind of (await this.api.discover()).kinds) {
      for await (const event of this.api.list(kind)) if (event.kind === 'object') texts.push(JSON.stringify(event.object));
    }
    const { cluster } = readManifests(texts.map((text, index) => sourceFromText(`object ${index}`, text)), { lenient: true });
    const audited = new Set(cluster.namespaces.filter(({ labels }) => asksForAudit(labels)).map(({ name }) => name));
    return { ...cluster, policies: cluster.policies.filter(({ namespace }) => !audited.has(namespace)) };
  }

  put(object: WantedObject): void {
    this.api.put(object);
  }

  async advance(ms: number): Promise<void> {
    const end = this.clock.elapsedMs() + ms;
    for (let deaths = 0; deaths <= this.nodes.size; deaths++) {
      try {
        return await this.clock.advance(end - this.clock.elapsedMs());
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        for (const node of this.nodes.values()) await node.bury();
      }
    }
  }

  async stop(): Promise<void> {
    for (const node of this.nodes.values()) await node.kill();
  }
}

export class SimulatedNode {
  readonly name: string;
  readonly kernel: FakeFirewall;
  private readonly firewall: FaultyFirewall;
  private isKilled = false;
  private listener: PacketListener | undefined;
  private toldLast: Cluster | undefined;
  /** The cluster of the last commit that came back whole. */
  inForce: Cluster | undefined;
  /** What agents were told since, each state that one of them may have written in part. */
  toldSince: Cluster[] = [];
  private readonly world: World;
  private running: (RunningAgent & { readonly stop: AbortController }) | undefined;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
    this.kernel = createFakeFirewall({ elapsedMs: () => world.clock.elapsedMs() });
    this.firewall = new FaultyFirewall(this.kernel, () => (this.isKilled = true));
  }

  /** The cluster as the agent was told it, the last one's while none runs; copied, since it changes with the agent. */
  get told(): Cluster | undefined {
    return copyOf(this.agent?.program?.cluster) ?? this.toldLast;
  }

  get agent(): RunningAgent['agent'] | undefined {
    return this.running?.agent;
  }

  start(): void {
    const stop = new AbortController();
    const { api, clock } = this.world;
    const answers = { open: (listener: PacketListener) => this.listen(listener), servers: [DNS_SERVER] };
    const { agent, ended } = startAgent({ api, clock, node: this.name, firewall: this.firewall, signal: stop.signal, answers, allowsAudit: this.world.allowsAudit, namesHosts: this.world.namesHosts });
    this.running = { agent, ended, stop };
    let commits = 0;
    agent.onChange(() => {
      const { told } = this;
      if (told !== undefined) this.toldSince.push(told);
      if (agent.state.commits.count === commits) return;
      commits = agent.state.commits.count;
      this.inForce = told;
      this.toldSince = [];
    });
  }

  /** The cluster's DNS answers a pod of the node; nobody hears it where no agent listens. */
  answer(pod: IpAddress, bytes: Uint8Array): void {
    this.listener?.packet({ prefix: 'answer', bytes: udpPacket({ source: DNS_SERVER, target: pod }, bytes) });
  }

  private listen(listener: PacketListener): PacketLog {
    this.listener = listener;
    return { close: () => (this.listener = this.listener === listener ? undefined : this.listener) };
  }

  /** After its kernel killed it in the middle of a change. */
  async bury(): Promise<void> {
    if (this.isKilled) await this.kill();
  }

  /** The process ends at once; the kernel stays. */
  async kill(): Promise<void> {
    this.isKilled = false;
    const { running } = this;
    this.toldLast = this.told;
    this.running = undefined;
    running?.agent.stop();
    running?.stop.abort();
    await running?.ended;
  }

  breakNextChange(fault: Fault): void {
    this.firewall.plan(fault);
  }

  /** Of its kernel, from now on. */
  setRoom(elements: number): void {
    this.firewall.room = elements;
  }
}

function copyOf(cluster: Cluster | undefined): Cluster | undefined {
  if (cluster === undefined) return undefined;
  const { namespaces, pods, policies, clusterPolicies, nodes, podRanges } = cluster;
  return { ...cluster, namespaces: [...namespaces], pods: [...pods], policies: [...policies], clusterPolicies: [...clusterPolicies], nodes: [...nodes], podRanges: [...podRanges] };
}

/** What the node's kernel would hold if it had been told this cluster and nothing before. */
export function freshKernel(cluster: Cluster, node: string): FakeFirewall {
  const ranges = new LocalRanges(node);
  ranges.begin(cluster);
  const fresh = createFakeFirewall();
  fresh.load(loadSteps(emitRuleset(compileCluster(cluster), placementOnNode(cluster, node, ranges.ranges)).ruleset));
  return fresh;
}

/** Of the packets from or to a pod of the node, spread evenly over all of them, those that the two kernels decide unlike. */
export function differences(cluster: Cluster, node: string, { held, wanted, packetsMax }: { readonly held: FakeFirewall; readonly wanted: FakeFirewall; readonly packetsMax: number }): readonly Difference[] {
  const found: Difference[] = [];
  for (const packet of packetsOf(cluster, node, packetsMax)) {
    const isOpen = held.decide(packet) === 'accept';
    const ends = [formatIpAddress(packet.source), formatIpAddress(packet.target)];
    if (isOpen !== (wanted.decide(packet) === 'accept')) found.push({ text: `${ends.join(' → ')} protocol ${packet.protocol} port ${packet.port}`, ends, isOpen });
  }
  return found;
}

function packetsOf(cluster: Cluster, node: string, packetsMax: number): Packet[] {
  const points = trafficPoints(cluster);
  const own = cluster.pods.filter(({ nodeName, hostNetwork }) => nodeName === node && !hostNetwork).flatMap(({ addresses }) => addresses);
  const others = distinct([...cluster.pods.flatMap(({ addresses }) => addresses), ...outsideAddresses(cluster), ...cluster.podRanges.map(({ family, last }) => ({ family, value: last - 1n }))]);
  const all = own.length * others.length * points.length * 2;
  const step = Math.max(1, all / packetsMax);
  return Array.from({ length: Math.min(all, packetsMax) }, (_, place) => Math.floor(place * step)).flatMap((index) => {
    const point = points[Math.floor(index / 2) % points.length]!;
    const other = others[Math.floor(index / 2 / points.length) % others.length]!;
    const local = own[Math.floor(index / 2 / points.length / others.length)]!;
    if (local.family !== other.family || local.value === other.value) return [];
    const [source, target] = index % 2 === 0 ? [local, other] : [other, local];
    return [{ source, target, protocol: point.protocol === 'other' ? ICMP : PROTOCOL_NUMBER[point.protocol], port: point.port }];
  });
}

export interface Difference {
  readonly text: string;
  readonly ends: readonly string[];
  /** What `held` says. */
  readonly isOpen: boolean;
}

export function assertAlike(cluster: Cluster, node: string, { held, packetsMax, when }: { readonly held: FakeFirewall; readonly packetsMax: number; readonly when: string }): void {
  // Two pods of one address are alike where no policy tells them apart; a live Program still does by those that are gone, and closes longer.
  const shared = sharedAddresses(cluster);
  const [first] = differences(cluster, node, { held, wanted: freshKernel(cluster, node), packetsMax }).filter(({ isOpen, ends }) => isOpen || !ends.some((end) => shared.has(end)));
  if (first !== undefined) assert.fail(`${when}: ${first.text} is ${first.isOpen ? 'open' : 'closed'} in the kernel of ${node}, and should not be`);
}

function sharedAddresses({ pods }: Cluster): ReadonlySet<string> {
  const all = pods.flatMap(({ addresses }) => addresses.map(formatIpAddress));
  return new Set(all.filter((address, index) => all.indexOf(address) !== index));
}

function distinct(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return [...new Map(addresses.map((address) => [`${address.family} ${address.value}`, address])).values()];
}
