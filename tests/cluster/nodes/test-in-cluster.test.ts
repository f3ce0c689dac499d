// `bulkhead test --in cluster` against real pods: without enforcement it finds what disagrees, with ours nothing does, by probers and by programs of the pods.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { load, loadAll } from 'js-yaml';
import { agentManifests } from '../../../src/cli/run/agent-manifests.ts';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { BULKHEAD, makeFolder, runBulkhead, startCommand, type Run } from '../../cli/run-bulkhead.ts';
import { applyObject } from '../write-object.ts';
import { Agent } from './agent.ts';
import { SERVER_IMAGE } from './fleet.ts';
import { onNode, type NodeCluster, type RunningNode } from './node-cluster.ts';
import { describeOnNodes, networkPolicy, startAgents, type World } from './world.ts';

/** Namespace `a` lets `b` in on TCP 80 and 9000 and UDP 9001; the pods `x` of `c` may go to `b` alone. Nobody of the cluster listens on the last two. */
const POLICIES = [
  networkPolicy('a/from-b', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { app: 'y' } } }], ports: [{ port: 80 }, { port: 9000 }, { port: 9001, protocol: 'UDP' }] }] }),
  networkPolicy('c/out', { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: { matchLabels: { app: 'y' } } }] }] }),
];

const TESTS = `apiVersion: bulkhead/v1
kind: PolicyTest
metadata: { name: walls }
expect:
  - allow: { from: b/x, to: a/x, on: tcp/80 }
  - allow: { from: { namespace: b }, to: { namespace: a }, on: [tcp/9000, udp/9001] }
  - allow: { from: { namespace: c, labels: { app: x } }, to: b/y, on: tcp/9000 }
  - deny: { from: { namespace: c }, to: { namespace: a }, on: [tcp/80, tcp/9000, udp/9001] }
  - deny: { from: c/x, to: c/bare, on: [tcp/9000, udp/9001] }
  - isolated: { namespace: a, direction: ingress }
`;

interface Report {
  readonly held: number;
  readonly failed: number;
  readonly tests: readonly { readonly results: readonly { readonly expectation: string; readonly holds: boolean; readonly messages: readonly string[]; readonly problem?: string; readonly tried?: { readonly connections: number; readonly differences: readonly string[]; readonly leftOut?: number } }[] }[];
  readonly notes?: readonly string[];
}

function runTests(context: TestContext, { cluster }: World, words: readonly string[] = [], text: string = TESTS): Run & { readonly report: Report } {
  const folder = makeFolder(context, { 'walls.yaml': text });
  const run = runBulkhead(['test', '--in', 'cluster', '--kubeconfig', cluster.place.kubeconfig, '-o', 'json', ...words, join(folder, 'walls.yaml')]);
  const isJson = run.stdout.startsWith('{');
  return { ...run, report: isJson ? (JSON.parse(run.stdout) as Report) : { held: 0, failed: 0, tests: [] } };
}

/** What a cluster is read by; a subresource is none of them, and whoever may get all may run programs in pods. */
const READ_KINDS = ['pods', 'podtemplates', 'namespaces', 'nodes', 'services', 'replicationcontrollers', 'deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs', 'endpointslices', 'networkpolicies', 'ingresses', 'ingressclasses', 'clusternetworkpolicies', 'adminnetworkpolicies', 'baselineadminnetworkpolicies'];

const resultsOf = ({ tests }: Report): Report['tests'][number]['results'] => tests.flatMap(({ results }) => results);

