// The words by which flows are asked for, each against the same few flows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { flowFilter, unknownEnd, type FlowWishes } from '../../src/flow/filter-flows.ts';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { groupFlows } from '../../src/flow/group-flows.ts';
import { parseSince } from '../../src/words/time-words.ts';

function pod(namespace: string, name: string, labels: Readonly<Record<string, string>> = { app: name }): FlowEnd {
  return { kind: 'pod', namespace, workload: { kind: 'Deployment', namespace, name }, pod: undefined, labels: new Map(Object.entries(labels)), namespaceLabels: new Map(), address: parseIpAddress('10.0.0.1') };
}

function outside(address: string, more: Partial<FlowEnd & { kind: 'outside' }> = {}): FlowEnd {
  return { kind: 'outside', address: parseIpAddress(address)!, names: [], node: undefined, isOwnNode: false, ...more };
}

function flow(source: FlowEnd, target: FlowEnd, more: Partial<FlowRecord> = {}): FlowRecord {
  return { verdict: 'allowed', source, target, family: 4, protocol: 6, port: 3306, count: 1, openings: undefined, firstSeen: 1000, lastSeen: 2000, node: undefined, service: undefined, reason: undefined, ...more };
}

const FLOWS: Readonly<Record<string, FlowRecord>> = {
  db: flow(pod('shop', 'web'), pod('data', 'db'), { service: 'data/db' }),
  dns: flow(pod('shop', 'web'), pod('kube-system', 'coredns'), { protocol: 17, port: 53, count: 7 }),
  denied: flow(pod('shop', 'attacker'), pod('data', 'db'), { verdict: 'denied', lastSeen: 9000 }),
  cards: flow(pod('shop', 'api', { app: 'api', namespace: 'odd' }), outside('198.18.0.9', { names: ['api.cards.example'] }), { port: 443, firstSeen: 5000 }),
  internet: flow(outside('8.8.8.8'), pod('shop', 'web'), { port: 80 }),
  node: flow(outside('192.168.1.5', { node: 'n1' }), pod('shop', 'web'), { protocol: 1, port: 0 }),
};

function check(expected: readonly string[], wishes: FlowWishes): void {
  const isWanted = flowFilter(wishes);
  assert.deepEqual(Object.keys(FLOWS).filter((name) => isWanted(FLOWS[name]!)), expected, JSON.stringify(wishes));
}

test('words for an end', () => {
  check(['db', 'dns'], { source: 'shop/web' });
  check(['db', 'denied'], { target: 'namespace=data' });
  check(['dns'], { source: 'app=web', target: 'kube-system/*' });
  check(['db', 'dns', 'denied'], { source: 'namespace in (shop, ops), app!=api' });
  // A label of that very key is the label.
  check(['cards'], { source: 'namespace=odd' });
  check(['cards'], { target: 'api.cards.example' });
  check(['cards'], { target: '198.18.0.0/15' });
  check(['internet'], { source: 'internet' });
  check(['node'], { source: 'n1' });
  check(['internet', 'node'], { target: 'shop/web' });
  check(Object.keys(FLOWS), { source: '*' });
  check(['db', 'dns', 'denied', 'cards'], { source: '*/*' });
  check([], { source: 'shop/nobody' });
  check(['db'], { target: 'svc/data/db' });
  check(['db'], { target: 'db.data.svc.cluster.local' });
  check([], { target: 'svc/data/other' });
  assert.throws(() => flowFilter({ target: 'svc/db' }), /is no Service/);
  assert.throws(() => flowFilter({ target: 'svc/data/db:5432' }), /is no Service/);
  assert.throws(() => flowFilter({ source: 'svc/data/db' }), /opens no connections/);
  assert.deepEqual(unknownEnd('svc/data/dp', Object.values(FLOWS)), { word: 'svc/data/dp', near: 'svc/data/db' });
  for (const word of ['svc/data/db', 'db.data.svc', 'db.data.svc.cluster.local']) assert.equal(unknownEnd(word, Object.values(FLOWS)), undefined);
});

