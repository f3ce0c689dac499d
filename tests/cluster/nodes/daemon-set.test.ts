// The agent as it is shipped: its image, its manifests, a pod on each node; rolled to a new version under traffic, asked, and taken away.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askServer } from '../../../src/kube/kube-request.ts';
import { cloneRoot, needs } from '../../needs.ts';
import type { Ran } from '../run-script.ts';
import { applyObject } from '../write-object.ts';
import { buildAgentImage } from './agent-image.ts';
import type { FleetEnd } from './fleet.ts';
import { holdFollowed } from './followed-flows.ts';
import { holdTruth } from './hold-truth.ts';
import { onNode, type beginOnNode, type NodeCluster, type RunningNode } from './node-cluster.ts';
import { ServerPod } from './server-pod.ts';
import { callAll, makeService, removeServices, settlesTo, type Call } from './service-cases.ts';
import { throughFault } from './through-fault.ts';
import { describeOnNodes, networkPolicy } from './world.ts';

const [FIRST, SECOND] = ['lab.example/bulkhead:first', 'lab.example/bulkhead:second'];

const image = needs('nodes').skip === undefined ? buildAgentImage([FIRST, SECOND]) : undefined;
after(() => image?.remove());

const Y = { matchLabels: { app: 'y' } };

/** Among them what the open connections of `throughFault` take. */
const POLICIES = [
  networkPolicy('a/from-b', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: Y }] }] }),
  networkPolicy('c/out', { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: Y }] }] }),
];

