// How soon a node agent has in the kernel what a real API server told, with 500 of 10,000 pods on its node, 1,000 policies and 100 pod changes a second; and how soon an applied policy refuses its first connection.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startAgent, type RunningAgent } from '../src/agent/agent.ts';
import { formatIpAddress, parseIpAddress } from '../src/base/ip-address.ts';
import { systemClock } from '../src/cli/system-clock.ts';
import { loadLibc } from '../src/kernel/libc.ts';
import { openFirewall } from '../src/kernel/nft-firewall.ts';
import { socketAddress } from '../src/kernel/socket-address.ts';
import { openKubeApi } from '../src/kube/kube-api.ts';
import { openConnection, type Connection } from '../src/kube/kube-config.ts';
import { askServer } from '../src/kube/kube-request.ts';
import { bringUp, newPlace, takeDown } from '../tests/cluster/run-script.ts';
import { SOCK_DGRAM, WiredHosts } from '../tests/kernel/wired-hosts.ts';
import { generateManifests, type Manifest } from './generate-cluster.ts';

const PODS = 10_000;
const LOCAL_PODS = 500;
const POLICIES = 1000;
const NAMESPACES = 50;
const CHANGES_PER_SECOND = 100;
const CHURN_SECONDS = 30;
const APPLIES = 60;
const WRITES_AT_ONCE = 32;
const NODE = 'node-0';
const PORT = 7000;
const MSG_DONTWAIT = 0x40;

// --- Objects

/** Pods with their node and address; those of one node in twenty are the agent's own. */
function objects(): { readonly manifests: readonly Manifest[]; readonly pods: readonly PodObject[] } {
  const all = generateManifests({ mode: 'bare', pods: PODS, policies: POLICIES, namespaces: NAMESPACES });
  const pods = all.filter(({ kind }) => kind === 'Pod').map((pod, index) => podObject(pod, index));
  return { manifests: all.filter(({ kind }) => kind === 'Namespace' || kind === 'NetworkPolicy'), pods };
}

interface PodObject {
  readonly namespace: string;
  readonly name: string;
  readonly body: Record<string, unknown>;
  readonly address: string;
}

function podObject(manifest: Manifest, index: number): PodObject {
  const { namespace, name } = manifest['metadata'] as { namespace: string; name: string }; // as the generator writes them
  const node = index % (PODS / LOCAL_PODS);
  const place = Math.floor(index / (PODS / LOCAL_PODS));
  const address = `10.${100 + node}.${Math.floor(place / 250)}.${2 + (place % 250)}`;
  return { namespace, name, address, body: { ...manifest, spec: { ...(manifest['spec'] as object), nodeName: `node-${node}` } } };
}

async function writePod(connection: Connection, { namespace, name, body, address }: PodObject, labels?: Record<string, string>): Promise<void> {
  const metadata = body['metadata'] as { labels: object };
  const object = labels === undefined ? body : { ...body, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } };
  await send(connection, 'POST', `/api/v1/namespaces/${namespace}/pods`, object);
  await send(connection, 'PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } });
}

async function send(connection: Connection, method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<void> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  await askServer(connection, { path, method, ...(body === undefined ? {} : { body: { type, text: JSON.stringify(body) } }) });
}

async function eachAtOnce<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) await act(items[next++]!);
  };
  await Promise.all(Array.from({ length: WRITES_AT_ONCE }, work));
}

// --- Churn, in a process of its own

/** Pods go and come again, on this node and on others, and change their labels. */
async function churn(kubeconfig: string): Promise<void> {
  const connection = await openConnection({ kubeconfig });
  const { pods } = objects();
  const started = performance.now();
  for (let count = 0; count < CHANGES_PER_SECOND * CHURN_SECONDS; count++) {
    const wait = started + (count * 1000) / CHANGES_PER_SECOND - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    // Every fifth is one of this node's.
    const pod = pods[(count % 5 === 0 ? (count / 5) * (PODS / LOCAL_PODS) : count * 7 + 1) % pods.length]!;
    void change(connection, pod, count).catch((error: unknown) => console.error(String(error)));
  }
}

async function change(connection: Connection, pod: PodObject, count: number): Promise<void> {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`;
  if (count % 2 === 0) return send(connection, 'PATCH', path, { metadata: { labels: { tier: TIERS[count % TIERS.length]! } } });
  await send(connection, 'DELETE', `${path}?gracePeriodSeconds=0`);
  await writePod(connection, pod);
}

const TIERS = ['web', 'api', 'worker', 'cache', 'db'];

// --- Measures

function percentiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms, of ${values.length}`;
}

async function measureChurn({ agent }: RunningAgent, kubeconfig: string): Promise<void> {
  const waits: number[] = [];
  let count = agent.state.commits.count;
  const stop = agent.onChange(() => {
    const { commits } = agent;
    if (commits.count !== count) waits.push(commits.lastMs);
    count = commits.count;
  });
  const cpu = process.cpuUsage();
  const child = fork(fileURLToPath(import.meta.url), ['churn', kubeconfig], { execArgv: [] });
  await new Promise((done) => child.once('exit', done));
  const { user, system } = process.cpuUsage(cpu);
  stop();
  console.log(`${CHANGES_PER_SECOND} pod changes a second for ${CHURN_SECONDS} s: from the event's arrival to the committed batch ${percentiles(waits)} (goals: p50 5 ms, p99 50 ms)`);
  console.log(`  ${((user + system) / 10_000 / CHURN_SECONDS).toFixed(1)} % of a core meanwhile`);
}

