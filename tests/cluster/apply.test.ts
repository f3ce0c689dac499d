// A real API server: policies are applied as a release, refused, taken over, broken off, resumed and taken back.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { ReleaseLock } from '../../src/release/release-lock.ts';
import { listReleases } from '../../src/release/release-store.ts';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { otherUser, restrictedUser } from './restricted-user.ts';

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
  const unheard = bulkhead('apply', files, '--yes', '--server', 'http://127.0.0.1:9');
  assert.deepEqual([unheard.status, /the server of flows at http:\/\/127\.0\.0\.1:9 cannot be asked/.test(unheard.stderr), policiesIn('a')], [3, true, []], unheard.stderr);
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

test('killed at any moment, it is gone on with or taken back; nobody waits for who is gone', { ...wants, timeout: 240_000 }, async () => {
  shop('e');
  const moved = [policy('e', 'one', allow('web', 'api', 80)), policy('e', 'two', allow('db', 'api', 80)), policy('e', 'deny', DENY)];
  const files = file('e.json', ...moved);
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  // After so many changes of policies and records as a watch tells them: in the middle of the writes, somewhere.
  for (const changes of [1, 2, 3, 5]) {
    await killBehind(new KubeApi(connection), changes, ['apply', files, '--yes', '--release', 'e']);
    const states = await listReleases(new KubeApi(connection), 'default', 'e');
    if (changes % 2 === 0) {
      if (states.length > 0) assert.equal(bulkhead('rollback', 'e', '--yes').status, 0);
      assert.deepEqual(policiesIn('e'), [], `taken back behind ${changes}`);
      continue;
    }
    const resumed = bulkhead('apply', files, '--yes', '--release', 'e');
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.deepEqual(policiesIn('e').map((one) => (one as { readonly name: string }).name), ['deny', 'one', 'two'], `gone on with behind ${changes}`);
    const back = bulkhead('rollback', 'e', '--to', '0', '--yes');
    assert.equal(back.status, 0, back.stdout + back.stderr);
    assert.deepEqual(policiesIn('e'), []);
  }
});

