// Random clusters written as manifests: what `read` makes of the text is the model that the letter of the API's defaults gives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasErrors } from '../../src/base/finding.ts';
import { compileCluster } from '../../src/compile/compile.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { checkClusters } from '../clusters/check-property.ts';
import { manifests, manifestText } from '../clusters/manifests.ts';
import { outsideAddresses } from '../clusters/points.ts';
import type { RawCluster } from '../clusters/raw-cluster.ts';
import { podKey, settleCluster } from '../clusters/settle.ts';
import { parseBlock } from '../clusters/settle-words.ts';
import { verdictsOf } from '../clusters/verdicts.ts';

const SHARE = 0.4;

test('manifests read as YAML give the pods and verdicts of the model', () => {
  checkClusters((raw) => holdsAgainstModel(raw, readText(raw, manifestText(raw))), { share: SHARE });
});

test('manifests read as a JSON list give the pods and verdicts of the model', () => {
  checkClusters((raw) => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests(raw) });
    holdsAgainstModel(raw, readText(raw, list));
  }, { share: SHARE });
});

test('the order of documents does not matter', () => {
  checkClusters((raw) => {
    const reversed = { ...raw, namespaces: raw.namespaces.toReversed(), workloads: raw.workloads.toReversed(), policies: raw.policies.toReversed(), clusterPolicies: raw.clusterPolicies.toReversed() };
    holdsAgainstModel(raw, readText(raw, manifestText(reversed)));
  }, { share: SHARE });
});

function readText(raw: RawCluster, text: string): Cluster {
  const { cluster, findings } = readManifests([sourceFromText('random.yaml', text)], { podRanges: raw.podRanges.map(parseBlock) });
  assert.ok(!hasErrors(findings), JSON.stringify(findings, (key, value) => (key === 'origin' ? undefined : value), 1));
  return cluster;
}

function holdsAgainstModel(raw: RawCluster, actual: Cluster): void {
  const expected = settleCluster(raw);
  const describe = ({ pods }: Cluster): string[] =>
    pods.map((pod) => `${podKey(pod)} ${pod.replicas} ${pod.hostNetwork} ${pod.nodeName} ${[...pod.labels].sort().join(' ')} ${[...pod.unknownKeys].sort().join(' ')} ${JSON.stringify(pod.ports)}`);
  assert.deepEqual(describe(actual), describe(expected));
  assert.deepEqual(actual.namespaces.map(({ name, labels }) => [name, [...labels].sort()]), expected.namespaces.map(({ name, labels }) => [name, [...labels].sort()]));
  const outside = outsideAddresses(expected);
  assert.deepEqual(verdictsOf(compileCluster(actual), outside), verdictsOf(compileCluster(expected), outside));
}
