// The first moments of new pods, one after another: nothing leaks from the moment they have an address, and soon everything flows that may.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../../src/base/ip-address.ts';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import type { ProbeTask } from '../../../src/kernel/prober.ts';
import { applyObject } from '../write-object.ts';
import { SERVER_IMAGE, type FleetEnd } from './fleet.ts';
import { holdTruth } from './hold-truth.ts';
import type { RunningNode } from './node-cluster.ts';
import { PodNamespaces } from './pod-namespaces.ts';
import { endNamed } from './service-cases.ts';
import { describeOnNodes, networkPolicy, type World } from './world.ts';

/** In CI it is said that they are fewer; a benchmark says how many. */
const PODS = Number(process.env['BULKHEAD_POD_STARTS'] ?? (process.env['BULKHEAD_NIGHTLY'] === '1' ? 500 : 20));

/** A run of many is told as it goes. */
const PODS_PER_PRINT = 50;

/** How long each new pod is looked at after its first instruction; before that, since it has an address. */
const LOOK_MS = 1800;
const PROBE_EVERY_MS = 25;
const ANSWER_WITHIN_MS = 300;
/** So long after its first instruction nothing may be refused any more that the policies allow. */
const GRACE_MS = 1000;

const ALL = {};
const Y = { matchLabels: { app: 'y' } };

/** New pods stand in `a`; `b` may come in, and they may go out to `b` alone. */
const POLICIES = [
  networkPolicy('a/from-b', { podSelector: ALL, ingress: [{ from: [{ namespaceSelector: Y }] }] }),
  networkPolicy('a/to-b', { podSelector: ALL, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: Y }] }] }),
];

interface NewPod {
  readonly name: string;
  readonly node: RunningNode;
}

interface FirstMoments {
  readonly probes: number;
  readonly leaked: readonly string[];
  readonly lateRefused: readonly string[];
  /** From the pod's address to the first connection that may come through and did, each way; undefined for never. */
  readonly outAfterMs: number | undefined;
  readonly inAfterMs: number | undefined;
  /** When the pod's own first instruction ran, counted from its address. */
  readonly firstInstructionAfterMs: number;
  readonly ownLeaks: number;
}

describeOnNodes('the start of a pod', { combination: { cni: 'ptp', nodes: 2, isDualStack: true, proxy: 'nftables' } }, (world) => {
  test(`${PODS} pods, one after another`, { timeout: 7_200_000 }, async () => {
    for (const policy of POLICIES) await applyObject(world().cluster.connection, policy);
    await holdTruth(world().cluster, world().fleet);
    const ends = await world().fleet.ends();
    const all: FirstMoments[] = [];
    for (let count = 0; count < PODS; count++) {
      const node = world().cluster.nodes[count % world().cluster.nodes.length]!;
      all.push(await startOne(world(), { name: `new-${count}`, node }, ends));
      if (all.length % PODS_PER_PRINT === 0 || all.length === PODS) print(all);
    }
    assert.deepEqual(all.flatMap(({ leaked }) => leaked), []);
    assert.deepEqual(all.map(({ ownLeaks }) => ownLeaks), all.map(() => 0), 'the pods\' own connections, from their first instruction on');
    assert.deepEqual(all.flatMap(({ lateRefused }) => lateRefused), []);
    assert.ok(all.every(({ outAfterMs, inAfterMs }) => outAfterMs !== undefined && inAfterMs !== undefined));
  });
});

async function startOne({ cluster, fleet }: World, pod: NewPod, ends: readonly FleetEnd[]): Promise<FirstMoments> {
  const namespaces = new PodNamespaces(pod.node);
  try {
    const known = new Set(namespaces.look().keys());
    const forbidden = endNamed(ends, 'c/x').addresses.map(formatIpAddress);
    await applyObject(cluster.connection, podObject(pod, forbidden));
    const { namespace, addresses, atMs } = await addressOf(namespaces, known);
    const words = ownWords(pod).then(({ firstInstructionMs, ownLeaks }) => ({ firstInstructionAfterMs: firstInstructionMs - uptimeOf(atMs), ownLeaks }));
    const moments = await probeFirstMoments({ name: `a/${pod.name}`, kind: 'pod', node: pod.node.name, namespace, addresses }, ends, { atMs, firstInstruction: words.then(({ firstInstructionAfterMs }) => firstInstructionAfterMs) });
    return { ...moments, ...(await words) };
  } finally {
    namespaces.close();
    await fleet.remove([{ namespace: 'a', name: pod.name }]);
  }
}

/** Asks for itself what it may not, from its first instruction on, and says when that was. */
function podObject({ name, node }: NewPod, forbidden: readonly string[]): Parameters<typeof applyObject>[1] {
  const tries = forbidden.map((address) => `/agnhost connect ${address.includes(':') ? `[${address}]` : address}:80 --timeout=300ms 2>/dev/null && echo leaked`).join('; ');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'a', labels: { app: 'new' } },
    spec: { nodeName: node.name, terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, enableServiceLinks: false, containers: [{ name: 'serve', image: SERVER_IMAGE, command: ['/bin/sh', '-c', `cat /proc/uptime; ${tries}; ${tries}; echo done; exec /agnhost pause`] }] },
  };
}

/** At the moment it has one of each family. */
async function addressOf(namespaces: PodNamespaces, known: ReadonlySet<string>): Promise<{ readonly namespace: number; readonly addresses: readonly IpAddress[]; readonly atMs: number }> {
  for (let tries = 0; tries < 20_000; tries++) {
    const found = [...namespaces.look()].filter(([address]) => !known.has(address));
    if (found.length > 0) return { namespace: found[0]![1].namespace, addresses: found.map(([address]) => parseIpAddress(address)!), atMs: performance.now() };
    await sleep(1);
  }
  throw new Error('the new pod gets no address');
}

