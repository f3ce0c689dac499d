// Pods as namespaces around one node with an agent, and connections between them of which each is counted where it is opened.
import type { RunningAgent } from '../../src/agent/agent.ts';
import type { Clock } from '../../src/base/clock.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { endName, type FlowRecord, type FlowVerdict } from '../../src/flow/flow-record.ts';
import type { Firewall } from '../../src/kernel/firewall.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { openLogGroup } from '../../src/kernel/log-group.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { openObserver } from '../../src/kernel/observing-firewall.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { KernelAgent } from './kernel-agent.ts';
import { SOCK_DGRAM, SOCK_STREAM, WiredHosts, type WiredHost } from './wired-hosts.ts';

export const NODE = 'n1';
export const TCP_PORTS: readonly number[] = [80, 443];
export const UDP_PORT = 53;
const DENIAL_GROUP = 1064;
const ACCEPT_FLAGS = 0x80800;

export interface Opening {
  readonly source: number;
  readonly target: number;
  readonly port: number;
}

export class CountedTraffic {
  readonly hosts: WiredHosts;
  readonly api: FakeCluster = new FakeCluster('counted');
  readonly records: FlowRecord[] = [];
  lost = 0;
  /** By source, target, port and what came of it. */
  readonly opened: Map<string, number> = new Map();
  /** As `opened` has them, of records that were taken away. */
  readonly #counted = new Map<string, number>();
  /** Of each source the last port: one that conntrack still knows would open nothing new. */
  readonly #sourcePorts: number[];
  readonly #names: string[];
  readonly #servers = new Map<string, number>();
  readonly #observes: boolean;
  #stopTaking: (() => void) | undefined;
  #running: KernelAgent | undefined;
  #firewall: Firewall | undefined;

