// The live truth table as text: what came through, and what is not as computed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { compareVerdicts } from '../../src/probe/compare-verdicts.ts';
import { planProbes, type ProbeEndpoint } from '../../src/probe/plan-probes.ts';
import type { SeenVerdict } from '../../src/probe/run-probes.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { count, countOf, truthDifferences, truthMatrix, truthSummary } from '../../src/report/text/truth-table.ts';

const PORTS = [{ protocol: 'TCP', port: 80 }, { protocol: 'UDP', port: 53 }] as const;

const ENDS: readonly ProbeEndpoint[] = [
  { name: 'shop/web', subject: { kind: 'pod', pod: 0 }, addresses: [parseIpAddress('10.0.0.1')!], group: 'web', place: 'a', ports: PORTS },
  { name: 'shop/api', subject: { kind: 'pod', pod: 1 }, addresses: [parseIpAddress('10.0.0.2')!], group: 'api', place: 'b', ports: PORTS },
];

const ALLOWED: SeenVerdict = { verdict: 'allowed', evidence: 'reply' };
const DENIED: SeenVerdict = { verdict: 'denied', evidence: 'ledger' };

test('a table that agrees', () => {
  const table = compareVerdicts(planProbes(ENDS), ['allowed', 'denied', 'denied', 'denied'], [ALLOWED, DENIED, DENIED, DENIED]);
  assert.equal(
    truthMatrix(table, { style: PLAIN_STYLE, widthColumns: 80 }),
    `             1  2
1 shop/web      a
2 shop/api   ·

 a  TCP 80
 ·  none came through
`,
  );
  assert.equal(truthSummary(table, PLAIN_STYLE), '4 connections tried: 1 came through, 3 were refused\nevery verdict of the kernel is the computed one\n');
  assert.equal(truthDifferences(table, PLAIN_STYLE), '');
});

test('a verdict that is not the computed one is marked, named and counted', () => {
  const table = compareVerdicts(planProbes(ENDS), ['allowed', 'denied', 'denied', 'denied'], [ALLOWED, DENIED, DENIED, ALLOWED]);
  const matrix = truthMatrix(table, { style: PLAIN_STYLE, widthColumns: 80 });
  assert.match(matrix, /^2 shop\/api {3}✗$/m);
  assert.match(matrix, /✗ {2}at least one verdict is not the computed one/);
  assert.match(truthSummary(table, PLAIN_STYLE), /^1 verdict is not the computed one$/m);
  assert.equal(truthDifferences(table, PLAIN_STYLE), '✗ shop/api -> shop/web udp/53 over IPv4: expected denied, seen allowed (reply)\n');
});

test('a run that was cut short does not agree', () => {
  const table = compareVerdicts(planProbes(ENDS), ['allowed', 'denied', 'denied', 'denied'], [ALLOWED, DENIED]);
  assert.equal(table.agrees, false);
  assert.match(truthSummary(table, PLAIN_STYLE), /not every probe was made/);
});

test('numbers are grouped, nouns counted', () => {
  assert.deepEqual([1, 999, 1000, 1234567].map(count), ['1', '999', '1,000', '1,234,567']);
  assert.deepEqual([1, 2000].map((number) => countOf(number, 'pod')), ['1 pod', '2,000 pods']);
});
