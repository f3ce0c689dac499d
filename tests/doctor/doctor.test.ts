// The diagnosis of clusters in memory: each engine on and off, rights that are missing, strings that somebody else wrote.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellWord } from '../../src/doctor/commands.ts';
import { diagnose, type Diagnosis } from '../../src/doctor/doctor.ts';
import { factsEntry, factsInSnapshot } from '../../src/doctor/kept-facts.ts';
import { loadKnowledge } from '../../src/doctor/known-engines.ts';
import { readFacts } from '../../src/doctor/read-facts.ts';
import { isOlder } from '../../src/doctor/versions.ts';
import { FakeCluster } from '../../src/kube/fake-cluster.ts';
import { ENGINE_NAMES } from '../../src/lint/engines/engine.ts';
import { findEngine } from '../../src/lint/engines/list.ts';
import { supportMarkdown, supportText } from '../../src/report/state/support.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { refuses } from '../kube/cluster-cases.ts';
import { supportCases } from './support-cases.ts';
import { agent, configMap, node } from './support-objects.ts';

const CILIUM = agent({ daemonSet: 'cilium', containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.18.2' }], nodes: ['a'] });

supportCases(async (objects, kinds) => {
  const cluster = new FakeCluster();
  for (const kind of kinds) cluster.serve(kind);
  for (const object of objects) cluster.put(object);
  return { api: cluster };
});

async function diagnosisOf(cluster: FakeCluster): Promise<Diagnosis> {
  return diagnose(await readFacts(cluster, loadKnowledge(), new Date(0)), loadKnowledge());
}

function ciliumCluster(): FakeCluster {
  const cluster = new FakeCluster();
  for (const object of [node('a'), ...CILIUM, configMap('cilium-config', { 'enable-policy': 'default', 'identity-secret': 'hunter2' })]) cluster.put(object);
  return cluster;
}

test('who may not list nodes or DaemonSets learns which right is missing', async () => {
  for (const resource of ['nodes', 'daemonsets.apps']) {
    const cluster = ciliumCluster();
    cluster.forbid(resource);
    await assert.rejects(diagnosisOf(cluster), (error: Error) => error.message.includes(`list ${resource}`) && error.message.includes(`--resource=${resource}`));
  }
});

test('what may not be read leaves a node unknown, and is named', async () => {
  for (const [resource, code] of [['configmaps', 'cilium/unread-never'], ['pods', 'cilium/unread']] as const) {
    const cluster = ciliumCluster();
    cluster.forbid(resource);
    const diagnosis = await diagnosisOf(cluster);
    assert.equal(diagnosis.nodes[0]?.standing, 'unknown');
    assert.ok(diagnosis.findings.some((finding) => finding.code === code), JSON.stringify(diagnosis.findings));
    assert.match(supportText(diagnosis, PLAIN_STYLE, { isWide: false }), new RegExp(`not read: (get|list) ${resource}[^]*--resource=${resource}`));
  }
});

test('an API server that goes away in the middle is a failure', async () => {
  const cluster = ciliumCluster();
  cluster.goAway();
  await refuses('unreachable', () => diagnosisOf(cluster));
});

test('facts go into a snapshot and back, without a secret, and the same cluster gives the same bytes', async () => {
  const facts = await readFacts(ciliumCluster(), loadKnowledge(), new Date(0));
  const again = await readFacts(ciliumCluster(), loadKnowledge(), new Date(1e12));
  const { text } = factsEntry(facts);
  assert.equal(text, factsEntry(again).text);
  assert.ok(!text.includes('hunter2'));
  const kept = factsInSnapshot(`{"apiVersion":"v1","kind":"List","items":[\n${text}\n]}\n`);
  assert.deepEqual(diagnose(kept!, loadKnowledge()).nodes, diagnose(facts, loadKnowledge()).nodes);
  for (const broken of ['', '[]', '{"items":[{"apiVersion":"bulkhead.dev/v1alpha1","kind":"ClusterFacts","facts":{}}]}']) assert.equal(factsInSnapshot(broken), undefined);
});

test('names from the cluster reach no shell and no terminal as they are', async () => {
  const evil = "x'; rm -rf ~ #\u001b[2J";
  const cluster = new FakeCluster();
  const containers = [{ name: 'kube-flannel', image: `flannel:${evil}` }];
  for (const object of [node('a'), ...agent({ daemonSet: 'kube-flannel-ds', containers, nodes: ['a'] })]) cluster.put(object);
  const facts = await readFacts(cluster, loadKnowledge(), new Date(0));
  // No server takes such labels; a snapshot may hold anything.
  const labels = { 'kubernetes.azure.com/cluster': `MC_${evil}_${evil}_westeurope`, 'topology.kubernetes.io/region': evil, 'eks.amazonaws.com/nodegroup': evil, 'alpha.eksctl.io/cluster-name': evil };
  const diagnosis = diagnose({ ...facts, nodes: facts.nodes.map((one) => ({ ...one, name: evil, labels })) , pods: facts.pods.map((pod) => ({ ...pod, node: evil, name: evil })), unread: [{ verb: 'get', resource: evil, name: evil, why: evil }] }, loadKnowledge());
  const shown = [supportText(diagnosis, PLAIN_STYLE, { isWide: true }), supportMarkdown(diagnosis)].join('');
  assert.ok(!shown.includes('\u001b'));
  assert.match(shown, /--resource='x'\\''; rm -rf/);
  assert.ok(!diagnosis.findings.flatMap(({ remedies }) => remedies).some(({ commands }) => commands.join().includes('rm -rf')));
  assert.deepEqual([shellWord('a-b.c'), shellWord("a'; b"), shellWord('-x'), shellWord('$(x)'), shellWord('')], ['a-b.c', "'a'\\''; b'", "'-x'", "'$(x)'", "''"]);
});

test('versions are compared number by number', () => {
  const older: readonly (readonly [string, string, boolean | undefined])[] = [['v1.9.4', '1.17', true], ['1.17', '1.17.4', false], ['v1.17.4-eksbuild.1', '1.17', false], ['5.4.288-200.amzn2', '5.10', true], ['6.1', '5.10', false], ['latest', '1.17', undefined], ['sha-abc', '1', undefined]];
  for (const [version, bound, expected] of older) assert.equal(isOlder(version, bound), expected, version);
});

test('each file of knowledge is whole: sources, remedies and placeholders that exist', () => {
  const { engines, providers } = loadKnowledge();
  assert.equal(new Set(engines.map(({ name }) => name)).size, engines.length);
  const words = new Set([...providers.flatMap(({ values }) => Object.keys(values)), 'NAMESPACE', 'DAEMONSET', 'CLUSTER', 'REGION', 'LOCATION', 'RESOURCE_GROUP']);
  for (const known of [...engines, ...providers]) {
    const { name, sources, remedies } = known;
    const checks = 'checks' in known ? known.checks : [];
    const named = [...remedies, ...checks, ...('features' in known ? Object.values(known.features) : []), ...('notOn' in known ? (known.notOn ?? []) : []), ...('noAgent' in known && known.noAgent !== undefined ? [known.noAgent] : [])].map(({ source }) => source);
    for (const source of named) assert.ok(Object.hasOwn(sources, source), `${name}: ${source}`);
    for (const { id, remedies: ids = [] } of checks) for (const remedy of ids) assert.ok(remedies.some((one) => one.id === remedy), `${name}/${id}: ${remedy}`);
    for (const { commands } of remedies) for (const [, word] of commands.join().matchAll(/\{([A-Z_]+)\}/g)) assert.ok(words.has(word!), `${name}: ${word}`);
    assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length, name);
    if ('engineWord' in known && known.engineWord !== undefined) assert.ok((ENGINE_NAMES as readonly string[]).includes(known.engineWord), name);
    if ('includes' in known) for (const part of known.includes ?? []) assert.ok(engines.some((engine) => engine.name === part), part);
  }
});

test('what lint knows an engine not to do, doctor does not say it has', () => {
  for (const { name, engineWord, features } of loadKnowledge().engines) {
    const facts = engineWord === undefined ? [] : (findEngine(engineWord)?.facts ?? []);
    for (const fact of facts) {
      if (fact.kind === 'feature' && fact.isSure && fact.feature !== 'NotIn or DoesNotExist') assert.notEqual(features[fact.feature].has, 'yes', `${name}: ${fact.feature}`);
      if (fact.kind === 'family-ignored') assert.notEqual(features.IPv6.has, 'yes', `${name}: IPv6`);
      if (fact.kind === 'policy-kinds') for (const kind of fact.policyKinds) if (kind !== 'BaselineAdminNetworkPolicy') assert.notEqual(features[kind].has, 'yes', `${name}: ${kind}`);
    }
  }
});

test('policies that stand longer than they should are a warning, which no snapshot repeats', async () => {
  const cluster = ciliumCluster();
  const put = (name: string, expires: string): void => void cluster.put({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'default', annotations: { 'bulkhead.dev/expires': expires } }, spec: { podSelector: {} } });
  put('over', '1969-12-31T23:00:00.000Z');
  put('later', '1970-01-01T01:00:00.000Z');
  const diagnosis = await diagnosisOf(cluster);
  const overdue = diagnosis.findings.filter(({ code }) => code === 'break-glass-overdue');
  assert.deepEqual(overdue.map(({ severity, message }) => `${severity}: ${message}`), ['warning: NetworkPolicy default/over was to stand until 1969-12-31T23:00:00.000Z, and still does']);
  assert.match(supportText(diagnosis, PLAIN_STYLE, { isWide: false }), /warning\[break-glass-overdue\] .*\n {2}take it back as it was put:\n {4}bulkhead rollback --expired/);
  assert.match(supportMarkdown(diagnosis), /`break-glass-overdue`\./);
  const kept = factsInSnapshot(`{"items":[${factsEntry(await readFacts(cluster, loadKnowledge(), new Date(0))).text}]}`)!;
  assert.deepEqual([kept.temporary.length, diagnose(kept, loadKnowledge()).findings.filter(({ code }) => code === 'break-glass-overdue')], [2, []]);
});
