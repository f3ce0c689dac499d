// The formats for programs: each verb says the same in YAML as in JSON, and a line of JSON at a time where it lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { makeFolder, runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

const FILES = {
  'cluster.yaml': SMALL_CLUSTER,
  'tests.yaml': 'apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: app }\nexpect:\n- allow: { from: app/client, to: app/server, on: tcp/web }\n',
};

const VERBS: readonly (readonly string[])[] = [
  ['lint', 'cluster.yaml'],
  ['reach', 'cluster.yaml'],
  ['reach', '--services', '--by', 'pod', 'cluster.yaml'],
  ['reach', '--exposure', 'cluster.yaml'],
  ['explain', '-f', 'cluster.yaml', 'app/client', 'app/server'],
  ['diff', 'cluster.yaml', 'tests.yaml', '--lenient'],
  ['prove', '-f', 'cluster.yaml', 'deny app/client -> app/server'],
  ['prove', '--redundant', 'cluster.yaml'],
  ['impact', 'app/client', 'cluster.yaml'],
  ['test', '-f', 'cluster.yaml', 'tests.yaml'],
];

for (const words of VERBS) {
  test(`${words.join(' ')}: yaml is the object of json`, (t) => {
    const cwd = makeFolder(t, FILES);
    const json = runBulkhead([...words, '-o', 'json'], { cwd });
    const yaml = runBulkhead([...words, '-o', 'yaml'], { cwd });
    const expected = JSON.parse(json.stdout) as { readonly apiVersion: string };
    assert.equal(expected.apiVersion, 'bulkhead/v1');
    for (const version of ['1.1', '1.2'] as const) assert.deepEqual(parse(yaml.stdout, { version }), expected);
    assert.deepEqual([yaml.status, yaml.stderr], [json.status, json.stderr]);
  });
}

test('jsonl: findings have the same line in lint and in reach', (t) => {
  const cwd = makeFolder(t, { 'cluster.yaml': SMALL_CLUSTER.replace('podSelector: { matchLabels: { role: server }', 'podSelector: { matchLabels: { role: servr }') });
  const linesOf = (verb: string): string[] => runBulkhead([verb, 'cluster.yaml', '-o', 'jsonl'], { cwd }).stdout.trimEnd().split('\n').filter((line) => line.startsWith('{ "finding": '));
  const inReach = linesOf('reach');
  const inLint = linesOf('lint');
  assert.notEqual(inReach.length, 0);
  for (const line of inReach) assert.ok(inLint.includes(line), line);
  for (const line of inLint) assert.equal(typeof (JSON.parse(line) as { finding: { code: string } }).finding.code, 'string');
});

test('a name commands no terminal, in whatever format it is printed', (t) => {
  const cwd = makeFolder(t, { 'pods.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: "\\e[31mred", namespace: shop, labels: { app: b } }\nspec: { containers: [{ name: c, image: x }] }\n' });
  for (const format of ['table', 'wide', 'matrix', 'json', 'jsonl', 'yaml', 'csv', 'md', 'dot', 'mermaid', 'svg']) {
    const { status, stdout } = runBulkhead(['reach', 'pods.yaml', '-o', format], { cwd });
    assert.equal(status, 0, format);
    assert.ok(!stdout.includes('\u001b'), format);
  }
});
