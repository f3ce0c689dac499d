// Flows to hosts outside, held against rules that name domains.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { replayFlows } from '../../src/flow/replay.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { recommend } from '../../src/recommend/recommend.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: c, image: x }] }\n---\n';

function policy(name: string, priority: number, rules: string): string {
  return `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: ${name} }\nspec: { tier: Admin, priority: ${priority}, subject: { namespaces: {} }, egress: [${rules}] }\n---\n`;
}

const BY_NAME = policy('name', 5, '{ action: Accept, to: [{ domainNames: ["*.cards.example"] }], protocols: [{ tcp: { destinationPort: { number: 443 } } }] }');
const DENY = policy('deny', 9, '{ action: Deny, to: [{ networks: [0.0.0.0/0] }] }');

/** `address port name…` */
function tableOf(flows: readonly string[]): FlowTable {
  const table = new FlowTable();
  for (const words of flows) {
    const [address, port, ...names] = words.split(' ');
    const source = { kind: 'pod', namespace: 'shop', workload: { kind: 'Pod', namespace: 'shop', name: 'web' }, pod: 'web', labels: new Map([['app', 'web']]), namespaceLabels: new Map<string, string>(), address: undefined } as const;
    const target = { kind: 'outside', address: parseIpAddress(address!)!, names, node: undefined, isOwnNode: false } as const;
    table.add({ verdict: 'allowed', source, target, family: 4, protocol: 6, port: Number(port), count: 1, openings: 1, firstSeen: 0, lastSeen: 0, node: undefined, service: undefined, reason: undefined } satisfies FlowRecord);
  }
  return table;
}

/** Ports of flows that would be refused. */
function checkRefused(manifests: string, flows: readonly string[], expected: readonly string[]): void {
  const { cluster, findings } = readManifests([sourceFromText('m.yaml', POD + manifests)]);
  assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
  const refused = [...replayFlows(cluster, tableOf(flows)).refused.records()].map(({ target, port }) => `${target.kind === 'outside' ? target.names.join() : ''} ${port}`);
  assert.deepEqual(refused, expected);
}

test('a flow passes by the name that it was looked up by, on the ports of the rule', () => {
  checkRefused(BY_NAME + DENY, ['198.51.100.7 443 API.cards.example.', '198.51.100.7 80 API.cards.example.', '198.51.100.8 443 other.example', '198.51.100.9 443 cards.example'], ['API.cards.example. 80', 'other.example 443', 'cards.example 443']);
});

test('what denies before the name decides', () => {
  checkRefused(DENY.replace('priority: 9', 'priority: 1') + BY_NAME, ['198.51.100.7 443 api.cards.example'], ['api.cards.example 443']);
});

test('an address that was also met without its name is not known by it', () => {
  checkRefused(BY_NAME + DENY, ['198.51.100.7 443 api.cards.example', '198.51.100.7 443'], ['api.cards.example 443', ' 443']);
});

test('recommended rules name what every look-up names, and give the address of the rest', () => {
  const { cluster } = readManifests([sourceFromText('m.yaml', POD)]);
  const table = tableOf(['198.51.100.7 443 api.cards.example', '198.51.100.8 443 api.cards.example', '198.51.100.9 443 api.cards.example', '198.51.100.9 443', '198.51.100.10 443 localhost']);
  const { drafts, flows } = recommend(cluster, [], { kind: 'ClusterNetworkPolicy', flows: { table, outside: { kind: 'domain-names' } } });
  const peers = drafts.flatMap(({ policy: { egress } }) => (egress ?? []).flatMap((rule) => ('action' in rule && rule.action === 'Accept' && rule.peers.kind === 'listed' ? rule.peers.peers.map((peer) => (peer.kind === 'domain-name' ? peer.pattern : peer.kind === 'ip-block' ? peer.text : peer.kind)) : [])));
  assert.deepEqual(peers.sort(), ['198.51.100.10/32', '198.51.100.9/32', 'api.cards.example']);
  assert.deepEqual([flows!.proof.allowed, flows!.proof.spare], [5, 0]);
});
