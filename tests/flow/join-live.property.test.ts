// What the agents of two nodes tell of the same connections, as it comes and in any order: each connection is shown once, a refusal at once, and a correction where it had been shown as allowed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { flowFilter } from '../../src/flow/filter-flows.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { LiveJoining } from '../../src/flow/join-live.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { flowJson } from '../../src/flow/write-flow.ts';
import { concealRecord, type Readable } from '../../src/history/readable-flows.ts';
import { checkConnections, joinAll, pairOf, sums, told, truth, type Connection } from './two-node-connections.ts';

const all = (): boolean => true;
const byVerdict = (one: FlowRecord): string => `${pairOf(one)} ${one.verdict}`;

/** A random order of as many as there may be. */
const order = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 160, maxLength: 160, size: 'max' });

function shuffled(records: readonly FlowRecord[], weights: readonly number[]): readonly FlowRecord[] {
  return records.map((record, index) => [weights[index]!, record] as const).sort(([a], [b]) => a - b).map(([, record]) => record);
}

function shownOf(records: readonly FlowRecord[], isWanted: (record: FlowRecord) => boolean = all): readonly FlowRecord[] {
  const joining = new LiveJoining(isWanted);
  return records.flatMap((record) => joining.take(record));
}

/** What somebody who reads along has in the end: what was corrected was not let through. */
function believed(shown: readonly FlowRecord[]): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (key: string, count: number): void => void counts.set(key, (counts.get(key) ?? 0) + count);
  for (const one of shown) {
    add(byVerdict(one), one.count);
    if (one.corrects === true) add(`${pairOf(one)} allowed`, -one.count);
  }
  return new Map([...counts].filter(([, count]) => count !== 0).sort());
}

function writtenAndRead(shown: readonly FlowRecord[], readable: Readable): readonly FlowRecord[] {
  return shown.map((one) => readFlow(JSON.stringify(flowJson(concealRecord(readable, one))))).map((read) => (read.kind === 'flow' ? read.record : assert.fail(read.kind)));
}

test('in whatever order nodes tell, each connection is shown once, and in the end as what came of it', () => {
  let corrected = 0;
  checkConnections(order, (connections, weights) => {
    const shown = shownOf(shuffled(connections.flatMap((one) => told(one, all)), weights));
    assert.deepEqual(believed(shown), believed(connections.map(truth)));
    corrected += shown.filter(({ corrects }) => corrects === true).length;
    for (const readable of ['all', new Set(['shop']), new Set(['bank'])] as const) {
      assert.deepEqual(sums(joinAll(writtenAndRead(shown, readable)), byVerdict), sums(connections.map(truth), byVerdict), `written down and read as records by who may read ${readable === 'all' ? 'all' : [...readable].join()}`);
    }
  });
  assert.ok(corrected > 1000, `${corrected} corrected in all`);
});

test('a refusal is shown the moment that it is told', () => {
  checkConnections(order, (connections, weights) => {
    const joining = new LiveJoining(all);
    for (const record of shuffled(connections.flatMap((one) => told(one, all)), weights)) {
      const shown = joining.take(record);
      if (record.verdict === 'denied') assert.equal(shown.reduce((sum, { verdict, count }) => (verdict === 'denied' ? sum + count : sum), 0), record.count);
    }
  });
});

test('without the agents of some nodes, every connection that another saw is shown once', () => {
  const isWatched = (node: number): boolean => node % 2 === 0;
  checkConnections(order, (connections, weights) => {
    const seen = connections.filter((one) => told(one, isWatched).length > 0);
    const total = (counts: Map<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(total(believed(shownOf(shuffled(connections.flatMap((one) => told(one, isWatched)), weights)))), total(believed(seen.map(truth))));
  });
});

const REFUSED: Connection = { source: { workload: 0, node: 0 }, target: { workload: 0, node: 1 }, service: 1, refusedAt: 'target' };
const [near, far] = told(REFUSED, all) as [FlowRecord, FlowRecord];

const brief = ({ verdict, count, service, corrects }: FlowRecord): string => `${verdict} ${count}${service === undefined ? '' : ` by ${service}`}${corrects === true ? ', told as allowed before' : ''}`;

/** What is shown, from the parts that nodes tell one after another. */
function check(expected: readonly (readonly string[])[], records: readonly FlowRecord[], isWanted: (record: FlowRecord) => boolean = all): void {
  const joining = new LiveJoining(isWanted);
  assert.deepEqual(records.map((record) => joining.take(record).map(brief)), expected);
}

test('a connection that was refused at its end', () => {
  check([['denied 1'], []], [far, near]);
  check([['allowed 1 by shop/s1'], ['denied 1, told as allowed before']], [near, far]);
  check([['allowed 3 by shop/s1'], ['denied 2, told as allowed before'], []], [{ ...near, count: 3 }, { ...far, count: 2 }, { ...far, verdict: 'allowed', count: 1 }]);
  check([['denied 2'], ['allowed 1 by shop/s1']], [{ ...far, count: 2 }, { ...near, count: 3 }]);
});

test('a connection from outside that a node let pass on to the one that refused it, written down and read again', () => {
  const source: FlowRecord['source'] = { kind: 'outside', address: { family: 4, value: 5n }, names: [], node: undefined, isOwnNode: false };
  const shown = shownOf([{ ...near, source, node: 'n7' }, { ...far, source }]);
  assert.deepEqual(shown.map(brief), ['allowed 1 by shop/s1', 'denied 1, told as allowed before']);
  for (const readable of ['all', new Set(['bank'])] as const) assert.deepEqual(joinAll(writtenAndRead(shown, readable)).map(({ verdict, count }) => `${verdict} ${count}`), ['denied 1']);
});

test('a filter shows corrections of what it let through, and takes nothing else for one', () => {
  const [allowed, denied, byService] = [flowFilter({ verdict: 'allowed' }), flowFilter({ verdict: 'denied' }), flowFilter({ target: 'svc/shop/s1' })];
  check([['allowed 1 by shop/s1'], ['denied 1, told as allowed before']], [near, far], allowed);
  check([[], []], [far, near], allowed);
  check([[], ['denied 1']], [near, far], denied);
  check([['allowed 1 by shop/s1'], ['denied 1, told as allowed before']], [near, far], byService);
  check([[], ['denied 1 by shop/s1']], [far, near], byService);
});

test('what lies further apart than clocks do are two connections', () => {
  const later = { ...far, verdict: 'allowed', firstSeen: near.lastSeen + 6_000, lastSeen: near.lastSeen + 6_000 } as const;
  check([['allowed 1 by shop/s1'], ['allowed 1']], [near, later]);
});

test('what nobody else tells is shown as it came', () => {
  const near2 = { ...near, verdict: 'denied' } as const;
  const { node: _, ...nowhere } = near.source as Extract<FlowRecord['source'], { kind: 'pod' }>;
  const unplaced = { ...near, source: nowhere, target: { ...near.target, node: undefined } as FlowRecord['target'] };
  assert.deepEqual(shownOf([near2, near2, unplaced, unplaced]), [near2, near2, unplaced, unplaced]);
});