describeOnNodes('the agent as a DaemonSet', { combination: { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'iptables' }, agent: 'none', settings: { IMAGES: image?.file ?? '' } }, (world) => {
  test('its manifests as they are printed put a ready pod onto every node, and the policies into its kernel', async () => {
    const { cluster, fleet } = world();
    for (const policy of POLICIES) await applyObject(cluster.connection, policy);
    cluster.kubectl(['apply', '-f', '-'], bulkhead(cluster, ['agent', '--manifests', '--image', FIRST]).stdout);
    await rolledOut(cluster);
    const { probed, denied } = await holdTruth(cluster, fleet);
    assert.ok(denied > 0);
    console.log(`${probed} connections as computed, ${denied} of them refused`);
  });

  test('each process has NET_ADMIN alone, nothing to gain, and a root that it cannot write', () => {
    for (const node of world().cluster.nodes) {
      const [pid, ...more] = agentProcesses(node);
      assert.ok(pid !== undefined && more.length === 0, `one agent on ${node.name}, and not ${1 + more.length}`);
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const status: string = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
        const held: readonly number[] = ['CapEff', 'CapPrm', 'CapInh', 'CapBnd', 'CapAmb'].map((field) => Number(`0x${fieldOf(status, field)}`));
        assert.ok(held.every((mask) => (mask & ~NET_ADMIN) === 0), status);
        assert.equal(held[0], NET_ADMIN);
        assert.deepEqual([fieldOf(status, 'NoNewPrivs'), fieldOf(status, 'Seccomp')], ['1', '2']);
      }
      const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n').find((line) => line.split(' ')[4] === '/')!;
      assert.match(root.split(' ')[5]!, /^ro(,|$)/, root);
    }
  });

  test('rolled to another image under traffic, nothing leaks and nothing is wrongly refused', async () => {
    const { cluster } = world();
    const old = cluster.nodes.flatMap(agentProcesses);
    await throughFault(world(), 'the DaemonSet rolled to another image', async () => {
      await patchDaemonSet(cluster, { spec: { template: { spec: { containers: [{ name: 'agent', image: SECOND }] } } } });
      await rolledOut(cluster);
    });
    assert.deepEqual(cluster.nodes.flatMap(agentProcesses).filter((pid) => old.includes(pid)), []);
  });

  test('the verbs that ask answer: status, and a bundle of the node', async () => {
    const { cluster } = world();
    const asked = bulkhead(cluster, ['status', '--wait', '60']);
    assert.equal(asked.status, 0, asked.stdout + asked.stderr);
    assert.match(asked.stdout, /NetworkPolicy a\/from-b +1 +2 of 2 nodes/);
    const [node] = cluster.nodes;
    const bundle = JSON.parse(onNode(node!, [...PROGRAM, 'bundle', '--kubeconfig', join(cluster.place.state, 'kubeconfig/admin.conf')]).stdout) as Bundle;
    assert.equal(bundle.agent.readyz, 'ready\n');
    assert.ok(bundle.ruleset.some((line) => line.includes('10.244.1.')), bundle.ruleset.join('\n'));
    assert.deepEqual(bundle.cluster.missing, []);
    assert.ok(bundle.cluster.objects.some(({ kind, metadata }) => kind === 'NodeEnforcement' && metadata.name === node!.name));
  });

  test('what they saw is asked of all of them: refusals with their rule, and as they come', async () => {
    const { cluster, fleet } = world();
    const following = begin(cluster, ['denied', '--agents', '--follow', '-o', 'jsonl']);
    const [told, said]: [string[], string[]] = [[], []];
    following.stdout.setEncoding('utf8').on('data', (text: string) => told.push(text));
    following.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
    const ended = once(following, 'close');
    try {
      for (let tries = 0; tries < 20 && told.length === 0 && following.exitCode === null; tries++) await holdTruth(cluster, fleet);
    } finally {
      following.kill('SIGINT');
    }
    assert.deepEqual([await ended, said], [[0, null], []]);
    assert.match(told.join(''), /"verdict":"DROPPED"/);
    const asked = bulkhead(cluster, ['flows', '--agents', '-o', 'jsonl']);
    assert.equal(asked.status, 0, asked.stderr);
    const flows = asked.stdout.trim().split('\n').map((line) => JSON.parse(line) as Flow);
    // Each of the two is known to one node alone.
    const pairs = new Set(flows.map(({ source, destination }) => `${source.namespace}/${source.pod_name} -> ${destination.namespace}/${destination.pod_name}`));
    for (const pair of ['a/x -> a/bare', 'b/x -> b/bare']) assert.ok(pairs.has(pair), [...pairs].join('\n'));
    assert.deepEqual([...new Set(flows.map(({ verdict }) => verdict))].sort(), ['DROPPED', 'FORWARDED']);
    const table = bulkhead(cluster, ['denied', '--agents', '--from', 'namespace=c', '--to', 'namespace=a']);
    assert.ok(table.status === 0 && /a\/from-b/.test(table.stdout), table.stdout + table.stderr);
  });

  test('a connection from node to node is told once, and by a Service only where it was asked for', async () => {
    const { cluster, fleet } = world();
    const ends = new Map((await fleet.ends()).map((end) => [end.name, end]));
    const [client, stranger, pod] = ['b/y', 'c/bare', 'a/y'].map((name) => ends.get(name)!) as [FleetEnd, FleetEnd, FleetEnd];
    assert.ok(client.node === stranger.node && client.node !== pod.node);
    const { clusterIps } = await makeService(world(), 'front');
    const [asked, straight] = [clusterIps, pod.addresses].map((addresses) => addresses.find(({ family }) => family === 4)!);
    const call = (end: FleetEnd, isAsked: boolean): Call => ({ end, target: isAsked ? asked! : straight!, protocol: 'TCP', port: isAsked ? 8080 : 80 });
    await settlesTo([call(client, true), call(stranger, true), call(stranger, false)], [true, false, false]);
    const before = await settledOpenings(cluster);
    const opened = { 'a/front': 0, straight: 0 };
    let late = 0;
    for (let turn = 0; turn < 12; turn++) {
      const isAsked = turn % 3 > 0;
      const [isThrough] = await callAll([call(client, isAsked)]);
      if (isThrough === true) opened[isAsked ? 'a/front' : 'straight']++;
      else late++;
    }
    const after = await settledOpenings(cluster);
    for (const [way, count] of Object.entries(opened)) {
      const told = (after.get(`b/y a/y FORWARDED ${way}`) ?? 0) - (before.get(`b/y a/y FORWARDED ${way}`) ?? 0);
      assert.ok(told >= count && told <= count + 2 * late, `${told} told of ${count} ${way}, ${late} came too late`);
    }
    assert.deepEqual([...after.keys()].filter((key) => key.startsWith('c/bare a/y')).sort(), ['c/bare a/y DROPPED a/front', 'c/bare a/y DROPPED straight']);
    await removeServices(world());
  });

  test('who follows the agents is shown a connection from node to node once, a refusal at once, and one at its end as a correction', async () => {
    const { cluster } = world();
    const delays = await holdFollowed(world(), { begin: () => begin(cluster, [...FOLLOW, '--agents']), agentOn: (name) => agentOf(cluster, name) });
    console.log(`new refusals are shown after ${textOfDelays(delays.refused)}, what is allowed after ${textOfDelays(delays.allowed)}`);
  });

  test('a server of its image keeps what all of them saw, also through a kill, and shows who follows it the same', async () => {
    const { cluster, fleet } = world();
    const server = new ServerPod(cluster, SECOND);
    try {
      await patchDaemonSet(cluster, server.patchOfAgents());
      server.ready();
      await rolledOut(cluster);
      await holdTruth(cluster, fleet);
      const kept = await askedFor(server, ['a/x -> a/bare DROPPED', 'b/x -> b/bare FORWARDED']);
      const [pid, ...more] = server.processes();
      assert.ok(pid !== undefined && more.length === 0, `one server, and not ${1 + more.length}`);
      process.kill(pid, 'SIGKILL');
      while (server.processes().length === 0 || server.processes().includes(pid)) await sleep(100);
      const again = await askedFor(server, ['a/x -> a/bare DROPPED']);
      for (const [name, count] of kept) assert.ok((again.get(name) ?? 0) >= count, `${name}: ${count} before the kill, ${again.get(name) ?? 0} after it`);
      console.log(`${kept.size} pairs kept through a kill`);
      const delays = await holdFollowed(world(), { begin: () => server.follow(FOLLOW), agentOn: (name) => agentOf(cluster, name) });
      console.log(`new refusals are shown by the server after ${textOfDelays(delays.refused)}, what is allowed after ${textOfDelays(delays.allowed)}`);
      assert.ok(delays.allowed[1]! < 5_000, 'agents are told that somebody follows');
    } finally {
      server.remove();
    }
  });

  test('taken away from the cluster its rules stay; taken away from the nodes by a pod of its image they go', async () => {
    const { cluster, fleet } = world();
    const removed = bulkhead(cluster, ['agent', '--uninstall', '--cluster']);
    assert.equal(removed.status, 0, removed.stderr);
    assert.match(cluster.kubectl(['get', '-n', 'bulkhead-system', 'namespace/bulkhead-system', 'persistentvolumeclaim/bulkhead-server', '-o', 'jsonpath={.items[*].status.phase}']), /^Active Bound$/);
    while (cluster.nodes.some((node) => agentProcesses(node).length > 0)) await sleep(200);
    await holdTruth(cluster, fleet);
    for (const node of cluster.nodes) {
      cluster.kubectl(['debug', `node/${node.name}`, '--profile=netadmin', `--image=${SECOND}`, '--', '/app/bin/bulkhead', 'agent', '--uninstall']);
    }
    while (cluster.nodes.some((node) => /table inet bulkhead/.test(onNode(node, ['nft', 'list', 'tables']).stdout))) await sleep(200);
    await holdTruth(cluster, fleet, { isEnforced: false });
  });
});

