// `bulkhead explain`: verdicts, their reasons, their exit status.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

function explain(words: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout, stderr } = runBulkhead(['explain', '-f', '-', ...words], { input: SMALL_CLUSTER });
  assert.equal(stderr, '');
  return { status, stdout };
}

test('what is allowed names the rule and its line', () => {
  assert.deepEqual(explain(['app/client', 'app/server', 'tcp/8080']), {
    status: 0,
    stdout: `app/client → app/server on TCP 8080: allowed
  egress   allows   no policy governs the egress of app/client
  ingress  allows   TCP 8080
           by ingress rule 1 of NetworkPolicy app/server  standard input:23:7
`,
  });
});

test('what is denied names who isolates, and the rule that came nearest', () => {
  const { status, stdout } = explain(['app/client', 'app/server', 'tcp/8081']);
  assert.equal(status, 1);
  assert.match(stdout, /^app\/client → app\/server on TCP 8081: denied\n/);
  assert.match(stdout, /isolated by NetworkPolicy app\/server {2}standard input:\d+:1\n/);
  assert.match(stdout, /nearest ingress rule 1 of NetworkPolicy app\/server/);
});

interface Row {
  readonly words: readonly string[];
  readonly verdict: string;
  readonly status: number;
}

const ROWS: readonly Row[] = [
  { words: ['app/client', 'app/server', 'web'], verdict: 'on TCP 8080: allowed', status: 0 },
  { words: ['app/client', 'app/server', 'tcp/8000-8100'], verdict: 'on TCP 8000-8100: partly on TCP 8080', status: 1 },
  { words: ['app/client', 'app/server'], verdict: ': allowed on TCP 8080', status: 0 },
  { words: ['app/client', 'svc/app/server:80'], verdict: 'on TCP 8080: allowed', status: 0 },
  { words: ['role=client', 'role=server', 'udp/8080'], verdict: 'on UDP 8080: denied', status: 1 },
  { words: ['namespace=app,role=client', 'app/server', 'web'], verdict: 'on TCP 8080: allowed', status: 0 },
  { words: ['app/server', 'app/client', 'icmp'], verdict: 'on other: denied', status: 1 },
  { words: ['192.0.2.0/24', 'app/client', 'tcp'], verdict: '192.0.2.0/24 → app/client on TCP all: allowed', status: 0 },
  { words: ['internet', 'app/server'], verdict: 'internet (IPv4) → app/server: denied', status: 1 },
  { words: ['app/server', 'app/server'], verdict: 'app/server → app/server: allowed on all', status: 0 },
];

for (const { words, verdict, status } of ROWS) {
  test(`explain ${words.join(' ')}`, () => {
    const result = explain(words);
    assert.ok(result.stdout.split('\n')[0]!.endsWith(verdict), result.stdout);
    assert.equal(result.status, status);
  });
}

test('json carries the same', () => {
  const { status, stdout } = explain(['app/client', 'app/server', 'tcp/8081', '-o', 'json']);
  const { explanations } = JSON.parse(stdout) as { explanations: { verdict: string; ingress: { isolatedBy: { name: string; file: string }[]; nearMiss: { mismatches: { part: string }[] } } }[] };
  assert.equal(status, 1);
  assert.equal(explanations[0]?.verdict, 'denied');
  assert.equal(explanations[0].ingress.isolatedBy[0]?.name, 'server');
  assert.equal(explanations[0].ingress.nearMiss.mismatches[0]?.part, 'port');
});
