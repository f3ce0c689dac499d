// What an agent answers to those who ask for its flows: all that it knows folded, and what comes while they follow.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowRecord, PodEnd } from '../../src/flow/flow-record.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { FOLDED_MAX, LATEST_MAX, RecentFlows } from '../../src/observe/recent-flows.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import type { PodQuestion } from '../../src/kube/pod-hands.ts';
import { answerFlows, readFlowsQuestion } from '../../src/status/flow-lines.ts';
import { findAgents, readAgentFlows, readFlowsPage } from '../../src/status/read-agent-flows.ts';

const delay = (): (() => void) => () => undefined;

function pod(name: string): PodEnd {
  return { kind: 'pod', namespace: 'shop', workload: { kind: 'Deployment', namespace: 'shop', name: 'web' }, pod: name, labels: new Map([['app', 'web'], ['pod-template-hash', name]]), namespaceLabels: new Map(), address: { family: 4, value: 1n } };
}

function record(source: string, seconds: number): FlowRecord {
  const target = { kind: 'outside', address: { family: 4, value: 0xcb007107n }, names: ['www.example.org'], node: undefined, isOwnNode: false } as const;
  return { verdict: 'allowed', source: pod(source), target, family: 4, protocol: 6, port: 443, count: 2, openings: 2, firstSeen: seconds * 1000, lastSeen: seconds * 1000, node: 'n1', service: undefined, reason: undefined };
}

async function ask(recent: RecentFlows, after?: number): Promise<{ readonly records: readonly FlowRecord[]; readonly lost: number; readonly next: number }> {
  const { lines, next } = readFlowsPage(await answerFlows(recent, { after }, delay));
  const read = lines.map(readFlow);
  return { records: read.flatMap((one) => (one.kind === 'flow' ? one.record : [])), lost: read.reduce((sum, one) => sum + (one.kind === 'lost' ? one.flows : 0), 0), next };
}

test('what is known is told by workload, and what came each by itself', async () => {
  const recent = new RecentFlows();
  recent.take([record('a', 1), record('b', 2)], 0);
  recent.take([record('a', 3)], 5);
  const { records, lost, next } = await ask(recent);
  assert.deepEqual(records.map(({ count, openings, firstSeen, lastSeen }) => [count, openings, firstSeen, lastSeen]), [[6, 6, 1000, 3000]]);
  assert.equal(lost, 5);
  const since = await ask(recent, 2);
  assert.deepEqual([since.records.map(({ source }) => source.kind === 'pod' && source.pod), since.lost, since.next], [['a'], 5, next]);
});

test('what is seen again and again stays one flow, however many come and go meanwhile', () => {
  const recent = new RecentFlows();
  const passing = (index: number): FlowRecord => ({ ...record('a', index), target: { kind: 'outside', address: { family: 4, value: BigInt(index) }, names: [], node: undefined, isOwnNode: false } });
  for (let index = 0; index < 10 * FOLDED_MAX; index++) recent.take(index % 1000 === 0 ? [passing(index), record('a', index)] : [passing(index)], 0);
  const { records } = recent.all();
  const known = records.filter(({ target }) => target.kind === 'outside' && target.names.length > 0);
  assert.deepEqual([records.length, known.map(({ count }) => count)], [FOLDED_MAX, [2 * Math.ceil((10 * FOLDED_MAX) / 1000)]]);
});

test('a host outside has for each pod the name that it looked up', async () => {
  const recent = new RecentFlows();
  const by = (workload: string, names: readonly string[]): FlowRecord => {
    const { source, target, ...rest } = record('a', 1);
    return { ...rest, source: { ...source, workload: { kind: 'Deployment', namespace: 'shop', name: workload } } as PodEnd, target: { ...target, names } as FlowRecord['target'] };
  };
  recent.take([by('web', []), by('api', ['cdn.example.com']), by('worker', ['images.example.net'])], 0);
  const { records } = await ask(recent);
  assert.deepEqual(records.map(({ source, target }) => [source.kind === 'pod' && source.workload.name, target.kind === 'outside' && target.names.join()]), [['web', ''], ['api', 'cdn.example.com'], ['worker', 'images.example.net']]);
});

test('who follows waits until something comes', async () => {
  const recent = new RecentFlows();
  const asked = ask(recent, 0);
  recent.take([record('a', 1)], 0);
  assert.equal((await asked).records.length, 1);
});

test('who is too slow hears how much was missed', async () => {
  const recent = new RecentFlows();
  for (let index = 0; index < LATEST_MAX + 10; index++) recent.take([record('a', index)], 0);
  const { records, lost } = await ask(recent, 3);
  assert.deepEqual([records.length, lost], [LATEST_MAX, 7]);
});

test('a number of an agent that is gone begins anew', async () => {
  const recent = new RecentFlows();
  recent.take([record('a', 1)], 0);
  assert.equal((await ask(recent, 900)).records.length, 1);
});

test('agents are found by their labels, and asked one by one', async () => {
  const api = new FakeCluster('asked');
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bulkhead-system' } });
  const agent = (name: string, phase: string): void => void api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'bulkhead-system', labels: { 'app.kubernetes.io/name': 'bulkhead', 'app.kubernetes.io/component': name.startsWith('agent') ? 'agent' : 'prober' } }, spec: { nodeName: `of-${name}` }, status: { phase } });
  for (const [name, phase] of [['agent-b', 'Running'], ['agent-a', 'Running'], ['agent-c', 'Pending'], ['prober-a', 'Running']] as const) agent(name, phase);
  const found = await findAgents(api);
  assert.deepEqual(found.map(({ pod, node }) => [pod, node]), [['agent-a', 'of-agent-a'], ['agent-b', 'of-agent-b']]);
  const recent = new RecentFlows();
  recent.take([record('a', 1)], 0);
  const asked: string[] = [];
  const ask = async ({ pod, path }: PodQuestion): Promise<string> => {
    asked.push(`${pod} ${path}`);
    return answerFlows(recent, readFlowsQuestion(new URL(path, 'http://localhost').searchParams)!, delay);
  };
  const { lines, next } = await readAgentFlows({ ask }, found[0]!);
  assert.equal(lines.length, 1);
  await readAgentFlows({ ask }, found[1]!, { after: next - 1 });
  assert.deepEqual(asked, ['agent-a /flows', 'agent-b /flows?after=0']);
  await assert.rejects(readAgentFlows({ ask: async () => 'no such page\n' }, found[0]!), /how far/);
});

test('a question that cannot be read is none', () => {
  assert.deepEqual(['', 'after=7', 'after=-1', 'after=x'].map((text) => readFlowsQuestion(new URLSearchParams(text))), [{ after: undefined }, { after: 7 }, undefined, undefined]);
});