/** Datagrams from one pod to another, each a new flow, one a millisecond: the first that is lost after a policy was applied. */
async function measureApplies(connection: Connection, hosts: WiredHosts): Promise<void> {
  const [source, target] = hosts.hosts as [WiredHosts['hosts'][number], WiredHosts['hosts'][number]];
  const libc = loadLibc();
  const [receiver] = hosts.listen(target, SOCK_DGRAM, PORT) as [number];
  const bytes = socketAddress(target.addresses[0]!, PORT);
  const sent: number[] = [];
  const arrived = new Set<number>();
  const peer = Buffer.alloc(28);
  const timer = setInterval(() => {
    const id = Buffer.alloc(4);
    id.writeUInt32LE(sent.length);
    const fd = hosts.untrackedSocket(source, 4, SOCK_DGRAM);
    sent.push(performance.now());
    libc.sendto(fd, id, id.length, 0, bytes, bytes.length);
    libc.close(fd);
    for (;;) {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(peer.length);
      if (libc.recvfrom(receiver, id, id.length, MSG_DONTWAIT, peer, size) < 0) break;
      arrived.add(id.readUInt32LE());
    }
  }, 1);
  const path = '/apis/networking.k8s.io/v1/namespaces/bench/networkpolicies';
  const waits: number[] = [];
  for (let round = 0; round < APPLIES; round++) {
    const begun = performance.now();
    await send(connection, 'POST', path, { metadata: { name: 'closed' }, spec: { podSelector: { matchLabels: { app: 'target' } } } });
    await new Promise((done) => setTimeout(done, 250));
    const lost = sent.findIndex((at, id) => at >= begun && at < performance.now() - 50 && !arrived.has(id));
    waits.push(lost < 0 ? Number.POSITIVE_INFINITY : sent[lost]! - begun);
    await send(connection, 'DELETE', `${path}/closed`);
    await new Promise((done) => setTimeout(done, 150));
  }
  clearInterval(timer);
  console.log(`from the request that applies a policy to the first refused connection: ${percentiles(waits)} (goal: p99 200 ms)`);
}

async function measure(): Promise<void> {
  const place = newPlace();
  try {
    bringUp(place, { NODES: '0', API_PORT: '0', ETCD_PORT: '0', ETCD_PEER_PORT: '0' });
    const { kubeconfig } = place;
    const connection = await openConnection({ kubeconfig });
    const { manifests, pods } = objects();
    const hosts = new WiredHosts(['10.100.9.1', '10.100.9.2'].map((text) => [parseIpAddress(text)!]));
    await fill(connection, { manifests, pods, hosts });
    const firewall = openFirewall({ namespace: hosts.router });
    const stop = new AbortController();
    const started = performance.now();
    const running = startAgent({ api: await openKubeApi({ kubeconfig }), firewall, node: NODE, clock: systemClock, signal: stop.signal });
    await untilReady(running);
    const { pods: counts, policies } = running.agent.state;
    console.log(`${counts.local} local pods (${counts.governed} governed), ${counts.remote} others, ${policies.length} policies: in force ${((performance.now() - started) / 1000).toFixed(2)} s after the start; resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB with this benchmark`);
    await measureChurn(running, kubeconfig);
    await measureApplies(connection, hosts);
    stop.abort();
    await running.ended;
    firewall.close();
    hosts.close();
  } finally {
    takeDown(place, ['--purge']);
  }
}

async function fill(connection: Connection, { manifests, pods, hosts }: { readonly manifests: readonly Manifest[]; readonly pods: readonly PodObject[]; readonly hosts: WiredHosts }): Promise<void> {
  const nodes = Array.from({ length: PODS / LOCAL_PODS }, (_, index) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: `node-${index}` }, spec: { podCIDR: `10.${100 + index}.0.0/16`, podCIDRs: [`10.${100 + index}.0.0/16`] } }));
  await eachAtOnce(nodes, (node) => send(connection, 'POST', '/api/v1/nodes', node));
  const namespaces = [...manifests.filter(({ kind }) => kind === 'Namespace'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } }];
  await eachAtOnce(namespaces, (namespace) => send(connection, 'POST', '/api/v1/namespaces', namespace));
  await eachAtOnce(manifests.filter(({ kind }) => kind === 'NetworkPolicy'), (policy) => send(connection, 'POST', `/apis/networking.k8s.io/v1/namespaces/${(policy['metadata'] as { namespace: string }).namespace}/networkpolicies`, policy));
  const own = hosts.hosts.map(({ addresses }, index): PodObject => {
    const name = ['source', 'target'][index]!;
    const metadata = { name, namespace: 'bench', labels: { app: name } };
    return { namespace: 'bench', name, address: formatIpAddress(addresses[0]!), body: { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: NODE, containers: [{ name: 'main', image: 'registry.example/main:1.0' }] } } };
  });
  await eachAtOnce([...pods, ...own], (pod) => writePod(connection, pod));
}

async function untilReady({ agent }: RunningAgent): Promise<void> {
  await new Promise<void>((done) => {
    const stop = agent.onChange(() => {
      if (!agent.state.isReady) return;
      stop();
      done();
    });
  });
}

if (process.argv[2] === 'churn') await churn(process.argv[3]!);
else await measure();
