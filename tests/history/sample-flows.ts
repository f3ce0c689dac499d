// Records of flows between a few workloads and a host outside, and batches of them.
import type { FlowEnd, FlowRecord } from '../../src/flow/flow-record.ts';
import { FlowBatching, type BatchHeader } from '../../src/history/batch/batching.ts';
import type { FlowBatch } from '../../src/history/batch/flow-batch.ts';

export const NOON: number = Date.parse('2026-11-20T12:00:00Z');

export function podEnd(namespace: string, name: string, pod?: string): FlowEnd {
  return { kind: 'pod', namespace, workload: { kind: 'Deployment', namespace, name }, pod: pod ?? `${name}-1`, labels: new Map([['app', name]]), namespaceLabels: new Map([['team', namespace]]), address: { family: 4, value: 0x0a00_0001n } };
}

export function outsideEnd(value: bigint, names: readonly string[] = []): FlowEnd {
  return { kind: 'outside', address: { family: 4, value }, names, node: undefined, isOwnNode: false };
}

export function flow(fields: Partial<FlowRecord> = {}): FlowRecord {
  return { verdict: 'allowed', source: podEnd('shop', 'web'), target: podEnd('shop', 'db'), family: 4, protocol: 6, port: 3306, count: 1, openings: 1, firstSeen: NOON, lastSeen: NOON + 1_000, node: undefined, service: undefined, reason: undefined, ...fields };
}

export function batchOf(records: readonly FlowRecord[], header: Partial<BatchHeader> = {}): FlowBatch {
  const batching = new FlowBatching();
  for (const record of records) batching.add(record);
  return batching.batch({ node: 'node-a', run: 'run-1', sequence: 0, lost: 0, ...header });
}
