// `bulkhead new`: what is missing is named or asked for, what is not there is refused, and no file is overwritten.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATTERNS } from '../../src/pattern/pattern.ts';
import { makeFolder, runBulkhead, type Run } from './run-bulkhead.ts';

const EXAMPLE = ['-f', 'examples/patterns'];

function run(...words: readonly string[]): Run {
  return runBulkhead(['new', ...words]);
}

function refuses(name: string, words: readonly string[], message: RegExp): void {
  test(`status 2 and no policy: ${name}`, () => {
    const { status, stdout, stderr } = run(...words);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(status, 2);
  });
}

test('without a word, every pattern is listed with what it does', () => {
  const { status, stdout } = run();
  assert.equal(status, 0);
  assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.split(/ {2,}/)), PATTERNS.map(({ name, summary }) => [name, summary]));
});

// What is missing is named, with what the input offers.
refuses('a required word', ['default-deny'], /^bulkhead: default-deny needs --namespace\n/);
refuses('a required word, with namespaces', ['default-deny', ...EXAMPLE], /needs --namespace\n {2}help: the input has blog, default, ingress-nginx, kube-system, monitoring, shop\n/);
refuses('the selector, with the labels of that namespace alone', ['database', '-n', 'shop', ...EXAMPLE], /needs --selector, --from-selector, --port\n {2}help: the input has app=api, app=db, app=web\n/);
refuses('the port, with those of the pods that are meant', ['database', '-n', 'shop', '--selector', 'app=db', '--from-selector', 'app=api', ...EXAMPLE], /needs --port\n {2}help: the input has tcp\/5432 \(postgres\)\n/);
refuses('the port, with those of the other side', ['allow-to-namespace', '-n', 'blog', '--to-namespace', 'shop', '--to-selector', 'app=db', '--port', 'tcp/nosuch', ...EXAMPLE], /port TCP `nosuch`.*\n {2}help: they declare tcp\/5432 \(postgres\); /);
refuses('whom the input does not have', ['allow-monitoring', '-n', 'app', '--port', 'web', '-f', 'examples/shop/data.yaml'], /allow-monitoring needs --from-namespace, --from-selector\n {2}help: the input does not have it; for Prometheus /);
refuses('the API server, which no input names', ['allow-to-api-server', '-n', 'shop'], /needs --cidr\n {2}help: its addresses are what `kubectl get endpointslices /);

// What means nothing.
refuses('a pattern that is none', ['defualt-deny'], /did you mean default-deny\?/);
refuses('a word that the pattern does not take', ['default-deny', '-n', 'shop', '--port', '80'], /default-deny takes no --port\n/);
refuses('no namespace name', ['default-deny', '-n', 'Shop'], /`Shop` is no name of a namespace/);
refuses('every namespace, for a policy of one', ['default-deny', '-n', '*'], /a policy is in one namespace/);
refuses('every namespace, to be left alone', ['cluster-baseline', '--except-namespace', '*'], /a policy is in one namespace/);
refuses('no selector', ['default-deny', '-n', 'shop', '--selector', 'app=a b'], /is no selector/);
refuses('a label value that the server refuses', ['default-deny', '-n', 'shop', '--selector', 'app=-b'], /is no selector of labels/);
refuses('no port', ['allow-public', '-n', 'shop', '--selector', 'app=web', '--port', '70000'], /ports go from 1 to 65535/);
refuses('no port name', ['allow-public', '-n', 'shop', '--selector', 'app=web', '--port', 'tcp/no--name'], /two hyphens in a row/);
refuses('no block', ['allow-to-cidr', '-n', 'shop', '--cidr', '10.0.0.0/33'], /is no block of addresses/);
refuses('an exception outside', ['allow-to-cidr', '-n', 'shop', '--cidr', '10.0.0.0/8', '--except', '192.168.0.0/16'], /lies in no block of --cidr/);
refuses('an exception of everything', ['allow-to-cidr', '-n', 'shop', '--cidr', '10.0.0.0/8', '--except', '10.0.0.0/8'], /or is all of it/);
refuses('a direction', ['default-deny', '-n', 'shop', '--direction', 'egres'], /did you mean egress\?/);
refuses('a provider', ['allow-health-checks', '-n', 'shop', '--selector', 'app=web', '--port', '80', '--provider', 'googel'], /did you mean google\?/);
refuses('a priority', ['cluster-baseline', '--priority', '1001'], /is no priority/);
refuses('a policy name', ['default-deny', '-n', 'shop', '--name', 'A_b'], /is no name of a policy/);
refuses('manifests that cannot be understood', ['default-deny', '-n', 'data', '-f', 'examples/shop'], /nothing was computed/);

// What the input does not have.
refuses('a namespace', ['default-deny', '-n', 'shpo', ...EXAMPLE], /no namespace `shpo`\n {2}help: did you mean `shop`\?/);
refuses('pods', ['default-deny', '-n', 'shop', '--selector', 'app=wbe', ...EXAMPLE], /no pods with `app=wbe`\n {2}help: did you mean `app=web`\?/);
refuses('the other namespace', ['allow-from-namespace', '-n', 'shop', '--from-namespace', 'monitorin', ...EXAMPLE], /did you mean `monitoring`\?/);
refuses('pods of the other namespace', ['allow-from-namespace', '-n', 'shop', '--from-namespace', 'blog', '--from-selector', 'app=web', ...EXAMPLE], /`blog` has no pods with `app=web`/);
refuses('a port of that name', ['allow-public', '-n', 'shop', '--selector', 'app=web', '--port', 'htpp', ...EXAMPLE], /matches nothing/);

test('another namespace may be elsewhere where manifests are read, and not where a cluster is', (t) => {
  const words = ['allow-from-namespace', '-n', 'shop', '--from-namespace', 'istio-system', '--from-selector', 'app=gateway'];
  const fromFiles = run(...words, ...EXAMPLE);
  assert.equal(fromFiles.status, 0);
  assert.match(fromFiles.stderr, /warning: --from-namespace: the input has no namespace `istio-system`/);
  const snapshot = join(makeFolder(t, { 'all.json': runBulkhead(['snapshot', ...EXAMPLE]).stdout }), 'all.json');
  assert.equal(run(...words, '--snapshot', snapshot).status, 2);
});

test('manifests that name no namespace are in that of the policy, and those that do are where they say', (t) => {
  const workload = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c, image: x }] } } }\n';
  const folder = makeFolder(t, { 'chart.yaml': workload, 'mixed.yaml': `${workload}---\n${workload.replace('name: web', 'name: other, namespace: elsewhere')}` });
  const chart = run('default-deny', '-n', 'shop', '--selector', 'app=web', '-f', join(folder, 'chart.yaml'));
  assert.equal(chart.status, 0, chart.stderr);
  assert.match(chart.stderr, /2 pairs of ends lose connections/);
  assert.equal(runBulkhead(['new', 'default-deny', '-n', 'shop', '--selector', 'app=web', '-f', '-'], { input: workload }).stderr.includes('2 pairs'), true);
  assert.equal(run('default-deny', '-n', 'shop', '--selector', 'app=wbe', '-f', join(folder, 'chart.yaml')).status, 2);
  assert.equal(run('default-deny', '-n', 'shop', '-f', join(folder, 'mixed.yaml')).status, 2);
});

test('what is not there yet is a warning with --not-yet', () => {
  const { status, stdout, stderr } = run('default-deny', '-n', 'shpo', '--not-yet', ...EXAMPLE);
  assert.equal(status, 0);
  assert.match(stdout, /namespace: shpo/);
  assert.match(stderr, /warning: --namespace: the input has no namespace `shpo`/);
});

test('pods in the network of their node are no answer to a selector', (t) => {
  const folder = makeFolder(t, { 'pods.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: app, labels: { app: agent } }\nspec: { hostNetwork: true, containers: [{ name: c, image: x }] }\n' });
  const { status, stderr } = run('default-deny', '-n', 'app', '--selector', 'app=agent', '-f', folder);
  assert.equal(status, 2);
  assert.match(stderr, /`app` has no pods with `app=agent`/);
});

test('what an operator may yet make is a warning', (t) => {
  const folder = makeFolder(t, { 'kafka.yaml': 'apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: { name: events, namespace: app }\nspec: {}\n' });
  const { status, stderr } = run('default-deny', '-n', 'app', '--selector', 'app=kafka', '-f', folder);
  assert.match(stderr, /warning: --selector: `app` has no pods with `app=kafka`/);
  assert.equal(status, 0);
});

test('a file is written once, and replaced only by force', (t) => {
  const folder = makeFolder(t);
  const file = join(folder, 'deny.yaml');
  const first = run('default-deny', '-n', 'shop', '--write', file);
  assert.deepEqual([first.status, first.stdout], [0, '']);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^# default-deny: /);
  const second = run('default-deny', '-n', 'blog', '--write', file);
  assert.equal(second.status, 2);
  assert.match(second.stderr, /is there already/);
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.equal(run('default-deny', '-n', 'blog', '--write', file, '--force').status, 0);
  assert.match(readFileSync(file, 'utf8'), /namespace: blog/);
  const nowhere = run('default-deny', '-n', 'blog', '--write', join(folder, 'no', 'where.yaml'));
  assert.deepEqual([nowhere.status, existsSync(join(folder, 'no'))], [2, false]);
});

const BASELINE = `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: NAME }
spec: { tier: Baseline, priority: 100, subject: { namespaces: {} } }
`;

test('a priority that is taken is left to who has it, and a policy of the same name is replaced', (t) => {
  const folder = makeFolder(t, { 'other.yaml': BASELINE.replace('NAME', 'other'), 'own.yaml': BASELINE.replace('NAME', 'default-deny') });
  const beside = run('cluster-baseline', '-f', join(folder, 'other.yaml'));
  assert.match(beside.stdout, /priority: 101\n/);
  const over = run('cluster-baseline', '-f', join(folder, 'own.yaml'));
  assert.match(over.stdout, /priority: 100\n/);
  assert.match(over.stderr, /this replaces ClusterNetworkPolicy default-deny/);
});

test('the DNS of the input is named as it is there: its labels, its port, its cache on the node', (t) => {
  const folder = makeFolder(t, { 'dns.yaml': `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: dns-default, namespace: openshift-dns }
