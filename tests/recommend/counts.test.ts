// What a recommendation counts, where pods of one workload are not all alike.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCluster } from '../../src/compile/compile.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { FlowEnd } from '../../src/flow/flow-record.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { beyondOf } from '../../src/recommend/proof/beyond.ts';
import { opennessOf } from '../../src/recommend/proof/openness.ts';
import { recommend, type Recommendation } from '../../src/recommend/recommend.ts';

interface WrittenPod {
  readonly name: string;
  /** Missing: none. */
  readonly owner?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
}

function textOf({ name, owner, labels, addresses }: WrittenPod): string {
  const metadata = { name, namespace: 'shop', labels, ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: owner, uid: 'u', controller: true }] }) };
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'x' }] }, status: { phase: 'Running', podIPs: addresses.map((ip) => ({ ip })) } })}\n---\n`;
}

function endOf({ name, owner, labels }: WrittenPod): FlowEnd {
  const workload = owner === undefined ? { kind: 'Pod', namespace: 'shop', name } : { kind: 'StatefulSet', namespace: 'shop', name: owner };
  return { kind: 'pod', namespace: 'shop', workload, pod: name, labels: new Map(Object.entries(labels)), namespaceLabels: new Map(), address: undefined };
}

/** Of one flow on TCP 80. */
function recommendedFor(pods: readonly WrittenPod[], [source, target]: readonly [WrittenPod, WrittenPod]): Recommendation {
  const { cluster } = readManifests([sourceFromText('m.yaml', pods.map(textOf).join(''))]);
  const table = new FlowTable();
  table.add({ verdict: 'allowed', source: endOf(source), target: endOf(target), family: 4, protocol: 6, port: 80, count: 1, openings: 1, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined });
  return recommend(cluster, [], { flows: { table } });
}

test('pods of a workload may have addresses of different families', () => {
  const both = (owner: string): readonly WrittenPod[] => [
    { name: `${owner}-0`, owner, labels: { app: owner }, addresses: ['10.0.0.1'] },
    { name: `${owner}-1`, owner, labels: { app: owner }, addresses: ['fd00::1'] },
  ];
  const [web, db] = [both('web'), both('db')];
  assert.equal(recommendedFor([...web, ...db], [web[0]!, db[0]!]).flows!.proof.allowed, 1);
});

test('a pod alone has no other to speak to, and is not counted as if it had', () => {
  const pods = ['a', 'b'].map((name): WrittenPod => ({ name, labels: { app: 'x' }, addresses: [] }));
  const { connections, flows } = recommendedFor(pods, [pods[0]!, pods[1]!]);
  assert.deepEqual(connections.map((connection) => beyondOf(flows!, connection).openings), [1n]); // from b to a
});

test('a workload is one in the count of pairs, also where a policy selects some of its pods', () => {
  const pods = ['old', 'new'].map((version, index): WrittenPod => ({ name: `web-${index}`, owner: 'web', labels: { app: 'web', version }, addresses: [] }));
  const policy = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: old, namespace: shop }\nspec: { podSelector: { matchLabels: { version: old } }, ingress: [{ ports: [{ port: 80 }] }] }\n---\n';
  const open = (ingress: string): unknown => opennessOf(compileCluster(readManifests([sourceFromText('m.yaml', pods.map(textOf).join('') + ingress)]).cluster));
  const all = { pairs: 1, ports: 3 * 65_535 + 1, fromOutside: 1, toOutside: 1 };
  assert.deepEqual([open(''), open(policy)], [all, all]);
});
