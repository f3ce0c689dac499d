// Recorded flows as lines of a table that grows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { flowTable, growingFlowTable } from '../../src/report/flows/flows.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';

function pod(name: string): FlowEnd {
  return { kind: 'pod', namespace: 'shop', workload: { kind: 'Deployment', namespace: 'shop', name }, pod: undefined, labels: new Map(), namespaceLabels: new Map(), address: undefined };
}

function flow(source: string, target: string, more: Partial<FlowRecord> = {}): FlowRecord {
  return { verdict: 'allowed', source: pod(source), target: pod(target), family: 4, protocol: 6, port: 80, count: 1, openings: undefined, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined, ...more };
}

test('what follows stands below one head, and no line is cut off', () => {
  const show = growingFlowTable(PLAIN_STYLE);
  const text = [[flow('web', 'database')], [flow('a', 'b')], [flow('a-longer-name', 'b'), flow('a', 'b')]].map(show).join('');
  assert.equal(text, `last                  source       target         traffic  verdict  seen  by
1970-01-01T00:00:00Z  shop/web  →  shop/database  tcp/80   allowed  1
1970-01-01T00:00:00Z  shop/a    →  shop/b         tcp/80   allowed  1
1970-01-01T00:00:00Z  shop/a-longer-name  →  shop/b         tcp/80   allowed  1
1970-01-01T00:00:00Z  shop/a              →  shop/b         tcp/80   allowed  1
`);
});

test('the same flow over both families is told apart', () => {
  const [, ...lines] = flowTable([flow('a', 'b'), flow('a', 'b', { family: 6 }), flow('a', 'b', { family: 6, protocol: 58, port: 0 })], { style: PLAIN_STYLE, limit: 10 }).split('\n');
  assert.deepEqual(lines.map((line) => /shop\/b +(.*?) {2}/.exec(line)?.[1]), ['tcp/80', 'tcp/80 over IPv6', 'icmpv6', undefined]);
});
