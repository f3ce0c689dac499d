// Which rules of a recommendation are needed, whatever their number: each alone, none of two that let the same through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { FlowEnd } from '../../src/flow/flow-record.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { NetworkPolicy } from '../../src/model/network-policy.ts';
import { draftPolicies } from '../../src/recommend/draft/draft-policies.ts';
import { findSubjects } from '../../src/recommend/ends/subjects.ts';
import { policiesOf, recommend } from '../../src/recommend/recommend.ts';
import { proveFlows, type FlowProof } from '../../src/recommend/proof/prove-flows.ts';

const EMPTY: Cluster = { namespaces: [], pods: [], services: [], endpointSlices: [], ingresses: [], ingressClasses: [], nodes: [], policies: [], clusterPolicies: [], podRanges: [], unreadObjects: [] };

function workloadEnd(name: string): FlowEnd {
  return { kind: 'pod', namespace: 'shop', workload: { kind: 'Deployment', namespace: 'shop', name }, pod: undefined, labels: new Map([['app', name]]), namespaceLabels: new Map(), address: undefined };
}

/** So many workloads ask `db`; the rules of its policy with these numbers stand there twice. */
function prove(askers: number, twice: readonly number[]): FlowProof {
  const table = new FlowTable();
  for (let asker = 0; asker < askers; asker++) table.add({ verdict: 'allowed', source: workloadEnd(`app-${asker}`), target: workloadEnd('db'), family: 4, protocol: 6, port: 5432, count: 1, openings: 1, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined });
  const { connections, flows } = recommend(EMPTY, [], { flows: { table } });
  const { cluster } = flows!; // flows were given
  const { drafts, connectionOf } = draftPolicies(findSubjects(cluster, () => undefined).all, ['shop'], connections);
  const { policies } = policiesOf({ drafts });
  const all = new Map(connectionOf);
  const doubled = policies.map((policy): NetworkPolicy => (policy.name !== 'db' ? policy : { ...policy, ingress: [...policy.ingress!, ...twice.map((number) => {
    const rule = { ...policy.ingress![number]! };
    all.set(rule, connectionOf.get(policy.ingress![number]!)!);
    return rule;
  })] }));
  return proveFlows({ cluster, table, policies: doubled, clusterPolicies: [], connectionOf: all, connections });
}

for (const askers of [1, 2, 3, 4, 7, 10, 21]) {
  test(`each of ${askers} rules is needed, and neither of two that let the same through`, () => {
    const { rules, spare } = prove(askers, []);
    assert.deepEqual({ rules, spare }, { rules: 2 * askers, spare: 0 });
    for (let number = 0; number < askers; number++) {
      const doubled = prove(askers, [number]);
      assert.deepEqual([doubled.rules, doubled.spare], [2 * askers + 1, 2], `the rule ${number}`);
    }
  });
}
