// When an agent gives memory back: garbage after the whole cluster was told and when much has come together again, and what is free ever after.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAgent } from '../../src/agent/agent.ts';
import { createFakeFirewall } from '../../src/kernel/fake-firewall.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { FakeClock } from './fake-clock.ts';

const STEP_MS = 15_000;

test('garbage is given back when all was told and when much has come together again, and nothing after the end', async () => {
  const api = new FakeCluster('small');
  const clock = new FakeClock();
  const stop = new AbortController();
  const returned: string[] = [];
  let heapBytes = 40 * 2 ** 20;
  const returnAll = (): void => {
    returned.push('all');
    heapBytes = 20 * 2 ** 20;
  };
  const memory = { returnFree: () => void returned.push('free'), returnAll, heapBytes: () => heapBytes };
  const { ended } = startAgent({ api, clock, node: 'n1', firewall: createFakeFirewall(), signal: stop.signal, memory });
  await clock.advance(2 * STEP_MS);
  assert.deepEqual(returned, ['free', 'free'], 'nothing is settled without the Node');
  api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.0.0.0/24' } });
  await clock.advance(3 * STEP_MS);
  assert.deepEqual(returned.slice(2), ['all', 'free', 'free']);
  heapBytes = 29 * 2 ** 20;
  await clock.advance(STEP_MS);
  assert.deepEqual(returned.splice(5), ['free']);
  heapBytes = 31 * 2 ** 20;
  await clock.advance(2 * STEP_MS);
  assert.deepEqual(returned.slice(5), ['all', 'free']);
  stop.abort();
  await ended;
  await clock.advance(3 * STEP_MS);
  assert.equal(returned.length, 7);
});