/** SIGKILL behind so many changes of policies of the namespace `e` and of records. */
async function killBehind(api: KubeApi, changes: number, words: readonly string[]): Promise<void> {
  const stop = new AbortController();
  let seen = 0;
  const child = spawn(process.execPath, [join(cloneRoot, 'src/cli/main.ts'), ...words, '--kubeconfig', server!.kubeconfig], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const follow = async (kind: string, resource: string, namespace: string): Promise<void> => {
    const served = { apiVersion: kind === 'ConfigMap' ? 'v1' : 'networking.k8s.io/v1', kind, resource, isNamespaced: true };
    let isTold = false;
    for await (const event of api.watch(served, { namespace, signal: stop.signal })) {
      if (event.kind === 'synced') isTold = true;
      else if (isTold && (event.kind === 'put' || event.kind === 'remove') && ++seen >= changes) child.kill('SIGKILL');
    }
  };
  const watches = [follow('ConfigMap', 'configmaps', 'default'), follow('NetworkPolicy', 'networkpolicies', 'e')];
  await ended;
  stop.abort();
  await Promise.all(watches);
}

test('two at once: the second is told who the first is', wants, async () => {
  const api = new KubeApi(await openConnection({ kubeconfig: server!.kubeconfig }));
  const lock = await ReleaseLock.acquire(api, { namespace: 'default', release: 'f', holder: 'elsewhere_1_x', now: () => new Date() });
  shop('f');
  const files = file('f.json', policy('f', 'deny', DENY));
  const second = bulkhead('apply', files, '--yes', '--release', 'f');
  assert.deepEqual([second.status, /the release f is being written by elsewhere_1_x/.test(second.stderr), policiesIn('f')], [3, true, []], second.stderr);
  await lock.release();
  assert.equal(bulkhead('apply', files, '--yes', '--release', 'f').status, 0);
});

test('break-glass: what only allows, with a reason, stands for its time; what is left of it is taken back as overdue', { ...wants, timeout: 120_000 }, () => {
  shop('g');
  put(policy('g', 'deny', DENY));
  const glass = file('g.json', policy('g', 'debug', allow('web', 'db', 5432)));
  assert.match(bulkhead('apply', glass, '--for', '2h', '--yes').stderr, /the history keeps why\n {2}help: add --reason/);
  const cutting = bulkhead('apply', file('cut.json', policy('g', 'out', { podSelector: {}, policyTypes: ['Egress'] })), '--for', '2h', '--reason', 'x', '--yes');
  assert.deepEqual([cutting.status, /for a while it is to allow, and it cuts something/.test(cutting.stdout)], [1, true], cutting.stdout);
  const stayed = bulkhead('apply', glass, '--for', '2s', '--reason', 'incident', '--yes', '--wait', '0');
  assert.equal(stayed.status, 0, stayed.stderr);
  assert.match(stayed.stderr, /it stands until .* and goes then.*revision 2 of break-glass is written/s);
  assert.deepEqual(policiesIn('g'), [{ name: 'deny', spec: DENY }]);
  assert.equal(bulkhead('apply', glass, '--for', '1s', '--reason', 'again', '--yes', '--detach', '--wait', '0').status, 0);
  assert.equal(policiesIn('g').length, 2);
  let history = '';
  while (!/break-glass +3 .*overdue since .* +again/.test(history)) {
    history = bulkhead('history', 'break-glass').stdout;
    assert.match(history, /break-glass +3 .*(overdue since|until) .* +again/);
  }
  assert.match(bulkhead('doctor').stdout, /break-glass-overdue\] NetworkPolicy g\/debug was to stand until .*, and still does/);
  const status = bulkhead('status', 'g/debug');
  assert.match(status.stdout, /NetworkPolicy g\/debug .*\n {2}its time is over since .*, and it stands/, status.stderr);
  const swept = bulkhead('rollback', '--expired', '--yes');
  assert.equal(swept.status, 0, swept.stderr);
  assert.deepEqual(policiesIn('g'), [{ name: 'deny', spec: DENY }]);
  assert.match(bulkhead('rollback', '--expired', '--yes').stderr, /no release is overdue/);
});

test('what stands beside the cluster takes back what is overdue, with the rights that are shipped, and nothing else', { ...wants, timeout: 120_000 }, async () => {
  shop('h');
  put(policy('h', 'deny', DENY));
  kubectl(['create', 'namespace', 'bulkhead-system']);
  kubectl(['apply', '-f', join(cloneRoot, 'deploy/break-glass.yaml')]);
  const token = kubectl(['create', 'token', 'bulkhead-break-glass', '-n', 'bulkhead-system']).trim();
  const watch = spawn(join(cloneRoot, 'bin/bulkhead'), ['rollback', '--expired', '--watch', '--every', '1s', '--lenient', '--kubeconfig', otherUser(server!, 'glass', () => ({ token }))], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  watch.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(watch, 'close');
  try {
    assert.equal(bulkhead('apply', file('stays.json', policy('h', 'stays', allow('api', 'db', 5432))), '--for', '2h', '--reason', 'later', '--yes', '--detach', '--wait', '0', '--release', 'later').status, 0);
    assert.equal(bulkhead('apply', file('goes.json', policy('h', 'goes', allow('web', 'db', 5432))), '--for', '2s', '--reason', 'incident', '--yes', '--detach', '--wait', '0', '--release', 'now').status, 0);
    for (let tries = 0; tries < 200 && watch.exitCode === null && !/revision 2 of now is written/.test(said); tries++) await sleep(200);
    assert.match(bulkhead('history', 'now').stdout, /now +2 .*its time was over/, said);
  } finally {
    watch.kill('SIGTERM');
  }
  assert.deepEqual(await ended, [0, null], said);
  assert.deepEqual(policiesIn('h'), [{ name: 'deny', spec: DENY }, { name: 'stays', spec: allow('api', 'db', 5432) }], said);
  assert.equal(bulkhead('rollback', 'later', '--yes', '--wait', '0').status, 0);
  const words = bulkhead('rollback', '--watch');
  assert.deepEqual([words.status, /write --expired --watch/.test(words.stderr)], [2, true], words.stderr);
});
