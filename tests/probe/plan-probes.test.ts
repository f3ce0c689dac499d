// Which connections are tried, and how a difference is told.
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { planProbes, type ProbeEndpoint } from '../../src/probe/plan-probes.ts';
import { compareVerdicts, formatDifference } from '../../src/probe/compare-verdicts.ts';

interface EndWords {
  readonly addresses?: readonly string[];
  readonly group?: string;
  readonly place?: string;
  readonly isOutside?: boolean;
  readonly ports?: number;
}

function end(name: string, { addresses = ['10.0.0.1', 'fd00::1'], group = name, place = name, isOutside = false, ports = 1 }: EndWords = {}): ProbeEndpoint {
  const parsed = addresses.map((text) => parseIpAddress(text)!);
  return {
    name, group, place,
    subject: isOutside ? { kind: 'address', address: parsed[0]! } : { kind: 'pod', pod: 0 },
    addresses: parsed,
    ports: Array.from({ length: ports }, (_, index) => ({ protocol: 'TCP', port: 80 + index })),
  };
}

function texts(ends: readonly ProbeEndpoint[], options = {}): string[] {
  return planProbes(ends, options).probes.map(({ source, target, family, port }) => `${ends[source]!.name}>${ends[target]!.name} ${family} ${port}`);
}

test('tries each ordered pair on each port in each family that both have', () => {
  assert.deepEqual(texts([end('a', { ports: 2 }), end('b', { addresses: ['10.0.0.2'] })]), ['a>b 4 80', 'b>a 4 80', 'b>a 4 81']);
  assert.deepEqual(texts([end('a'), end('b')]), ['a>b 4 80', 'a>b 6 80', 'b>a 4 80', 'b>a 6 80']);
});

// Left out: itself, what shares a place, outside to outside.
test('leaves out what no firewall between them could judge', () => {
  const outside = { addresses: ['203.0.113.1'], isOutside: true };
  assert.deepEqual(texts([end('a'), end('x', outside), end('y', outside)]), ['a>x 4 80', 'a>y 4 80', 'x>a 4 80', 'y>a 4 80']);
  assert.deepEqual(texts([end('a', { place: 'node' }), end('b', { place: 'node' })]), []);
});

test('takes only the wanted ports', () => {
  assert.deepEqual(texts([end('a', { ports: 3 }), end('b')], { isWanted: ({ port }: { port: number }, family: number) => family === 6 && port !== 81 }), ['a>b 6 80', 'b>a 6 80', 'b>a 6 82']);
});

test('beyond the bound one pod stands for its group, and one pair for the group with itself', () => {
  const ends = ['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => end(name, { group: name[0]!, addresses: ['10.0.0.1'] }));
  const whole = planProbes(ends, { probesMax: 20 });
  assert.deepEqual([whole.pairs, whole.probes.length, whole.leftOut], ['all', 20, 0]);
  const grouped = planProbes(ends, { probesMax: 19 });
  assert.deepEqual([grouped.pairs, grouped.leftOut], ['groups', 16]);
  assert.deepEqual(texts(ends, { probesMax: 19 }), ['a1>a2 4 80', 'a1>b1 4 80', 'b1>a1 4 80', 'b1>b2 4 80']);
});

test('and beyond that a sample is spread evenly', () => {
  const ends = Array.from({ length: 10 }, (_, index) => end(`p${index}`, { ports: 10, addresses: ['10.0.0.1'] }));
  const plan = planProbes(ends, { probesMax: 90 });
  assert.deepEqual([plan.pairs, plan.probes.length, plan.leftOut], ['sample', 90, 810]);
  assert.equal(new Set(plan.probes.map(({ source, target }) => `${source} ${target}`)).size, 90);
});

test('an unknown verdict agrees with nothing, and each difference is named', () => {
  const plan = planProbes([end('a', { ports: 2, addresses: ['10.0.0.1'] }), end('b', { addresses: ['10.0.0.2'] })]);
  const seen = [{ verdict: 'allowed', evidence: 'reply' }, { verdict: 'unknown', evidence: 'failure', errno: 101 }, { verdict: 'denied', evidence: 'ledger' }] as const;
  const table = compareVerdicts(plan, ['denied', 'denied', 'denied'], seen);
  assert.equal(table.agrees, false);
  assert.deepEqual(table.differences.map(formatDifference), [
    'a -> b tcp/80 over IPv4: expected denied, seen allowed (reply)',
    'b -> a tcp/80 over IPv4: expected denied, seen unknown (failure, errno 101)',
  ]);
  assert.deepEqual(table.pairs, [
    { source: 0, target: 1, allowed: 1, denied: 0, unknown: 0, different: 1 },
    { source: 1, target: 0, allowed: 0, denied: 1, unknown: 1, different: 1 },
  ]);
  assert.deepEqual([table.allowed, table.denied, table.unknown], [1, 1, 1]);
});

test('a run that was cut short does not agree', () => {
  const plan = planProbes([end('a'), end('b')]);
  assert.equal(compareVerdicts(plan, ['denied', 'denied', 'denied', 'denied'], [{ verdict: 'denied', evidence: 'ledger' }]).agrees, false);
});