interface FirstProbe extends Pick<ProbeTask, 'target' | 'source' | 'namespace'> {
  readonly name: string;
  readonly direction: 'in' | 'out';
  readonly isAllowed: boolean;
}

interface Beginning {
  /** When it had its address. */
  readonly atMs: number;
  /** Counted from there. */
  readonly firstInstruction: Promise<number>;
}

async function probeFirstMoments(pod: FleetEnd, ends: readonly FleetEnd[], { atMs, firstInstruction }: Beginning): Promise<Omit<FirstMoments, 'firstInstructionAfterMs' | 'ownLeaks'>> {
  const probes = firstProbes(pod, ends);
  const prober = createPollProber();
  const leaked: string[] = [];
  const refused: { readonly name: string; readonly beganMs: number }[] = [];
  const first: { in?: number; out?: number } = {};
  const rounds: Promise<void>[] = [];
  const probeOnce = async (): Promise<void> => {
    const beganMs = performance.now() - atMs;
    const round = prober.open(probes.map(({ namespace, source, target }): ProbeTask => ({ namespace, source, target, targetNamespace: namespace, protocol: 'TCP', port: 80 })));
    await round.collect(ANSWER_WITHIN_MS);
    for (const [index, { name, direction, isAllowed }] of probes.entries()) {
      // Nobody listens in the new pod: its own kernel's refusal says that the connection came to it.
      const isThrough = round.answers[index] === 'connected' || round.answers[index] === 'refused';
      if (isThrough && !isAllowed) leaked.push(`${name} ${Math.round(beganMs)} ms after its address`);
      if (isThrough && isAllowed) first[direction] = Math.min(first[direction] ?? Infinity, beganMs);
      if (!isThrough && isAllowed) refused.push({ name, beganMs });
    }
    round.close();
  };
  let untilMs = Infinity;
  void firstInstruction.then((ms) => (untilMs = ms + LOOK_MS), () => (untilMs = 0));
  while (performance.now() - atMs < untilMs) {
    rounds.push(probeOnce());
    await sleep(PROBE_EVERY_MS);
  }
  await Promise.all(rounds);
  const graceMs = (await firstInstruction) + GRACE_MS;
  const lateRefused = refused.filter(({ beganMs }) => beganMs > graceMs).map(({ name, beganMs }) => `${name} ${Math.round(beganMs - graceMs + GRACE_MS)} ms after its first instruction`);
  return { probes: rounds.length * probes.length, leaked, lateRefused, outAfterMs: first.out, inAfterMs: first.in };
}

function firstProbes(pod: FleetEnd, ends: readonly FleetEnd[]): readonly FirstProbe[] {
  return ['b/x', 'b/y', 'c/x', 'c/y', 'a/x', 'outside'].flatMap((name) => {
    const other = endNamed(ends, name);
    const isAllowed = name.startsWith('b/');
    return pod.addresses.flatMap((own): FirstProbe[] => {
      const address = other.addresses.find(({ family }) => family === own.family);
      if (address === undefined) return [];
      return [
        { name: `${pod.name} -> ${name}`, direction: 'out', isAllowed, namespace: pod.namespace, source: own, target: address },
        { name: `${name} -> ${pod.name}`, direction: 'in', isAllowed, namespace: other.namespace, source: address, target: own },
      ];
    });
  });
}

/** From the log that its container wrote on the node. */
async function ownWords({ name, node }: NewPod): Promise<{ readonly firstInstructionMs: number; readonly ownLeaks: number }> {
  const logs = `/proc/${node.pid}/root/var/log/pods`;
  for (let tries = 0; tries < 400; tries++, await sleep(25)) {
    const folder = readdirSync(logs).find((candidate) => candidate.startsWith(`a_${name}_`));
    if (folder === undefined) continue;
    const lines = readLines(`${logs}/${folder}/serve/0.log`);
    if (!lines.includes('done')) continue;
    return { firstInstructionMs: Number(lines[0]!.split(' ')[0]) * 1000, ownLeaks: lines.filter((line) => line === 'leaked').length };
  }
  throw new Error(`the pod a/${name} has said nothing`);
}

/** Without what the container runtime puts in front: a time, a stream, a tag. */
function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').map((line) => line.split(' ').slice(3).join(' '));
  } catch {
    return []; // not yet there
  }
}

/** The machine's uptime at a moment of this process's clock. */
function uptimeOf(atMs: number): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000 - (performance.now() - atMs);
}

function print(all: readonly FirstMoments[]): void {
  const quantile = (values: readonly number[], share: number): string => `${Math.round([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN)} ms`;
  const both = (values: readonly number[]): string => `p50 ${quantile(values, 0.5)}, p99 ${quantile(values, 0.99)}`;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  console.log([
    `${all.length} of ${PODS} pods${PODS < 500 ? ' (500 in the nightly setting)' : ''}, ${sum(all.map(({ probes }) => probes))} connections, ${sum(all.map(({ leaked, ownLeaks }) => leaked.length + ownLeaks))} leaked, ${sum(all.map(({ lateRefused }) => lateRefused.length))} refused that may come through, 1 s and more after the first instruction`,
    `  from a pod's address to its allowed traffic: out ${both(all.map(({ outAfterMs = Number.NaN }) => outAfterMs))}; in ${both(all.map(({ inAfterMs = Number.NaN }) => inAfterMs))}`,
    `  from its first instruction, which ran ${both(all.map(({ firstInstructionAfterMs }) => firstInstructionAfterMs))} after the address: ${both(all.map(({ outAfterMs = Number.NaN, firstInstructionAfterMs }) => Math.max(0, outAfterMs - firstInstructionAfterMs)))}`,
  ].join('\n'));
}
