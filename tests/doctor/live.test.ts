// The live proof and the cases of conformance against engines in memory: one that judges nothing, one that judges as the API says, one that lacks ranges; and every way to be broken off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casesNamed, runConformance, type ConformanceOptions } from '../../src/doctor/conformance.ts';
import { proveLive, type LiveOptions } from '../../src/doctor/live.ts';
import { GroundError } from '../../src/doctor/probe-ground.ts';
import { EXPIRES_ANNOTATION, groundNamespace, PROBE_IMAGE } from '../../src/doctor/probe-pods.ts';
import type { ServedKind } from '../../src/kube/cluster-api.ts';
import { ClusterError } from '../../src/kube/cluster-error.ts';
import { liveText } from '../../src/report/state/live-support.ts';
import { PLAIN_STYLE } from '../../src/report/text/style.ts';
import { FakeEngine, QuickClock, type Judge } from './fake-engine.ts';

const NAMESPACES: ServedKind = { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces', isNamespaced: false };
const CLUSTER_POLICIES: ServedKind = { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', resource: 'clusternetworkpolicies', isNamespaced: false };

interface World {
  readonly engine: FakeEngine;
  readonly options: LiveOptions;
  readonly notes: string[];
  readonly stop: AbortController;
}

function world(judge: Judge, nodes: readonly string[] = ['a', 'b']): World {
  const clock = new QuickClock();
  const notes: string[] = [];
  const stop = new AbortController();
  let secrets = 0;
  const options: LiveOptions = { clock, image: PROBE_IMAGE, owner: 'me@here', secret: (digits) => `${++secrets}`.padStart(digits, '0'), livesMs: 3_600_000, podsReadyMs: 5_000, signal: stop.signal, onNote: (note) => notes.push(note), nodes, effectMs: 3_000 };
  return { engine: new FakeEngine(judge, clock), options, notes, stop };
}

async function leftovers({ engine }: World): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const event of engine.listWhole(NAMESPACES, { labelSelector: 'bulkhead.dev/probe=doctor' })) if (event.kind === 'object') names.push(event.object.metadata.name!);
  return names;
}

test('an engine that judges as the API says: every node enforces, every trap holds, nothing is left', async () => {
  const one = world('everything');
  const result = await proveLive(one.engine, one.options);
  assert.ok(result.isEnforced, JSON.stringify(result));
  assert.deepEqual(result.nodes.map(({ node, standing }) => [node, standing]), [['a', 'enforced'], ['b', 'enforced']]);
  assert.deepEqual(result.checks.map(({ name, verdict }) => `${name}: ${verdict}`), ['ingress: yes', 'egress: yes', 'named port: yes', 'named port of UDP: yes', 'endPort: yes', 'ipBlock with except: yes', 'change of a policy: yes', 'live connection: info', 'start of a pod: yes']);
  assert.deepEqual(result.families, [4, 6]);
  assert.deepEqual(await leftovers(one), []);
  assert.match(liveText(result, PLAIN_STYLE), /start of a pod +yes +- +closed from its first instant: none of 20/);
});

test('nobody judges: inert on every node, and the traps are left out', async () => {
  const one = world('nobody');
  const { nodes, checks, isEnforced } = await proveLive(one.engine, one.options);
  assert.deepEqual([isEnforced, nodes.map(({ standing }) => standing), checks.map(({ verdict }) => verdict)], [false, ['inert', 'inert'], ['no', 'no']]);
  assert.match(nodes[0]!.evidence[0]!, /stranger-0 on a -> target-0 on a TCP\/8080 over IPv4 came through/);
  assert.deepEqual(await leftovers(one), []);
});

test('an engine without ranges of ports: the trap and its cases tell', async () => {
  const one = world('no ranges');
  const { nodes, checks } = await proveLive(one.engine, one.options);
  assert.deepEqual(nodes.map(({ standing }) => standing), ['enforced', 'enforced']);
  assert.deepEqual(checks.filter(({ verdict }) => verdict === 'no').map(({ name }) => name), ['endPort']);
  const cases = casesNamed('podSelector').filter(({ peer }) => peer === 'podSelector');
  const result = await runConformance(one.engine, { ...one.options, cases, onCase: () => undefined });
  assert.deepEqual(result.features.filter(({ held, count }) => held !== count).map(({ dimension, name, held }) => `${dimension} ${name} ${held}`), ['direction ingress 10', 'direction egress 10', 'peer podSelector 20', 'port endPort 0', 'update policy 10', 'update labels 10']);
  assert.deepEqual(await leftovers(one), []);
});

test('all cases hold on an engine that judges as the API says', async () => {
  const one = world('everything');
  const options: ConformanceOptions = { ...one.options, cases: casesNamed(undefined), onCase: () => undefined };
  const { cases, isConformant } = await runConformance(one.engine, options);
  assert.deepEqual(cases.filter(({ holds }) => !holds).map(({ name, wrong }) => [name, wrong]), []);
  assert.ok(isConformant && cases.length >= 200);
  assert.deepEqual(await leftovers(one), []);
});

test('nobody judges: no case holds, none is waited for, and every feature is named', async () => {
  const one = world('nobody');
  let looks = 0;
  one.engine.onExec = () => void looks++;
  const result = await runConformance(one.engine, { ...one.options, cases: casesNamed(undefined), onCase: () => undefined });
  assert.deepEqual([result.isConformant, result.cases.length, result.effects, [...new Set(result.features.map(({ held }) => held))]], [false, 216, undefined, [0]]);
  assert.ok(result.cases.every(({ wrong }) => wrong.length > 0));
  assert.deepEqual(one.notes.filter((note) => note.startsWith('a policy')), ['ingress', 'egress'].map((direction) => `a policy that refuses all ${direction} has no effect within 3 s: its cases are looked at once`));
  // Of ingress three pods are asked, of egress one: when all is open, and once under a policy.
  const waited = looks - 216 * 4;
  assert.ok(waited >= 0 && waited < 216, `${looks} looks`);
  assert.deepEqual(await leftovers(one), []);
});

