// Each control's verdict on pairs of clusters that differ by one rule, and as far as policies are enforced.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WordError } from '../../src/base/word-error.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import { chooseFrameworks, type ControlVerdict } from '../../src/evidence/controls.ts';
import { gatherEvidence, hasUnmetControl, type Evidence, type EvidenceQuestion } from '../../src/evidence/evidence.ts';
import { loadFrameworks } from '../../src/evidence/framework.ts';
import { parseScope } from '../../src/evidence/scope.ts';
import { readTestRun, type TestRun } from '../../src/evidence/test-results.ts';
import { readManifests } from '../../src/read/read.ts';
import type { KeptRelease } from '../../src/release/release-record.ts';

const PODS = ['shop/gateway', 'shop/web', 'data/cards', 'data/audit'].map((name) => {
  const [namespace, pod] = name.split('/');
  return `{ apiVersion: v1, kind: Pod, metadata: { name: ${pod}, namespace: ${namespace}, labels: { app: ${pod}${namespace === 'data' ? ', pci: "true"' : ''} } }, spec: { containers: [{ name: main, image: x }] } }`;
});

function policy(namespace: string, name: string, spec: string): string {
  return `{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: ${name}, namespace: ${namespace} }, spec: ${spec} }`;
}

const CLOSED = '{ podSelector: {}, policyTypes: [Ingress, Egress] }';
const CLOSED_ALL = [policy('shop', 'closed', CLOSED), policy('data', 'closed', CLOSED)];
/** One policy with one ingress rule, or one egress rule. */
const lets = (namespace: string, pod: string, rules: string): string => policy(namespace, 'extra', `{ podSelector: { matchLabels: { app: ${pod} } }, policyTypes: [Ingress, Egress], ${rules} }`);
const pass = (namespace: string, pod: string): string => `[{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${namespace} } }, podSelector: { matchLabels: { app: ${pod} } } }]`;

const ENFORCED = diagnosisOf('enforced');

function diagnosisOf(standing: 'enforced' | 'inert' | 'unknown', provider?: string): Diagnosis {
  return { takenAt: '', provider: provider === undefined ? undefined : { name: provider, title: provider }, nodes: [{ node: 'one', standing, engines: [], evidence: [] }], findings: [], engines: [], policies: {}, unread: [], isEnforced: standing === 'enforced' };
}

function evidenceOf(objects: readonly string[], question: Partial<EvidenceQuestion> = {}): Evidence {
  const text = [...PODS, ...objects].map((object) => `---\n${object}\n`).join('');
  const { cluster, findings } = readManifests([{ name: 'cluster.yaml', chunks: () => [new TextEncoder().encode(text)] }]);
  assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
  return gatherEvidence({ program: compileCluster(cluster), diagnosis: ENFORCED, scopes: [parseScope(SCOPE)], frameworks: loadFrameworks(), flows: undefined, tests: undefined, testRuns: [], at: undefined, releases: undefined, unread: [], ...question });
}

const SCOPE = 'pci: pci=true from shop/gateway to shop/gateway hops 3';

function verdicts({ frameworks }: Evidence): Readonly<Record<string, ControlVerdict>> {
  return Object.fromEntries(frameworks.flatMap(({ framework, controls }) => controls.map(({ control, verdict }) => [`${framework.name} ${control.number}`, verdict] as const)));
}

/** What tests in the cluster say is never more than what people judge. */
const TESTED = { 'pci-dss 11.4.5': 'unknown', 'pci-dss 11.4.6': 'unknown' } as const;

const ALL_MET = { ...Object.fromEntries(loadFrameworks().flatMap(({ name, controls }) => controls.map(({ number }) => [`${name} ${number}`, 'met'] as const))), ...TESTED };

test('where everything is closed and enforced, each control is met', () => {
  const evidence = evidenceOf(CLOSED_ALL);
  assert.deepEqual(verdicts(evidence), ALL_MET);
  assert.equal(hasUnmetControl(evidence), false);
});

test('of scopes that do not say where they may go, none is vouched for beside those that do', () => {
  const { frameworks } = evidenceOf(CLOSED_ALL, { scopes: [parseScope(SCOPE), parseScope('audits: data/audit')] });
  const says = frameworks.flatMap(({ controls }) => controls.flatMap(({ statements }) => statements.filter(({ id }) => id === 'scopes-out').map((one) => one.says)));
  assert.deepEqual([...new Set(says)], ['no connection leads out of the scope beyond what it names: pci, 2 pods; where the pods of audits may go is not asked']);
});

