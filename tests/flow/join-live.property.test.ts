// What the agents of two nodes tell of the same connections, as it comes and in any order: each connection is shown once, a refusal at once, and a correction where it had been shown as allowed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { flowFilter } from '../../src/flow/filter-flows.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { LiveJoining, shownOf, type Onlooker } from '../../src/flow/join-live.ts';
import { readFlow } from '../../src/flow/read-flow.ts';
import { flowJson } from '../../src/flow/write-flow.ts';
import { concealRecord, type Readable } from '../../src/history/store/readable-flows.ts';
import { checkConnections, joinAll, pairOf, sums, told, truth, type Connection } from './two-node-connections.ts';

const all = (): boolean => true;
const byVerdict = (one: FlowRecord): string => `${pairOf(one)} ${one.verdict}`;

/** A random order of as many as there may be. */
const order = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 240, maxLength: 240, size: 'max' });

function shuffled(records: readonly FlowRecord[], weights: readonly number[]): readonly FlowRecord[] {
  return records.map((record, index) => [weights[index]!, record] as const).sort(([a], [b]) => a - b).map(([, record]) => record);
}

function showing(onlooker: Onlooker = { isWanted: all }): (record: FlowRecord) => readonly FlowRecord[] {
  const joining = new LiveJoining();
  return (record) => shownOf(joining.take(record), onlooker);
}

function shownAll(records: readonly FlowRecord[]): readonly FlowRecord[] {
  return records.flatMap(showing());
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
    const shown = shownAll(shuffled(connections.flatMap((one) => told(one, all)), weights));
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
    const show = showing();
    for (const record of shuffled(connections.flatMap((one) => told(one, all)), weights)) {
      const shown = show(record);
      if (record.verdict === 'denied') assert.equal(shown.reduce((sum, { verdict, count }) => (verdict === 'denied' ? sum + count : sum), 0), record.count);
    }
  });
});

test('without the agents of some nodes, every connection that another saw is shown once', () => {
  const isWatched = (node: number): boolean => node % 2 === 0;
  checkConnections(order, (connections, weights) => {
    const seen = connections.filter((one) => told(one, isWatched).length > 0);
    const total = (counts: Map<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(total(believed(shownAll(shuffled(connections.flatMap((one) => told(one, isWatched)), weights)))), total(believed(seen.map(truth))));
  });
});

/** Between the same ends, round after round, as busy ones are told; what a node on the way tells, too, comes to no more. */
test('over many rounds, and with a node on the way that tells as well, each connection is shown once', () => {
  checkConnections(order, (connections, weights) => {
    const joining = new LiveJoining();
    const shown: FlowRecord[] = [];
    for (let round = 0; round < 20; round++) {
      const apart = round * 15_000;
      const records = connections.flatMap((one) => {
        const views = told(one, all);
        return views.length < 2 ? views : [...views, { ...views[0]!, node: 'between', service: undefined }];
      });
      for (const record of shuffled(records.map((one) => ({ ...one, firstSeen: one.firstSeen + apart, lastSeen: one.lastSeen + apart })), weights.map((_, index) => weights[(index + 7 * round) % weights.length]!))) shown.push(...shownOf(joining.take(record), { isWanted: all }));
    }
    assert.deepEqual(believed(shown), believed(Array.from({ length: 20 }, () => connections.map(truth)).flat()));
  }, 100);
});

test('where clocks are apart, and what they say arrives late, each connection is shown once', () => {
  checkConnections(fc.tuple(order, fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 4, maxLength: 4 }), fc.array(fc.nat(4_000), { minLength: 4, maxLength: 4 })), (connections, [weights, ahead, late]) => {
    const joining = new LiveJoining();
    const shown = shuffled(connections.flatMap((one) => told(one, all)), weights).flatMap((record) => {
      const [clock, delay] = [ahead[Number(record.node!.slice(1))]!, late[Number(record.node!.slice(1))]!];
      return shownOf(joining.take({ ...record, firstSeen: record.firstSeen + clock, lastSeen: record.lastSeen + clock }, clock - delay), { isWanted: all });
    });
    assert.deepEqual(believed(shown), believed(connections.map(truth)));
  });
});