test('ports, verdicts and times', () => {
  check(['dns'], { port: '53' });
  check([], { port: 'tcp/53' });
  check(['db', 'denied'], { port: '3000-4000' });
  check(['dns'], { port: '53/udp' });
  check(['node'], { port: 'icmp' });
  // What the table calls it, and what it has no word for.
  check(['node'], { port: 'icmpv4' });
  check([], { port: 'icmpv6' });
  check(['node'], { port: 'protocol 1' });
  check(['denied'], { verdict: 'denied' });
  check(['denied'], { sinceMs: 3000 });
  check(['cards'], { newSinceMs: 4000 });
  check(['db'], { source: 'shop/web', target: 'namespace=data', port: '3306', verdict: 'allowed' });
});

test('words that cannot be read are refused', () => {
  for (const wishes of [{ port: '70000' }, { port: 'tcp/none' }, { source: 'a in b=' }, { source: '' }]) assert.throws(() => flowFilter(wishes), { name: /WordError/ });
  // Flows know no names of ports, so that no pod is missing one.
  for (const port of ['http', 'tcp/http', '', '80,443', '80:90', 'icmpv5']) assert.throws(() => flowFilter({ port }), /flows know numbers alone/, port);
});

test('a time is said as a person says it, in UTC', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  const said = (word: string): string => new Date(parseSince(word, now)).toISOString().replace(':00.000Z', '');
  for (const [expected, ...words] of [
    ['2026-11-20T10:00', '2h', '2 hours', '2 hours ago', '120m', '120 mins', '2026-11-20T10:00:00Z', '2026-11-20T11:00:00+01:00'],
    ['2026-11-20T10:30', '1h30m', '1h 30m ago', '90min'],
    ['2026-11-13T12:00', '7d', '1w', '1 week ago', '6d24h'],
    ['2026-11-20T00:00', 'today', '2026-11-20'],
    ['2026-11-19T00:00', 'yesterday', '2026-11-19'],
    ['2024-02-29T00:00', '2024-02-29'],
    ['1970-01-01T00:00', '999999w'],
  ] as const) for (const word of words) assert.equal(said(word), expected, word);
  for (const word of ['soon', '', 'ago', '2', '2x', '2mo', '-2h', '1hour30', '10:00', '2026-02-30', '2026-11-31', '2023-02-29T00:00:00Z', '2026-11-20T25:00:00Z', '2026-11-20T10:00']) assert.throws(() => parseSince(word, now), /is no time/, word);
});

test('a word that no end is called is told from silence, with the nearest one', () => {
  const records = Object.values(FLOWS);
  assert.equal(unknownEnd('shop/wib', records)?.near, 'shop/web');
  for (const [near, ...words] of [
    ['shop/web', 'web', '*/web', 'deployment/web', 'Shop/Web', 'shop/web-6d4b9f7c55-k2xlp'],
    ['shop/*', 'shop', 'shop/', 'Shop', 'shp/*'],
    ['namespace=shop', 'namespace=shp', 'ns=shop'],
    ['internet', 'Internet'],
    [undefined, 'team=red', '10.0.0', 'nobody'],
  ] as const) for (const word of words) assert.equal(unknownEnd(word, records)?.near, near, word);
  assert.equal(unknownEnd('svc/data/db', records), undefined);
  assert.equal(unknownEnd('shop/web', records), undefined);
  assert.equal(unknownEnd('10.9.0.0/16', records), undefined);
});

test('sums have the largest first', () => {
  assert.deepEqual(groupFlows(Object.values(FLOWS), 'source').map(({ name, flows, allowed, denied }) => [name, flows, allowed, denied]), [
    ['shop/web', 2, 8, 0],
    ['8.8.8.8', 1, 1, 0],
    ['n1', 1, 1, 0],
    ['shop/api', 1, 1, 0],
    ['shop/attacker', 1, 0, 1],
  ]);
  assert.deepEqual(groupFlows(Object.values(FLOWS), 'target-namespace').map(({ name }) => name), ['kube-system', 'data', 'shop', 'outside']);
});
