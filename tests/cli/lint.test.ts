// `bulkhead lint`: findings, the repair as a diff, the repair written.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, statSync, symlinkSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cloneRoot, needs, sharedPath } from '../needs.ts';
import { makeFolder, runBulkhead, SMALL_CLUSTER } from './run-bulkhead.ts';

const BROKEN = 'policies/40-data-deny-all.yaml';

function copyOfShop(t: TestContext): string {
  const folder = makeFolder(t);
  cpSync(join(cloneRoot, 'examples/shop'), folder, { recursive: true });
  return folder;
}

test('the shipped example has errors in its broken file alone', () => {
  const { status, stdout, stderr } = runBulkhead(['lint', 'examples/shop', '-o', 'json']);
  const { findings } = JSON.parse(stdout) as { findings: { severity: string; file: string; code: string; edits?: unknown }[] };
  const errors = findings.filter(({ severity }) => severity === 'error');
  assert.equal(status, 1);
  assert.deepEqual([...new Set(errors.map(({ file }) => file))], [`examples/shop/${BROKEN}`]);
  assert.deepEqual([...new Set(errors.map(({ code }) => code))].sort(), ['yaml-indentation', 'yaml-typographic-dash']);
  assert.ok(errors.every(({ edits }) => edits !== undefined));
  assert.match(stderr, /mended by: bulkhead lint --fix/);
});

test('--diff prints a patch that `patch` applies, and writes nothing', (t) => {
  const folder = copyOfShop(t);
  const before = readFileSync(join(folder, BROKEN), 'utf8');
  const { status, stdout } = runBulkhead(['lint', '--diff', BROKEN], { cwd: folder });
  assert.equal(status, 1);
  assert.equal(readFileSync(join(folder, BROKEN), 'utf8'), before);
  const applied = spawnSync('patch', ['-p0', '-s'], { cwd: folder, input: stdout, encoding: 'utf8' });
  if (applied.error === undefined) assert.equal(applied.status, 0, applied.stderr);
  assert.match(stdout, /^-name: deny-all\n- namespace: data\n/m);
  assert.match(stdout, /^\+ {2}- Ingress # incoming\n\+ {2}- Egress # outgoing$/m);
});

test('--fix mends the file, keeps its mode, and leaves nothing else', (t) => {
  const folder = copyOfShop(t);
  chmodSync(join(folder, BROKEN), 0o640);
  const names = readdirSync(join(folder, 'policies'));
  const { status, stdout, stderr } = runBulkhead(['lint', '--fix', '.'], { cwd: folder });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^policies\/40-data-deny-all\.yaml:5:1: mended: `name` belongs to `metadata`/m);
  assert.deepEqual(readdirSync(join(folder, 'policies')), names);
  assert.equal(statSync(join(folder, BROKEN)).mode & 0o777, 0o640);
  assert.equal(runBulkhead(['lint', '.'], { cwd: folder }).status, 0);
  assert.equal(runBulkhead(['reach', '-f', '.'], { cwd: folder }).status, 0);
  assert.equal(runBulkhead(['lint', '--diff', '.'], { cwd: folder }).stdout, '');
});

test('--fix mends what a link leads to, and the link stays one', (t) => {
  const folder = copyOfShop(t);
  symlinkSync(join('policies', '40-data-deny-all.yaml'), join(folder, 'link.yaml'));
  assert.equal(runBulkhead(['lint', '--fix', 'link.yaml'], { cwd: folder }).status, 0);
  assert.ok(lstatSync(join(folder, 'link.yaml')).isSymbolicLink());
  assert.equal(runBulkhead(['reach', '-f', '.'], { cwd: folder }).status, 0);
});

test('--fix of standard input is a filter', () => {
  const broken = readFileSync(join(cloneRoot, 'examples/shop', BROKEN), 'utf8');
  const { status, stdout } = runBulkhead(['lint', '--fix', '-f', '-'], { input: broken });
  assert.equal(status, 0);
  assert.match(stdout, /^metadata:\n {2}name: deny-all\n {2}namespace: data\n/m);
  assert.equal(runBulkhead(['lint', '--fix', '-f', '-'], { input: SMALL_CLUSTER }).stdout, SMALL_CLUSTER);
});

