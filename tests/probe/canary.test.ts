// Tests that run for ever: each run at its time, what changed alone is told, and a run without an answer ends nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { namespaceEvent } from '../../src/cli/namespace-events.ts';
import { sayingOf } from '../../src/cli/test/test-canary.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { runCanary, type CanaryRun } from '../../src/probe/canary.ts';
import type { TestReport } from '../../src/probe/check-expectations.ts';
import { readPolicyTests } from '../../src/probe/policy-test.ts';
import { CANARY_METRICS, canaryMetrics } from '../../src/report/state/canary-metrics.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { cloneRoot } from '../needs.ts';

const { tests } = readPolicyTests('t.yaml', 'apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: shop }\nexpect:\n  - deny: { from: a/x, to: "b/*" }\n  - isolated: b\n');

function reportOf(holds: readonly boolean[]): TestReport {
  return { where: 'cluster', tests: tests.map((one) => ({ test: one, results: one.expectations.map((expectation, index) => ({ expectation, holds: holds[index]!, problem: undefined, computed: { holds: true, counterexamples: [], hasMore: false }, tried: { tried: 4, wrong: [], differences: [] } })) })) };
}

/** Each run takes a second, and comes to its turn's answer. */
async function runsOf(answers: readonly (readonly boolean[] | Error)[], turnMs: number): Promise<{ readonly told: readonly CanaryRun[]; readonly startedAt: readonly number[] }> {
  const clock = new FakeClock();
  const stop = new AbortController();
  const told: CanaryRun[] = [];
  const startedAt: number[] = [];
  const running = runCanary({
    clock,
    everyMs: turnMs,
    signal: stop.signal,
    onRun: async (run) => void told.push(run),
    run: async () => {
      startedAt.push(clock.elapsedMs());
      await new Promise<void>((resolve) => clock.after(1_000, resolve));
      const answer = answers[Math.min(startedAt.length, answers.length) - 1]!;
      if (answer instanceof Error) throw answer;
      return reportOf(answer);
    },
  });
  running.catch(() => undefined); // it is awaited below
  await clock.advance(turnMs * answers.length - 1);
  stop.abort();
  await clock.advance(2_000);
  await running;
  return { told, startedAt };
}

test('runs start at their distance, and only a change is told', async () => {
  const gone = new ClusterError('unreachable', 'the cluster has gone');
  const { told, startedAt } = await runsOf([[true, false], [true, false], gone, [false, true], [true, true]], 30_000);
  assert.deepEqual(startedAt, [0, 30_000, 60_000, 90_000, 120_000]);
  assert.deepEqual(told.map(({ changed }) => changed.map(({ result }) => `${result.expectation.sentence} ${result.holds}`)), [['isolated b false'], [], [], ['deny a/x -> b/* false', 'isolated b true'], ['deny a/x -> b/* true']]);
  assert.deepEqual(told.map(({ state }) => state.problem), [undefined, undefined, 'the cluster has gone', undefined, undefined]);
  assert.deepEqual(told.at(-1)!.state.runs, { held: 1, failed: 3, error: 1 });
});

test('a run that takes longer than its turn is followed at once; a bug is no answer and ends it', async () => {
  const { startedAt } = await runsOf([[true, true], [true, true], [true, true]], 500);
  assert.deepEqual(startedAt.slice(0, 2), [0, 1_000]);
  await assert.rejects(runsOf([new RangeError('bug')], 1_000), RangeError);
});

test('metrics say how the last answer was, also when there is none since', async () => {
  const { told } = await runsOf([[true, false], new ClusterError('unreachable', 'gone')], 30_000);
  const text = canaryMetrics(told.at(-1)!.state);
  for (const line of ['bulkhead_test_runs_total{outcome="failed"} 1', 'bulkhead_test_runs_total{outcome="error"} 1', 'bulkhead_test_up 0', 'bulkhead_test_expectation_held{test="shop",expectation="deny a/x -> b/*"} 1', 'bulkhead_test_expectation_held{test="shop",expectation="isolated b"} 0', 'bulkhead_test_connections 8', 'bulkhead_test_disagreements 0', 'bulkhead_test_last_run_seconds 1']) assert.ok(text.includes(`${line}\n`), `${line}\n${text}`);
  assert.doesNotMatch(canaryMetrics({ runs: { held: 0, failed: 0, error: 1 }, last: undefined, problem: 'gone' }), /^bulkhead_test_(connections|expectation_held|last)/m);
});

test('every metric stands in the reference, and every one there is given', () => {
  const page = readFileSync(join(cloneRoot, 'docs/reference/test-metrics.md'), 'utf8');
  assert.deepEqual([...page.matchAll(/^\| `(bulkhead_test_[a-z_]+)` \| (counter|gauge) \| (.*) \|$/gm)].map(([, name, kind, help]) => [name, kind, help]), CANARY_METRICS.map(({ name, kind, help }) => [name, kind, help]));
});

test('an Event says what it is about, within the bounds of the API', async () => {
  const { told: [first] } = await runsOf([[false, false]], 30_000);
  const { metadata, note, reason, type } = namespaceEvent(sayingOf(first!.changed[0]!, 'shop'), new Date(0)) as unknown as { readonly metadata: { readonly name: string; readonly namespace: string }; readonly note: string; readonly reason: string; readonly type: string };
  assert.deepEqual([metadata.namespace, reason, type], ['shop', 'ExpectationFails', 'Warning']);
  assert.match(metadata.name, /^bulkhead-test\.[0-9a-f]{16}$/);
  assert.match(note, /^FAIL deny a\/x -> b\/\*/);
});
