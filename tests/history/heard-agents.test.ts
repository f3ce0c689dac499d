// How often agents are asked to send: once a second, more seldom where there are many, and not at all where they would hardly send more often.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeardAgents } from '../../src/history/serve/heard-agents.ts';

function check(stepMs: number | undefined, agents: number): void {
  const heard = new HeardAgents();
  for (let turn = 0; turn < 3; turn++) for (let node = 0; node < agents; node++) heard.hear(`n${node}`, turn * 1_000);
  assert.equal(heard.stepMs, stepMs, `${agents} agents`);
}

test('a hundred batches a second at most, of all of them', () => {
  check(1_000, 1);
  check(1_000, 100);
  check(2_000, 200);
  check(5_000, 500);
  check(undefined, 501);
});

test('whoever was not heard for a minute counts no more, also where the clock was set', () => {
  for (const laterMs of [61_000, -61_000]) {
    const heard = new HeardAgents();
    for (let node = 0; node < 300; node++) heard.hear(`n${node}`, 100_000);
    heard.hear('n0', 100_000 + laterMs);
    assert.equal(heard.stepMs, 1_000);
  }
});
