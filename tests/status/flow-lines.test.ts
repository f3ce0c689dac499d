// What an agent answers to those who ask for its flows: all that it knows folded, and what comes while they follow.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATEST_MAX, RecentFlows } from '../../src/agent/recent-flows.ts';
import type { FlowRecord, PodEnd } from '../../src/flow/flow-record.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { answerFlows, readFlowsQuestion } from '../../src/status/flow-lines.ts';

const delay = (): (() => void) => () => undefined;

function pod(name: string): PodEnd {
  return { kind: 'pod', namespace: 'shop', workload: { kind: 'Deployment', namespace: 'shop', name: 'web' }, pod: name, labels: new Map([['app', 'web'], ['pod-template-hash', name]]), namespaceLabels: new Map(), address: { family: 4, value: 1n } };
}

function record(source: string, seconds: number): FlowRecord {
  const target = { kind: 'outside', address: { family: 4, value: 0xcb007107n }, names: ['www.example.org'], node: undefined, isOwnNode: false } as const;
  return { verdict: 'allowed', source: pod(source), target, family: 4, protocol: 6, port: 443, count: 2, openings: 2, firstSeen: seconds * 1000, lastSeen: seconds * 1000, node: 'n1', service: undefined, reason: undefined };
}

async function ask(recent: RecentFlows, after?: number): Promise<{ readonly records: readonly FlowRecord[]; readonly lost: number; readonly next: number }> {
  const lines = (await answerFlows(recent, { after }, delay)).trimEnd().split('\n');
  const next = (JSON.parse(lines.pop()!) as { flows_cursor: { next: number } }).flows_cursor.next;
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

test('a question that cannot be read is none', () => {
  assert.deepEqual(['', 'after=7', 'after=-1', 'after=x'].map((text) => readFlowsQuestion(new URLSearchParams(text))), [{ after: undefined }, { after: 7 }, undefined, undefined]);
});
