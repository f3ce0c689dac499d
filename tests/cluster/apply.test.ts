// A real API server: policies are applied as a release, refused, taken over, broken off, resumed and taken back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { restrictedUser } from './restricted-user.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles() }) : undefined;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-apply-'));
after(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bulkhead(...words: readonly string[]): Outcome {
  return spawnSync(join(cloneRoot, 'bin/bulkhead'), [...words, '--kubeconfig', server!.kubeconfig], { encoding: 'utf8', input: '' });
}

function file(name: string, ...objects: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  return path;
}

const kubectl = (words: readonly string[], input?: string): string => server!.kubectl(words, input);
const put = (object: object): void => void kubectl(['apply', '-f', '-'], JSON.stringify(object));
const policiesIn = (namespace: string): readonly unknown[] =>
  (JSON.parse(kubectl(['get', 'networkpolicy', '-n', namespace, '-o', 'json'])) as { readonly items: readonly { readonly metadata: { readonly name: string }; readonly spec: unknown }[] }).items.map(({ metadata, spec }) => ({ name: metadata.name, spec }));

const policy = (namespace: string, name: string, spec: object): object => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec });
const pod = (namespace: string, name: string, labels: object, ports: readonly object[] = []): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec: { containers: [{ name: 'a', image: 'none', ports }] } });

const DENY = { podSelector: {}, policyTypes: ['Ingress'] };
const allow = (source: string, target: string, port: number): object => ({ podSelector: { matchLabels: { app: target } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: source } } }], ports: [{ protocol: 'TCP', port }] }] });

function shop(namespace: string): void {
  kubectl(['create', 'namespace', namespace]);
  kubectl(['create', 'serviceaccount', 'default', '-n', namespace]);
  for (const app of ['web', 'api', 'db']) put(pod(namespace, app, { app }));
}

test('a release is judged and written, with helpers where no order of its own is harmless; then it is taken back', wants, () => {
  shop('a');
  const objects = [policy('a', 'deny', DENY), policy('a', 'api', allow('web', 'api', 80)), policy('a', 'more', allow('db', 'api', 80)), policy('a', 'db', allow('api', 'db', 5432))];
  const files = file('a.json', ...objects);
  const asked = bulkhead('apply', files);
  assert.deepEqual([asked.status, /nobody can be asked here, and --yes is not given/.test(asked.stderr), policiesIn('a')], [1, true, []], asked.stderr);
  const done = bulkhead('apply', files, '--yes', '--reason', 'first');
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  assert.match(done.stdout, /4 new/);
  assert.match(done.stdout, /order: [0-9]+ writes, with [0-9]+ helpers? that goe?s? again; no state in between opens or cuts anything else/);
  assert.match(done.stderr, /revision 1 of default is written\n.*nobody here can know/s);
  assert.deepEqual(policiesIn('a'), [{ name: 'api', spec: allow('web', 'api', 80) }, { name: 'db', spec: allow('api', 'db', 5432) }, { name: 'deny', spec: DENY }, { name: 'more', spec: allow('db', 'api', 80) }]);
  const again = bulkhead('apply', files, '--yes');
  assert.match(again.stderr, /is as the release default wants it: nothing is written/);
  const fewer = bulkhead('apply', file('fewer.json', ...objects.slice(0, 2)), '--yes');
  assert.match(fewer.stdout, /NetworkPolicy a\/more belongs to the release and is in no file: it stays/);
  assert.equal(bulkhead('apply', file('fewer.json', ...objects.slice(0, 2)), '--yes', '--prune').status, 0);
  assert.deepEqual(policiesIn('a').map((one) => (one as { readonly name: string }).name), ['api', 'deny']);
  assert.equal(bulkhead('rollback', '--yes').status, 0);
  assert.equal(policiesIn('a').length, 4);
  assert.equal(bulkhead('rollback', '--to', '0', '--yes').status, 0);
  assert.deepEqual(policiesIn('a'), []);
  const history = bulkhead('history');
  assert.match(history.stdout, /default +1 .* apply +\+4 ~0 -0 +taken back +first\n.*default +2 .* apply +\+0 ~0 -2 +taken back *\n.*rollback of 2 +\+2 ~0 -0 +taken back *\n.*rollback of 1 +\+0 ~0 -4 +written/s);
  assert.equal(kubectl(['get', 'lease', '-n', 'default', '-o', 'name']), '');
});

