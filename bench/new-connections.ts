// What the table costs on the wire: a new connection and an established packet through it, beside conntrack alone, in one run.
import { formatIpAddress, parseIpAddress, type IpAddress } from '../src/base/ip-address.ts';
import { LiveProgram } from '../src/compile/live-program.ts';
import { LiveEmission } from '../src/emit/live-emission.ts';
import { loadLibc } from '../src/kernel/libc.ts';
import { loadNft } from '../src/kernel/internal/run-nft.ts';
import { inNamespace } from '../src/kernel/network-namespace.ts';
import { openFirewall } from '../src/kernel/nft-firewall.ts';
import { socketAddress } from '../src/kernel/socket-address.ts';
import { readManifests } from '../src/read/read.ts';
import type { Cluster } from '../src/model/cluster.ts';
import { SOCK_DGRAM, SOCK_STREAM, WiredHosts } from '../tests/kernel/wired-hosts.ts';
import { NODE, placedCluster } from './placed-cluster.ts';
import { mixed } from './scale-shapes.ts';

const POLICIES = 1000;
const LOCAL_PODS = 100;
const SIZES = [100, 1000, 10_000] as const;
/** No more than the buffer of a socket holds. */
const FLOWS = 200;
const ROUNDS = 400;
/** Both ends are pods of the node, isolated both ways, in the range of the others. */
const SOURCE = parseIpAddress('10.200.0.1')!;
const TARGET = parseIpAddress('10.200.0.2')!;
const PORT = 7000;
/** What leads to the second end, where clients ask for a Service. */
const SERVICE = parseIpAddress('10.96.0.1')!;
const SERVICE_TABLE = `table ip services { chain before { type nat hook prerouting priority -100; ip daddr ${formatIpAddress(SERVICE)} dnat to ${formatIpAddress(TARGET)}; }; }\n`;
const FIRST_SOURCE_PORT = 20_000;

const ENDS = `
apiVersion: v1
kind: Namespace
metadata: {name: bench}
${(['source', 'target'] as const).map((name, index) => `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: bench, labels: {app: ${name}}}
spec: {nodeName: ${NODE}, containers: [{name: main, image: registry.example/main}]}
status: {phase: Running, podIP: 10.200.0.${index + 1}, podIPs: [{ip: 10.200.0.${index + 1}}]}
`).join('')}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: bench}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: bench}
spec: {podSelector: {matchLabels: {app: source}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: target}}}], ports: [{protocol: UDP, port: ${PORT}}, {protocol: TCP, port: ${PORT}}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: bench}
spec: {podSelector: {matchLabels: {app: target}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: source}}}], ports: [{protocol: UDP, port: ${PORT}}, {protocol: TCP, port: ${PORT}}]}]}
`;

/** What an operator's own `ct state established,related accept` costs, which no policy is cheaper than. */
const CONNTRACK_ALONE = 'table inet alone { chain forward { type filter hook forward priority 0; policy accept; ct state established,related accept; }; }\n';

/** A router with two hosts, and the least times seen of each kind; in nanoseconds. */
class Road {
  readonly name: string;
  readonly least = { newUdp: Infinity, established: Infinity, newTcp: Infinity };
  private readonly hosts = new WiredHosts([[SOURCE], [TARGET]]);
  private readonly senders: readonly number[];
  private readonly receiver: number;
  private readonly listener: number;
  private readonly asked: IpAddress;

  constructor(name: string, load: (router: number) => void, asked: IpAddress = TARGET) {
    this.name = name;
    this.asked = asked;
    if (asked === SERVICE) loadNft(SERVICE_TABLE, { namespace: this.hosts.router, doing: 'load a Service' });
    const [source, target] = this.hosts.hosts as [WiredHosts['hosts'][number], WiredHosts['hosts'][number]];
    [this.receiver] = this.hosts.listen(target, SOCK_DGRAM, PORT) as [number];
    [this.listener] = this.hosts.listen(target, SOCK_STREAM, PORT) as [number];
    this.senders = Array.from({ length: FLOWS }, (_, index) => {
      const fd = this.hosts.socket(source, 4, SOCK_DGRAM);
      const own = socketAddress(SOURCE, FIRST_SOURCE_PORT + index);
      const other = socketAddress(this.asked, PORT);
      if (loadLibc().bind(fd, own, own.length) !== 0 || loadLibc().connect(fd, other, other.length) !== 0) throw new Error(`errno ${loadLibc().errno()}`);
      return fd;
    });
    load(this.hosts.router);
  }

  measure(): void {
    flushConntrack(this.hosts.router);
    this.keep('newUdp', () => this.sendAll());
    this.drain(true);
    this.drainAnswers();
    this.keep('established', () => this.sendAll());
    this.drain(false);
    flushConntrack(this.hosts.router);
    this.keep('newTcp', () => this.connectAll());
  }

  close(): void {
    this.hosts.close();
  }

  private keep(kind: keyof Road['least'], run: () => void): void {
    const started = process.hrtime.bigint();
    run();
    this.least[kind] = Math.min(this.least[kind], Number(process.hrtime.bigint() - started) / FLOWS);
  }

  private sendAll(): void {
    const libc = loadLibc();
    for (const fd of this.senders) libc.send(fd, BYTE, 1, 0);
  }

