// Recorded flows are decided as the literal reading of the API decides them, by what the cluster knows of their ends or by what was written down of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlowJudge, isAllowedBy, judgeRecords, pairOf } from '../../src/flow/flow.ts';
import { FlowEnds } from '../../src/flow/flow-ends.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { foldEnd } from '../../src/flow/fold-end.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { replayFlows } from '../../src/flow/replay.ts';
import { flowJson } from '../../src/flow/write-flow.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { checkWith } from '../clusters/check-property.ts';
import { settleCluster } from '../clusters/settle.ts';
import { referenceAllows } from '../reference/reference.ts';
import { seenFlows, withAddresses } from './random-flows.ts';

const numbers: fc.Arbitrary<readonly number[]> = fc.array(fc.noBias(fc.nat()), { minLength: 1, maxLength: 60, size: 'max' });

function judgeOf(cluster: Cluster, records: readonly FlowRecord[]): (index: number) => boolean {
  const ends = new FlowEnds();
  const pairs = records.map(({ source, target }) => ({ source: ends.intern(source)!, target: ends.intern(target)! }));
  const judge = new FlowJudge(cluster, ends.all);
  return (index) => judge.isAllowed(pairOf(records[index]!, pairs[index]!));
}

test('a flow between pods that the cluster has is decided as the reference says', () => {
  let refused = 0;
  checkWith(numbers, (raw, chosen) => {
    const cluster = withAddresses(settleCluster(raw));
    const seen = seenFlows(cluster, chosen);
    const records = seen.map(({ record }) => record);
    const isAllowed = judgeOf(cluster, records);
    const judged = judgeRecords(cluster, records);
    for (const [index, { traffic }] of seen.entries()) {
      const expected = referenceAllows(cluster, traffic);
      assert.equal(isAllowed(index), expected, JSON.stringify(flowJson(records[index]!)));
      assert.equal(isAllowedBy(judged[index]!.reason!), expected, `the reason of ${JSON.stringify(flowJson(judged[index]!))}`);
      if (!expected) refused++;
    }
  }, { share: 0.4 });
  assert.ok(refused > 20, `${refused} refused in all`);
});

test('what is judged with many others has the reason that it has alone', () => {
  let shared = 0;
  checkWith(numbers, (raw, chosen) => {
    const cluster = withAddresses(settleCluster(raw));
    const seen = seenFlows(cluster, chosen).map(({ record }) => record).slice(0, 8);
    // Everybody to everybody on the same two ports: many are governed alike.
    const pairs = seen.flatMap((one) => seen.filter(({ family, source }) => family === one.family && (source.kind === 'pod' || one.target.kind === 'pod')).map(({ source }): FlowRecord => ({ ...one, source })));
    const records = pairs.flatMap((pair) => [seen[0]!, seen.at(-1)!].map(({ protocol, port }): FlowRecord => ({ ...pair, protocol, port })));
    const together = judgeRecords(cluster, records);
    for (const [index, record] of records.entries()) assert.deepEqual(together[index]!.reason, judgeRecords(cluster, [record])[0]!.reason, JSON.stringify(flowJson(record)));
    shared += together.length - new Set(together.map(({ reason }) => reason)).size;
  }, { share: 0.1 });
  assert.ok(shared > 20, `${shared} shared in all`);
});

test('written down, read again and judged without the pods, it is decided by what was written', () => {
  let refused = 0;
  checkWith(numbers, (raw, chosen) => {
    const settled = withAddresses(settleCluster(raw));
    const pods = settled.pods.map((pod) => ({ ...pod, workload: { kind: 'Pod', namespace: pod.namespace, name: pod.name }, hostNetwork: false, nodeName: undefined, ports: [], unknownKeys: new Set<string>() }));
    const cluster = { ...settled, pods };
    const seen = seenFlows(cluster, chosen);
    const records = seen.map(({ record }) => {
      const read = readFlow(JSON.stringify(flowJson(record)));
      assert.ok(read.kind === 'flow', read.kind);
      assert.deepEqual(read.record, record);
      return read.record;
    });
    const isAllowed = judgeOf({ ...cluster, pods: [], namespaces: [] }, records);
    // Of a pod's addresses one alone is written.
    const narrowed = (index: number): Cluster => ({ ...cluster, pods: pods.map((pod) => ({ ...pod, addresses: pod.addresses.filter(({ family }) => family === records[index]!.family).slice(0, 1) })) });
    for (const [index, { traffic }] of seen.entries()) {
      const expected = referenceAllows(narrowed(index), traffic);
      assert.equal(isAllowed(index), expected, JSON.stringify(flowJson(records[index]!)));
      if (!expected) refused++;
    }
  }, { share: 0.4 });
  assert.ok(refused > 20, `${refused} refused in all`);
});

