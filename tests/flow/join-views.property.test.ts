// Connections between nodes, told by the agents of both or of one: joined, each counts once, and what was refused at its end was not let through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldEnd } from '../../src/flow/fold-end.ts';
import { joinPassage, positionOf } from '../../src/flow/join-views.ts';
import type { FlowEnd, FlowReason, FlowRecord, SideReason } from '../../src/flow/flow-record.ts';
import { checkConnections, end, joinAll, pairOf, sums, told, truth, type Connection } from './two-node-connections.ts';

function check(property: (all: readonly Connection[]) => void): void {
  checkConnections(fc.constant(undefined), property);
}

test('with an agent on each node, every connection counts once, as what came of it', () => {
  check((all) => {
    const joined = joinAll(all.flatMap((one) => told(one, () => true)));
    const keyOf = (one: FlowRecord): string => `${pairOf(one)} ${one.verdict}`;
    assert.deepEqual(sums(joined, keyOf), sums(all.map(truth), keyOf));
    assert.ok(joined.every(({ count }) => count > 0));
    assert.deepEqual(sums(joinAll(joined), keyOf), sums(joined, keyOf), 'joined again, it is the same');
  });
});

test('no more is told to have come by a Service than did', () => {
  let named = 0;
  check((all) => {
    const joined = joinAll(all.flatMap((one) => told(one, () => true)));
    const keyOf = (one: FlowRecord): string => `${pairOf(one)} ${one.verdict} ${one.service}`;
    const count = (records: readonly FlowRecord[], key: string): number => records.reduce((sum, one) => (keyOf(one) === key ? sum + one.count : sum), 0);
    for (const one of joined) {
      if (one.service === undefined) continue;
      named++;
      assert.ok(count(joined, keyOf(one)) <= count(all.map(truth), keyOf(one)), keyOf(one));
    }
    // Where nothing is refused, each is told with its Service, or as what came straight.
    const open = all.map((one): Connection => ({ ...one, refusedAt: undefined }));
    assert.deepEqual(sums(joinAll(open.flatMap((one) => told(one, () => true))), keyOf), sums(open.map(truth), keyOf));
  });
  assert.ok(named > 1000, `${named} named in all`);
});

test('without the agents of some nodes, every connection that another saw counts once', () => {
  check((all) => {
    const isWatched = (node: number): boolean => node % 2 === 0;
    const seen = all.filter((one) => told(one, isWatched).length > 0);
    const joined = joinAll(all.flatMap((one) => told(one, isWatched)));
    const total = (records: readonly FlowRecord[]): Map<string, string> => new Map([...sums(records, pairOf)].map(([key, text]): [string, string] => [key, text.split(',')[0]!]));
    assert.deepEqual(total(joined), total(seen.map(truth)));
  });
});

test('views that are known to be of one passage are joined as if they were not', () => {
  check((all) => {
    const records = all.flatMap((one) => told(one, () => true)).map((one) => ({ ...one, source: foldEnd(one.source), target: foldEnd(one.target) }));
    const passages = Map.groupBy(records.filter((one) => positionOf(one) !== undefined), (one) => `${pairOf(one)} ${one.source.node} ${one.target.node}`);
    for (const views of passages.values()) assert.deepEqual(joinPassage(views), joinAll(views));
  });
});

const SIDE: SideReason = { verdict: 'allows', rules: [], isolatedBy: [], nearMiss: undefined };
const byRule = (name: string): FlowReason => {
  const side: SideReason = { ...SIDE, rules: [{ kind: 'NetworkPolicy', namespace: 'shop', name, index: 0 }] };
  return { egress: side, ingress: side };
};

test('the rules of each side are those that its own node tells, and a gateway on the way counts no more', () => {
  const connection: Connection = { source: { workload: 0, node: 0 }, target: { workload: 0, node: 1 }, service: 1, refusedAt: undefined };
  const [near, far] = told(connection, () => true) as [FlowRecord, FlowRecord];
  const [joined, ...others] = joinAll([{ ...near, reason: byRule('near') }, { ...far, reason: byRule('far') }, { ...far, node: 'n2' }]);
  assert.deepEqual(others, []);
  assert.deepEqual([joined!.count, joined!.service, joined!.node], [1, 'shop/s1', undefined]);
  assert.deepEqual([joined!.reason?.egress.rules[0]?.name, joined!.reason?.ingress.rules[0]?.name], ['near', 'far']);
});

test('what nobody tells the node of is told as it came', () => {
  const { node: _, ...source } = end('web', { workload: 0, node: 0 }) as Extract<FlowEnd, { kind: 'pod' }>;
  const { node: __, ...target } = end('db', { workload: 0, node: 1 }) as Extract<FlowEnd, { kind: 'pod' }>;
  const one: FlowRecord = { ...truth({ source: { workload: 0, node: 0 }, target: { workload: 0, node: 1 }, service: 0, refusedAt: undefined }), source, target };
  assert.deepEqual(joinAll([one, { ...one, node: 'n1' }]), [one, { ...one, node: 'n1' }]);
});
