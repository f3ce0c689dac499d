// Ends of flows that stand for several pods: on different nodes, over different families, and none at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { replayFlows } from '../../src/flow/replay.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';

interface WrittenPod {
  readonly name: string;
  /** Missing: none. */
  readonly owner?: string;
  readonly node: string;
  readonly addresses: readonly string[];
  readonly hostNetwork?: boolean;
}

function pod({ name, owner, node, addresses, hostNetwork = false }: WrittenPod): string {
  const metadata = { name, namespace: 'shop', labels: { app: owner ?? name }, ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: owner, uid: 'u', controller: true }] }) };
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: node, hostNetwork, containers: [{ name: 'c', image: 'x' }] }, status: { phase: 'Running', podIPs: addresses.map((ip) => ({ ip })) } })}\n---\n`;
}

function closed(app: string, direction: 'Ingress' | 'Egress'): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: closed, namespace: shop }\nspec: { podSelector: { matchLabels: { app: ${app} } }, policyTypes: [${direction}] }\n---\n`;
}

function flowRecord(source: object, target: object, addresses: readonly [source: string, target: string]): FlowRecord {
  const read = readFlow(JSON.stringify({ time: '2026-11-20T10:00:00Z', verdict: 'FORWARDED', IP: { source: addresses[0], destination: addresses[1], ipVersion: 'IPv4' }, l4: { TCP: { destination_port: 80 } }, source, destination: target, count: 1 }));
  assert.ok(read.kind === 'flow');
  return read.record;
}

function ofWorkload(kind: string, name: string): object {
  return { namespace: 'shop', labels: [`k8s:app=${name}`], workloads: [{ kind, name }] };
}

/** Flows that would be refused. */
function refusedOf(manifests: string, record: FlowRecord): number {
  const { cluster, findings } = readManifests([sourceFromText('m.yaml', manifests)]);
  assert.deepEqual(findings.filter(({ severity }) => severity === 'error'), []);
  const table = new FlowTable();
  table.add(record);
  const { refused } = replayFlows(cluster, table);
  for (const { reason } of refused.records()) assert.ok([reason!.egress, reason!.ingress].some(({ verdict }) => verdict === 'refuses'));
  return refused.flows;
}

const ON_NODES = [
  pod({ name: 'log-1', owner: 'log', node: 'n1', addresses: ['172.18.0.1'], hostNetwork: true }),
  pod({ name: 'log-2', owner: 'log', node: 'n2', addresses: ['172.18.0.2'], hostNetwork: true }),
].join('');

test('of a workload on the host network of several nodes, those of other nodes are judged', () => {
  const record = flowRecord(ofWorkload('Pod', 'web'), ofWorkload('DaemonSet', 'log'), ['10.0.0.1', '172.18.0.1']);
  for (const node of ['n1', 'n2']) assert.equal(refusedOf(ON_NODES + pod({ name: 'web', node, addresses: ['10.0.0.1'] }) + closed('web', 'Egress'), record), 1, node);
  const alone = pod({ name: 'log-1', owner: 'log', node: 'n1', addresses: ['172.18.0.1'], hostNetwork: true });
  assert.equal(refusedOf(alone + pod({ name: 'web', node: 'n1', addresses: ['10.0.0.1'] }) + closed('web', 'Egress'), record), 0);
});

test('of pods on several nodes, those that do not share one with the host network of the other end are judged', () => {
  const pods = ['n1', 'n2'].map((node, index) => pod({ name: `web-${index}`, owner: 'web', node, addresses: [`10.0.0.${index}`] })).join('');
  const host = pod({ name: 'log', node: 'n2', addresses: ['172.18.0.2'], hostNetwork: true });
  const record = flowRecord(ofWorkload('Pod', 'log'), ofWorkload('DaemonSet', 'web'), ['172.18.0.2', '10.0.0.1']);
  assert.equal(refusedOf(pods + host + closed('web', 'Ingress'), record), 1);
});

test('a pod without an address of the family had no flow over it', () => {
  const pods = pod({ name: 'web-4', owner: 'web', node: 'n1', addresses: ['10.0.0.1'] }) + pod({ name: 'web-6', owner: 'web', node: 'n1', addresses: ['fd00::1'] });
  const record = flowRecord(ofWorkload('DaemonSet', 'web'), ofWorkload('Pod', 'log'), ['10.0.0.1', '172.18.0.1']);
  assert.equal(refusedOf(pods + pod({ name: 'log', node: 'n1', addresses: ['172.18.0.1'], hostNetwork: true }), record), 0);
});

test('what no pod takes part in nobody refuses', () => {
  const record = flowRecord({ labels: ['reserved:world'] }, { labels: ['reserved:host'], node_name: 'n1' }, ['198.51.100.1', '172.18.0.1']);
  assert.equal(refusedOf(pod({ name: 'web', node: 'n1', addresses: ['10.0.0.1'] }), record), 0);
});

test('of several addresses the same one is kept, in whichever order they come', () => {
  const records = ['10.0.0.9', '10.0.0.3', '10.0.0.7'].map((address) => flowRecord(ofWorkload('DaemonSet', 'web'), { labels: ['reserved:world'] }, [address, '198.51.100.1']));
  for (const given of [records, records.toReversed()]) {
    const table = new FlowTable();
    for (const record of given) table.add(record);
    assert.deepEqual([table.size, table.recordAt(0).source.address], [1, records[1]!.source.address]);
  }
});