test('what others own is not taken from them in silence, is taken over whole, and given back as it was', wants, () => {
  shop('b');
  put(policy('b', 'api', { ...allow('web', 'api', 80), policyTypes: ['Ingress', 'Egress'], egress: [{ to: [{ podSelector: {} }] }] }));
  const before = kubectl(['get', 'networkpolicy', 'api', '-n', 'b', '-o', 'jsonpath={.spec}{.metadata.labels}{.metadata.annotations}']);
  const files = file('b.json', policy('b', 'api', allow('db', 'api', 81)));
  const refused = bulkhead('apply', files, '--yes', '--release', 'b');
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stdout, /\.spec\.ingress(, \.spec\.policyTypes)? of NetworkPolicy b\/api belongs? to kubectl-client-side-apply: somebody wrote it with kubectl/);
  assert.match(refused.stdout, /refused: it takes over what others have written\n.*--adopt/);
  const adopted = bulkhead('apply', files, '--yes', '--adopt', '--release', 'b');
  assert.equal(adopted.status, 0, `${adopted.stdout}${adopted.stderr}`);
  assert.deepEqual(policiesIn('b'), [{ name: 'api', spec: allow('db', 'api', 81) }]);
  assert.equal(bulkhead('rollback', 'b', '--yes').status, 0);
  assert.equal(kubectl(['get', 'networkpolicy', 'api', '-n', 'b', '-o', 'jsonpath={.spec}{.metadata.labels}{.metadata.annotations}']), before);
});

test('what would cut DNS is refused with a witness, unless it is said to be meant; tests of the result too', wants, () => {
  shop('c');
  put({ ...pod('kube-system', 'coredns-1', { 'k8s-app': 'kube-dns' }, [{ containerPort: 53, protocol: 'UDP' }]), spec: { serviceAccountName: 'default', automountServiceAccountToken: false, containers: [{ name: 'a', image: 'none', ports: [{ containerPort: 53, protocol: 'UDP' }] }] } });
  const files = file('c.json', policy('c', 'out', { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: {} }] }] }));
  const refused = bulkhead('apply', files, '--yes', '--release', 'c');
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stdout, /dns: c\/(api|db|web) asks DNS of kube-system\/coredns-1 on UDP 53 today, and the egress side of NetworkPolicy `c\/out` at .*c\.json:1:.* refuses it \(and 2 more like it\)/);
  assert.match(refused.stdout, /refused: it cuts pods off DNS\n.*--allow dns/);
  const testFile = join(folder, 'test.yaml');
  writeFileSync(testFile, 'apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: { name: c }\nexpect:\n  - deny: { from: c/web, to: c/db, on: tcp/80 }\n');
  const failing = bulkhead('apply', files, '--yes', '--release', 'c', '--allow', 'dns', '--test', testFile, '-o', 'md');
  assert.match(failing.stdout, /\*\*Release c: refused\*\*.*> a test fails on the cluster as it would be/s);
  const judged = bulkhead('apply', files, '--release', 'c', '--allow', 'dns', '--dry-run', '-o', 'json');
  const { isRefused, cuts } = JSON.parse(judged.stdout) as { readonly isRefused: boolean; readonly cuts: readonly { readonly guard: string }[] };
  assert.deepEqual([judged.status, isRefused, cuts.map(({ guard }) => guard), policiesIn('c')], [0, false, ['dns'], []]);
  assert.equal(bulkhead('apply', files, '--yes', '--release', 'c', '--allow', 'dns').status, 0);
});

test('a namespace that is not there, a kind that is not served, a right that is missing: each a sentence, and nothing is written', wants, () => {
  shop('d');
  const nowhere = bulkhead('apply', file('nowhere.json', policy('nowhere', 'deny', DENY)), '--yes', '--release', 'd');
  assert.deepEqual([nowhere.status, /there is no namespace nowhere: NetworkPolicy nowhere\/deny cannot be written\n {2}help: kubectl create namespace nowhere/.test(nowhere.stderr)], [3, true], nowhere.stderr);
  const staged = bulkhead('apply', file('d.json', policy('d', 'deny', DENY)), '--yes', '--release', 'd', '--stage');
  assert.deepEqual([staged.status, /the cluster does not serve stagedpolicies\.bulkhead\.dev.*\n {2}help: install the CustomResourceDefinition/.test(staged.stderr)], [3, true], staged.stderr);
  const kubeconfig = restrictedUser(server!, 'reader', []);
  const kinds = ['clusternetworkpolicies', 'adminnetworkpolicies', 'baselineadminnetworkpolicies'].map((resource) => `${resource}.policy.networking.k8s.io`);
  kubectl(['create', 'clusterrole', 'reader-more', '--verb=get,list', `--resource=configmaps,${kinds.join(',')}`]);
  kubectl(['create', 'clusterrolebinding', 'reader-more', '--clusterrole=reader-more', '--user=reader']);
  const words = ['apply', join(folder, 'd.json'), '--yes', '--release', 'd', '--kubeconfig', kubeconfig];
  const forbidden = spawnSync(join(cloneRoot, 'bin/bulkhead'), words, { encoding: 'utf8', input: '' });
  assert.deepEqual([forbidden.status, /`reader` may not patch networkpolicies\.networking\.k8s\.io in d; create, update, delete configmaps in default; .*: nothing was written\n {2}help: grant it: kubectl create role bulkhead-apply-networkpolicies -n d --verb=patch --resource=networkpolicies\.networking\.k8s\.io/s.test(forbidden.stderr)], [3, true], forbidden.stderr);
  assert.deepEqual(policiesIn('d'), []);
  assert.equal(bulkhead('history', 'd').stdout, 'no release is kept here\n');
});
