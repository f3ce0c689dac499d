// `bulkhead test --in cluster` against real pods: without enforcement it finds what disagrees, with ours nothing does, by probers and by programs of the pods.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, runBulkhead, type Run } from '../../cli/run-bulkhead.ts';
import { cloneRoot } from '../../needs.ts';
import { applyObject } from '../write-object.ts';
import { Agent } from './agent.ts';
import { onNode } from './node-cluster.ts';
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

const resultsOf = ({ tests }: Report): Report['tests'][number]['results'] => tests.flatMap(({ results }) => results);

async function startProbers({ cluster }: World): Promise<readonly Agent[]> {
  const probers = cluster.nodes.map((node) => new Agent(cluster, node, { words: ['--probing'], statusPort: 9412 }));
  for (const prober of probers) {
    while (!prober.log.includes('answers connection probes')) {
      assert.ok(prober.isRunning, prober.log);
      await sleep(50);
    }
  }
  return probers;
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
    world().cluster.kubectl(['apply', '-f', '-'], readFileSync(join(cloneRoot, 'deploy/crds/connectionprobes.yaml'), 'utf8'));
    world().cluster.kubectl(['wait', '--for=condition=Established', 'crd', 'connectionprobes.bulkhead.dev']);
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
});