interface OneRule {
  readonly name: string;
  readonly objects: readonly string[];
  readonly notMet: readonly string[];
}

const NAMESPACES = ['cis-kubernetes 5.3.2', 'cis-eks 4.3.2', 'cis-aks 4.4.2', 'cis-gke 4.3.2', 'nsa-cisa Network separation and hardening', 'nist-800-53 AC-4'];

const ONE_RULE: readonly OneRule[] = [
  // A rule for everybody beside a default deny: the object is there, and the wall is not.
  { name: 'a pod that everybody may enter', objects: [...CLOSED_ALL, lets('shop', 'web', 'ingress: [{}]')], notMet: [...NAMESPACES, 'nist-800-53 SC-7'] },
  { name: 'every port of one protocol for strangers', objects: [...CLOSED_ALL, lets('shop', 'web', 'ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ protocol: TCP }] }]')], notMet: NAMESPACES },
  { name: 'one port for strangers', objects: [...CLOSED_ALL, lets('shop', 'web', 'ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 443 }] }]')], notMet: [] },
  { name: 'egress to everybody', objects: [...CLOSED_ALL, lets('shop', 'web', 'egress: [{}]')], notMet: ['nsa-cisa Network separation and hardening', 'nist-800-53 AC-4', 'nist-800-53 SC-7'] },
  { name: 'egress to the outside alone', objects: [...CLOSED_ALL, lets('shop', 'web', 'egress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }]')], notMet: ['nist-800-53 SC-7'] },
  { name: 'the outside may enter the scope on one port', objects: [...CLOSED_ALL, lets('data', 'cards', 'ingress: [{ from: [{ ipBlock: { cidr: 192.0.2.0/24 } }], ports: [{ port: 443 }] }]')], notMet: ['nist-800-53 AC-4', 'nist-800-53 SC-7', 'pci-dss 1.3.1', 'pci-dss 1.4.4'] },
  { name: 'a pod that the scope does not name enters it', objects: [CLOSED_ALL[1]!, policy('shop', 'closed', '{ podSelector: {}, policyTypes: [Ingress, Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: data } } }], ports: [{ port: 5432 }] }] }'), lets('data', 'cards', `ingress: [{ from: ${pass('shop', 'web')}, ports: [{ port: 5432 }] }]`)], notMet: ['nist-800-53 AC-4', 'pci-dss 1.3.1'] },
  { name: 'the pod that the scope names enters it', objects: [CLOSED_ALL[1]!, policy('shop', 'closed', '{ podSelector: {}, policyTypes: [Ingress, Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: data } } }], ports: [{ port: 5432 }] }] }'), lets('data', 'cards', `ingress: [{ from: ${pass('shop', 'gateway')}, ports: [{ port: 5432 }] }]`)], notMet: [] },
  { name: 'the scope calls a pod that it does not name', objects: [CLOSED_ALL[1]!, policy('shop', 'closed', '{ podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: data } } }], ports: [{ port: 9 }] }] }'), lets('data', 'cards', `egress: [{ to: ${pass('shop', 'web')}, ports: [{ port: 9 }] }]`)], notMet: ['nist-800-53 AC-4', 'pci-dss 1.3.2'] },
];

for (const { name, objects, notMet } of ONE_RULE) {
  test(`one rule: ${name}`, () => {
    const found = verdicts(evidenceOf(objects));
    assert.deepEqual(found, { ...ALL_MET, ...Object.fromEntries(notMet.map((control) => [control, 'not-met'])) });
  });
}

test('a chain through an end that the scope names counts where hops are asked for', () => {
  const objects = [CLOSED_ALL[0]!, CLOSED_ALL[1]!,
    policy('shop', 'gateway', `{ podSelector: { matchLabels: { app: gateway } }, policyTypes: [Ingress, Egress], ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 80 }] }], egress: [{ to: ${pass('data', 'cards')} }] }`),
    policy('shop', 'web', '{ podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [{ to: [{ podSelector: { matchLabels: { app: gateway } } }] }] }'),
    lets('data', 'cards', `ingress: [{ from: ${pass('shop', 'gateway')} }]`)];
  const inScope = (scope: string): ControlVerdict => verdicts(evidenceOf(objects, { scopes: [parseScope(scope)] }))['pci-dss 1.3.1']!;
  assert.equal(inScope('pci=true from shop/gateway hops 3'), 'not-met');
  assert.equal(inScope('pci=true from shop/gateway hops 1'), 'met');
  assert.equal(inScope('pci=true from shop/gateway'), 'met');
  assert.equal(inScope('pci=true from shop/gateway and shop/web hops 3'), 'met');
  assert.equal(inScope('pci=true'), 'not-met');
});