const REFUSED: Connection = { source: { workload: 0, node: 0 }, target: { workload: 0, node: 1 }, service: 1, refusedAt: 'target' };
const [near, far] = told(REFUSED, all) as [FlowRecord, FlowRecord];

const brief = ({ verdict, count, service, corrects }: FlowRecord): string => `${verdict} ${count}${service === undefined ? '' : ` by ${service}`}${corrects === true ? ', told as allowed before' : ''}`;

/** What is shown, from the parts that nodes tell one after another. */
function check(expected: readonly (readonly string[])[], records: readonly FlowRecord[], isWanted: (record: FlowRecord) => boolean = all): void {
  const show = showing({ isWanted });
  assert.deepEqual(records.map((record) => show(record).map(brief)), expected);
}

test('a connection that was refused at its end', () => {
  check([['denied 1'], []], [far, near]);
  check([['allowed 1 by shop/s1'], ['denied 1, told as allowed before']], [near, far]);
  check([['allowed 3 by shop/s1'], ['denied 2, told as allowed before'], []], [{ ...near, count: 3 }, { ...far, count: 2 }, { ...far, verdict: 'allowed', count: 1 }]);
  check([['denied 2'], ['allowed 1 by shop/s1']], [{ ...far, count: 2 }, { ...near, count: 3 }]);
});

test('a connection from outside that a node let pass on to the one that refused it, written down and read again', () => {
  const source: FlowRecord['source'] = { kind: 'outside', address: { family: 4, value: 5n }, names: [], node: undefined, isOwnNode: false };
  const shown = shownAll([{ ...near, source, node: 'n7' }, { ...far, source }]);
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

test('what takes long to arrive parts nothing where clocks agree', () => {
  const joining = new LiveJoining();
  assert.deepEqual([shownOf(joining.take(near, -20_000), { isWanted: all }), shownOf(joining.take({ ...far, verdict: 'allowed' }, 0), { isWanted: all })].map((shown) => shown.map(brief)), [['allowed 1 by shop/s1'], []]);
});

test('what nobody else tells is shown as it came', () => {
  const near2 = { ...near, verdict: 'denied' } as const;
  const { node: _, ...nowhere } = near.source as Extract<FlowRecord['source'], { kind: 'pod' }>;
  const unplaced = { ...near, source: nowhere, target: { ...near.target, node: undefined } as FlowRecord['target'] };
  assert.deepEqual(shownAll([near2, near2, unplaced, unplaced]), [near2, near2, unplaced, unplaced]);
});

test('each connection of fifteen thousand busy pairs is shown once', () => {
  const show = showing();
  const pairs = Array.from({ length: 15_000 }, (_, port) => port);
  let shown = 0;
  for (let round = 0; round < 3; round++) {
    const times = { firstSeen: round * 15_000, lastSeen: round * 15_000 + 14_000 };
    for (const record of [near, { ...far, verdict: 'allowed' } as const]) for (const port of pairs) shown += show({ ...record, ...times, port }).length;
  }
  assert.equal(shown, 3 * pairs.length);
});

test('of more than are remembered, those of longest ago are shown again', () => {
  const show = showing();
  const again = (port: number): number => show({ ...far, verdict: 'allowed', port }).length;
  for (let port = 0; port < 2_200; port++) for (let round = 0; round < 16; round++) show({ ...near, firstSeen: round * 15_000, lastSeen: round * 15_000, port });
  assert.deepEqual([0, 1, 2, 2_197, 2_198, 2_199].map(again), [1, 1, 1, 0, 0, 0]);
});

test('who begins to look on later is not corrected on what he was not shown', () => {
  const joining = new LiveJoining();
  const two = { ...near, count: 2 };
  joining.take(two);
  const onlooker = { isWanted: all, since: joining.next };
  assert.deepEqual([far, two, { ...far, count: 2 }].map((record) => shownOf(joining.take(record), onlooker).map(brief)), [['denied 1'], ['allowed 2 by shop/s1'], ['denied 1, told as allowed before', 'denied 1']]);
});

test('families are two, where a workload has both', () => {
  check([['allowed 1 by shop/s1'], ['denied 1'], ['allowed 1 by shop/s1']], [near, { ...far, family: 6 }, { ...near, family: 6, port: 1 }]);
});