/** With the account, the rights and the rule of admission that are shipped, and a token that names the node, as a pod of the DaemonSet has them. */
async function startProbers(world: World): Promise<readonly Agent[]> {
  const { cluster } = world;
  const shipped = loadAll(agentManifests({ probing: true })) as { readonly kind: string; readonly metadata: { readonly name: string } }[];
  for (const isFirst of [true, false]) {
    const wanted = shipped.filter(({ kind }) => kind !== 'DaemonSet' && ['Namespace', 'CustomResourceDefinition'].includes(kind) === isFirst);
    cluster.kubectl(['apply', '-f', '-'], wanted.map((object) => JSON.stringify(object)).join('\n---\n'));
  }
  cluster.kubectl(['wait', '--for=condition=Established', 'crd', 'connectionprobes.bulkhead.dev']);
  const probers = cluster.nodes.map((node) => new Agent(cluster, node, { words: ['--probing'], statusPort: 9412, kubeconfig: proberConfig(world, node) }));
  for (const prober of probers) {
    while (!prober.log.includes('answers connection probes')) {
      assert.ok(prober.isRunning, prober.log);
      await sleep(50);
    }
  }
  return probers;
}

function proberConfig({ cluster }: World, { name, number }: RunningNode): string {
  const pod = `prober-node${number}`;
  cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace: 'bulkhead-system' }, spec: { nodeName: name, serviceAccountName: 'bulkhead-prober', containers: [{ name: 'c', image: SERVER_IMAGE, args: ['pause'] }] } }));
  const token = cluster.kubectl(['create', 'token', 'bulkhead-prober', '-n', 'bulkhead-system', '--bound-object-kind=Pod', `--bound-object-name=${pod}`]).trim();
  return configAs(cluster, join(cluster.place.state, 'kubeconfig/admin.conf'), pod, { token });
}

function configAs(cluster: NodeCluster, kubeconfig: string, name: string, user: object): string {
  const config = load(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] };
  for (const entry of config.users) entry.user = 'token' in user ? user : { ...entry.user, ...user };
  const file = join(cluster.place.state, `kubeconfig/${name}.conf`);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

function probesLeft({ cluster }: World): string {
  return cluster.kubectl(['get', 'connectionprobes', '-o', 'name']);
}

/** Who listens on TCP and UDP in any namespace of a pod: nobody else's port is to be there. */
function listeningPorts({ cluster }: World): string {
  return cluster.nodes.map((node) => onNode(node, ['sh', '-c', 'for n in /run/netns/*; do nsenter --net=$n ss -Hltun; done']).stdout).join('');
}

