// Floods a node with new flows for a while, as long as somebody wants, and asks the agent in between what it told and what it cost.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import type { WantedObject } from '../../src/kube/cluster-api.ts';
import type { AgentCost } from './flow-agent-process.ts';
import { SOCK_DGRAM, SOCK_RAW, WiredHosts } from './wired-hosts.ts';

const SOURCES = 50;
const TARGETS = 10;
const PORTS = 10;
/** Different (source, target, port). */
export const TUPLES: number = SOURCES * TARGETS * PORTS;
export const FLOWS_PER_SECOND = 20_000;
/** Of one tuple: conntrack holds a flow without an answer for 30 seconds. */
const SOURCE_PORTS = 16;
const FIRST_PORT = 7000;
const FIRST_SOURCE_PORT = 30_000;
const IPPROTO_UDP = 17;
const TURN_MS = 10;
/** What a machine that lags does not catch up with. */
const PACKETS_PER_TURN_MAX = 500;
/** As `bin/bulkhead agent` runs. */
const AGENT_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=20', '--expose-gc'];

export interface SoakPoint extends AgentCost {
  readonly seconds: number;
  /** Packets that opened a flow, until then. */
  readonly sent: number;
}

export interface SoakOptions {
  readonly seconds: number;
  readonly parts: number;
  /** In so many of the last parts targets are asked for by the cluster addresses of Services, one each, which the node translates. */
  readonly partsByServices?: number;
  /** Gives garbage back at the end of each part, to know what is kept; that takes its part of a core. */
  readonly settles?: boolean;
}

/** One point at the start, before anything is sent, and one at the end of each part. */
export async function soak({ seconds, parts, partsByServices = 0, settles = false }: SoakOptions): Promise<readonly SoakPoint[]> {
  const hosts = new WiredHosts(Array.from({ length: SOURCES + TARGETS }, (_, index) => [addressOf(index)]));
  const child = fork(fileURLToPath(new URL('./flow-agent-process.ts', import.meta.url)), { execArgv: AGENT_FLAGS, env: { ...process.env, MALLOC_ARENA_MAX: '1' }, stdio: ['ignore', 'inherit', 'inherit', hosts.router, 'ipc'] });
  try {
    if (partsByServices > 0) loadNft(SERVICE_TABLE, { namespace: hosts.router, doing: 'translate Services' });
    const flood = new Flood(hosts);
    child.send({ objects: [...objects(), ...(partsByServices > 0 ? services() : [])] });
    await messageOf(child);
    const points = [{ ...await ask(child, settles), seconds: 0, sent: 0 }];
    const start = performance.now();
    for (let part = 1; part <= parts; part++) {
      const addresses = part > parts - partsByServices ? SERVICE_ADDRESSES : TARGET_ADDRESSES;
      const until = start + (seconds * 1000 * part) / parts;
      while (performance.now() < until) {
        flood.send(((performance.now() - start) * FLOWS_PER_SECOND) / 1000, addresses);
        await sleep(TURN_MS);
      }
      points.push({ ...await ask(child, settles), seconds: (performance.now() - start) / 1000, sent: flood.sent });
    }
    return points;
  } finally {
    child.kill('SIGKILL');
    hosts.close();
  }
}

