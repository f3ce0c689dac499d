// When an agent gives memory back: garbage once, after the whole cluster was told, and what is free ever after.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAgent } from '../../src/agent/agent.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { FakeClock } from './fake-clock.ts';

const STEP_MS = 15_000;

test('garbage is given back once, when all was told, and nothing after the end', async () => {
  const api = new FakeCluster('small');
  const clock = new FakeClock();
  const stop = new AbortController();
  const returned: string[] = [];
  const memory = { returnFree: () => void returned.push('free'), returnAll: () => void returned.push('all') };
  const { ended } = startAgent({ api, clock, node: 'n1', firewall: createFakeFirewall(), signal: stop.signal, memory });
  await clock.advance(2 * STEP_MS);
  assert.deepEqual(returned, ['free', 'free'], 'nothing is settled without the Node');
  api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.0.0.0/24' } });
  await clock.advance(3 * STEP_MS);
  assert.deepEqual(returned.slice(2), ['all', 'free', 'free']);
  stop.abort();
  await ended;
  await clock.advance(3 * STEP_MS);
  assert.equal(returned.length, 5);
});