test('an entrance that gives its clients the address of a node that the scope names is a way in, where hops are asked for', () => {
  const node = '{ apiVersion: v1, kind: Node, metadata: { name: one }, status: { addresses: [{ type: InternalIP, address: 10.0.0.1 }] } }';
  const entrance = (spec: string): string => `{ apiVersion: v1, kind: Service, metadata: { name: cards, namespace: data }, spec: { type: LoadBalancer, selector: { app: cards }, ports: [{ port: 443 }], ${spec} } }`;
  const letsNode = lets('data', 'cards', 'ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/24 } }], ports: [{ port: 443 }] }]');
  const inScope = (scope: string, spec: string): ControlVerdict => verdicts(evidenceOf([...CLOSED_ALL, node, letsNode, entrance(spec)], { scopes: [parseScope(scope)] }))['pci-dss 1.3.1']!;
  assert.equal(inScope('pci=true from 10.0.0.0/24 hops 2', ''), 'not-met');
  assert.equal(inScope('pci=true from 10.0.0.0/24', ''), 'met', 'what comes through them is theirs to answer for');
  assert.equal(inScope('pci=true from 10.0.0.0/24 hops 2', 'externalTrafficPolicy: Local'), 'met', 'clients keep their own addresses');
  assert.equal(inScope('pci=true from 10.0.0.0/24 and 192.0.2.0/24 hops 2', 'loadBalancerSourceRanges: [192.0.2.0/25]'), 'met', 'its clients are named');
  const { scopes } = evidenceOf([...CLOSED_ALL, node, letsNode, entrance('')], { scopes: [parseScope('pci=true from 10.0.0.0/24 hops 2')] });
  assert.deepEqual(scopes[0]!.waysIn.map(({ isNamed, path, ports }) => [isNamed, path.join(' -> '), ports.join()]), [[false, 'a node, by LoadBalancer data/cards -> data/cards', '443,443'], [true, 'data/cards', '443,443']]);
});

test('a namespace without pods is judged by the pods that may come', () => {
  const empty = '{ apiVersion: v1, kind: Namespace, metadata: { name: empty } }';
  assert.equal(verdicts(evidenceOf([...CLOSED_ALL, empty]))['cis-kubernetes 5.3.2'], 'not-met');
  assert.equal(verdicts(evidenceOf([...CLOSED_ALL, empty, policy('empty', 'closed', CLOSED)]))['cis-kubernetes 5.3.2'], 'met');
  // It selects pods of one label, and those to come have none.
  assert.equal(verdicts(evidenceOf([...CLOSED_ALL, empty, policy('empty', 'some', '{ podSelector: { matchLabels: { app: x } } }')]))['cis-kubernetes 5.3.2'], 'not-met');
});

test('what is not enforced is not met, and what nobody knows is not said', () => {
  assert.deepEqual(verdicts(evidenceOf(CLOSED_ALL, { diagnosis: diagnosisOf('inert') })), { ...Object.fromEntries(Object.keys(ALL_MET).map((control) => [control, 'not-met'])), ...TESTED });
  for (const diagnosis of [undefined, diagnosisOf('unknown')]) {
    const found = verdicts(evidenceOf(CLOSED_ALL, { diagnosis }));
    assert.equal(found['cis-kubernetes 5.3.1'], 'unknown');
    assert.equal(found['cis-kubernetes 5.3.2'], 'met-if-enforced');
    assert.equal(found['pci-dss 1.3.1'], 'met-if-enforced');
  }
  const audited = '{ apiVersion: v1, kind: Namespace, metadata: { name: shop, labels: { bulkhead.dev/audit: "true" } } }';
  assert.equal(verdicts(evidenceOf([...CLOSED_ALL, audited]))['cis-kubernetes 5.3.2'], 'met-if-enforced');
  const partly = verdicts(evidenceOf(CLOSED_ALL, { unread: ['only a part was read'] }));
  assert.equal(partly['cis-kubernetes 5.3.2'], 'unknown');
  assert.equal(partly['pci-dss 1.3.1'], 'unknown');
});