  /** Every datagram came through, or the figures are of something else. */
  private drain(isAnswered: boolean): void {
    const libc = loadLibc();
    const peer = Buffer.alloc(28);
    const size = Buffer.from([28, 0, 0, 0]);
    let count = 0;
    for (; libc.recvfrom(this.receiver, BYTE, 1, MSG_DONTWAIT, peer, size) >= 0; count++) {
      if (isAnswered) libc.sendto(this.receiver, BYTE, 1, 0, peer, 16);
    }
    if (count !== FLOWS) throw new Error(`${this.name}: ${count} of ${FLOWS} datagrams arrived`);
  }

  private drainAnswers(): void {
    for (const fd of this.senders) if (loadLibc().recv(fd, BYTE, 1, MSG_DONTWAIT) < 0) throw new Error(`${this.name}: no answer`);
  }

  /** Opened, accepted and reset, so that nothing of it lingers. */
  private connectAll(): void {
    const libc = loadLibc();
    const other = socketAddress(this.asked, PORT);
    for (let index = 0; index < FLOWS; index++) {
      const fd = this.hosts.untrackedSocket(this.hosts.hosts[0]!, 4, SOCK_STREAM);
      libc.connect(fd, other, other.length);
      const accepted = libc.accept4(this.listener, null, null, SOCK_NONBLOCK);
      if (accepted < 0) throw new Error(`${this.name}: connection ${index} was not there, errno ${libc.errno()}`);
      for (const end of [fd, accepted]) libc.setsockopt(end, SOL_SOCKET, SO_LINGER, NO_LINGER, NO_LINGER.length);
      libc.close(fd);
      libc.close(accepted);
    }
  }
}

const BYTE = Buffer.alloc(1);
const MSG_DONTWAIT = 0x40;
const SOCK_NONBLOCK = 0x800;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const NO_LINGER = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

/** IPCTNL_MSG_CT_DELETE without a tuple: every entry of the namespace. */
function flushConntrack(router: number): void {
  const libc = loadLibc();
  const fd = inNamespace(router, () => libc.socket(AF_NETLINK, 3, NETLINK_NETFILTER));
  const message = Buffer.alloc(20);
  message.writeUInt32LE(message.length);
  message.writeUInt16LE((1 << 8) | 2, 4);
  message.writeUInt16LE(1 | 4, 6);
  if (libc.send(fd, message, message.length, 0) < 0) throw new Error(`flush of conntrack: errno ${libc.errno()}`);
  const answer = Buffer.alloc(64);
  libc.recv(fd, answer, answer.length, 0);
  libc.close(fd);
  if (answer.readInt32LE(16) !== 0) throw new Error(`flush of conntrack: errno ${-answer.readInt32LE(16)}`);
}

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;

function loadTable(router: number, pods: number): number {
  const { cluster: ends, findings } = readManifests([{ name: 'ends', chunks: () => [new TextEncoder().encode(ENDS)] }]);
  if (findings.length > 0) throw new Error(findings[0]!.message);
  const others = placedCluster(mixed({ mode: 'bare', pods: pods - 2, policies: POLICIES - 3, namespaces: 50 }), LOCAL_PODS - 2);
  const cluster: Cluster = { ...others, namespaces: [...others.namespaces, ...ends.namespaces], pods: [...others.pods, ...ends.pods], policies: [...others.policies, ...ends.policies] };
  const { steps } = new LiveEmission(new LiveProgram(cluster), NODE).plan([]);
  const firewall = openFirewall({ namespace: router });
  firewall.load(steps);
  firewall.close();
  return steps.reduce((sum, { added }) => sum + added.length, 0);
}

const roads: Road[] = [new Road('no rules', () => undefined), new Road('conntrack alone', (namespace) => loadNft(CONNTRACK_ALONE, { namespace, doing: 'load conntrack alone' }))];
for (const pods of SIZES) {
  roads.push(new Road(`${pods} pods`, (router) => console.log(`${pods} pods, ${POLICIES} policies, ${LOCAL_PODS} pods on the node: ${loadTable(router, pods)} elements`)));
}
const ofService: readonly Road[] = [
  new Road('to a Service, conntrack alone', (namespace) => loadNft(CONNTRACK_ALONE, { namespace, doing: 'load conntrack alone' }), SERVICE),
  new Road('to a Service, 1000 pods', (router) => void loadTable(router, 1000), SERVICE),
];
try {
  for (let round = 0; round < ROUNDS; round++) for (const road of [...roads, ...ofService]) road.measure();
  for (const [list, alone] of [[roads, roads[1]!.least], [ofService, ofService[0]!.least]] as const) {
    for (const { name, least } of list) {
      const show = (kind: keyof Road['least']): string => `${least[kind].toFixed(0)} ns (${(least[kind] / alone[kind]).toFixed(2)})`;
      console.log(`${name}: first packet of a UDP flow ${show('newUdp')}, TCP connection opened and reset ${show('newTcp')}, established packet ${show('established')}`);
    }
  }
  console.log(`least of ${ROUNDS} interleaved rounds of ${FLOWS}, in brackets times conntrack alone (goals: new ones 1.5, flat within 10 % from 100 to 10,000 pods, established ones within noise)`);
} finally {
  for (const road of [...roads, ...ofService]) road.close();
}