/** Connections to TCP port 80 over IPv4 by pair, verdict and Service, as all agents tell them when nothing more comes. */
async function settledOpenings(cluster: NodeCluster): Promise<ReadonlyMap<string, number>> {
  for (let before = ''; ; await sleep(SETTLED_MS)) {
    const { status, stdout, stderr } = bulkhead(cluster, ['flows', '--agents', '--port', 'tcp/80', '-o', 'jsonl']);
    assert.equal(status, 0, stderr);
    const flows = stdout.trim().split('\n').map((line) => JSON.parse(line) as Flow).filter(({ IP }) => IP.ipVersion === 'IPv4');
    const counts = new Map<string, number>();
    for (const { source, destination, verdict, openings = 0, destination_service: service } of flows) {
      const key = `${nameOf(source)} ${nameOf(destination)} ${verdict} ${service === undefined ? 'straight' : `${service.namespace}/${service.name}`}`;
      counts.set(key, (counts.get(key) ?? 0) + openings);
    }
    const now = JSON.stringify([...counts].sort());
    if (now === before) return counts;
    before = now;
  }
}

/** Several times what an agent waits between drains while it is asked. */
const SETTLED_MS = 2_000;

/** By pair, allowed and refused together: which of the two it was may be known only when the agents of both ends have told. Nothing may be lost. */
async function askedFor(server: ServerPod, wanted: readonly string[]): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const { status, stdout, stderr } = await server.ask(['flows', '-o', 'jsonl']);
    assert.doesNotMatch(stderr, /lost/);
    const counts = new Map<string, number>();
    const seen = new Set<string>();
    for (const line of status === 0 ? stdout.split('\n').filter((text) => text !== '') : []) {
      const { verdict, count, source, destination } = JSON.parse(line) as Flow;
      const pair = `${nameOf(source)} -> ${nameOf(destination)}`;
      seen.add(`${pair} ${verdict}`);
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
    if (wanted.every((name) => seen.has(name))) return counts;
    await sleep(500);
  }
}