test('without scopes nothing is claimed of them', () => {
  const found = verdicts(evidenceOf(CLOSED_ALL, { scopes: [] }));
  assert.equal(found['pci-dss 1.3.1'], 'not-asked');
  assert.equal(found['pci-dss 1.3.2'], 'not-asked');
  assert.equal(verdicts(evidenceOf(CLOSED_ALL, { scopes: [parseScope('pci=true')] }))['pci-dss 1.3.2'], 'not-asked');
  const ofOthers = { ...parseScope('pci=true'), frameworks: ['nist-800-53'] };
  assert.equal(verdicts(evidenceOf(CLOSED_ALL, { scopes: [ofOthers] }))['pci-dss 1.3.1'], 'not-asked');
});

test('frameworks are those of every cluster and of its provider, or those named', () => {
  const names = (chosen: ReturnType<typeof chooseFrameworks>): readonly string[] => chosen.map(({ name }) => name);
  const all = loadFrameworks();
  assert.deepEqual(names(chooseFrameworks(all, undefined, undefined)), ['cis-kubernetes', 'nsa-cisa', 'nist-800-53', 'pci-dss']);
  assert.deepEqual(names(chooseFrameworks(all, undefined, 'eks')), ['cis-kubernetes', 'cis-eks', 'nsa-cisa', 'nist-800-53', 'pci-dss']);
  assert.deepEqual(names(chooseFrameworks(all, ['cis-gke'], 'eks')), ['cis-gke']);
  assert.throws(() => chooseFrameworks(all, ['cis'], undefined), WordError);
});

test('each control has a source with a date', () => {
  for (const { controls, sources } of loadFrameworks()) {
    for (const { source, name } of controls) {
      assert.match(sources[source]!.url ?? '', /^https:/);
      // A short name, never a control's own text.
      assert.ok(name.length <= 45, name);
    }
  }
});

test('sentences of scopes', () => {
  assert.deepEqual(parseScope('pci: pci=true from shop/gateway and shop/web to data/db hops 3'), { name: 'pci', pods: 'pci=true', from: ['shop/gateway', 'shop/web'], to: ['data/db'], hopsMax: 3, frameworks: undefined });
  assert.deepEqual(parseScope('Card data: pci=true'), { name: 'Card data', pods: 'pci=true', from: [], to: undefined, hopsMax: undefined, frameworks: undefined });
  assert.deepEqual(parseScope('tier in (a, b)'), { name: 'tier in (a, b)', pods: 'tier in (a, b)', from: [], to: undefined, hopsMax: undefined, frameworks: undefined });
  for (const sentence of ['', 'from shop/web', 'pci=true hops 0', 'pci=true hops x', 'a from b from c', 'a from', 'a to', 'a from b and ', 'a from  and b']) assert.throws(() => parseScope(sentence), WordError, sentence);
  assert.throws(() => evidenceOf(CLOSED_ALL, { scopes: [parseScope('pci=no')] }), WordError);
  assert.throws(() => evidenceOf(CLOSED_ALL, { scopes: [parseScope('192.0.2.0/24')] }), WordError);
  assert.throws(() => evidenceOf(CLOSED_ALL, { scopes: [parseScope('pci=true from shop/nobody')] }), WordError);
});

/** Of the cluster, with one connection, unless it says otherwise. */
function runAt(at: string | undefined, more: Partial<TestRun> = {}): TestRun {
  return { name: 'x', where: 'cluster', at, connections: 1, held: 1, failed: 0, failures: [], confirmed: ['t: allow a -> b'], ...more };
}

