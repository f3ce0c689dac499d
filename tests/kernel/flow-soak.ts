// Floods a node with new flows for a while, as long as somebody wants, and asks the agent in between what it told and what it cost.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseIpAddress, type IpAddress } from '../../src/base/ip-address.ts';
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
/** As `bin/bulkhead agent` runs. */
const AGENT_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=20', '--expose-gc'];

export interface SoakPoint extends AgentCost {
  readonly seconds: number;
  /** Packets that opened a flow, until then. */
  readonly sent: number;
}

/** One point at the start, before anything is sent, and one at the end of each part. */
export async function soak({ seconds, parts }: { readonly seconds: number; readonly parts: number }): Promise<readonly SoakPoint[]> {
  const hosts = new WiredHosts(Array.from({ length: SOURCES + TARGETS }, (_, index) => [addressOf(index)]));
  const child = fork(fileURLToPath(new URL('./flow-agent-process.ts', import.meta.url)), { execArgv: AGENT_FLAGS, env: { ...process.env, MALLOC_ARENA_MAX: '1' }, stdio: ['ignore', 'inherit', 'inherit', hosts.router, 'ipc'] });
  try {
    const flood = new Flood(hosts);
    child.send({ objects: objects() });
    await once(child, 'message');
    const points = [{ ...await ask(child), seconds: 0, sent: 0 }];
    const start = performance.now();
    for (let part = 1; part <= parts; part++) {
      const until = start + (seconds * 1000 * part) / parts;
      while (performance.now() < until) {
        flood.send(((performance.now() - start) * FLOWS_PER_SECOND) / 1000);
        await sleep(TURN_MS);
      }
      points.push({ ...await ask(child), seconds: (performance.now() - start) / 1000, sent: flood.sent });
    }
    return points;
  } finally {
    child.kill('SIGKILL');
    hosts.close();
  }
}

async function ask(child: ChildProcess): Promise<AgentCost> {
  child.send('ask');
  const [cost] = (await once(child, 'message')) as [AgentCost]; // the process sends nothing else after it is ready
  return cost;
}

class Flood {
  sent = 0;
  private readonly senders: readonly number[];

  constructor(hosts: WiredHosts) {
    this.senders = hosts.hosts.slice(0, SOURCES).map((host) => hosts.socket(host, 4, SOCK_RAW, IPPROTO_UDP));
    for (const host of hosts.hosts.slice(SOURCES)) for (let port = 0; port < PORTS; port++) hosts.listen(host, SOCK_DGRAM, FIRST_PORT + port);
  }

  /** Until so many are sent; a machine that lags sends fewer a second. */
  send(wanted: number): void {
    const libc = loadLibc();
    const packet = Buffer.alloc(9);
    packet.writeUInt16BE(packet.length, 4);
    for (; this.sent < wanted; this.sent++) {
      const tuple = this.sent % TUPLES;
      const [source, target, port] = [tuple % SOURCES, Math.floor(tuple / SOURCES) % TARGETS, Math.floor(tuple / SOURCES / TARGETS)];
      packet.writeUInt16BE(FIRST_SOURCE_PORT + (Math.floor(this.sent / TUPLES) % SOURCE_PORTS), 0);
      packet.writeUInt16BE(FIRST_PORT + port, 2);
      const address = TARGET_ADDRESSES[target]!;
      if (libc.sendto(this.senders[source]!, packet, packet.length, 0, address, address.length) !== packet.length) throw new Error(`sendto: errno ${libc.errno()}`);
    }
  }
}

const TARGET_ADDRESSES = Array.from({ length: TARGETS }, (_, index) => socketAddress(addressOf(SOURCES + index), 0));

function addressOf(index: number): IpAddress {
  return parseIpAddress(`10.8.0.${index + 1}`)!;
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
