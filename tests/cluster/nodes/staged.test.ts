// Staged policies and audited namespaces on real nodes: every connection that was opened is counted once, by rule, with its witness; in force, the kernel refuses what was counted.
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { createPollProber } from '../../../src/kernel/poll-probe.ts';
import type { ProbeTask } from '../../../src/kernel/prober.ts';
import { AUDIT_LABEL } from '../../../src/model/namespace-audit.ts';
import { STAGED_POLICY } from '../../../src/stage/read-staged.ts';
import type { StagedCount } from '../../../src/stage/staged-count.ts';
import { cloneRoot } from '../../needs.ts';
import { policyCrdFiles } from '../policy-crds.ts';
import { applyObject } from '../write-object.ts';
import { LIVE_PORT, type FleetEnd } from './fleet.ts';
import { holdTruth } from './hold-truth.ts';
import { endNamed } from './service-cases.ts';
import { throughFault } from './through-fault.ts';
import { describeOnNodes, networkPolicy, relabel, type World } from './world.ts';

const CRDS = join(cloneRoot, 'deploy/crds');
const CRD_FILES = [...policyCrdFiles(), ...readdirSync(CRDS).map((file) => join(CRDS, file))].join(' ');

/** Lets into `a` the namespace `b` on TCP 80, and everybody on 81; the rest would be refused. */
const SPEC = {
  podSelector: {},
  policyTypes: ['Ingress'],
  ingress: [{ from: [{ namespaceSelector: { matchLabels: { app: 'y' } } }], ports: [{ port: 80 }] }, { ports: [{ port: 81 }] }],
};

/** So few that every connection that would be refused is among the ten witnesses of its target's node. */
const SOURCES = ['a/bare', 'b/x', 'b/bare', 'c/x', 'outside'];
/** On two nodes. */
const TARGETS = ['a/x', 'a/y'];
const PORTS = [80, 81, 8000];

/** In CI they are fewer. */
const SWITCHES = process.env['BULKHEAD_NIGHTLY'] === '1' ? 30 : 3;

interface Opened {
  readonly source: FleetEnd;
  readonly target: FleetEnd;
  readonly port: number;
  readonly task: ProbeTask;
  readonly times: number;
}

describeOnNodes('staged policies', { combination: { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'nftables' }, agent: { words: ['--allow-audit'] }, settings: { CRD_FILES } }, (world) => {
  test('counted is each connection, rule by rule; promoted, it is refused', { timeout: 400_000 }, async () => {
    const { cluster, fleet } = world();
    await applyObject(cluster.connection, { apiVersion: STAGED_POLICY.apiVersion, kind: STAGED_POLICY.kind, metadata: { name: 'web', namespace: 'a' }, spec: { networkPolicy: SPEC } });
    while ((await metricSums(world(), STAGED)).series < world().agents.length) await sleep(100);
    const opened = await openAll(world());
    const wanted = expectedCounts(opened);
    await holdCounts(world(), STAGED, wanted);
    while ((await statusSums(world())).judged < wanted.judged) await sleep(1000);
    assert.deepEqual(await statusSums(world()), wanted);
    console.log(`${wanted.judged} connections counted, ${wanted.wouldRefuse} of them would be refused, ${wanted.witnesses.length} different ones as witnesses`);

    const { through } = await holdTruth(cluster, fleet);
    assert.ok(opened.every((one) => through.has(nameOf(one))), 'nothing is refused while it is staged');
    const promoted = bulkhead(world(), ['promote', 'a/web', '--yes']);
    assert.equal(promoted.status, 0, promoted.stdout + promoted.stderr);
    await holdEnforced(world(), opened);
  });

  test('an audited namespace refuses nothing, is counted as a whole, and is never called in force', async () => {
    const { cluster, fleet } = world();
    await applyObject(cluster.connection, networkPolicy('a/web', SPEC));
    await relabel(cluster, { namespace: 'a' }, { [AUDIT_LABEL]: 'true' });
    while ((await metricSums(world(), AUDITED)).series < world().agents.length) await sleep(100);
    const opened = await openAll(world());
    await holdCounts(world(), AUDITED, expectedCounts(opened));
    await holdTruth(cluster, fleet);
    const status = bulkhead(world(), ['status', 'a/web']);
    assert.equal(status.status, 1);
    assert.match(status.stdout, /NetworkPolicy a\/web +1 +0 of 2 nodes[^]*node1: audited: judged, and not enforced[^]*node2: audited[^]*AUDITED, NOT ENFORCED[^]*\na /);
    await relabel(cluster, { namespace: 'a' }, { [AUDIT_LABEL]: null });
    await holdEnforced(world(), opened);
    assert.equal(bulkhead(world(), ['status', '--wait', '60']).status, 0);
  });

  test('an audit is switched on and off under traffic', async () => {
    const { cluster } = world();
    await applyObject(cluster.connection, networkPolicy('a/web', SPEC));
    // What stays open meanwhile is allowed throughout.
    await applyObject(cluster.connection, networkPolicy('a/live', { podSelector: {}, ingress: [{ from: SPEC.ingress[0]!.from!, ports: [{ port: LIVE_PORT }] }] }));
    await throughFault(world(), `audit on and off, ${SWITCHES} times`, async ({ change }) => {
      for (let count = 0; count < SWITCHES; count++) {
        await change(() => relabel(cluster, { namespace: 'a' }, { [AUDIT_LABEL]: 'true' }));
        await sleep(300);
        await change(() => relabel(cluster, { namespace: 'a' }, { [AUDIT_LABEL]: null }));
        await sleep(300);
      }
    });
  });
});