test('lanes begin on different nodes; one whose pods do not start is left out, and said', async () => {
  const one = world('everything', ['a', 'b', 'broken']);
  const { isConformant } = await runConformance(one.engine, { ...one.options, cases: casesNamed('two peers'), onCase: () => undefined });
  assert.ok(isConformant);
  assert.ok(one.notes.some((note) => note.startsWith('only 2 at once: the probe pod mate does not get ready: ErrImagePull')), one.notes.join('\n'));
  assert.deepEqual(await leftovers(one), []);
});

test('pods that nobody lets reach one another teach nothing: a sentence', async () => {
  const one = world('everything');
  one.engine.serve(CLUSTER_POLICIES);
  one.engine.put({ apiVersion: CLUSTER_POLICIES.apiVersion, kind: CLUSTER_POLICIES.kind, metadata: { name: 'closed' }, spec: { tier: 'Baseline', priority: 1, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] } });
  await assert.rejects(runConformance(one.engine, { ...one.options, cases: casesNamed('two peers'), onCase: () => undefined }), (error: Error) => error instanceof GroundError && /without any policy of ours 36 of 36 connections between probe pods are refused, such as near on a -> subject on a TCP\/8080 over IPv4 was refused[^]*doctor --live/.test(error.message));
  assert.deepEqual(await leftovers(one), []);
});

test('cases broken off by Ctrl-C at any moment: every lane ends, and nothing is left', async () => {
  for (const at of [1, 5, 20, 100]) {
    const one = world('everything');
    one.engine.onExec = (count) => void (count === at && one.stop.abort());
    await assert.rejects(runConformance(one.engine, { ...one.options, cases: casesNamed('two peers'), onCase: () => undefined }), (error: Error) => error.name === 'AbortError');
    assert.deepEqual(await leftovers(one), [], `after ${at}`);
  }
});

test('the namespace of one lane goes away in the middle: a sentence, and every lane ends', async () => {
  const one = world('everything');
  one.engine.onExec = (count) => void (count === 100 && leftovers(one).then((names) => one.engine.delete({ served: NAMESPACES, name: names.at(-1)! })));
  await assert.rejects(runConformance(one.engine, { ...one.options, cases: casesNamed('two peers'), onCase: () => undefined }), (error: Error) => (error instanceof GroundError || error instanceof ClusterError) && /somebody took it away|not found/.test(error.message));
  assert.deepEqual(await leftovers(one), []);
});

test('one node alone: the pairs stay on it', async () => {
  const one = world('everything', ['a']);
  assert.ok((await proveLive(one.engine, one.options)).isEnforced);
});

test('a node whose probe pods do not start is unknown, with the reason; a cluster of such nodes is a failure', async () => {
  const one = world('everything', ['a', 'broken']);
  const { nodes, isEnforced } = await proveLive(one.engine, one.options);
  assert.deepEqual([isEnforced, nodes.map(({ standing }) => standing)], [false, ['enforced', 'unknown']]);
  assert.match(nodes[1]!.evidence[0]!, /ErrImagePull: no such image/);
  const all = world('everything', ['broken']);
  await assert.rejects(proveLive(all.engine, all.options), (error: Error) => error instanceof GroundError && /ErrImagePull[^]*--image/.test(error.message));
  assert.deepEqual([await leftovers(one), await leftovers(all)], [[], []]);
});

test('broken off by Ctrl-C at any moment: nothing is left', async () => {
  for (const at of [1, 2, 5, 20]) {
    const one = world('everything');
    one.engine.onExec = (count) => void (count === at && one.stop.abort());
    await assert.rejects(proveLive(one.engine, one.options));
    assert.deepEqual(await leftovers(one), [], `after ${at}`);
  }
});

test('the namespace goes away in the middle: a sentence', async () => {
  const one = world('everything');
  one.engine.onExec = (count) => void (count === 10 && leftovers(one).then(([name]) => one.engine.delete({ served: NAMESPACES, name: name! })));
  await assert.rejects(proveLive(one.engine, one.options), (error: Error) => (error instanceof GroundError || error instanceof ClusterError) && /somebody took it away|not found/.test(error.message));
  assert.deepEqual(await leftovers(one), []);
});

test('the API server goes away in the middle: a failure, and what is left is named', async () => {
  const one = world('everything');
  one.engine.onExec = (count) => void (count === 10 && one.engine.goAway());
  await assert.rejects(proveLive(one.engine, one.options), (error: Error) => error instanceof ClusterError && error.code === 'unreachable');
  assert.ok(one.notes.some((note) => /is still there[^]*when it has expired/.test(note)), one.notes.join());
});

test('what has expired is taken away, and what has not is left', async () => {
  const one = world('everything');
  one.engine.put(groundNamespace('bulkhead-probe-old', { owner: 'x', expires: '2020-01-01T00:00:00Z' }));
  one.engine.put(groundNamespace('bulkhead-probe-new', { owner: 'y', expires: '2099-01-01T00:00:00Z' }));
  one.engine.put({ ...groundNamespace('bulkhead-probe-odd', { owner: 'z', expires: 'never' }) });
  await proveLive(one.engine, one.options);
  assert.deepEqual([...(await leftovers(one))].sort(), ['bulkhead-probe-new', 'bulkhead-probe-odd']);
  assert.ok(EXPIRES_ANNOTATION.startsWith('bulkhead.dev/'));
});
