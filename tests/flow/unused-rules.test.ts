// Which rules recorded flows need, where the pods of one workload are not governed alike.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { unusedRules, unusedRulesOfTable } from '../../src/flow/group-flows.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';

const DB = 'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db, namespace: shop }\nspec: { replicas: 2, selector: { matchLabels: { app: db } }, template: { metadata: { labels: { app: db } }, spec: { containers: [{ name: c, image: x }] } } }\n';
const WEB = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: c, image: x }] }\n';

/** Each pod of the database has a policy of its own. */
function policyOf(pod: number): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: db-${pod}, namespace: shop }\nspec: { podSelector: { matchLabels: { app: db, apps.kubernetes.io/pod-index: "${pod}" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }] }, { from: [{ podSelector: { matchLabels: { app: none } } }] }] }\n`;
}

function endOf(kind: string, name: string, pod: string | undefined): FlowEnd {
  return { kind: 'pod', namespace: 'shop', workload: { kind, namespace: 'shop', name }, pod, labels: new Map([['app', name]]), namespaceLabels: new Map(), address: undefined };
}

test('a rule for one pod of a workload is needed by what goes to the workload', () => {
  const { cluster } = readManifests([sourceFromText('m.yaml', [DB, WEB, policyOf(0), policyOf(1)].join('---\n'))]);
  const record: FlowRecord = { verdict: 'allowed', source: endOf('Pod', 'web', 'web'), target: endOf('StatefulSet', 'db', undefined), family: 4, protocol: 6, port: 5432, count: 1, openings: 1, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined };
  assert.deepEqual(unusedRules(cluster, [record]).map(({ name, index }) => `${name} ${index}`), ['db-0 1', 'db-1 1']);
  for (const verdict of ['allowed', 'denied'] as const) {
    const table = new FlowTable();
    table.add({ ...record, verdict });
    assert.deepEqual(unusedRulesOfTable(cluster, table), unusedRules(cluster, [{ ...record, verdict }]), verdict);
  }
});
