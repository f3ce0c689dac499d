// A cluster in memory with agents on two nodes, and what each node's kernel would hold if nothing had ever gone wrong.
import assert from 'node:assert/strict';
import { startAgent, type RunningAgent } from '../../src/agent/agent.ts';
import { placementOnNode } from '../../src/agent/node-placement.ts';
import { LocalRanges } from '../../src/agent/local-ranges.ts';
import { formatIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import { emitRuleset } from '../../src/emit/emit.ts';
import { PROTOCOL_NUMBER } from '../../src/emit/profile-elements.ts';
import { createFakeFirewall, type FakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { outsideAddresses, trafficPoints } from '../clusters/points.ts';
import { FakeClock } from './fake-clock.ts';
import { FaultyFirewall, Killed, type Fault } from './faulty-firewall.ts';

const ICMP = 1;

const POLICY_KINDS = [
  { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', resource: 'clusternetworkpolicies', isNamespaced: false },
  { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', resource: 'adminnetworkpolicies', isNamespaced: false },
  { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'BaselineAdminNetworkPolicy', resource: 'baselineadminnetworkpolicies', isNamespaced: false },
] as const;

export class World {
  readonly clock: FakeClock;
  readonly api: FakeCluster = new FakeCluster('simulated');
  readonly nodes: ReadonlyMap<string, SimulatedNode>;

  constructor(nodes: readonly string[], chance: () => number) {
    this.clock = new FakeClock(chance);
    for (const kind of POLICY_KINDS) this.api.serve(kind);
    this.nodes = new Map(nodes.map((name) => [name, new SimulatedNode(name, this)]));
  }

  /** What the API server holds, read as files are. */
  async cluster(): Promise<Cluster> {
    const texts: string[] = [];
    for (const kind of (await this.api.discover()).kinds) {
      for await (const event of this.api.list(kind)) if (event.kind === 'object') texts.push(JSON.stringify(event.object));
    }
    return readManifests(texts.map((text, index) => sourceFromText(`object ${index}`, text)), { lenient: true }).cluster;
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
  readonly kernel: FakeFirewall = createFakeFirewall();
  private readonly firewall = new FaultyFirewall(this.kernel, () => (this.isKilled = true));
  private isKilled = false;
  private readonly world: World;
  private running: (RunningAgent & { readonly stop: AbortController }) | undefined;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
  }

  get agent(): RunningAgent['agent'] | undefined {
    return this.running?.agent;
  }

  start(): void {
    const stop = new AbortController();
    const { api, clock } = this.world;
    this.running = { ...startAgent({ api, clock, node: this.name, firewall: this.firewall, signal: stop.signal }), stop };
  }

  /** After its kernel killed it in the middle of a change. */
  async bury(): Promise<void> {
    if (this.isKilled) await this.kill();
  }

  /** The process ends at once; the kernel stays. */
  async kill(): Promise<void> {
    this.isKilled = false;
    const { running } = this;
    this.running = undefined;
    running?.agent.stop();
    running?.stop.abort();
    await running?.ended;
  }

  breakNextChange(fault: Fault): void {
    this.firewall.plan(fault);
  }
}

/** What the node's kernel would hold if it had been told this cluster and nothing before. */
export function freshKernel(cluster: Cluster, node: string): FakeFirewall {
  const ranges = new LocalRanges(node);
  ranges.begin(cluster);
  const fresh = createFakeFirewall();
  fresh.load(emitRuleset(compileCluster(cluster), placementOnNode(cluster, node, ranges.ranges)).ruleset);
  return fresh;
}

/** Each packet from or to a pod of the node that the two kernels decide unlike. */
export function differences(cluster: Cluster, node: string, { held, wanted }: { readonly held: FakeFirewall; readonly wanted: FakeFirewall }): readonly Difference[] {
  const points = trafficPoints(cluster);
  const own = cluster.pods.filter(({ nodeName, hostNetwork }) => nodeName === node && !hostNetwork).flatMap(({ addresses }) => addresses);
  const others = distinct([...cluster.pods.flatMap(({ addresses }) => addresses), ...outsideAddresses(cluster), ...cluster.podRanges.map(({ family, last }) => ({ family, value: last - 1n }))]);
  const found: Difference[] = [];
  for (const local of own) {
    for (const other of others) {
      if (local.family !== other.family || local.value === other.value) continue;
      for (const [source, target] of [[local, other], [other, local]] as const) {
        for (const { protocol, port } of points) {
          const packet = { source, target, protocol: protocol === 'other' ? ICMP : PROTOCOL_NUMBER[protocol], port };
          const isOpen = held.decide(packet) === 'accept';
          if (isOpen !== (wanted.decide(packet) === 'accept')) found.push({ text: `${formatIpAddress(source)} → ${formatIpAddress(target)} ${protocol} ${port}`, isOpen });
        }
      }
    }
  }
  return found;
}

export interface Difference {
  readonly text: string;
  /** What `held` says. */
  readonly isOpen: boolean;
}

export function assertAlike(cluster: Cluster, node: string, held: FakeFirewall, when: string): void {
  const [first] = differences(cluster, node, { held, wanted: freshKernel(cluster, node) });
  if (first !== undefined) assert.fail(`${when}: ${first.text} is ${first.isOpen ? 'open' : 'closed'} in the kernel of ${node}, and should not be`);
}

function distinct(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return [...new Map(addresses.map((address) => [`${address.family} ${address.value}`, address])).values()];
}