function nameOf({ namespace, workloads }: FlowEnd): string {
  return `${namespace ?? ''}/${workloads?.[0]?.name ?? ''}`;
}

interface Flow {
  readonly verdict: string;
  readonly count: number;
  readonly openings?: number;
  readonly IP: { readonly ipVersion: string };
  readonly destination_service?: { readonly namespace: string; readonly name: string };
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
}

interface FlowEnd {
  readonly namespace?: string;
  readonly pod_name?: string;
  readonly workloads?: readonly { readonly name: string }[];
}

interface Bundle {
  readonly agent: { readonly readyz: string };
  readonly ruleset: readonly string[];
  readonly cluster: { readonly missing: readonly string[]; readonly objects: readonly { readonly kind: string; readonly metadata: { readonly name: string } }[] };
}

/** linux/capability.h */
const NET_ADMIN = 1 << 12;

const PROGRAM: readonly string[] = [join(cloneRoot, 'bin/bulkhead')];

/** Outside of the nodes, as an administrator. */
function bulkhead({ place }: NodeCluster, words: readonly string[]): Ran {
  const ran = spawnSync(PROGRAM[0]!, words, { encoding: 'utf8', timeout: 100_000, maxBuffer: 1 << 28, env: { ...process.env, KUBECONFIG: place.kubeconfig } });
  assert.ok(ran.status !== null, `bulkhead ${words.join(' ')} did not end`);
  return ran;
}

/** The same while it runs. */
function begin({ place }: NodeCluster, words: readonly string[]): ReturnType<typeof beginOnNode> {
  return spawn(PROGRAM[0]!, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, KUBECONFIG: place.kubeconfig } });
}

const FOLLOW = ['flows', '--follow', '-o', 'jsonl'];

function textOfDelays(delays: readonly number[]): string {
  return `${delays[delays.length >> 1]!.toFixed(0)} ms in the middle and ${delays.at(-1)!.toFixed(0)} ms at most`;
}

function agentOf({ nodes }: NodeCluster, name: string): number {
  return Number(agentProcesses(nodes.find((node) => node.name === name)!)[0]);
}

/** Of agents in the node's network; the kernel's ids are those of the machine. */
function agentProcesses({ namespace }: RunningNode): readonly string[] {
  const { ino } = fstatSync(namespace);
  return readdirSync('/proc').filter((pid) => {
    if (!/^[0-9]+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/app/dist/cli/main.js\0agent') && statSync(`/proc/${pid}/ns/net`).ino === ino;
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

function fieldOf(status: string, field: string): string {
  return new RegExp(`^${field}:\\s*(\\S+)$`, 'm').exec(status)![1]!;
}

const DAEMON_SET = '/apis/apps/v1/namespaces/bulkhead-system/daemonsets/bulkhead-agent';

async function patchDaemonSet({ connection }: NodeCluster, patch: object): Promise<void> {
  await askServer(connection, { path: DAEMON_SET, method: 'PATCH', body: { type: 'application/strategic-merge-patch+json', text: JSON.stringify(patch) } });
}

interface DaemonSet {
  readonly metadata: { readonly generation: number };
  readonly status: { readonly observedGeneration?: number; readonly desiredNumberScheduled: number; readonly updatedNumberScheduled?: number; readonly numberAvailable?: number };
}

/** The test's own bound ends the waiting. */
async function rolledOut({ connection, nodes }: NodeCluster): Promise<void> {
  for (;;) {
    const { metadata, status } = (await askServer(connection, { path: DAEMON_SET })) as DaemonSet;
    if (status.observedGeneration === metadata.generation && status.updatedNumberScheduled === nodes.length && status.numberAvailable === nodes.length) return;
    await sleep(100);
  }
}