test('the last test in the cluster speaks for the segmentation, and never for more than it tried', () => {
  const found = (testRuns: readonly TestRun[], question: Partial<EvidenceQuestion> = {}): readonly [ControlVerdict, string] => {
    const [, , , year] = evidenceOf(CLOSED_ALL, { testRuns, at: '2026-11-20T00:00:00.000Z', frameworks: chooseFrameworks(loadFrameworks(), ['pci-dss'], undefined), ...question }).frameworks[0]!.controls;
    return [year!.verdict, year!.statements[0]!.says];
  };
  const HELD = '2026-10-01T10:00:00.000Z';
  assert.match(found([runAt(HELD)])[1], /^the last test .* of 2026-10-01T10:00:00.000Z, tried 1 connection: 1 expectation held, 0 failed; whether policies were changed since is not known; whether that was all/);
  assert.deepEqual(found([runAt(HELD), runAt('2026-11-01T00:00:00.000Z', { failed: 1, failures: ['t: deny a -> b'] })])[0], 'not-met');
  const failed = runAt('2026-09-01T00:00:00.000Z', { failed: 1, failures: ['t: deny a -> b'] });
  assert.deepEqual(found([failed, runAt(HELD, { confirmed: ['t: deny a -> b'] })])[0], 'unknown');
  assert.deepEqual(found([{ ...failed, at: '2025-11-19T00:00:00.000Z' }, runAt(HELD)])[0], 'unknown', 'of a year that is over');
  const [verdict, says] = found([failed, runAt(HELD)]);
  assert.equal(verdict, 'not-met', 'a test of other expectations says nothing of it');
  assert.match(says, /1 expectation held, 0 failed; 1 failed before, last on 2026-09-01T00:00:00.000Z, and no test since showed that it holds$/);
  assert.equal(found([failed, runAt(HELD, { held: 2 })])[0], 'not-met', 'what was computed alone says nothing either');
  assert.match(found([runAt(HELD, { held: 3 })])[1], /tried 1 connection: 1 expectation held, 0 failed; 2 more were computed, and no connection tried for them;/);
  assert.match(found([runAt('2025-11-19T00:00:00.000Z')])[1], /more than 12 months before/);
  // None of these is a test of the cluster that is known to have been before.
  for (const run of [runAt(undefined), runAt(HELD, { where: 'static' }), runAt(HELD, { where: 'lab' }), runAt(HELD, { connections: 0 }), runAt('2027-01-01T00:00:00.000Z')]) assert.match(found([run])[1], /^no results of a test in the cluster/);
  assert.match(found([runAt(HELD)], { at: undefined })[1], /nobody said when this report is of/);
  assert.equal(found([runAt(HELD)], { scopes: [] })[0], 'not-asked');
  const release = (at: string): KeptRelease => ({ record: { version: 1, release: 'shop', revision: 1, action: 'apply', at, changes: [], members: [], helpers: [] }, state: 'written', stored: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } } });
  assert.match(found([runAt(HELD)], { releases: [release('2026-10-02T00:00:00.000Z'), release('2026-09-02T00:00:00.000Z')] })[1], /released once since, last on 2026-10-02/);
  assert.doesNotMatch(found([runAt(HELD)], { releases: [release('2026-09-02T00:00:00.000Z')] })[1], /since/);
});

test('results of tests that do not agree with themselves are none', () => {
  const report = { apiVersion: 'bulkhead/v1', kind: 'TestReport', in: 'cluster', held: 1, failed: 1, tests: [{ name: 'shop', results: [{ expectation: 'deny a -> b', holds: false }, { expectation: 'allow a -> b', holds: true }] }] };
  assert.deepEqual(readTestRun('monday.json', JSON.stringify(report)), { name: 'monday.json', where: 'cluster', at: undefined, connections: 0, held: 1, failed: 1, failures: ['shop: deny a -> b'], confirmed: [] });
  const dated = { ...report, at: '2026-10-01T10:00:00Z', tests: [{ name: 'shop', results: [{ expectation: 'deny a -> b', holds: false, tried: { connections: 3 } }, { expectation: 'allow a -> b', holds: true }] }] };
  assert.deepEqual([readTestRun('x', JSON.stringify(dated)).at, readTestRun('x', JSON.stringify(dated)).connections], ['2026-10-01T10:00:00.000Z', 3]);
  const tried = { ...dated, tests: [{ name: 'shop', results: [{ expectation: 'deny a -> b', holds: false }, { expectation: 'allow a -> b', holds: true, tried: { connections: 1 } }] }] };
  assert.deepEqual([readTestRun('x', JSON.stringify(dated)).confirmed, readTestRun('x', JSON.stringify(tried)).confirmed], [[], ['shop: allow a -> b']]);
  for (const broken of [{ ...report, at: 'yesterday' }, { ...report, at: '2026-10-01T10:00:00+02:00' }, { ...report, failed: 0 }, { ...report, held: 2 }, { ...report, kind: 'Report' }, { ...report, in: 'mind' }, []]) assert.throws(() => readTestRun('x', JSON.stringify(broken)), WordError);
  assert.throws(() => readTestRun('x', 'no JSON'), WordError);
});
