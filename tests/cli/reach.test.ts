// `bulkhead reach` as a user meets it: inputs, formats, streams, broken text.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { BULKHEAD, makeFolder, plainEnvironment, runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

const TABLE = `SOURCE            TARGET            TRAFFIC
app/client        app/server        TCP 8080
app/client        any IPv4 address  all
app/client        any IPv6 address  all
any IPv4 address  app/client        all
any IPv6 address  app/client        all
`;

test('a table from standard input', () => {
  assert.deepEqual(runBulkhead(['reach', '-f', '-'], { input: SMALL_CLUSTER }), { status: 0, stdout: TABLE, stderr: '' });
});

test('the same bytes for the same input, whatever it comes by', (t) => {
  const [pods = '', ...rest] = SMALL_CLUSTER.split('---\n');
  const folder = makeFolder(t, { 'b/policies.yml': rest.join('---\n'), 'a/pods.yaml': pods, 'notes.txt': 'no manifest' });
  const json = runBulkhead(['reach', '-f', '-', '-o', 'json'], { input: SMALL_CLUSTER });
  assert.equal(json.status, 0);
  assert.deepEqual(runBulkhead(['reach', '-f', folder, '-o', 'json']), json);
  assert.deepEqual(runBulkhead(['reach', folder, '-f', `${folder}/a`, '-o', 'json']), json);
  const { allowed } = JSON.parse(json.stdout) as { allowed: { source: string; target: string }[] };
  assert.deepEqual(allowed[0], { source: 'app/client', target: 'app/server', traffic: { TCP: [[8080, 8080]], UDP: [], SCTP: [] }, other: false });
});

test('every format answers', () => {
  for (const format of ['table', 'wide', 'matrix', 'json', 'csv', 'md', 'dot', 'mermaid']) {
    for (const grain of ['workload', 'pod', 'namespace']) {
      const { status, stdout, stderr } = runBulkhead(['reach', '-f', '-', '-o', format, '--by', grain], { input: SMALL_CLUSTER });
      assert.deepEqual({ status, stderr, isEmpty: stdout === '' }, { status: 0, stderr: '', isEmpty: false }, `${format} ${grain}`);
    }
  }
});

test('links are followed, each file is read once, circles end', (t) => {
  const folder = makeFolder(t, { 'real/cluster.yaml': SMALL_CLUSTER });
  mkdirSync(`${folder}/top`);
  symlinkSync('../real', `${folder}/top/data`);
  symlinkSync('data/cluster.yaml', `${folder}/top/again.yaml`);
  symlinkSync('..', `${folder}/real/up`);
  assert.deepEqual(runBulkhead(['reach', '-f', `${folder}/top`]), { status: 0, stdout: TABLE, stderr: '' });
});