/** A row for each part, in Markdown. */
export function soakTable(points: readonly SoakPoint[]): string {
  const rows = points.slice(1).map((point, index) => rowOf(points[index]!, point));
  return `| seconds | flows/s | told of sent | lost | drains | CPU of a core | resident |\n|---|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

function rowOf(before: SoakPoint, { seconds, sent, told, lost, drains, cpuMs, residentBytes }: SoakPoint): string {
  const span = seconds - before.seconds;
  const cpu = (cpuMs - before.cpuMs) / span / 10;
  return `| ${seconds.toFixed(0)} | ${((sent - before.sent) / span).toFixed(0)} | ${told} of ${sent} | ${lost} | ${drains} | ${cpu.toFixed(2)} % | ${(residentBytes / 2 ** 20).toFixed(0)} MB |`;
}

async function ask(child: ChildProcess, settles: boolean): Promise<AgentCost> {
  child.send(settles ? 'ask and settle' : 'ask');
  return (await messageOf(child)) as AgentCost; // the process sends nothing else after it is ready
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`the agent ended with ${String(status)}`);
  });
  ended.catch(() => undefined); // it is ended in the end
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message;
}

class Flood {
  sent = 0;
  private readonly senders: readonly number[];

  constructor(hosts: WiredHosts) {
    this.senders = hosts.hosts.slice(0, SOURCES).map((host) => hosts.socket(host, 4, SOCK_RAW, IPPROTO_UDP));
    for (const host of hosts.hosts.slice(SOURCES)) for (let port = 0; port < PORTS; port++) hosts.listen(host, SOCK_DGRAM, FIRST_PORT + port);
  }

  /** Until so many are sent in all, as far as the turn goes; a machine that lags sends fewer a second. */
  send(wanted: number, addresses: readonly Uint8Array[]): void {
    const last = Math.min(wanted, this.sent + PACKETS_PER_TURN_MAX);
    const libc = loadLibc();
    const packet = Buffer.alloc(9);
    packet.writeUInt16BE(packet.length, 4);
    for (; this.sent < last; this.sent++) {
      const tuple = this.sent % TUPLES;
      const [source, target, port] = [tuple % SOURCES, Math.floor(tuple / SOURCES) % TARGETS, Math.floor(tuple / SOURCES / TARGETS)];
      packet.writeUInt16BE(FIRST_SOURCE_PORT + (Math.floor(this.sent / TUPLES) % SOURCE_PORTS), 0);
      packet.writeUInt16BE(FIRST_PORT + port, 2);
      const address = addresses[target]!;
      if (libc.sendto(this.senders[source]!, packet, packet.length, 0, address, address.length) !== packet.length) throw new Error(`sendto: errno ${libc.errno()}`);
    }
  }
}

function addressOf(index: number): IpAddress {
  return parseIpAddress(`10.8.0.${index + 1}`)!;
}

function targetAddressOf(target: number): IpAddress {
  return addressOf(SOURCES + target);
}

function serviceAddressOf(target: number): IpAddress {
  return parseIpAddress(`10.96.0.${target + 1}`)!;
}

const TARGET_ADDRESSES = Array.from({ length: TARGETS }, (_, target) => socketAddress(targetAddressOf(target), 0));
const SERVICE_ADDRESSES = Array.from({ length: TARGETS }, (_, target) => socketAddress(serviceAddressOf(target), 0));

const SERVICE_TABLE = `table ip services { chain before { type nat hook prerouting priority -100; dnat to ip daddr map { ${Array.from({ length: TARGETS }, (_, target) => `${formatIpAddress(serviceAddressOf(target))} : ${formatIpAddress(targetAddressOf(target))}`).join(', ')} }; }; }\n`;

function services(): readonly WantedObject[] {
  const ports = Array.from({ length: PORTS }, (_, index) => ({ name: `p${index}`, protocol: 'UDP', port: FIRST_PORT + index }));
  return Array.from({ length: TARGETS }, (_, target): WantedObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: `target-${target}`, namespace: 'shop' }, spec: { clusterIP: formatIpAddress(serviceAddressOf(target)), ports } }));
}

/** Half of the ports are refused. */
function objects(): readonly WantedObject[] {
  const pods = Array.from({ length: SOURCES + TARGETS }, (_, index): WantedObject => {
    const ip = `10.8.0.${index + 1}`;
    return { apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${index}`, namespace: 'shop', labels: { app: index < SOURCES ? 'source' : 'target', part: `${index % 7}` } }, spec: { nodeName: 'n1', containers: [] }, status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] } };
  });
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDRs: ['10.8.0.0/24'] } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    ...pods,
    {
      apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'target', namespace: 'shop' },
      spec: { podSelector: { matchLabels: { app: 'target' } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'source' } } }], ports: [{ protocol: 'UDP', port: FIRST_PORT, endPort: FIRST_PORT + PORTS / 2 - 1 }] }] },
    },
  ];
}