const MISNAMED = `apiVersion: v1
kind: Pod
metadata: { name: carts, namespace: shop, labels: { app: carts } }
spec: { containers: [{ name: main, ports: [{ containerPort: 80 }] }] }
---
# who may reach the carts
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: carts, namespace: shop }
spec:
  podSelector:
    matchLabels: { app: cart } # the carts
  ingress:
  - from:
    - ipBlock: { cidr: 192.0.2.7/24 }   # the office
`;

function misnamed(t: TestContext): string {
  const file = join(makeFolder(t), 'carts.yaml');
  writeFileSync(file, MISNAMED);
  return file;
}

test('--fix writes what leaves the meaning, shows it, and says what it did not write', (t) => {
  const file = misnamed(t);
  const { stdout, stderr } = runBulkhead(['lint', '--fix', file]);
  assert.equal(readFileSync(file, 'utf8'), MISNAMED.replace('192.0.2.7/24', '192.0.2.0/24'));
  assert.match(stdout, /carts\.yaml:15:24: mended: `192\.0\.2\.7\/24` /);
  assert.match(stdout, /^-    - ipBlock: \{ cidr: 192\.0\.2\.7\/24 \}   # the office\n\+    - ipBlock: \{ cidr: 192\.0\.2\.0\/24 \}   # the office$/m);
  assert.match(stderr, /1 edit changes what policies mean and is not made: --yes makes it/);
});

test('--fix --yes makes the edits that change a meaning as well', (t) => {
  const file = misnamed(t);
  const { stdout } = runBulkhead(['lint', '--fix', '--yes', file]);
  assert.equal(readFileSync(file, 'utf8'), MISNAMED.replace('192.0.2.7/24', '192.0.2.0/24').replace('app: cart }', 'app: carts }'));
  assert.match(stdout, /mended: `app=cart` selects no pod/);
});

test('--fix --yes says what could not be proven', (t) => {
  const file = join(makeFolder(t, { 'a.yaml': 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: a }\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n  egress:\n  - ports: [{ port: 53, protocol: UDP }]\n' }), 'a.yaml');
  const { stderr } = runBulkhead(['lint', '--fix', '--yes', file]);
  assert.match(stderr, /1 edit is not made, for it would bring another finding/);
  assert.match(readFileSync(file, 'utf8'), /policyTypes: \[Ingress\]/);
});

/** Runs a command on a terminal of its own, made by `script` of util-linux. */
function runOnTerminal(words: readonly string[], input: string): string {
  const command = [join(cloneRoot, 'bin/bulkhead'), ...words].map((word) => `'${word}'`).join(' ');
  return spawnSync('script', ['-qec', command, '/dev/null'], { input, encoding: 'utf8', timeout: 60_000 }).stdout;
}

for (const [answer, expected] of [['y', 'app: carts }'], ['n', 'app: cart }'], ['', 'app: cart }']] as const) {
  test(`on a terminal --fix asks before it changes a meaning: \`${answer}\``, needs('script'), (t) => {
    const file = misnamed(t);
    const output = runOnTerminal(['lint', '--fix', file], `${answer}\n`);
    assert.match(output, /This changes what the policy means\. Make it\? \[y\/N\]/);
    assert.ok(readFileSync(file, 'utf8').includes(expected), output);
    assert.ok(readFileSync(file, 'utf8').includes('192.0.2.0/24'));
  });
}

test('--fix of prose on standard input prints the manifests, as kubectl takes them', () => {
  const { stdout } = runBulkhead(['lint', '--fix', '-f', '-'], { input: 'A policy:\n\n```yaml\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\nname: a\nspec:\n  podSelector: {}\n```\n\nThat is all.\n' });
  assert.equal(stdout, '---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: a\nspec:\n  podSelector: {}\n');
});

test('findings about a repaired text name the places of the file as it is', (t) => {
  const file = join(makeFolder(t), 'page.yaml');
  writeFileSync(file, 'Two policies, copied from a page:\n\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: a\nspec:\n  podSelector: {}\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\nname: b\nspec:\n  ingress: []\n');
  const { findings } = JSON.parse(runBulkhead(['lint', file, '-o', 'json']).stdout) as { findings: { code: string; range?: { start: { line: number } } }[] };
  assert.deepEqual(findings.filter(({ code }) => code === 'missing-pod-selector').map(({ range }) => range?.start.line), [13]);
});

test('a file that cannot be opened ends with 2', () => {
  assert.equal(runBulkhead(['lint', 'gone.yaml']).status, 2);
});

test('workflow commands and SARIF', () => {
  assert.match(runBulkhead(['lint', 'examples/shop', '-o', 'github']).stdout, /^::error file=examples\/shop\/policies\/40-data-deny-all\.yaml,line=5,/m);
  const { runs } = JSON.parse(runBulkhead(['lint', 'examples/shop', '-o', 'sarif']).stdout) as { runs: [{ results: unknown[] }] };
  assert.ok(runs[0].results.length > 0);
});

test('the first seed becomes a policy, and its text is told what it does not say', needs('shared'), (t) => {
  const folder = makeFolder(t);
  const seed = join(folder, 'seed.txt');
  cpSync(sharedPath('seeds', '000_2843c68aaa14a8c6.txt'), seed);
  const { findings } = JSON.parse(runBulkhead(['lint', seed, '-o', 'json']).stdout) as { findings: { code: string }[] };
  assert.equal(findings.filter(({ code }) => code === 'text-claims-otherwise').length, 2);
  assert.equal(runBulkhead(['lint', '--fix', seed]).status, 0);
  assert.match(readFileSync(seed, 'utf8'), /\nmetadata:\n {2}name: anchan-deny-all\n {2}namespace: anchan\nspec:\n {2}podSelector: \{\}/);
});

test('the second seed is accepted, with its directions and its DNS', needs('shared'), () => {
  const { status, stdout } = runBulkhead(['lint', sharedPath('seeds', '001_54ea78dea0c72d33.txt'), '-o', 'json']);
  const codes = (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code);
  assert.equal(status, 0);
  assert.ok(codes.includes('reversed-direction'), codes.join());
  assert.ok(codes.includes('egress-without-dns'), codes.join());
});

const OPEN_POLICY = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: open, namespace: shop }\nspec:\n  podSelector: {}\n  ingress:\n  - from: []\n';

test('bulkhead.yaml of the working directory names the inputs and the severities, and is no manifest itself', (t) => {
  const folder = makeFolder(t, { 'bulkhead.yaml': 'inputs: [policies]\nseverities: { allows-everybody: error }\n', 'policies/open.yaml': OPEN_POLICY });
  const named = runBulkhead(['lint'], { cwd: folder });
  assert.equal(named.status, 1, named.stderr);
  assert.match(named.stdout, /^policies\/open\.yaml:7:11: error\[allows-everybody\]/m);
  const walked = runBulkhead(['lint', '.'], { cwd: folder });
  assert.deepEqual([walked.status, walked.stdout], [1, named.stdout]);
});

test('--config names another file, and what is wrong in it ends with 2', (t) => {
  const folder = makeFolder(t, { 'quiet.yaml': 'severities: { allows-everybody: off }\n', 'wrong.yaml': 'severitis: {}\n', 'open.yaml': OPEN_POLICY });
  const quiet = runBulkhead(['lint', '--config', 'quiet.yaml', 'open.yaml'], { cwd: folder });
  assert.deepEqual([quiet.status, quiet.stdout], [0, '']);
  const wrong = runBulkhead(['lint', '--config', 'wrong.yaml', 'open.yaml'], { cwd: folder });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^bulkhead: wrong\.yaml:1: `severitis` is no key that is known here\n {2}help: did you mean `severities`\?$/m);
});

const SHOP = `apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
${['web', 'db'].map((app) => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${app}, namespace: shop, labels: { app: ${app} } }\nspec: { containers: [{ name: main, ports: [{ containerPort: 80 }] }] }\n`).join('---\n')}`;
const SENDING = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\nspec:\n  podSelector: { matchLabels: { app: web } }\n  policyTypes: [Egress]\n  egress:\n  - to: [{ podSelector: { matchLabels: { app: db } } }]\n';
const TEST_FILE = 'apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: shop }\nexpect:\n- allow: { from: shop/web, to: shop/db, on: tcp/80 }\n';

/** Every verb that reads, with words that name no input. */
const READING_VERBS: readonly (readonly string[])[] = [
  ['lint'], ['reach'], ['explain', 'shop/web', 'shop/db'], ['prove', 'allow shop/web -> shop/db on tcp/80'], ['prove', '--redundant'], ['impact', 'shop/web'], ['recommend'],
  ['snapshot'], ['test', 'expectations/shop.yaml'], ['new', 'default-deny', '--namespace', 'shop'],
];

test('every verb that reads takes its inputs from bulkhead.yaml, and words win', (t) => {
  const folder = makeFolder(t, { 'bulkhead.yaml': 'inputs: [manifests]\n', 'manifests/shop.yaml': SHOP, 'manifests/web.yaml': SENDING, 'other.yaml': 'not: read\n', 'expectations/shop.yaml': TEST_FILE });
  for (const words of READING_VERBS) {
    const { status, stdout, stderr } = runBulkhead(words, { cwd: folder });
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    assert.match(stderr, /^bulkhead: reading manifests, as bulkhead\.yaml says$/m, words.join(' '));
    const named = runBulkhead([...words, '-f', 'manifests'], { cwd: folder });
    assert.deepEqual([named.status, named.stdout], [status, stdout], words.join(' '));
    assert.doesNotMatch(named.stderr, /bulkhead\.yaml/);
  }
  assert.match(runBulkhead(['reach', '-f', 'other.yaml'], { cwd: folder }).stderr, /other\.yaml/);
});

test('answers heed the engine, severities and suppressions of bulkhead.yaml', (t) => {
  const manifests = { 'manifests/shop.yaml': SHOP, 'manifests/web.yaml': SENDING };
  const said = (settings: string, ...words: readonly string[]): string => runBulkhead(['reach', ...words], { cwd: makeFolder(t, { ...manifests, 'bulkhead.yaml': `inputs: [manifests]\n${settings}` }) }).stderr;
  assert.match(said(''), /warning\[egress-without-dns\]/);
  assert.match(said('severities: { egress-without-dns: error }\n'), /error\[egress-without-dns\]/);
  assert.doesNotMatch(said('severities: { egress-without-dns: off }\n'), /egress-without-dns/);
  assert.doesNotMatch(said('suppressions: [{ code: egress-without-dns, object: NetworkPolicy/shop/web, reason: addresses alone }]\n'), /egress-without-dns|suppression-unused/);
  assert.match(said('suppressions: [{ code: egress-without-dns, object: NetworkPolicy/shop/db, reason: addresses alone }]\n'), /egress-without-dns/);
  const engine = (settings: string, ...words: readonly string[]): string => runBulkhead(['reach', '-o', 'json', ...words], { cwd: makeFolder(t, { ...manifests, 'bulkhead.yaml': `inputs: [manifests]\n${settings}` }) }).stdout;
  assert.match(engine('engine: flannel\n'), /flannel/);
  assert.doesNotMatch(engine('engine: flannel\n', '--engine', 'cilium'), /flannel/);
  assert.match(runBulkhead(['reach'], { cwd: makeFolder(t, { ...manifests, 'bulkhead.yaml': 'engine: cilum\ninputs: [manifests]\n' }) }).stderr, /no engine that is known here/);
});