test('a link that leads nowhere is not left out of the answer', (t) => {
  const folder = makeFolder(t, { 'cluster.yaml': SMALL_CLUSTER });
  symlinkSync('gone.yaml', `${folder}/policy.yaml`);
  const { status, stdout, stderr } = runBulkhead(['reach', '-f', folder]);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /policy\.yaml`: the link leads nowhere/);
});

test('a folder without manifests is a mistake', (t) => {
  const { status, stderr } = runBulkhead(['reach', '-f', makeFolder(t, { 'a.txt': 'x' })]);
  assert.equal(status, 2);
  assert.match(stderr, /no manifests in `.*`\n {2}help: a folder is searched for \.yaml/);
});

interface Broken {
  readonly name: string;
  readonly text: string;
  readonly says: RegExp;
}

const POLICY = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: p }\n';

// Bad input: file, line, what to do; status 2; no answer.
const BROKEN: readonly Broken[] = [
  { name: 'a tab', text: `${POLICY}spec:\n\tpodSelector: {}\n`, says: /in\.yaml:5:1: error\[yaml-/ },
  { name: 'a wrong indentation', text: `${POLICY}spec:\n  podSelector: {}\n policyTypes: []\n`, says: /in\.yaml:6:\d+: error\[yaml-indentation\]/ },
  { name: 'an unknown field', text: `${POLICY}spec:\n  podSelector: {}\n  ingress:\n    - form: []\n`, says: /in\.yaml:7:7: error\[unknown-field\]/ },
  { name: 'a port out of range', text: `${POLICY}spec:\n  podSelector: {}\n  ingress:\n    - ports: [{ port: 70000 }]\n`, says: /in\.yaml:7:\d+: error\[invalid-port\]/ },
  { name: 'a cyclic alias', text: `${POLICY}spec: &a\n  podSelector: *a\n`, says: /in\.yaml:5:\d+: error\[yaml-alias\]/ },
  { name: 'nothing at all', text: '# only a comment\n', says: /error\[no-objects\]/ },
];

for (const { name, text, says } of BROKEN) {
  test(`broken input: ${name}`, (t) => {
    const folder = makeFolder(t, { 'in.yaml': text });
    const { status, stdout, stderr } = runBulkhead(['reach', '-f', 'in.yaml'], { cwd: folder });
    assert.match(stderr, says);
    assert.match(stderr, /nothing was computed/);
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
  });
}

test('invalid UTF-8 ends with 2', () => {
  const result = spawnSync(BULKHEAD, ['reach', '-f', '-'], { input: Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]), encoding: 'utf8', env: plainEnvironment() });
  assert.equal(result.status, 2);
  assert.match(result.stderr, /error\[invalid-utf8\]/);
});

test('--lenient answers and says what is left out', (t) => {
  const folder = makeFolder(t, { 'in.yaml': `${SMALL_CLUSTER}---\n${POLICY}spec:\n  podSelector: {}\n  ingress:\n    - form: []\n` });
  const { status, stdout, stderr } = runBulkhead(['reach', '--lenient', '-f', `${folder}/in.yaml`]);
  assert.equal(status, 0);
  assert.notEqual(stdout, '');
  assert.match(stderr, /warning\[unknown-field\]/);
});

test('-n is the namespace of what names none, and an error beside another', () => {
  const text = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: c, image: x }] }\n';
  assert.match(runBulkhead(['reach', '-n', 'here', '-f', '-'], { input: text }).stdout, /^here\/a /m);
  assert.equal(runBulkhead(['reach', '-n', 'here', '-f', '-'], { input: SMALL_CLUSTER }).status, 2);
});

test('a reader that closes the pipe ends it quietly', (t) => {
  const pods = Array.from({ length: 300 }, (_, at) => `apiVersion: v1\nkind: Pod\nmetadata: { name: p${at} }\nspec: { containers: [{ name: c, image: x }] }\n`);
  const folder = makeFolder(t, { 'pods.yaml': pods.join('---\n') });
  const script = `{ "$0" reach -f "$1" -o json; echo "status $?" >&2; } | head -n 1`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script, BULKHEAD, folder], { encoding: 'utf8', env: plainEnvironment() });
  assert.equal(stdout, '{\n');
  assert.equal(stderr, 'status 0\n');
});

test('colors only where they are wanted', () => {
  const print = (env: Readonly<Record<string, string>>): string => runBulkhead(['reach', '-f', '-', '-o', 'matrix'], { input: SMALL_CLUSTER, env }).stdout;
  assert.doesNotMatch(print({}), /\u001b/);
  assert.match(print({ FORCE_COLOR: '1' }), /\u001b\[/);
  assert.doesNotMatch(print({ FORCE_COLOR: '1', NO_COLOR: '1' }), /\u001b/);
});

test('a narrow terminal gets narrow lines', () => {
  const { stdout } = runBulkhead(['reach', '-f', '-', '-o', 'matrix'], { input: SMALL_CLUSTER, env: { COLUMNS: '30' } });
  const [matrix = ''] = stdout.split('\n\n');
  for (const line of matrix.split('\n')) assert.ok(line.length <= 30, line);
});

test('an answer too large for a matrix names what to do', () => {
  const pods = Array.from({ length: 1001 }, (_, at) => `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p${at}"},"spec":{"containers":[{"name":"c","image":"x"}]}}`);
  const { status, stderr } = runBulkhead(['reach', '-f', '-', '-o', 'matrix'], { input: `{"apiVersion":"v1","kind":"List","items":[${pods.join()}]}` });
  assert.equal(status, 2);
  assert.match(stderr, /use --by namespace/);
});
