// What a real API server takes and refuses of policies is what reading takes and refuses: a table, and random policies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openConnection } from '../../src/kube/kube-config.ts';
import { randomClusterPolicies } from '../clusters/random-cluster-policies.ts';
import { randomPolicies } from '../clusters/random-cluster.ts';
import { needs } from '../needs.ts';
import { startApiServer } from './api-server.ts';
import { judge, NETWORK_POLICY } from './judge-text.ts';
import { policyCrdFiles } from './policy-crds.ts';
import { POLICY_SPECS } from './policy-specs.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer({ crdFiles: policyCrdFiles() }) : undefined;

function policyText({ apiVersion, kind }: typeof NETWORK_POLICY, spec: string | undefined, metadata = '{ name: web, namespace: default }'): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\n${spec === undefined ? '' : `spec: ${spec}\n`}`;
}

test('each row of the table', wants, async () => {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  const differences: string[] = [];
  const verdicts = { accepted: 0, refused: 0 };
  for (const { name, spec } of POLICY_SPECS) {
    const judged = await judge(connection, NETWORK_POLICY, policyText(NETWORK_POLICY, spec));
    verdicts[judged.server]++;
    if (judged.server !== judged.read) differences.push(`  ${name}\n    ${judged.why}`);
  }
  assert.ok(differences.length === 0, `\n${differences.join('\n')}`);
  assert.ok(verdicts.accepted > 50 && verdicts.refused > 50, JSON.stringify(verdicts));
});

test('names, labels and annotations', wants, async () => {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  const differences: string[] = [];
  for (const metadata of ['{ name: a.b, namespace: default }', '{ name: A, namespace: default }', '{ name: a_b, namespace: default }', '{ name: "", namespace: default }', '{ namespace: default }', `{ name: ${'a'.repeat(253)}, namespace: default }`, `{ name: ${'a'.repeat(254)}, namespace: default }`, '{ name: a, namespace: default, labels: { a: b c } }', '{ name: a, namespace: default, labels: { a: 1 } }', '{ name: a, namespace: default, annotations: { "a b": c } }', '{ name: a, namespace: default, annotations: { A.b/c: d } }', '{ name: a, namespace: default, annotations: { a: 1 } }', '{ name: a, namespace: default, label: {} }', '{ name: a, namespace: default, generateName: { a: b } }', '{ name: a, namespace: default, generateName: a- }', '{ name: a, namespace: default, generateName: "-" }', '{ name: a, namespace: default, generateName: A- }', '{ name: a, namespace: default, generateName: Ab- }', '{ name: a, namespace: default, generateName: "" }', '{ name: a, namespace: default, uid: 1 }', '{ name: a, namespace: default, selfLink: [] }', '{ name: a, namespace: default, generation: 3000000000 }', '{ name: a, namespace: default, generation: "1" }', '{ name: a, namespace: default, generation: 1.5 }', '{ name: a, namespace: default, creationTimestamp: null }', '{ name: a, namespace: default, creationTimestamp: "2026-01-31T12:00:00Z" }', '{ name: a, namespace: default, creationTimestamp: 2026-01-31 }', '{ name: a, namespace: default, deletionTimestamp: x }', '{ name: a, namespace: default, deletionGracePeriodSeconds: x }', '{ name: a, namespace: default, finalizers: a }', '{ name: a, namespace: default, finalizers: [a/b] }', '{ name: a, namespace: default, finalizers: [1] }', '{ name: a, namespace: default, ownerReferences: {} }', '{ name: a, namespace: default, ownerReferences: [a] }', '{ name: a, namespace: default, managedFields: a }', '{ name: 1, namespace: default }', '{ name: "1", namespace: default }']) {
    const judged = await judge(connection, NETWORK_POLICY, policyText(NETWORK_POLICY, '{ podSelector: {} }', metadata));
    if (judged.server !== judged.read) differences.push(`  ${metadata}\n    ${judged.why}`);
  }
  assert.ok(differences.length === 0, `\n${differences.join('\n')}`);
});

/** Random policies in `npm run test:cluster`, and in the nightly setting. */
const RANDOM_POLICIES = process.env['BULKHEAD_NIGHTLY'] === '1' ? 20_000 : 300;

test('random policies, some of them broken', wants, async () => {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  const seed = Number(process.env['BULKHEAD_SEED'] ?? 20_261_121);
  const differences: string[] = [];
  for (const spec of fc.sample(brokenSpec, { numRuns: RANDOM_POLICIES, seed })) {
    const judged = await judge(connection, NETWORK_POLICY, policyText(NETWORK_POLICY, spec));
    if (judged.server !== judged.read) differences.push(`  ${spec}\n    ${judged.why}`);
  }
  assert.ok(differences.length === 0, `seed ${seed}, ${differences.length} differences\n${differences.slice(0, 10).join('\n')}`);
});

/**
 * What the CRDs refuse and the meaning of the API reads all the same, each with a warning. An empty port name (`invalid-port`)
 * they refuse only beside addresses; here its rule fails closed everywhere.
 */
const READ_ON_PURPOSE: ReadonlySet<string> = new Set(['protocol-without-port', 'named-port-beside-addresses', 'invalid-port']);

test('random cluster-wide policies', wants, async () => {
  const connection = await openConnection({ kubeconfig: server!.kubeconfig });
  const seed = Number(process.env['BULKHEAD_SEED'] ?? 20_261_121);
  const differences: string[] = [];
  for (const policy of fc.sample(randomClusterPolicies, { numRuns: RANDOM_POLICIES / 6, seed }).flat()) {
    const { kind, spec } = policy;
    const type = { apiVersion: kind === 'ClusterNetworkPolicy' ? 'policy.networking.k8s.io/v1alpha2' : 'policy.networking.k8s.io/v1alpha1', kind };
    const judged = await judge(connection, type, JSON.stringify({ ...type, metadata: { name: kind === 'BaselineAdminNetworkPolicy' ? 'default' : 'web' }, spec }));
    const isReadOnPurpose = judged.server === 'refused' && judged.codes.some((code) => READ_ON_PURPOSE.has(code));
    if (judged.server !== judged.read && !isReadOnPurpose) differences.push(`  ${JSON.stringify(spec)}\n    ${judged.why}`);
  }
  assert.ok(differences.length === 0, `seed ${seed}, ${differences.length} differences\n${differences.slice(0, 10).join('\n')}`);
});

/** A random policy's spec as JSON, with one word of it exchanged in half of them. */
const brokenSpec: fc.Arbitrary<string> = fc
  .tuple(randomPolicies.filter((policies) => policies.length > 0), fc.nat(), fc.nat(), fc.boolean())
  .map(([[policy], where, what, isBroken]) => {
    const text = JSON.stringify({ ...policy, name: undefined, namespace: undefined }['spec' as never] ?? {});
    const words = [...text.matchAll(/"[^"]*"|-?[0-9]+|\{\}|\[\]|null|true/g)];
    const word = words[where % Math.max(words.length, 1)];
    if (!isBroken || word === undefined) return text;
    return text.slice(0, word.index) + replacementFor(word[0], text[word.index + word[0].length] === ':', what) + text.slice(word.index + word[0].length);
  });

const VALUES = ['null', '{}', '[]', '0', '1', '65536', '-3', '"80"', '"TCP"', '"tcp"', '"10.0.0.0/8"', '"10.0.0.7/8"', '"a"', '"A_b"', '""', 'true', '"Exists"', '"In"', '2.5'];
const KEYS = ['"podSelector"', '"from"', '"to"', '"port"', '"endPort"', '"cidr"', '"except"', '"values"', '"unknown"', '"a.b/c"', '""'];

function replacementFor(word: string, isKey: boolean, what: number): string {
  const list = (isKey ? KEYS : VALUES).filter((candidate) => candidate !== word);
  return list[what % list.length]!;
}