  constructor(pods: number, { observes = false }: { readonly observes?: boolean } = {}) {
    this.#observes = observes;
    this.hosts = new WiredHosts(Array.from({ length: pods }, (_, index) => [parseIpAddress(addressOf(index))!]));
    this.#sourcePorts = this.hosts.hosts.map(() => SOURCE_PORT_FIRST);
    this.#names = Array.from({ length: pods }, (_, index) => `p${index}`);
    this.api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE }, spec: { podCIDRs: ['10.9.0.0/16'] } });
    for (const name of new Set(this.#names.map((_, index) => namespaceOf(index)))) this.api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const index of this.#names.keys()) {
      this.putPod(index);
      const host = this.hosts.hosts[index]!;
      for (const port of TCP_PORTS) this.#servers.set(`${index} ${port}`, this.hosts.listen(host, SOCK_STREAM, port)[0]!);
      this.#servers.set(`${index} ${UDP_PORT}`, this.hosts.listen(host, SOCK_DGRAM, UDP_PORT)[0]!);
    }
  }

  get agent(): RunningAgent['agent'] {
    return this.#running!.agent;
  }

  get firewall(): Firewall {
    return this.#firewall!;
  }

  /** Under a name and labels of somebody else, where one is given. */
  putPod(index: number, name: string = `p${index}`): void {
    const ip = addressOf(index);
    this.#names[index] = name;
    this.api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: namespaceOf(index), labels: { app: name } }, spec: { nodeName: NODE, containers: [] }, status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] } });
  }

  removePod(index: number): void {
    this.api.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: this.#names[index]!, namespace: namespaceOf(index) } });
  }

  async start(clock: Clock = systemClock): Promise<void> {
    const namespace = this.hosts.router;
    const observes = this.#observes;
    const firewall = observes ? openObserver({ namespace }) : openFirewall({ namespace, denialGroup: DENIAL_GROUP });
    const denials = (listener: Parameters<typeof openLogGroup>[1]): ReturnType<typeof openLogGroup> => openLogGroup({ namespace, group: DENIAL_GROUP }, listener);
    this.#firewall = firewall;
    this.#running = new KernelAgent({ api: this.api, firewall, node: NODE, clock, observes, ...(observes ? {} : { denials }) });
    this.#stopTaking = this.agent.flows.addSink({ take: (records, lost) => {
      this.records.push(...records);
      this.lost += lost;
    } });
    await this.#running.ready();
  }

  /** Nobody hears any more what it drains, as by kill -9. */
  async kill(): Promise<void> {
    this.#stopTaking?.();
    await this.end();
  }

  async end(): Promise<void> {
    await this.#running?.end();
    this.#running = undefined;
  }

  async committed(act: () => void): Promise<void> {
    await this.#running!.committed(act);
  }

  /** What came of it is seen at its ends. */
  open({ source, target, port }: Opening): void {
    const libc = loadLibc();
    const fd = this.hosts.untrackedSocket(this.#host(source), 4, port === UDP_PORT ? SOCK_DGRAM : SOCK_STREAM);
    this.#bindNext(fd, source);
    const address = socketAddress(this.#host(target).addresses[0]!, port);
    const server = this.#servers.get(`${target} ${port}`)!;
    let verdict: FlowVerdict;
    if (port === UDP_PORT) {
      libc.sendto(fd, Buffer.from('?'), 1, 0, address, address.length);
      waitAt(server);
      verdict = libc.recv(server, Buffer.alloc(4), 4, MSG_DONTWAIT) > 0 ? 'allowed' : 'denied';
    } else {
      libc.connect(fd, address, address.length);
      waitAt(server);
      const accepted = libc.accept4(server, null, null, ACCEPT_FLAGS);
      verdict = accepted >= 0 ? 'allowed' : 'denied';
      if (accepted >= 0) libc.close(accepted);
    }
    libc.close(fd);
    const key = this.#keyOf({ source, target, port }, verdict);
    this.opened.set(key, (this.opened.get(key) ?? 0) + 1);
  }

  /** As `opened` has them: openings of what was let through, packets of what was refused. */
  told(): Map<string, number> {
    return addRecords(new Map(this.#counted), this.records);
  }

  /** Those that came since the last time; their counts stay. */
  takeRecords(): readonly FlowRecord[] {
    const taken = this.records.splice(0);
    addRecords(this.#counted, taken);
    return taken;
  }

  async close(): Promise<void> {
    await this.end();
    this.hosts.close();
  }

  #bindNext(fd: number, source: number): void {
    const before = this.#sourcePorts[source]!;
    const port = (this.#sourcePorts[source] = before === SOURCE_PORT_LAST ? SOURCE_PORT_FIRST : before + 1);
    const address = socketAddress(this.#host(source).addresses[0]!, port);
    if (loadLibc().bind(fd, address, address.length) !== 0) throw new Error(`bind: errno ${loadLibc().errno()}`);
  }

  #host(index: number): WiredHost {
    return this.hosts.hosts[index]!;
  }

  #keyOf({ source, target, port }: Opening, verdict: FlowVerdict): string {
    const name = (index: number): string => `${namespaceOf(index)}/${this.#names[index]}`;
    return `${verdict} ${name(source)} ${name(target)} ${port === UDP_PORT ? 17 : 6} ${port}`;
  }
}

const MSG_DONTWAIT = 0x40;
const POLLIN = 1;

/** An emulated machine leaves packets to a thread of the kernel: one is still on its way when the call that sent it has returned. */
const ON_THE_WAY_MS = process.env['BULKHEAD_MACHINE'] === '1' ? 100 : 0;

function waitAt(fd: number): void {
  if (ON_THE_WAY_MS === 0) return;
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd);
  entry.writeInt16LE(POLLIN, 4);
  loadLibc().poll(entry, 1, ON_THE_WAY_MS);
}

const SOURCE_PORT_FIRST = 1024;
const SOURCE_PORT_LAST = 65_535;

function addRecords(counts: Map<string, number>, records: readonly FlowRecord[]): Map<string, number> {
  for (const { verdict, source, target, protocol, port, openings, count } of records) {
    const key = `${verdict} ${endName(source)} ${endName(target)} ${protocol} ${port}`;
    counts.set(key, (counts.get(key) ?? 0) + (verdict === 'allowed' ? openings! : count));
  }
  return counts;
}

const NAMESPACES = 4;

export function namespaceOf(index: number): string {
  return `ns${index % NAMESPACES}`;
}

function addressOf(index: number): string {
  return `10.9.${index >> 8}.${(index & 255) + 1}`;
}
