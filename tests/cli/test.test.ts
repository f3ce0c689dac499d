// `bulkhead test`: formats for programs, and the same file statically and in the lab.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../needs.ts';
import { makeFolder, runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

function testFile(...expectations: readonly string[]): string {
  return `apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: app }\nexpect:\n${expectations.map((line) => `- ${line}\n`).join('')}`;
}

const HOLDING = testFile(
  'allow: { from: app/client, to: app/server, on: tcp/web }',
  'allow: { from: app/client, to: svc/app/server:80 }',
  'deny: { from: app/client, to: app/server, on: [9999, udp/8080] }',
  'deny: { from: app/server, to: "*", on: any }',
  'deny: { from: internet, to: app/server, on: any }',
  'isolated: app/server',
);

const FAILING = testFile('deny: { from: app/client, to: app/server, on: tcp/8080 }', 'allow: { from: app/client, to: app/server, on: tcp/9999 }');

interface Report {
  readonly kind: string;
  readonly in: string;
  readonly held: number;
  readonly failed: number;
  readonly tests: readonly { readonly results: readonly { readonly holds: boolean; readonly tried?: { readonly connections: number; readonly wrong: readonly string[]; readonly differences: readonly string[] }; readonly messages: readonly string[] }[] }[];
}

test('the same file holds statically and in the lab', needs('kernel'), (t) => {
  const folder = makeFolder(t, { 'app.yaml': SMALL_CLUSTER, 'tests.yaml': HOLDING });
  for (const place of ['static', 'lab']) {
    const { status, stdout, stderr } = runBulkhead(['test', '-f', 'app.yaml', 'tests.yaml', '--in', place, '-o', 'json'], { cwd: folder });
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([status, report.in, report.held, report.failed], [0, place, 6, 0], stdout + stderr);
    const tried = report.tests[0]!.results.slice(0, 5).map((result) => (result.tried?.connections ?? 0) > 0);
    assert.deepEqual(tried, Array(5).fill(place === 'lab'));
  }
});

test('what fails in the lab is seen there, in both directions', needs('kernel'), (t) => {
  const folder = makeFolder(t, { 'app.yaml': SMALL_CLUSTER, 'tests.yaml': FAILING });
  const { status, stdout } = runBulkhead(['test', '-f', 'app.yaml', 'tests.yaml', '--in', 'lab', '-o', 'json'], { cwd: folder });
  const [open, closed] = (JSON.parse(stdout) as Report).tests[0]!.results;
  assert.equal(status, 1);
  assert.match(open!.tried!.wrong[0]!, /^app\/client -> app\/server tcp\/8080 over IPv[46]: allowed$/);
  assert.match(closed!.tried!.wrong[0]!, /^app\/client -> app\/server tcp\/9999 over IPv[46]: denied$/);
  assert.deepEqual([...open!.tried!.differences, ...closed!.tried!.differences], []);
});

test('a failed expectation names the rule that decided, in each format', (t) => {
  const folder = makeFolder(t, { 'app.yaml': SMALL_CLUSTER, 'tests/a.yaml': FAILING, 'tests/b.yaml': HOLDING });
  for (const format of ['text', 'tap', 'junit', 'json']) {
    const { status, stdout } = runBulkhead(['test', '-f', 'app.yaml', 'tests', '-o', format], { cwd: folder });
    assert.equal(status, 1, format);
    assert.match(stdout, /ingress rule 1 of NetworkPolicy app\/server/, format);
    assert.match(stdout, /app\.yaml:23/, format);
  }
});

test('every document of every file is run', (t) => {
  const folder = makeFolder(t, { 'app.yaml': SMALL_CLUSTER, 'tests.yaml': `${HOLDING}---\n${FAILING}` });
  const { stdout } = runBulkhead(['test', '-f', 'app.yaml', 'tests.yaml'], { cwd: folder });
  assert.match(stdout, /^6 held, 2 failed$/m);
});

// What a broken file says; none of them may end with 0 or 1.
const BROKEN: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['empty', '', /there is no test in/],
  ['no list', 'apiVersion: bulkhead/v1\nkind: PolicyTest\n', /`expect` is missing/],
  ['empty list', 'apiVersion: bulkhead/v1\nkind: PolicyTest\nexpect: []\n', /`expect` is empty/],
  ['a scalar', 'words\n', /the document is "words"/],
  ['an empty word', testFile('deny: { from: "", to: "*" }'), /:5:\d+: error.*`from` is empty/],
  ['hops of nothing', testFile('noPath: { from: internet, to: "*", hops: 0 }'), /:5:\d+: error.*`hops` is 0/],
  ['aliases without end', `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: &e [*d, *d]\nf: &f [*e, *e]\ng: &g [*f, *f]\nh: [*g, *g]\n`, /error/],
  ['not YAML', 'expect: {\n', /yaml-syntax/],
];

for (const [name, text, says] of BROKEN) {
  test(`a broken file ends with 2: ${name}`, (t) => {
    const folder = makeFolder(t, { 'app.yaml': SMALL_CLUSTER, 'tests.yaml': text });
    const { status, stdout, stderr } = runBulkhead(['test', '-f', 'app.yaml', 'tests.yaml'], { cwd: folder });
    assert.equal(status, 2, stdout);
    assert.match(stderr, says);
  });
}
