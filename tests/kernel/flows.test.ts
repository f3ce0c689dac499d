// Real connections between namespaces on a node with an agent: each is accounted for, and a refusal is told at once.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { endName, type FlowRecord } from '../../src/flow/flow-record.ts';
import { needs } from '../needs.ts';
import { CountedTraffic, namespaceOf, TCP_PORTS, UDP_PORT, type Opening } from './counted-traffic.ts';
import { until } from './kernel-agent.ts';

const PODS = 100;
/** A minute, and ten at night. */
const [SECONDS, PER_SECOND] = process.env['BULKHEAD_NIGHTLY'] === '1' ? [600, 3_000] : [60, 1_000];
/** So many in one turn of the loop. */
const TURN = 50;
const TURN_MS = 10;
const DIFFERENCES_MAX = 20;

/** Pods of the first namespace take HTTP from the second, and everything from their own. */
const POLICY = {
  apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'ns0' },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }, { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ns1' } } }], ports: [{ port: 80 }] }] },
};
const CLOSED = { ...POLICY, metadata: { name: 'closed', namespace: 'ns2' }, spec: { podSelector: {}, policyTypes: ['Egress'] } };

async function started(context: TestContext, pods: number, clock?: Clock): Promise<CountedTraffic> {
  const traffic = new CountedTraffic(pods);
  context.after(() => traffic.close());
  traffic.api.put(POLICY);
  await traffic.start(clock);
  return traffic;
}

/** Goes round all pairs and ports. */
function openingAt(index: number, pods: number): Opening {
  const source = index % pods;
  const round = Math.floor(index / pods);
  return { source, target: (source + 1 + (round % (pods - 1))) % pods, port: [...TCP_PORTS, UDP_PORT][(round + Math.floor(round / (pods - 1)) + source) % 3]! };
}

async function openMany(traffic: CountedTraffic, pods: number, count: number): Promise<void> {
  for (let done = 0; done < count; done += TURN) {
    traffic.agent.flows.follow();
    for (let index = 0; index < Math.min(TURN, count - done); index++) traffic.open(openingAt(done + index, pods));
    await sleep(1);
  }
}

/** `perTurn` is told what came; a machine that lags opens fewer a second. */
async function openFor(traffic: CountedTraffic, pods: number, perTurn: (records: readonly FlowRecord[]) => void): Promise<void> {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  for (let done = 0; elapsed() < SECONDS; perTurn(traffic.takeRecords())) {
    traffic.agent.flows.follow();
    for (let index = 0; index < TURN && done < elapsed() * PER_SECOND; index++, done++) traffic.open(openingAt(done, pods));
    await sleep(TURN_MS);
  }
}

/** Some of them: an assertion over all would be at its comparison for hours. */
function differences(traffic: CountedTraffic): readonly string[] {
  const told = traffic.told();
  const keys = [...new Set([...told.keys(), ...traffic.opened.keys()])].filter((key) => told.get(key) !== traffic.opened.get(key));
  return keys.slice(0, DIFFERENCES_MAX).map((key) => `${key}: ${told.get(key) ?? 0} told of ${traffic.opened.get(key) ?? 0}, one of ${keys.length}`);
}

const sorted = (counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));

/** Never less than the truth; gives how much more. */
function excess(traffic: CountedTraffic): number {
  const told = traffic.told();
  for (const [key, count] of traffic.opened) assert.ok((told.get(key) ?? 0) >= count, `${key}: ${told.get(key) ?? 0} told of ${count}`);
  return [...told.values()].reduce((sum, count) => sum + count, 0) - [...traffic.opened.values()].reduce((sum, count) => sum + count, 0);
}

test('every connection between a hundred pods is accounted for', needs('kernel'), async (context) => {
  const traffic = await started(context, PODS);
  const isExplained = ({ reason, verdict, target }: FlowRecord): boolean => reason !== undefined && (verdict === 'allowed' || reason.ingress.isolatedBy.some(({ namespace }) => target.kind === 'pod' && namespace === target.namespace));
  const check = (records: readonly FlowRecord[]): void => assert.deepEqual(records.filter((record) => !isExplained(record)).slice(0, DIFFERENCES_MAX), []);
  await openFor(traffic, PODS, check);
  traffic.agent.flows.drain();
  check(traffic.takeRecords());
  context.diagnostic(`${[...traffic.opened.values()].reduce((sum, count) => sum + count, 0)} connections in ${SECONDS} s, of ${traffic.opened.size} different pairs, ports and verdicts`);
  assert.ok([...traffic.opened.keys()].some((key) => key.startsWith('denied')) && [...traffic.opened.keys()].some((key) => key.startsWith('allowed')));
  assert.deepEqual(differences(traffic), []);
  assert.equal(traffic.lost, 0);
});

test('through changes of policy nothing is missing, and each is told under rules that say the same', needs('kernel'), async (context) => {
  const traffic = await started(context, 12);
  for (let turn = 0; turn < 6; turn++) {
    await openMany(traffic, 12, 200);
    await traffic.committed(() => (turn % 2 === 0 ? traffic.api.put(CLOSED) : traffic.api.remove(CLOSED)));
  }
  traffic.agent.flows.drain();
  assert.equal(excess(traffic), 0, 'none of these lives through a change');
  for (const { verdict, source, reason } of traffic.records) {
    if (reason === undefined) continue;
    assert.equal(Object.values(reason).some((side) => side.verdict === 'refuses'), verdict === 'denied', `${verdict} ${endName(source)}`);
  }
});

test('an agent that was killed leaves nothing out, and tells again what the kernel still counts', needs('kernel'), async (context) => {
  const traffic = await started(context, 8);
  await openMany(traffic, 8, 300);
  traffic.agent.flows.drain();
  const before = [...traffic.opened.values()].reduce((sum, count) => sum + count, 0);
  await traffic.kill();
  await traffic.start();
  await openMany(traffic, 8, 300);
  traffic.agent.flows.drain();
  assert.equal(excess(traffic), before);
});

test('who gets the address of another within a second is not called by its name', needs('kernel'), async (context) => {
  const traffic = await started(context, 4);
  for (let turn = 0; turn < 5; turn++) {
    for (const target of [0, 2, 3]) traffic.open({ source: 1, target, port: 80 });
    await traffic.committed(() => traffic.removePod(1));
    await traffic.committed(() => traffic.putPod(1, `again-${turn}`));
  }
  for (const target of [0, 2, 3]) traffic.open({ source: 1, target, port: 80 });
  traffic.agent.flows.drain();
  assert.deepEqual(sorted(traffic.told()), sorted(traffic.opened));
  assert.equal(new Set(traffic.records.map(({ source }) => endName(source))).size, 6);
});

test('a refusal is told without waiting for the next step', needs('kernel'), async (context) => {
  // Steps never come; what rings does.
  const clock: Clock = { ...systemClock, after: (ms, act) => (ms >= 500 ? () => undefined : systemClock.after(ms, act)) };
  const traffic = await started(context, 4, clock);
  traffic.open({ source: 3, target: 0, port: 443 });
  await until(() => traffic.records.length > 0, 'it is told');
  assert.deepEqual(traffic.records.map(({ verdict, source, target, port, count }) => [verdict, endName(source), endName(target), port, count]), [['denied', `${namespaceOf(3)}/p3`, 'ns0/p0', 443, 1]]);
  assert.equal(traffic.records[0]!.reason?.ingress.nearMiss?.name, 'web');
});