/** The samples of each, as `/metrics` names them. */
const STAGED = 'kind="StagedPolicy",namespace="a",name="web"';
const AUDITED = 'kind="Namespace",namespace="",name="a"';

function bulkhead({ cluster }: World, words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(join(cloneRoot, 'bin/bulkhead'), words, { encoding: 'utf8', env: { ...process.env, KUBECONFIG: cluster.place.kubeconfig } });
}

async function holdEnforced({ cluster, fleet }: World, opened: readonly Opened[]): Promise<void> {
  const { through } = await holdTruth(cluster, fleet);
  for (const one of opened) assert.equal(through.has(nameOf(one)), ruleOf(one) !== undefined, nameOf(one));
}

async function holdCounts(world: World, labels: string, { judged, wouldRefuse }: Counts): Promise<void> {
  for (let sums = await metricSums(world, labels); sums.judged < judged; sums = await metricSums(world, labels)) await sleep(500);
  assert.deepEqual(await metricSums(world, labels), { series: world.agents.length, judged, wouldRefuse });
}

function nameOf({ source, target, port }: Opened): string {
  return `${source.name} -> ${target.name} tcp/${port}`;
}

/** One connection after another of each kind, each kind another number of times: a retransmission would count twice, so none may be lost. */
async function openAll({ fleet }: World): Promise<readonly Opened[]> {
  const ends = await fleet.ends();
  const opened = SOURCES.flatMap((from, first) => TARGETS.flatMap((into, second) => PORTS.flatMap((port, third): Opened[] => {
    const [source, target] = [endNamed(ends, from), endNamed(ends, into)];
    return target.addresses.flatMap((address): Opened[] => {
      const own = source.addresses.find(({ family }) => family === address.family);
      if (own === undefined) return [];
      return [{ source, target, port, times: 1 + first + second * 2 + third, task: { namespace: source.namespace, source: own, target: address, targetNamespace: target.namespace, protocol: 'TCP', port } }];
    });
  })));
  const rounds = Math.max(...opened.map(({ times }) => times));
  for (let count = 0; count < rounds; count++) {
    const round = createPollProber().open(opened.filter(({ times }) => times > count).map(({ task }) => task));
    await round.collect(900);
    assert.ok(round.answers.every((answer) => answer === 'connected'), 'all of them come through');
    round.close();
  }
  return opened;
}

/** As the policy is written, by hand: undefined where no rule lets it in. */
function ruleOf({ source, port }: Opened): number | undefined {
  if (port === 80 && source.name.startsWith('b/')) return 0;
  return port === 81 ? 1 : undefined;
}

interface Counts {
  readonly judged: number;
  readonly wouldRefuse: number;
  readonly unknown: number;
  readonly rules: readonly string[];
  readonly witnesses: readonly string[];
}

function expectedCounts(opened: readonly Opened[]): Counts {
  const sum = (list: readonly Opened[]): number => list.reduce((total, { times }) => total + times, 0);
  const refused = opened.filter((one) => ruleOf(one) === undefined);
  const names = [...new Set(refused.map(witnessName))];
  return {
    judged: sum(opened),
    wouldRefuse: sum(refused),
    unknown: 0,
    rules: [0, 1].map((rule) => `ingress ${rule}: ${sum(opened.filter((one) => ruleOf(one) === rule))}`),
    witnesses: names.map((name) => `${name}: ${sum(refused.filter((one) => witnessName(one) === name))}`).sort(),
  };
}

/** A pod by its name, over both families; who is outside by each of his addresses. */
function witnessName({ source, target, port, task }: Opened): string {
  return `ingress ${source.kind === 'outside' ? formatIpAddress(task.source) : source.name} -> ${target.name} TCP ${port}`;
}

/** What the agents answer now; `series`: how many of them know the staged policy. */
async function metricSums({ agents }: World, labels: string): Promise<{ readonly series: number; readonly judged: number; readonly wouldRefuse: number }> {
  const pages = await Promise.all(agents.map(async (agent) => (await agent.get('/metrics')).body));
  const valuesOf = (metric: string): readonly number[] => pages.flatMap((page) => [...page.matchAll(new RegExp(`^${metric}\\{${labels}\\} ([0-9]+)$`, 'gm'))].map((found) => Number(found[1])));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const judged = valuesOf('bulkhead_staged_judged_total');
  return { series: judged.length, judged: sum(judged), wouldRefuse: sum(valuesOf('bulkhead_staged_would_refuse_total')) };
}

type NodePart = Pick<StagedCount, 'judged' | 'wouldRefuse' | 'unknown' | 'rules' | 'witnesses'>;

/** What the nodes wrote into the object. */
async function statusSums({ cluster: { api } }: World): Promise<Counts> {
  const { status } = (await api.get({ served: STAGED_POLICY, namespace: 'a', name: 'web' })) as { readonly status?: { readonly nodes?: Readonly<Record<string, NodePart>> } };
  const parts = Object.values(status?.nodes ?? {});
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    judged: sum(parts.map(({ judged }) => judged)),
    wouldRefuse: sum(parts.map(({ wouldRefuse }) => wouldRefuse)),
    unknown: sum(parts.map(({ unknown }) => unknown)),
    rules: [0, 1].map((rule) => `ingress ${rule}: ${sum(parts.flatMap(({ rules }) => rules.filter(({ index }) => index === rule).map(({ judged }) => judged)))}`),
    witnesses: parts.flatMap(({ witnesses }) => witnesses.map(({ direction, source, target, protocol, port, judged }) => `${direction} ${source} -> ${target} ${protocol} ${port}: ${judged}`)).sort(),
  };
}
