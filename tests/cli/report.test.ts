// `bulkhead report`: the same answer in each format and each time, from each input, with a status that says what it found.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { factsEntry } from '../../src/doctor/kept-facts.ts';
import { loadKnowledge } from '../../src/doctor/known-engines.ts';
import { readFacts } from '../../src/doctor/read-facts.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { agent, configMap, node } from '../doctor/support-objects.ts';
import { HOSTILE } from '../report/hostile-names.ts';
import { makeFolder, runBulkhead } from './run-bulkhead.ts';

const pod = (namespace: string, name: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }\nspec: { containers: [{ name: a, image: a }] }\n---\n`;
const closed = (namespace: string): string => `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: closed, namespace: ${namespace} }\nspec: { podSelector: {}, policyTypes: [Ingress, Egress] }\n---\n`;
const APP = `${pod('shop', 'web')}${pod('data', 'db')}${closed('shop')}${closed('data')}`;
const OPEN = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: open, namespace: shop }\nspec: { podSelector: {}, ingress: [{}] }\n';
const TESTS = 'apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: shop }\nexpect:\n- deny: { from: shop/web, to: data/db, on: any }\n';
const FAILING = TESTS.replace('deny:', 'allow:').replace('on: any', 'on: tcp/5432');

interface Report {
  readonly at?: string;
  readonly frameworks: readonly { readonly name: string; readonly controls: readonly { readonly number: string; readonly verdict: string }[] }[];
  readonly enforcement: { readonly enforced: boolean; readonly nodes: readonly unknown[] } | null;
  readonly scopes: readonly { readonly name: string; readonly waysIn: readonly unknown[] }[];
  readonly tests?: { readonly held: number; readonly failed: number };
  readonly testRuns: readonly { readonly name: string; readonly failed: number }[];
  readonly unused?: { readonly flows: number; readonly rules: readonly { readonly name: string }[] };
  readonly unread: readonly string[];
}

function reportOf(cwd: string, ...words: readonly string[]): Report {
  const { stdout, stderr } = runBulkhead(['report', ...words, '-o', 'json'], { cwd });
  return JSON.parse(stdout || `"${stderr}"`) as Report;
}

function verdictOf({ frameworks }: Report, framework: string, number: string): string | undefined {
  return frameworks.find(({ name }) => name === framework)?.controls.find((control) => control.number === number)?.verdict;
}

async function snapshotWith(t: TestContext, isEnforcing: boolean): Promise<string> {
  const cwd = makeFolder(t, { 'app.yaml': APP });
  const cluster = new FakeCluster();
  const cilium = { daemonSet: 'cilium', nodes: ['one'], containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.18.2' }] };
  for (const object of [node('one', { providerID: 'aws:///eu-west-1a/i-0', labels: { 'eks.amazonaws.com/nodegroup': 'a' } }), ...agent(cilium), configMap('cilium-config', { 'enable-policy': isEnforcing ? 'default' : 'never' })]) cluster.put(object);
  const facts = factsEntry(await readFacts(cluster, loadKnowledge(), new Date(0)));
  const plain = JSON.parse(runBulkhead(['snapshot', '-f', 'app.yaml'], { cwd }).stdout) as { items: unknown[] };
  writeFileSync(join(cwd, 's.json'), JSON.stringify({ ...plain, items: [...plain.items, JSON.parse(facts.text)] }));
  return cwd;
}

test('manifests do not tell whether policies are enforced; a snapshot does', async (t) => {
  const files = makeFolder(t, { 'app.yaml': APP });
  assert.deepEqual([verdictOf(reportOf(files, 'app.yaml'), 'cis-kubernetes', '5.3.2'), reportOf(files, 'app.yaml').enforcement], ['met-if-enforced', null]);
  const enforced = reportOf(await snapshotWith(t, true), '--snapshot', 's.json');
  assert.deepEqual(['5.3.1', '5.3.2'].map((number) => verdictOf(enforced, 'cis-kubernetes', number)), ['met', 'met']);
  // The node is one of EKS, so its variant of the benchmark is there.
  assert.deepEqual(['4.3.1', '4.3.2'].map((number) => verdictOf(enforced, 'cis-eks', number)), ['met', 'met']);
  const inert = reportOf(await snapshotWith(t, false), '--snapshot', 's.json');
  assert.deepEqual([inert.enforcement?.enforced, ...['5.3.1', '5.3.2'].map((number) => verdictOf(inert, 'cis-kubernetes', number))], [false, 'not-met', 'not-met']);
});

test('the same input gives the same bytes in each format, and no time stands there but a given one', async (t) => {
  const cwd = await snapshotWith(t, true);
  const run = (format: string, ...words: readonly string[]): string => runBulkhead(['report', '--snapshot', 's.json', '-o', format, ...words], { cwd }).stdout;
  for (const format of ['html', 'json', 'csv', 'md']) {
    const text = run(format);
    assert.equal(run(format), text);
    assert.doesNotMatch(text, /20\d\d-\d\d-\d\dT/, format);
  }
  for (const format of ['html', 'yaml']) assert.match(run(format, '--at', '2026-11-20T10:00:00Z'), /2026-11-20T10:00:00Z/);
  assert.match(run('html'), /^<!doctype html>\n<html lang="en">/);
});

test('the status says with --exit-code whether a control is not met or a test fails', (t) => {
  const cwd = makeFolder(t, { 'app.yaml': APP, 'open.yaml': OPEN, 'holds.yaml': TESTS, 'fails.yaml': FAILING });
  const status = (...words: readonly string[]): number | null => runBulkhead(['report', '-f', 'app.yaml', '-o', 'csv', ...words], { cwd }).status;
  assert.deepEqual([status(), status('--exit-code'), status('--exit-code', '--tests', 'holds.yaml')], [0, 0, 0]);
  assert.deepEqual([status('-f', 'open.yaml'), status('-f', 'open.yaml', '--exit-code'), status('--tests', 'fails.yaml'), status('--tests', 'fails.yaml', '--exit-code')], [0, 1, 0, 1]);
  const wrong = [['--scope', 'app=nobody'], ['--framework', 'cis'], ['--at', 'noon'], ['--results', 'app.yaml'], ['--results', 'none.json']];
  assert.deepEqual(wrong.map((words) => status(...words)), wrong.map(() => 2));
});

test('scopes stand in bulkhead.yaml, and its mistakes are told with their line', (t) => {
  const cwd = makeFolder(t, { 'app.yaml': APP, 'bulkhead.yaml': 'inputs: [app.yaml]\nscopes:\n- name: db\n  pods: data/*\n  from: [shop/web]\n  frameworks: [pci-dss]\n' });
  const report = reportOf(cwd, '--scope', 'web: shop/web');
  assert.deepEqual(report.scopes.map(({ name }) => name), ['db', 'web']);
  assert.equal(verdictOf(report, 'pci-dss', '1.3.1'), 'met-if-enforced');
  for (const [settings, said] of [['scopes:\n- name: db\n', /:2: `pods` is missing/], ['scopes:\n- name: db\n  pods: x\n  form: [y]\n', /:4: `form` is no key that is known here\n.*did you mean `from`/], ['scopes:\n- name: db\n  pods: x\n  hops: 0\n', /:4: /]] as const) {
    writeFileSync(join(cwd, 'bulkhead.yaml'), settings);
    const { status, stderr } = runBulkhead(['report', 'app.yaml'], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, said);
  }
});

test('tests, earlier results and flows are in it', (t) => {
  const flow = { time: '2026-11-20T10:00:00Z', verdict: 'FORWARDED', IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' }, l4: { TCP: { destination_port: 80 } }, source: { namespace: 'data', pod_name: 'db', labels: ['k8s:app=db'] }, destination: { namespace: 'shop', pod_name: 'web', labels: ['k8s:app=web'] }, is_reply: false };
  const cwd = makeFolder(t, { 'app.yaml': APP, 'tests/shop.yaml': TESTS, 'fails.yaml': FAILING, 'flows.jsonl': `${JSON.stringify({ flow })}\n`, 'rule.yaml': OPEN.replace('[{}]', '[{ from: [{ namespaceSelector: {} }] }, { from: [{ podSelector: {} }] }]') });
  for (const [name, tests] of [['monday.json', 'fails.yaml'], ['tuesday.json', 'tests']] as const) writeFileSync(join(cwd, name), runBulkhead(['test', '-f', 'app.yaml', tests, '-o', 'json'], { cwd }).stdout);
  const report = reportOf(cwd, 'app.yaml', 'rule.yaml', '--tests', 'tests', '--results', 'monday.json', '--results', 'tuesday.json', '--flows', 'flows.jsonl');
  assert.deepEqual([report.tests?.held, report.tests?.failed], [1, 0]);
  assert.deepEqual(report.testRuns.map(({ name, failed }) => [name, failed]), [['monday.json', 1], ['tuesday.json', 0]]);
  assert.equal(report.unused?.flows, 1);
  const unused = runBulkhead(['flows', '--unused', '-f', 'app.yaml', '-f', 'rule.yaml', '--flows', 'flows.jsonl', '-o', 'json'], { cwd });
  assert.deepEqual(report.unused?.rules, (JSON.parse(unused.stdout) as { readonly rules: unknown }).rules);
});

test('of files it says that nobody knows what else the cluster holds', (t) => {
  const cwd = makeFolder(t, { 'app.yaml': APP });
  assert.match(runBulkhead(['report', 'app.yaml', '-o', 'md'], { cwd }).stdout, /\nwhether the cluster holds what was read, and nothing beyond it/);
});

test('where no flow was recorded no rule is called unused', (t) => {
  const cwd = makeFolder(t, { 'app.yaml': APP, 'open.yaml': OPEN, 'flows.jsonl': '' });
  assert.deepEqual(reportOf(cwd, 'app.yaml', 'open.yaml', '--flows', 'flows.jsonl').unused, { flows: 0, rules: [] });
  assert.match(runBulkhead(['report', 'app.yaml', 'open.yaml', '--flows', 'flows.jsonl', '-o', 'md'], { cwd }).stdout, /nobody knows, for no flow was recorded/);
});

test('what was read leniently is not vouched for', (t) => {
  const cwd = makeFolder(t, { 'app.yaml': APP, 'odd.yaml': OPEN.replace('ingress: [{}]', 'ingres: []') });
  const report = reportOf(cwd, '-f', 'app.yaml', '-f', 'odd.yaml', '--lenient');
  assert.match(report.unread.join(), /read leniently, with 1 warning/);
  assert.notEqual(verdictOf(report, 'cis-kubernetes', '5.3.2'), 'met-if-enforced');
});

test('names of strangers, wherever they come from, are text on the page', (t) => {
  const evil = JSON.stringify(HOSTILE.join(' '));
  const cwd = makeFolder(t, { 'app.yaml': APP, 'tests.yaml': TESTS.replace('name: shop', `name: ${evil}`), 'results.json': JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'TestReport', in: 'lab', held: 0, failed: 1, tests: [{ name: HOSTILE.join(' '), results: [{ expectation: HOSTILE.join(' '), holds: false }] }] }) });
  const { stdout, status, stderr } = runBulkhead(['report', 'app.yaml', '--tests', 'tests.yaml', '--results', 'results.json', '--title', HOSTILE.join(' ').replaceAll('\u0000', '')], { cwd });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout, /<script|<img|<b>|<\/style><b|\u202e|\u001b/i);
  assert.ok(stdout.includes('&#60;script&#62;'));
});
