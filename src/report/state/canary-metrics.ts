// What tests that are run again and again say as metrics, in the text format of Prometheus.
import type { CanaryState } from '../../probe/canary.ts';
import { formatMetrics, type Metric, type Sample } from '../../status/metrics-text.ts';

/** Expectations with samples of their own. */
export const EXPECTATIONS_SHOWN_MAX = 500;

const ofLast = (state: CanaryState, valueOf: (last: NonNullable<CanaryState['last']>) => number): readonly Sample[] => (state.last === undefined ? [] : [{ value: valueOf(state.last) }]);
const sumOf = ({ report }: NonNullable<CanaryState['last']>, countOf: (tried: { readonly tried: number; readonly differences: readonly unknown[] }) => number): number =>
  report.tests.flatMap(({ results }) => results).reduce((sum, { tried }) => sum + (tried === undefined ? 0 : countOf(tried)), 0);

export const CANARY_METRICS: readonly Metric<CanaryState>[] = [
  { name: 'bulkhead_test_runs_total', kind: 'counter', help: 'Runs of the tests: held, failed, or error where a run came to no answer.', samples: ({ runs }) => Object.entries(runs).map(([outcome, value]) => ({ labels: { outcome }, value })) },
  { name: 'bulkhead_test_up', kind: 'gauge', help: '1 while the last run came to an answer, else 0.', samples: ({ last, problem }) => [{ value: last !== undefined && problem === undefined ? 1 : 0 }] },
  { name: 'bulkhead_test_last_run_time_seconds', kind: 'gauge', help: 'When the last run that came to an answer ended, in seconds of 1970.', samples: (state) => ofLast(state, ({ at }) => at.getTime() / 1000) },
  { name: 'bulkhead_test_last_run_seconds', kind: 'gauge', help: 'How long it took.', samples: (state) => ofLast(state, ({ tookMs }) => tookMs / 1000) },
  { name: 'bulkhead_test_expectation_held', kind: 'gauge', help: '1 where the expectation held in the last run that came to an answer, else 0; the first 500.', samples: expectationSamples },
  { name: 'bulkhead_test_connections', kind: 'gauge', help: 'Connections that it tried.', samples: (state) => ofLast(state, (last) => sumOf(last, ({ tried }) => tried)) },
  { name: 'bulkhead_test_disagreements', kind: 'gauge', help: 'Of those, the ones that were not seen as computed.', samples: (state) => ofLast(state, (last) => sumOf(last, ({ differences }) => differences.length)) },
];

export function canaryMetrics(state: CanaryState): string {
  return formatMetrics(CANARY_METRICS, state);
}

/** Sentences that stand twice in a test are one sample, which holds when both do. */
function expectationSamples({ last }: CanaryState): readonly Sample[] {
  const held = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  for (const { test, results } of last?.report.tests ?? []) {
    for (const { expectation, holds } of results) {
      const key = JSON.stringify([test.name, expectation.sentence]);
      const known = held.get(key);
      if (known === undefined && held.size >= EXPECTATIONS_SHOWN_MAX) continue;
      held.set(key, { labels: { test: test.name, expectation: expectation.sentence }, value: Math.min(known?.value ?? 1, holds ? 1 : 0) });
    }
  }
  return [...held.values()];
}