describeOnNodes('test in a cluster', { combination: { cni: 'bridge', nodes: 2, isDualStack: true, proxy: 'nftables' }, agent: 'none' }, (world) => {
  let probers: readonly Agent[] = [];
  after(() => Promise.all(probers.map((prober) => prober.end())));
  before(async () => {
    for (const policy of POLICIES) await applyObject(world().cluster.connection, policy);
  });

  test('without a prober the programs of the pods are asked, and the way to a prober is named', async (context) => {
    const { report, stderr, status } = runTests(context, world(), [], TESTS.replace(/ {2}- (deny|isolated).*\n/g, '').replace(/ {2}- allow: \{ from: (\{).*\n/g, ''));
    assert.equal(status, 0, `${JSON.stringify(report, undefined, 1)}\n${stderr}`);
    assert.ok(report.notes!.some((note) => note.includes('does not know ConnectionProbes') && note.includes('bulkhead agent --manifests --probing')), JSON.stringify(report.notes));
    assert.ok(resultsOf(report).every(({ tried }) => tried !== undefined && tried.connections > 0));
  });

  test('a cluster that enforces nothing: what is expected to be closed is seen open, with the rule that would close it', async (context) => {
    probers = await startProbers(world());
    const before = listeningPorts(world());
    const { report, status, stderr } = runTests(context, world());
    assert.equal(status, 1, stderr);
    const results = resultsOf(report);
    assert.deepEqual(results.map(({ holds }) => holds), [true, true, true, false, false, false], JSON.stringify(report, undefined, 1));
    for (const { tried, messages } of results.slice(3)) {
      assert.ok(tried!.differences.length > 0);
      assert.ok(messages.some((message) => /expected denied, seen allowed \(reply\)/.test(message) && /a\/from-b|c\/out/.test(message)), messages.join('\n'));
    }
    assert.equal(probesLeft(world()), '', 'every probe is taken away');
    assert.equal(listeningPorts(world()), before, 'nothing listens any more');
  });

  test('a cluster that enforces: every expectation is seen to hold, in both families and protocols', async (context) => {
    await startAgents(world());
    const { report, status, stderr } = runTests(context, world());
    assert.equal(status, 0, `${JSON.stringify(report, undefined, 1)}\n${stderr}`);
    assert.ok(resultsOf(report).every(({ tried }) => tried!.connections > 0 && tried!.differences.length === 0));
    const text = runTests(context, world(), ['-o', 'text']).stdout;
    assert.match(text, /6 expectations hold, [0-9,]+ connections tried between the pods of the cluster/);
  });

  test('Services, named ports, a host outside and a node, as policies treat them', async (context) => {
    const { cluster } = world();
    cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'a' }, spec: { selector: { app: 'x' }, ipFamilyPolicy: 'RequireDualStack', ports: [{ port: 8000, targetPort: 80 }] } }));
    const [outside] = cluster.outside.addresses.map(formatIpAddress);
    const other = formatIpAddress(cluster.nodes[1]!.addresses[0]!);
    const expectations = `apiVersion: bulkhead/v1
kind: PolicyTest
expect:
  - allow: { from: b/y, to: "svc/a/web:8000" }
  - deny: { from: c/y, to: "svc/a/web:8000" }
  - allow: { from: b/bare, to: a/y, on: http }
  - deny: { from: c/y, to: a/y, on: dns }
  - allow: { from: b/x, to: { namespace: kube-system, labels: { k8s-app: kube-dns } }, on: [udp/53, tcp/53] }
  - deny: { from: c/x, to: { namespace: kube-system, labels: { k8s-app: kube-dns } }, on: [udp/53, tcp/53] }
  - deny: { from: c/x, to: "${outside}", on: tcp/81 }
  - allow: { from: b/x, to: "${outside}", on: tcp/81 }
  - deny: { from: c/x, to: "${other}", on: tcp/81 }
`;
    let { report, status, stderr } = runTests(context, world(), [], expectations);
    // kube-proxy takes a second or more to heed a Service that is new, and refuses its address until then.
    for (let tries = 0; status !== 0 && tries < 5; tries++) {
      await sleep(1000);
      ({ report, status, stderr } = runTests(context, world(), [], expectations));
    }
    assert.equal(status, 0, `${JSON.stringify(report, undefined, 1)}\n${stderr}`);
    const results = resultsOf(report);
    assert.ok(results.every(({ tried }) => tried!.connections > 0), JSON.stringify(results, undefined, 1));
    // Each family by the pod's own address, and by the Service's.
    assert.deepEqual(results.slice(0, 2).map(({ tried }) => tried!.connections), [4, 4]);
  });

  const ON_80 = TESTS.replace(/ {2}- (isolated|allow: \{ from: \{).*\n/g, '').replace(/\[tcp\/80, tcp\/9000, udp\/9001\]/, 'tcp/80').replace(/.*c\/bare.*\n/, '');

  test('by programs of the pods alone, and by ephemeral containers, which are said to stay', async (context) => {
    const byExec = runTests(context, world(), ['--by', 'exec'], ON_80);
    assert.equal(byExec.status, 0, `${JSON.stringify(byExec.report, undefined, 1)}\n${byExec.stderr}`);
    const byEphemeral = runTests(context, world(), ['--by', 'ephemeral', '--image', SERVER_IMAGE], ON_80);
    assert.equal(byEphemeral.status, 0, `${JSON.stringify(byEphemeral.report, undefined, 1)}\n${byEphemeral.stderr}`);
    assert.ok(byEphemeral.report.notes!.some((note) => /an ephemeral container, which has ended, stays listed in \d pods/.test(note)), JSON.stringify(byEphemeral.report.notes));
    assert.match(world().cluster.kubectl(['get', 'pod', 'x', '-n', 'b', '-o', 'jsonpath={.spec.ephemeralContainers[*].name}']), /^bulkhead-test-[0-9a-f]{8}$/);
    assert.ok(resultsOf(byEphemeral.report).every(({ tried }) => tried!.connections > 0));
  });

  test('what a namespace, a right or a pod refuses is said, and status 3 ends a run in which nothing could be opened', async (context) => {
    const { cluster } = world();
    cluster.kubectl(['label', 'namespace', 'c', 'pod-security.kubernetes.io/enforce=restricted']);
    const refused = runTests(context, world(), ['--by', 'ephemeral', '--image', SERVER_IMAGE], ON_80.replace(/ {2}- allow.*\n/, ''));
    cluster.kubectl(['label', 'namespace', 'c', 'pod-security.kubernetes.io/enforce-']);
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /Pod Security of its namespace refuses the container/);

    cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reader' }, rules: [{ apiGroups: ['', 'apps', 'batch', 'discovery.k8s.io', 'networking.k8s.io', 'policy.networking.k8s.io'], resources: READ_KINDS, verbs: ['get', 'list'] }] }));
    cluster.kubectl(['create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--user=reader']);
    const reader = configAs(cluster, cluster.place.kubeconfig, 'reader', { as: 'reader' });
    const forbidden = runTests(context, world(), ['--kubeconfig', reader], ON_80);
    assert.equal(forbidden.status, 3, forbidden.stdout);
    assert.match(forbidden.stderr, /verbs create, get and delete on connectionprobes\.bulkhead\.dev/);
    assert.match(forbidden.stderr, /verbs get and create on pods\/exec/);
  });

  test('Ctrl-C takes away what was made', async (context) => {
    const file = join(makeFolder(context, { 'walls.yaml': TESTS }), 'walls.yaml');
    const running = startCommand(context, BULKHEAD, ['test', '--in', 'cluster', '--kubeconfig', world().cluster.place.kubeconfig, file]);
    await running.waitFor('by the probers of the nodes');
    while (probesLeft(world()) === '') assert.equal(running.process.exitCode, null, running.printed());
    running.process.kill('SIGINT');
    assert.equal(await running.ended, 130, running.printed());
    assert.equal(probesLeft(world()), '');
  });

  test('a canary notices when enforcement stops, tells it by metrics and Events, and ends well', async (context) => {
    const file = join(makeFolder(context, { 'walls.yaml': ON_80 }), 'walls.yaml');
    const canary = startCommand(context, BULKHEAD, ['test', '--in', 'cluster', '--kubeconfig', world().cluster.place.kubeconfig, '--watch', '--every', '1s', '--events', 'a', '--metrics-address', '127.0.0.1:0', file]);
    await canary.waitFor('0 failed');
    const port = Number(/on 127\.0\.0\.1:([0-9]+)/.exec(canary.printed())![1]);
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(await metrics(), /bulkhead_test_up 1\n(.|\n)*bulkhead_test_disagreements 0\n/);
    for (const agent of world().agents) await agent.end();
    for (const node of world().cluster.nodes) onNode(node, [BULKHEAD, 'agent', '--uninstall']);
    await canary.waitFor('FAIL deny');
    while (!/bulkhead_test_expectation_held\{.*deny.*\} 0/.test(await metrics())) await sleep(50);
    while (!world().cluster.kubectl(['get', 'events', '-n', 'a', '-o', 'jsonpath={.items[*].reason}']).includes('ExpectationFails')) await sleep(50);
    canary.process.kill('SIGTERM');
    assert.equal(await canary.ended, 0, canary.printed());
    assert.equal(probesLeft(world()), '');
  });
});