spec:
  selector: { matchLabels: { dns.operator.openshift.io/daemonset-dns: default } }
  template:
    metadata: { labels: { dns.operator.openshift.io/daemonset-dns: default } }
    spec: { containers: [{ name: dns, image: x, ports: [{ name: dns, containerPort: 5353, protocol: UDP }] }] }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: node-local-dns, namespace: kube-system }
spec:
  selector: { matchLabels: { k8s-app: node-local-dns } }
  template:
    metadata: { labels: { k8s-app: node-local-dns } }
    spec: { hostNetwork: true, containers: [{ name: cache, image: x }] }
---
apiVersion: v1
kind: Namespace
metadata: { name: app }
` });
  const { stdout } = run('allow-dns', '-n', 'app', '-f', folder);
  assert.match(stdout, /kubernetes.io\/metadata.name: openshift-dns/);
  assert.match(stdout, /dns.operator.openshift.io\/daemonset-dns: default/);
  assert.match(stdout, /protocol: UDP\n {10}port: 5353/);
  assert.match(stdout, /cidr: 169.254.20.10\/32/);
  assert.doesNotMatch(stdout, /port: 53\n|kube-dns/);
});

test('what stays refused at the other end is said, and the help opens it', (t) => {
  const folder = makeFolder(t, { 'deny.yaml': run('default-deny', '-n', 'shop').stdout });
  const input = [...EXAMPLE, '-f', folder];
  const first = run('database', '-n', 'shop', '--selector', 'app=db', '--from-selector', 'app in (api, web)', '--port', 'tcp/5432', ...input, '--write', join(folder, 'db.yaml'));
  assert.match(first.stderr, /no connection is gained or lost\nbulkhead: shop\/api → shop\/db stays refused: egress of shop\/api is closed by NetworkPolicy shop\/default-deny\n/);
  const help = /open that end as well: bulkhead (.*)\n/.exec(first.stderr)![1]!;
  const words = Array.from(help.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!);
  const second = runBulkhead([...words, ...input]);
  assert.equal(second.status, 0, second.stderr);
  assert.match(second.stderr, /4 pairs of ends gain connections\n$/);
  assert.doesNotMatch(second.stderr, /stays refused: ingress of shop/);
});

test('what an Admin policy refuses is said to be final', (t) => {
  const folder = makeFolder(t, { 'quarantine.yaml': run('quarantine', '--selector', 'app=api').stdout });
  const { stderr } = run('database', '-n', 'shop', '--selector', 'app=db', '--from-selector', 'app=api', '--port', 'tcp/5432', ...EXAMPLE, '-f', folder);
  assert.match(stderr, /egress of shop\/api is closed by ClusterNetworkPolicy quarantine\n {2}help: no NetworkPolicy can open it\n/);
});

test('without input, the DNS is the one that nearly every cluster has', () => {
  const { stdout } = run('allow-dns', '-n', 'anything');
  assert.match(stdout, /metadata.name: kube-system[^]*k8s-app: kube-dns[^]*protocol: UDP\n {10}port: 53\n {8}- protocol: TCP\n {10}port: 53\n$/);
});

test('without input it says that nothing was checked', () => {
  assert.match(run('default-deny', '-n', 'anything').stderr, /nothing was checked/);
});

test('two policies of a pattern in one namespace have two names', () => {
  const nameOf = (...words: readonly string[]): string => /^ {2}name: (.*)$/m.exec(run(...words).stdout)![1]!;
  assert.equal(nameOf('allow-from-namespace', '-n', 'a', '--from-namespace', 'b', '--selector', 'app=web'), 'web-allow-from-b');
  assert.equal(nameOf('allow-from-namespace', '-n', 'a', '--from-namespace', 'b', '--from-selector', 'app=x'), 'allow-from-b-x');
  assert.equal(nameOf('allow-to-cidr', '-n', 'a', '--cidr', '2001:db8::/32'), 'allow-to-2001-db8-32');
  assert.equal(nameOf('default-deny', '-n', 'a', '--selector', 'tier in (x, y),!canary'), 'x-y-canary-default-deny');
});
