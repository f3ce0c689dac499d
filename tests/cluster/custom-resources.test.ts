// A real API server with our CustomResourceDefinitions: what they take, what they refuse, and that each refusal is a sentence.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { systemClock } from '../../src/cli/system-clock.ts';
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection, type Connection } from '../../src/kube/kube-config.ts';
import { NO_LOSSES } from '../../src/flow/flow-losses.ts';
import { publishEnforcement } from '../../src/status/publish-enforcement.ts';
import { randomClusterPolicies } from '../clusters/random-cluster-policies.ts';
import { randomPolicies } from '../clusters/random-cluster.ts';
import { ChangingState, FACTS, policy, READY } from '../status/agent-states.ts';
import { cloneRoot, needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { POLICY_SPECS } from './policy-specs.ts';
import { refusalOf } from './write-object.ts';

const wants = needs('apiserver');
const crdFiles = globSync('deploy/crds/*.yaml', { cwd: cloneRoot }).map((file) => join(cloneRoot, file));
const server = wants.skip === undefined ? startApiServer({ crdFiles: [...policyCrdFiles(), ...crdFiles] }) : undefined;
const connect = (): Promise<Connection> => openConnection({ kubeconfig: server!.kubeconfig });

const SEED = Number(process.env['BULKHEAD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const RANDOM_POLICIES = process.env['BULKHEAD_NIGHTLY'] === '1' ? 10_000 : 200;

interface Form {
  readonly apiVersion: string;
  readonly kind: string;
  textOf(spec: string): string;
}

function form(apiVersion: string, kind: string, wrap: (spec: string) => string = (spec) => spec): Form {
  return { apiVersion, kind, textOf: (spec) => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: web${kind.includes('Cluster') ? '' : ', namespace: default'} }\nspec: ${wrap(spec)}\n` };
}

const REAL = form('networking.k8s.io/v1', 'NetworkPolicy');
const STAGED = form('bulkhead.dev/v1alpha1', 'StagedPolicy', (spec) => `{ networkPolicy: ${spec} }`);
const REAL_CLUSTER = form('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy');
const STAGED_CLUSTER = form('bulkhead.dev/v1alpha1', 'StagedClusterPolicy', (spec) => `{ clusterNetworkPolicy: ${spec} }`);

const refusal = (connection: Connection, { apiVersion, kind, textOf }: Form, spec: string): Promise<string | undefined> =>
  refusalOf(connection, { apiVersion, kind, metadata: { name: 'web', namespace: 'default' } }, textOf(spec));

/** Taken of a NetworkPolicy and not of a StagedPolicy: a null where an item belongs, and forms of addresses that the server warns of. */
const STRICTER_ON_PURPOSE = [/\[null\]|^null$/, /except: \['?(010\.|::ffff:)/];

test('a StagedPolicy is refused wherever its NetworkPolicy is, and taken wherever that is, but for the listed forms', wants, async () => {
  const rows = POLICY_SPECS.flatMap(({ name, spec }) => (spec === undefined || / twice/.test(name) ? [] : [spec]));
  const { looser, stricter, accepted } = await compareForms(rows, { real: REAL, staged: STAGED });
  assert.deepEqual({ looser, stricter: stricter.filter(([spec]) => !STRICTER_ON_PURPOSE.some((form) => form.test(spec!))) }, { looser: [], stricter: [] });
  assert.ok(accepted > 60, `${accepted} accepted`);
});

test('random NetworkPolicies are taken as StagedPolicies too', wants, async () => {
  const specs = fc.sample(randomPolicies, { numRuns: RANDOM_POLICIES, seed: SEED }).flat().map((policy) => JSON.stringify(policy.spec ?? {}));
  const { looser, stricter, accepted } = await compareForms(specs, { real: REAL, staged: STAGED });
  assert.deepEqual({ looser, stricter: stricter.filter(([spec]) => !/null|"(010\.|::ffff:)/.test(spec!)) }, { looser: [], stricter: [] }, `seed ${SEED}`);
  assert.ok(accepted > RANDOM_POLICIES / 4, `${accepted} accepted`);
});

const SUBJECT = 'tier: Admin, priority: 1, subject: { namespaces: {} }';

/** Forms of a ClusterNetworkPolicy, good and bad; upstream's schema is asked what they are. */
const CLUSTER_SPECS: readonly string[] = [
  `{ ${SUBJECT} }`,
  '{ tier: Admin, priority: 1, subject: {} }',
  '{ tier: Admin, priority: 1, subject: { namespaces: {}, pods: { podSelector: {} } } }',
  '{ tier: Admin, priority: 1, subject: { pods: {} } }',
  '{ tier: Admin, priority: 1001, subject: { namespaces: {} } }',
  '{ tier: admin, priority: 1, subject: { namespaces: {} } }',
  '{ tier: Admin, subject: { namespaces: {} } }',
  ...['{ action: Accept, from: [{ namespaces: {} }] }', '{ action: Allow, from: [{ namespaces: {} }] }', '{ action: Accept, from: [] }', '{ action: Accept }', '{ from: [{ namespaces: {} }] }', '{ action: Accept, from: [{ networks: [10.0.0.0/8] }] }'].map((rule) => `{ ${SUBJECT}, ingress: [${rule}] }`),
  ...['networks: [10.0.0.0/8]', "networks: ['10.0.0.0']", 'networks: [10.0.0.0/8, 10.0.0.0/8]', 'networks: []', 'nodes: {}', "domainNames: ['*.example.org']", 'domainNames: [example]', "domainNames: ['*']"].map((peer) => `{ ${SUBJECT}, egress: [{ action: Accept, to: [{ ${peer} }] }] }`),
  ...['tcp: {}', 'tcp: { destinationPort: { number: 80 } }', 'tcp: { destinationPort: { number: 0 } }', 'udp: { destinationPort: { range: { start: 5, end: 5 } } }', 'udp: { destinationPort: { range: { start: 5, end: 6 } } }', 'destinationNamedPort: http', 'icmp: {}'].map((port) => `{ ${SUBJECT}, egress: [{ action: Deny, to: [{ namespaces: {} }], protocols: [{ ${port} }] }] }`),
  `{ ${SUBJECT}, egress: [{ action: Deny, to: [{ nodes: {} }], protocols: [{ destinationNamedPort: http }] }] }`,
];

/** Upstream stores operators of selectors that do not exist, names denied, and empty names of ports: what fails closed when it is read. */
const CLOSED_WHEN_READ = /"Foo"|"domainNames"|"destinationNamedPort":""/;

test('a StagedClusterPolicy is refused wherever its ClusterNetworkPolicy is', wants, async () => {
  const random = fc.sample(randomClusterPolicies, { numRuns: RANDOM_POLICIES / 4, seed: SEED }).flat().filter(({ kind }) => kind === 'ClusterNetworkPolicy').map(({ spec }) => JSON.stringify(spec));
  const { looser, stricter, accepted } = await compareForms([...CLUSTER_SPECS, ...random], { real: REAL_CLUSTER, staged: STAGED_CLUSTER });
  assert.deepEqual({ looser, stricter: stricter.filter(([spec]) => !CLOSED_WHEN_READ.test(spec!)) }, { looser: [], stricter: [] }, `seed ${SEED}`);
  assert.ok(accepted > 10, `${accepted} accepted`);
});

/** What stands wrong, and what the server is to say of it. */
const SENTENCES: readonly (readonly [form: Form, spec: string, said: RegExp])[] = [
  [STAGED, '{ podSelector: {}, ingress: [{ from: [{}] }] }', /a peer needs podSelector, namespaceSelector or ipBlock/],
  [STAGED, '{ podSelector: {}, ingress: [{ from: [{ podSelector: {}, ipBlock: { cidr: 10.0.0.0/8 } }] }] }', /ipBlock stands alone in a peer/],
  [STAGED, '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [11.0.0.0/8] } }] }] }', /each block of except lies within cidr and is smaller/],
  [STAGED, '{ podSelector: {}, ingress: [{ ports: [{ endPort: 90 }] }] }', /endPort needs a numeric port, and is not below it/],
  [STAGED, '{ podSelector: { matchExpressions: [{ key: a, operator: In }] } }', /In and NotIn need values; Exists and DoesNotExist take none/],
  [STAGED, "{ podSelector: { matchLabels: { 'a b': c } } }", /a key of matchLabels is a label key/],
  [STAGED, '{ podSelector: {}, ingres: [] }', /unknown field "spec.networkPolicy.ingres"/],
  [STAGED_CLUSTER, `{ ${SUBJECT}, egress: [{ action: Deny, to: [{ domainNames: [a.b] }] }] }`, /domainNames is for Accept alone/],
  [STAGED_CLUSTER, `{ ${SUBJECT}, egress: [{ action: Accept, to: [{ networks: [10.0.0.0] }] }] }`, /write an address, \/ and a length/],
];

test('what is refused is refused with a sentence', wants, async () => {
  const connection = await connect();
  for (const [of, spec, said] of SENTENCES) assert.match((await refusal(connection, of, spec)) ?? `taken: ${spec}`, said);
});

test('an agent beside newer definitions goes on with its version, and what a newer agent wrote stays', wants, async (context) => {
  const { kubectl } = server!;
  const definition = JSON.parse(kubectl(['get', 'crd', 'nodeenforcements.bulkhead.dev', '-o', 'json'])) as { spec: { versions: { name: string; storage: boolean; schema: { openAPIV3Schema: { properties: { status: { properties: object } } } } }[] } };
  const [old] = definition.spec.versions;
  const newer = structuredClone(old!);
  newer.name = 'v1beta1';
  newer.schema.openAPIV3Schema.properties.status.properties = { ...newer.schema.openAPIV3Schema.properties.status.properties, flows: { type: 'integer' } };
  old!.storage = false;
  definition.spec.versions = [newer, old!];
  kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'nodeenforcements.bulkhead.dev', labels: { 'app.kubernetes.io/name': 'bulkhead' } }, spec: definition.spec }));
  while (!kubectl(['api-versions']).includes('bulkhead.dev/v1beta1')) await sleep(100);
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }));
  kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'bulkhead.dev/v1beta1', kind: 'NodeEnforcement', metadata: { name: 'n1' } }));
  kubectl(['patch', 'nodeenforcements.v1beta1.bulkhead.dev', 'n1', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { flows: 7, ready: false } })]);

  const stop = new AbortController();
  context.after(() => stop.abort());
  const failures: string[] = [];
  const policies = Array.from({ length: 10_000 }, (_, index) => policy(`policy-${index}`, { uid: `12345678-1234-1234-1234-${String(index).padStart(12, '0')}`, ...(index < 900 ? { problem: 'p'.repeat(600) } : {}) }));
  const source = new ChangingState({ ...READY, node: 'n1', policies });
  const publishing = publishEnforcement({ api: new KubeApi(await connect()), source, facts: FACTS, staged: () => [], losses: () => ({ ...NO_LOSSES, ledgerFull: 3 }), clock: systemClock, onFailure: ({ message }) => failures.push(message), signal: stop.signal });
  while (kubectl(['get', 'nodeenforcement', 'n1', '-o', 'jsonpath={.status.ready}']) !== 'true') await sleep(200);
  stop.abort();
  await publishing;
  const { status } = JSON.parse(kubectl(['get', 'nodeenforcements.v1beta1.bulkhead.dev', 'n1', '-o', 'json'])) as { readonly status: { readonly flows: number; readonly counts: object; readonly losses: object; readonly morePolicies: readonly string[] } };
  assert.deepEqual([status.flows, status.counts, status.losses, status.morePolicies.length], [7, { known: 10_000, inForce: 10_000, withProblem: 900, audited: 0, omitted: 0 }, { ...NO_LOSSES, ledgerFull: 3 }, 9_000]);
  assert.deepEqual(failures.filter((message) => !/re\)?initializing/.test(message)), []);
});

interface Forms {
  readonly real: Form;
  readonly staged: Form;
}

/** Specs with what the server says: `looser` are taken as staged alone, `stricter` as the real kind alone. */
async function compareForms(specs: readonly string[], { real, staged }: Forms): Promise<{ readonly looser: string[][]; readonly stricter: string[][]; readonly accepted: number }> {
  const connection = await connect();
  const [looser, stricter]: string[][][] = [[], []];
  let accepted = 0;
  for (const spec of specs) {
    const [byReal, byStaged] = [await refusal(connection, real, spec), await refusal(connection, staged, spec)];
    if (byStaged === undefined) accepted++;
    if (byReal !== undefined && byStaged === undefined) looser!.push([spec, byReal]);
    if (byReal === undefined && byStaged !== undefined) stricter!.push([spec, byStaged]);
  }
  return { looser: looser!, stricter: stricter!, accepted };
}
