// An agent alone in its process, in the network namespace behind descriptor 3, that says what it told and what it cost.
import { RecentFlows } from '../../src/observe/recent-flows.ts';
import { startAgent } from '../../src/agent/agent.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { openLogGroup } from '../../src/kernel/log-group.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { spareMemory } from '../../src/kernel/spare-memory.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';

export interface AgentCost {
  /** Judgments that were told, and that the kernel had no room for. */
  readonly told: number;
  readonly lost: number;
  /** Of those told, with the Service that was asked for. */
  readonly named: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** Once garbage is given back; 0 where that was not asked for. */
  readonly keptBytes: number;
  /** Records of the last drain: what the kernel's ledger held. */
  readonly records: number;
  readonly drains: number;
}

const NAMESPACE = 3;
const GROUP = 1074;

process.on('message', (message: { readonly objects: readonly WantedObject[] } | 'ask' | 'ask and settle') => {
  if (typeof message === 'object') void run(message.objects);
  else tell(message === 'ask and settle');
});

let told = 0;
let lost = 0;
let named = 0;
let records = 0;
let agent: ReturnType<typeof startAgent>['agent'] | undefined;

async function run(objects: readonly WantedObject[]): Promise<void> {
  const api = new FakeCluster('soaked');
  for (const object of objects) api.put(object);
  const firewall = openFirewall({ namespace: NAMESPACE, denialGroup: GROUP });
  const stop = new AbortController();
  ({ agent } = startAgent({ api, firewall, node: 'n1', clock: systemClock, signal: stop.signal, memory: spareMemory, denials: (listener) => openLogGroup({ namespace: NAMESPACE, group: GROUP }, listener) }));
  agent.flows.addSink({ take: (taken, missed) => {
    for (const { count, service } of taken) {
      told += count;
      if (service !== undefined) named += count;
    }
    lost += missed;
    records = taken.length;
  } });
  agent.flows.addSink(new RecentFlows());
  const stopListening = agent.onChange(() => {
    for (const { code, message } of agent!.state.troubles) if (code === 'kernel') throw new Error(message);
    if (!agent!.isReady) return;
    stopListening();
    process.send!('ready');
  });
}

function tell(settles: boolean): void {
  agent!.flows.drain();
  const { user, system } = process.cpuUsage();
  const cost: AgentCost = { told, lost, named, cpuMs: (user + system) / 1000, residentBytes: process.memoryUsage.rss(), keptBytes: settles ? keptBytes() : 0, records, drains: agent!.state.flows.drains };
  process.send!(cost);
}

function keptBytes(): number {
  spareMemory.returnAll();
  return process.memoryUsage.rss();
}
