// Who follows all agents: nodes that join, agents that begin anew and ways that break, each told once and no flow twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterApi } from '../../src/kube/cluster-api.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import type { PodQuestion } from '../../src/kube/pod-hands.ts';
import { followAgentFlows } from '../../src/status/follow-agent-flows.ts';
import { findAgents } from '../../src/status/read-agent-flows.ts';
import { FakeClock } from '../agent/fake-clock.ts';

/** A cluster of agents, each with lines that it told, whose numbers begin anew with it. */
class Agents {
  readonly lines = new Map<string, string[]>();
  readonly broken = new Set<string>();
  isAway = false;
  asked = 0;

  async *listWhole(): ReturnType<ClusterApi['listWhole']> {
    if (this.isAway) throw new ClusterError('unreachable', 'connection refused');
    for (const node of this.lines.keys()) yield { kind: 'object', object: { metadata: { name: `agent-${node}` }, spec: { nodeName: node }, status: { phase: 'Running' } } } as never; // of a pod, what is read of one
  }

  converse(): { ask(question: PodQuestion): Promise<string>; close(): void } {
    const way = { isClosed: false };
    return { ask: (question) => this.answer(question, way), close: () => void (way.isClosed = true) };
  }

  private async answer({ pod, path }: PodQuestion, way: { readonly isClosed: boolean }): Promise<string> {
    const node = pod.slice('agent-'.length);
    this.asked++;
    const after = /after=([0-9]+)/.exec(path)?.[1];
    for (;;) {
      const lines = this.lines.get(node);
      if (way.isClosed || this.broken.has(node) || lines === undefined) throw new ClusterError('unreachable', 'connection reset');
      const from = after === undefined ? lines.length : Number(after) > lines.length ? 0 : Number(after);
      if (after === undefined || lines.length > from) return [...lines.slice(from), JSON.stringify({ flows_cursor: { next: lines.length } })].map((line) => `${line}\n`).join('');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Followed {
  readonly agents: Agents;
  readonly clock: FakeClock;
  readonly taken: string[];
  readonly said: string[];
}

async function following(nodes: Readonly<Record<string, string[]>>, run: (followed: Followed) => Promise<void>): Promise<void> {
  const agents = new Agents();
  for (const [node, lines] of Object.entries(nodes)) agents.lines.set(node, lines);
  const clock = new FakeClock();
  const stop = new AbortController();
  const [taken, said]: [string[], string[]] = [[], []];
  const ended = followAgentFlows(await findAgents(agents), {
    api: agents,
    clock,
    signal: stop.signal,
    take: async (lines) => void taken.push(...lines),
    say: async (message) => void said.push(message),
  });
  try {
    await clock.advance(0);
    await run({ agents, clock, taken, said });
  } finally {
    stop.abort();
    await ended;
  }
}

test('of agents that are there what comes from now on is told, of one that joins all', async () => {
  await following({ a: ['old'] }, async ({ agents, clock, taken, said }) => {
    agents.lines.get('a')!.push('a1');
    await clock.advance(100);
    agents.lines.set('b', ['b1', 'b2']);
    await clock.advance(11_000);
    agents.lines.get('b')!.push('b3');
    await clock.advance(100);
    assert.deepEqual([taken, said], [['a1', 'b1', 'b2', 'b3'], []]);
  });
});

test('a way that breaks is told once, and what was told meanwhile comes when it is there again', async () => {
  await following({ a: [], b: [] }, async ({ agents, clock, taken, said }) => {
    agents.broken.add('a');
    await clock.advance(9_000);
    agents.lines.get('a')!.push('a1');
    agents.lines.get('b')!.push('b1');
    await clock.advance(100);
    assert.deepEqual([taken, said], [['b1'], ['the agent of node a is not heard: connection reset']]);
    agents.broken.delete('a');
    await clock.advance(2_100);
    assert.deepEqual([taken, said.slice(1)], [['b1', 'a1'], ['the agent of node a is heard again']]);
  });
});

test('a node that leaves is told once; an agent that begins anew is heard from its beginning', async () => {
  await following({ a: ['one', 'two', 'three'] }, async ({ agents, clock, taken, said }) => {
    agents.lines.delete('a');
    await clock.advance(60_000);
    assert.equal(said.at(-1), 'no agent runs on node a any more');
    const [wasSaid, wasAsked] = [said.length, agents.asked];
    await clock.advance(60_000);
    assert.deepEqual([said.length, agents.asked], [wasSaid, wasAsked]);
    agents.lines.set('a', ['new']);
    await clock.advance(11_000);
    assert.deepEqual(taken, ['new']);
  });
});

test('an API server that is away is told once, and those that are heard go on', async () => {
  await following({ a: [] }, async ({ agents, clock, taken, said }) => {
    agents.isAway = true;
    await clock.advance(30_000);
    agents.lines.get('a')!.push('a1');
    await clock.advance(100);
    agents.isAway = false;
    await clock.advance(11_000);
    assert.deepEqual([taken, said], [['a1'], ['whether nodes have joined is not known: connection refused', 'the API server answers again']]);
  });
});

test('a bug ends it', async () => {
  const agents = new Agents();
  agents.lines.set('a', []);
  const clock = new FakeClock();
  const ended = followAgentFlows(await findAgents(agents), { api: agents, clock, signal: new AbortController().signal, take: () => Promise.reject(new Error('a bug')), say: async () => undefined });
  const failed = assert.rejects(ended, /a bug/);
  await clock.advance(0);
  agents.lines.get('a')!.push('a1');
  await clock.advance(3_000);
  await failed;
});
