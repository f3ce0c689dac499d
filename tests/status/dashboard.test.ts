// The dashboard in deploy/grafana.json: each query asks for metrics, and for labels of theirs, that are really printed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CanaryState } from '../../src/probe/canary.ts';
import { historyMetrics } from '../../src/history/store/history-metrics.ts';
import { senderMetrics } from '../../src/history/send/sender-metrics.ts';
import { canaryMetrics } from '../../src/report/state/canary-metrics.ts';
import type { StagedCount } from '../../src/stage/staged-count.ts';
import { metricsText } from '../../src/status/metrics-text.ts';
import { cloneRoot } from '../needs.ts';
import { FACTS, policy, READY } from './agent-states.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync(join(cloneRoot, 'deploy/grafana.json'), 'utf8')) as { readonly panels: readonly Panel[]; readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] } };
const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })));

interface Printed {
  readonly kind: string;
  readonly labels: Set<string>;
  /** By label. */
  readonly values: Map<string, Set<string>>;
}

function printed(): ReadonlyMap<string, Printed> {
  const staged: StagedCount = { kind: 'StagedPolicy', namespace: 'shop', name: 'web', uid: 'u', generation: 1, since: FACTS.startedAt, until: FACTS.startedAt, judged: 3, wouldRefuse: 1, wouldAllow: 0, unknown: 0, rules: [], witnesses: [] };
  const state = { ...READY, troubles: [{ code: 'kernel', message: 'no', since: FACTS.startedAt } as const], policies: [policy('web')] };
  const range = { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } };
  const expectation = { sentence: 'deny a -> b', file: 'a.yaml', range, assertion: { kind: 'deny', source: 'a', target: 'b', ports: undefined } } as const;
  const canary: CanaryState = { runs: { held: 1, failed: 0, error: 0 }, problem: undefined, last: { at: FACTS.startedAt, tookMs: 1, report: { where: 'cluster', tests: [{ test: { name: 'shop', file: 'a.yaml', expectations: [expectation] }, results: [{ expectation, holds: true, problem: undefined, computed: undefined, tried: undefined }] }] } } };
  const sender = { sentBatches: 1, spooledBatches: 0, spooledBytes: 0, lost: 0 } as Parameters<typeof senderMetrics>[0]; // the fields that it prints
  const text = [metricsText({ facts: FACTS, state, staged: [staged], usage: { residentBytes: 1, cpuSeconds: 1 } }), canaryMetrics(canary), senderMetrics(sender), historyMetrics({ counts: { batches: 0, duplicates: 0, records: 0, lost: 0, failures: 0 } })].join('');
  const metrics = new Map<string, Printed>();
  let kind = '';
  for (const line of text.split('\n')) {
    kind = /^# TYPE \S+ (\S+)$/.exec(line)?.[1] ?? kind;
    const [, name, labels = ''] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line.startsWith('#') ? '' : line) ?? [];
    if (name === undefined) continue;
    const metric = metrics.get(name) ?? { kind, labels: new Set<string>(), values: new Map<string, Set<string>>() };
    for (const [, label, value] of labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) {
      metric.labels.add(label!);
      metric.values.set(label!, (metric.values.get(label!) ?? new Set()).add(value!));
    }
    metrics.set(name, metric);
  }
  return metrics;
}

/** What Prometheus adds to each sample of a target. */
const OF_TARGET = ['instance', 'job'];

test('each query names metrics that are printed, with labels that they have', () => {
  const metrics = printed();
  assert.ok(queries.length > 25);
  for (const { title, expr } of queries) {
    const used = [...expr.matchAll(/\b(bulkhead_[a-z_]+)(?:\{([^}]*)\})?/g)];
    assert.ok(used.length > 0, title);
    const joined = new Set([...OF_TARGET, ...(expr.includes('group_left (node) bulkhead_agent_info') ? ['node'] : [])]);
    for (const [, name, matchers = ''] of used) {
      const metric = metrics.get(name!);
      assert.ok(metric !== undefined, `${title}: nothing prints ${name}`);
      for (const [, label, operator, value] of matchers.matchAll(/([a-z_]+)(=~|=)"([^"]*)"/g)) {
        assert.ok(metric.labels.has(label!) || OF_TARGET.includes(label!), `${title}: ${name} has no label ${label}`);
        const values = value!.startsWith('$') ? [] : operator === '=~' ? value!.split('|') : [value!];
        for (const one of values) assert.ok(metric.values.get(label!)!.has(one), `${title}: ${name} never has ${label}="${one}"`);
      }
      // A counter is only ever asked for its growth.
      const isRaw = !new RegExp(`(rate|increase)\\(${name}[^a-z_]`).test(expr);
      if (metric.kind === 'counter' || name!.endsWith('_bucket')) assert.ok(!isRaw, `${title}: ${name} without rate`);
      else if (!name!.endsWith('_count')) assert.ok(isRaw, `${title}: ${name} is no counter`);
    }
    const labels = new Set(used.flatMap(([, name]) => [...metrics.get(name!)!.labels]));
    for (const [, list] of expr.matchAll(/by \(([^)]*)\)/g)) for (const label of list!.split(/, */)) assert.ok(labels.has(label) || joined.has(label), `${title}: by ${label}`);
  }
});

test('a legend has the labels that its query leaves, and parentheses close', () => {
  for (const { title, expr, legendFormat } of queries) {
    const kept = new Set([...expr.matchAll(/(?:by|group_left) \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/, */)));
    for (const [, label] of legendFormat.matchAll(/\{\{([a-z_]+)\}\}/g)) assert.ok(kept.has(label!), `${title}: ${label}`);
    let depth = 0;
    for (const sign of expr) {
      if (sign === '(') depth++;
      if (sign === ')') depth--;
      assert.ok(depth >= 0, title);
    }
    assert.equal(depth, 0, title);
  }
});

test('what one would be woken by is on it', () => {
  const asked = queries.map(({ expr }) => expr).join('\n');
  for (const name of ['bulkhead_ready', 'bulkhead_enforcing', 'bulkhead_policies', 'bulkhead_troubles', 'bulkhead_flow_lost_total', 'bulkhead_test_expectation_held', 'bulkhead_history_failures_total', 'bulkhead_sender_lost_total']) assert.ok(asked.includes(name), name);
});

test('panels have numbers of their own, stay within the grid, and lie beside each other', () => {
  const { panels } = dashboard;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x >= 0 && x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.equal(taken.get(`${column} ${line}`), undefined, `${title} over another`);
        taken.set(`${column} ${line}`, title);
      }
    }
  }
  assert.deepEqual(dashboard.templating.list.map(({ name }) => name), ['datasource', 'instance']);
});