test('a replay names exactly the flows that were let through and would be refused, and the other way round', () => {
  let named = 0;
  checkWith(numbers, (raw, chosen) => {
    const cluster = withAddresses(settleCluster(raw));
    const table = new FlowTable();
    const seen = seenFlows(cluster, chosen).map(({ record }) => record);
    for (const record of seen) table.add(record);
    const { refused, opened, flows } = replayFlows(cluster, table);
    const rows = Array.from({ length: table.size }, (_, row) => table.recordAt(row));
    const isAllowed = judgeOf(cluster, rows);
    const text = (records: Iterable<FlowRecord>): string[] => [...records].map((record) => JSON.stringify(flowJson({ ...record, reason: undefined }))).sort();
    assert.equal(flows, rows.length);
    assert.deepEqual(text(refused.records()), text(rows.filter(({ verdict }, index) => verdict === 'allowed' && !isAllowed(index))));
    assert.deepEqual(text(opened.records()), text(rows.filter(({ verdict }, index) => verdict === 'denied' && isAllowed(index))));
    for (const { reason } of refused.records()) assert.ok(!isAllowedBy(reason!));
    named += refused.flows + opened.flows;
  }, { share: 0.2 });
  assert.ok(named > 20, `${named} named in all`);
});

test('a table holds each flow once, with what all records of it say together, in whichever order they came', () => {
  checkWith(fc.array(fc.noBias(fc.nat(5000)), { minLength: 1, maxLength: 3000, size: 'max' }), (raw, chosen) => {
    const seen = seenFlows(withAddresses(settleCluster(raw)), chosen).map(({ record }) => record);
    const [table, reversed] = [new FlowTable(), new FlowTable()];
    for (const record of seen) table.add(record);
    for (const record of seen.toReversed()) reversed.add(record);
    const sums = new Map<string, { count: number; openings: number | undefined; firstSeen: number; lastSeen: number }>();
    for (const record of seen) {
      const [key, before] = [keyOf(record), sums.get(keyOf(record))];
      const openings = record.openings === undefined || (before !== undefined && before.openings === undefined) ? undefined : record.openings + (before?.openings ?? 0);
      sums.set(key, { count: record.count + (before?.count ?? 0), openings, firstSeen: Math.min(record.firstSeen, before?.firstSeen ?? Infinity), lastSeen: Math.max(record.lastSeen, before?.lastSeen ?? 0) });
    }
    const held = (one: FlowTable): unknown => new Map(Array.from({ length: one.size }, (_, row) => one.recordAt(row)).map((record) => [keyOf(record), { count: record.count, openings: record.openings, firstSeen: record.firstSeen, lastSeen: record.lastSeen }]));
    assert.deepEqual(held(table), sums);
    for (let row = 0; row < table.size; row++) for (const { address } of [table.recordAt(row).source, table.recordAt(row).target]) assert.equal(address!.family, table.familyAt(row));
    assert.deepEqual(held(reversed), sums);
  }, { share: 0.1 });
});

/** Addresses of pods aside. */
function keyOf({ source, target, verdict, family, protocol, port }: FlowRecord): string {
  const folded = [source, target].map(foldEnd).map((end) => (end.kind === 'pod' ? { ...end, address: undefined } : end));
  return JSON.stringify([folded, verdict, family, protocol, port], (_, value: unknown) => (value instanceof Map ? [...value] : typeof value === 'bigint' ? `${value}` : value));
}
