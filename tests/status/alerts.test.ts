// The alerts that are shipped ask for metrics and labels that the agent and the tests in a cluster really have.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { SENDER_METRICS } from '../../src/history/send/sender-metrics.ts';
import type { StagedCount } from '../../src/stage/staged-count.ts';
import { METRICS, metricsText } from '../../src/status/metrics-text.ts';
import { cloneRoot } from '../needs.ts';
import { FACTS, READY } from './agent-states.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

const rules = load(readFileSync(join(cloneRoot, 'deploy/prometheus-rules.yaml'), 'utf8')) as { readonly spec: { readonly groups: readonly { readonly rules: readonly Alert[] }[] } };
const alerts = rules.spec.groups.flatMap((group) => group.rules);
const expressions = alerts.map(({ expr }) => expr);

/** What the page of the tests' metrics lists is held against them elsewhere. */
const testMetrics = [...readFileSync(join(cloneRoot, 'docs/reference/test-metrics.md'), 'utf8').matchAll(/^\| `(bulkhead_[a-z_]+)`/gm)].map(([, name]) => name!);
const staged: StagedCount = { kind: 'StagedPolicy', namespace: 'shop', name: 'a', uid: 'a', generation: 1, since: FACTS.startedAt, until: FACTS.startedAt, judged: 3, wouldRefuse: 1, wouldAllow: 0, unknown: 0, rules: [], witnesses: [] };
const trouble = { code: 'kernel', message: 'no', since: FACTS.startedAt } as const;
const text = metricsText({ facts: FACTS, state: { ...READY, troubles: [trouble] }, usage: { residentBytes: 1, cpuSeconds: 2 }, staged: [staged] });

test('every metric that is asked for exists', () => {
  const known = new Set([...METRICS.flatMap(({ name, kind }) => (kind === 'histogram' ? [`${name}_bucket`] : [name])), ...SENDER_METRICS.map(([name]) => name), ...testMetrics]);
  const asked = new Set(expressions.flatMap((expr) => expr.match(/bulkhead_[a-z_]+/g) ?? []));
  assert.ok(asked.size >= 10, `${asked.size} asked for`);
  assert.deepEqual([...asked].filter((name) => !known.has(name)), []);
});

test('every label that is asked for is one of a sample', () => {
  for (const expr of expressions) {
    for (const [, name, matcher] of expr.matchAll(/(bulkhead_[a-z_]+)\{([^}]+)\}/g)) assert.ok(text.includes(`\n${name}{${matcher}} `), `${name}{${matcher}}`);
    for (const [, labels, metric] of expr.matchAll(/by \(([a-z, ]+)\) \((?:[a-z]+\()*(bulkhead_[a-z_]+)/g)) {
      for (const label of labels!.split(', ').filter((one) => one !== 'instance')) assert.match(text, new RegExp(`^${metric}\\{(?:[^}]*,)?${label}="`, 'm'), `${label} of ${metric}`);
    }
    assert.equal(expr.split('(').length, expr.split(')').length, expr);
  }
});

test('alerts have names of their own, and say what is the matter', () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { labels, annotations } of alerts) assert.ok(['critical', 'warning', 'info'].includes(labels.severity) && annotations.summary.length > 20);
});

test('a summary names labels that are left in the answer, and whole numbers', () => {
  const tested = new Set(['test', 'expectation']);
  for (const { expr, annotations: { summary } } of alerts) {
    const grouped = /\bby \(([a-z, ]+)\)/.exec(expr)?.[1]?.split(', ');
    for (const [, label] of summary.matchAll(/\$labels\.([a-z_]+)/g)) {
      const isLeft = grouped === undefined ? label === 'instance' || tested.has(label!) || new RegExp(`[{,]${label}="`).test(text) : grouped.includes(label!);
      assert.ok(isLeft, `${label} of ${expr}`);
    }
    if (/\bincrease\(/.test(expr)) assert.doesNotMatch(summary, /\{\{ \$value \}\}/, 'Prometheus extrapolates to parts of a count');
  }
});

test('an agent that says nothing any more is told of', () => {
  assert.ok(expressions.includes('count by (node) (bulkhead_agent_info offset 1h) unless on (node) bulkhead_agent_info'));
});
