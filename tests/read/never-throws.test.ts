// No input throws, whatever it is; and what is read strictly without an error reads the same leniently.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasErrors } from '../../src/base/finding.ts';
import { readManifests } from '../../src/read/read.ts';
import { INSERTIONS, SEEDS } from './kubectl-yaml/snippets.ts';
import { formatPolicy, policyText, readText } from './reading.ts';

const RUNS = process.env['BULKHEAD_NIGHTLY'] === '1' ? 50_000 : 400;

test('random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, lenient) => {
      readManifests([{ name: 'x', chunks: () => [bytes] }], { lenient });
    }),
    { numRuns: RUNS },
  );
});

test('random YAML', () => {
  const piece = fc.oneof(fc.constantFrom(...INSERTIONS), fc.string({ maxLength: 4, unit: 'binary' }), fc.constantFrom(...SEEDS.flatMap((seed) => seed.split(/(?<=\n)/))));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, lenient) => {
      readText(pieces.join(''), { lenient });
    }),
    { numRuns: RUNS },
  );
});

const KINDS = ['Namespace', 'Pod', 'Service', 'Node', 'ReplicationController', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'NetworkPolicy', 'Prometheus', 'Rollout', 'List', 'PodList'];
const API_VERSIONS = ['v1', 'apps/v1', 'batch/v1', 'networking.k8s.io/v1', 'extensions/v1beta1', 'cilium.io/v2', 'monitoring.coreos.com/v1', 'x/y/z', ''];
const FIELDS = [
  'metadata', 'name', 'namespace', 'labels', 'annotations', 'ownerReferences', 'controller', 'kind', 'spec', 'status', 'template', 'jobTemplate', 'containers', 'initContainers', 'ports', 'containerPort',
  'protocol', 'port', 'endPort', 'podSelector', 'namespaceSelector', 'matchLabels', 'matchExpressions', 'key', 'operator', 'values', 'ingress', 'egress', 'from', 'to', 'ipBlock', 'cidr', 'except', 'policyTypes',
  'replicas', 'ordinals', 'start', 'items', 'clusterIPs', 'selector', 'targetPort', 'podIPs', 'ip', 'addresses', 'address', 'podCIDRs', 'shards', '__proto__', 'constructor', 'toString', '',
];
const LEAVES = [null, true, false, 0, -1, 80, 65536, 1.5, 1e300, '', 'web', 'Ingress', 'TCP', 'In', 'Exists', '10.0.0.0/8', '10.0.0.1', 'a b', 'Always', 'Indexed'];

const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6, withCrossShrink: true }, fc.constantFrom(...LEAVES), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(fc.constantFrom(...FIELDS), tie('value'), { maxKeys: 5, noNullPrototype: true })),
})).value;

test('objects of every kind with fields of every type', () => {
  const object = fc.record({ apiVersion: fc.oneof(fc.constantFrom(...API_VERSIONS), value), kind: fc.oneof(fc.constantFrom(...KINDS), value), metadata: fc.oneof(fc.constant({ name: 'x' }), value), spec: value, status: value, items: value }, { requiredKeys: [] });
  fc.assert(
    fc.property(object, fc.boolean(), (loose, lenient) => {
      const { cluster } = readText(JSON.stringify(loose), { lenient });
      assert.ok(cluster.pods.every(({ namespace }) => cluster.namespaces.some(({ name }) => name === namespace)));
    }),
    { numRuns: RUNS * 5 },
  );
});

test('a policy that reads strictly reads the same leniently', () => {
  fc.assert(
    fc.property(value, (spec) => {
      const text = policyText('').replace('spec:\n', `spec: ${JSON.stringify(spec)}\n`);
      const strict = readText(text);
      if (hasErrors(strict.findings)) assert.deepEqual(strict.cluster.policies, []);
      else assert.deepEqual(readText(text, { lenient: true }).cluster.policies.map(formatPolicy), strict.cluster.policies.map(formatPolicy));
    }),
    { numRuns: RUNS * 5 },
  );
});
