// The metrics are what Prometheus reads, and no cluster makes them long.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SENDER_METRICS } from '../../src/history/send/sender-metrics.ts';
import { METRICS, metricsText, STAGED_SHOWN_MAX } from '../../src/status/metrics-text.ts';
import { readiness } from '../../src/status/health-text.ts';
import type { StagedCount } from '../../src/stage/staged-count.ts';
import { cloneRoot } from '../needs.ts';
import { FACTS, policy, READY } from './agent-states.ts';

const usage = { residentBytes: 1, cpuSeconds: 2 };
const staged = (name: string, namespace = 'shop'): StagedCount => ({ kind: 'StagedPolicy', namespace, name, uid: name, generation: 1, since: FACTS.startedAt, until: FACTS.startedAt, judged: 3, wouldRefuse: 1, wouldAllow: 0, unknown: 0, rules: [], witnesses: [] });

/** Text format 0.0.4: HELP, TYPE, then samples of that name. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  let current = '';
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE ([a-z_]+) (gauge|counter|histogram)$/.exec(line);
    if (type !== null) current = type[1]!;
    if (line.startsWith('#')) continue;
    const [, name, labels, value] = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? ([0-9.e+-]+)$/.exec(line) ?? [];
    assert.equal(name?.replace(/_(bucket|sum|count)$/, ''), current, `a sample under its own TYPE: ${line}`);
    assert.ok(!samples.has(`${name}${labels ?? ''}`), `once: ${line}`);
    samples.set(`${name}${labels ?? ''}`, Number(value));
  }
  return samples;
}

test('each metric is named, explained and typed', () => {
  for (const { name, kind, help } of METRICS) {
    assert.match(name, /^bulkhead_[a-z_]+$/);
    assert.equal(name.endsWith('_total'), kind === 'counter', name);
    assert.ok(help.endsWith('.') && !help.includes('\n'), help);
  }
});

test('what a state gives', () => {
  const trouble = { code: 'kernel', message: 'no', since: FACTS.startedAt } as const;
  const state = { ...READY, isReady: false, troubles: [trouble, trouble], policies: [policy('a'), policy('b', { problem: 'a field that nobody knows' }), policy('c', { inForceSince: undefined })] };
  const samples = parse(metricsText({ facts: FACTS, state, staged: [staged('would "be"\n')], usage }));
  assert.equal(samples.get('bulkhead_ready'), 0);
  assert.equal(samples.get('bulkhead_troubles{code="kernel"}'), 2);
  assert.deepEqual(['in_force', 'pending', 'problem'].map((word) => samples.get(`bulkhead_policies{state="${word}"}`)), [1, 1, 1]);
  assert.equal(samples.get('bulkhead_staged_would_refuse_total{kind="StagedPolicy",namespace="shop",name="would \\"be\\"\\n"}'), 1);
  assert.equal(parse(metricsText({ facts: FACTS, state: READY, staged: [], usage })).get('bulkhead_ready'), 1);
});

test('how old the API server\'s word is: since the first kind was lost, and nothing while all is told', () => {
  const lost = (seconds: number) => ({ code: 'cluster', message: 'gone', since: new Date(seconds * 1000) }) as const;
  const silentSince = (troubles: typeof READY.troubles): number | undefined => parse(metricsText({ facts: FACTS, state: { ...READY, troubles }, staged: [], usage })).get('bulkhead_cluster_trouble_since_seconds');
  assert.deepEqual([silentSince([]), silentSince([{ code: 'names', message: 'no', since: new Date(5000) }]), silentSince([lost(90), lost(60)])], [undefined, undefined, 60]);
});

test('the times of commits are a histogram of seconds', () => {
  const samples = parse(metricsText({ facts: FACTS, state: READY, staged: [], usage }));
  const buckets = [...samples].filter(([name]) => name.startsWith('bulkhead_commit_seconds_bucket'));
  const counts = buckets.map(([, value]) => value);
  assert.deepEqual(counts, counts.toSorted((a, b) => a - b), 'each bucket holds those before it');
  assert.deepEqual(['0.001', '0.0025', '0.025', '0.05', '10', '+Inf'].map((le) => samples.get(`bulkhead_commit_seconds_bucket{le="${le}"}`)), [0, 1, 1, 3, 3, 3]);
  assert.deepEqual(['sum', 'count'].map((word) => samples.get(`bulkhead_commit_seconds_${word}`)), [0.0715, 3]);
});

test('ten thousand policies and staged ones make no more lines than a hundred', () => {
  const many = { ...READY, policies: Array.from({ length: 10_000 }, (_, index) => policy(`p${index}`)) };
  const samples = parse(metricsText({ facts: FACTS, state: many, staged: Array.from({ length: 5_000 }, (_, index) => staged(`s${index}`)), usage }));
  const without = parse(metricsText({ facts: FACTS, state: READY, staged: [], usage }));
  assert.ok(samples.size <= without.size + 2 * (STAGED_SHOWN_MAX + 1), `${samples.size} samples, ${without.size} without any`);
  assert.equal(samples.get('bulkhead_policies{state="in_force"}'), 10_000);
  assert.equal([...samples].filter(([name]) => name.startsWith('bulkhead_staged_judged_total')).reduce((sum, [, value]) => sum + value, 0), 15_000, 'the rest is summed');
});

test('readiness gives its reasons', () => {
  assert.deepEqual(readiness(READY), { isReady: true, text: 'ready\n' });
  const troubles = Array.from({ length: 25 }, (_, index) => ({ code: 'cluster' as const, message: `reason ${index}`, since: FACTS.startedAt }));
  const { isReady, text } = readiness({ ...READY, isReady: false, troubles });
  assert.equal(isReady, false);
  assert.match(text, /^not ready\ncluster: reason 0 \(since 2026-01-01T00:00:00.000Z\)\n[^]*and 5 more\n$/);
});

test('the reference has each metric, and no other', () => {
  const page = readFileSync(join(cloneRoot, 'docs/reference/metrics.md'), 'utf8');
  assert.deepEqual([...page.matchAll(/^\| `(\w+)` \| (\w+) \| (.*) \|$/gm)].map((found) => found.slice(1)), [...METRICS.map(({ name, kind, help }) => [name, kind, help]), ...SENDER_METRICS.map(([name, kind, help]) => [name, kind, help])]);
});
