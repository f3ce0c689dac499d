// A store gives back what it was given, folded, once, and only what was asked for and may be read.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { flowJson, reasonFields } from '../../src/flow/write-flow.ts';
import { askStore, type Question } from '../../src/history/ask/ask-store.ts';
import { exportDays } from '../../src/history/store/export-days.ts';
import type { FlowStore, StoreOptions } from '../../src/history/store/flow-store.ts';
import { forgetFlows, knownNamespaces, redactOutside } from '../../src/history/store/forget-flows.ts';
import { openHistory } from '../../src/history/history.ts';
import { keepDays } from '../../src/history/store/keep-days.ts';
import { DAY_MS, dayOf, dayTable, findSums, sumsTable } from '../../src/history/store/store-schema.ts';
import { cloneRoot } from '../needs.ts';
import { batchOf, flow, NOON, outsideEnd, podEnd } from './sample-flows.ts';

async function withStore(work: (store: FlowStore, again: () => Promise<FlowStore>) => Promise<void>, options: Partial<StoreOptions> = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-history-'));
  const open = (): Promise<FlowStore> => openHistory({ file: join(folder, 'flows.duckdb'), nowMs: () => NOON + 60_000, ...options });
  let store = await open();
  try {
    await work(store, async () => {
      await store.close();
      return (store = await open());
    });
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function ask(store: FlowStore, question: Partial<Question> = {}): Promise<readonly FlowRecord[]> {
  const found: FlowRecord[] = [];
  await askStore(store, { readable: 'all', ...question }, async (records) => void found.push(...records));
  return found;
}

const reason = {
  ingress: { verdict: 'refuses', rules: [], isolatedBy: [{ kind: 'NetworkPolicy', namespace: 'shop', name: 'deny' }], nearMiss: { kind: 'NetworkPolicy', namespace: 'shop', name: 'db', index: 0, says: ['the port is not in it'] } },
  egress: { verdict: 'allows', rules: [{ kind: 'NetworkPolicy', namespace: 'shop', name: 'web', index: 1 }], isolatedBy: [], nearMiss: undefined },
} as const;

test('a record comes back as its line of JSON, also from a store that was closed', async () => {
  await withStore(async (store, again) => {
    const sent = flow({ verdict: 'denied', reason, service: 'shop/db', target: podEnd('shop', 'db') });
    assert.deepEqual(await store.take(batchOf([sent])), { isDuplicate: false, lost: 0, shifted: 0 });
    const folded = (end: FlowRecord['source']) => (end.kind === 'pod' ? { ...end, pod: undefined, address: undefined } : end);
    const expected = JSON.stringify(flowJson({ ...sent, source: folded(sent.source), target: folded(sent.target), node: 'node-a' }));
    const found = async (open: FlowStore): Promise<readonly string[]> => (await ask(open)).map((record) => JSON.stringify(flowJson(record)));
    assert.deepEqual(await found(store), [expected]);
    assert.deepEqual(await found(await again()), [expected]);
  });
});

test('the latest of many connections between two nodes are those of all that are the latest, some at a time', async () => {
  await withStore(async (store) => {
    const onNode = (name: string, node: string) => ({ ...podEnd('shop', name), node });
    const ends = { source: onNode('web', 'node-a'), target: onNode('db', 'node-b') };
    const told = Array.from({ length: 3_000 }, (_, index) => flow({ ...ends, port: index + 1, firstSeen: NOON - 10_000, lastSeen: NOON - ((index * 7_919) % 3_001) }));
    const atTarget = told.map((record, index) => (index % 3 === 0 ? { ...record, verdict: 'denied' as const, lastSeen: record.lastSeen - 5_000 } : record));
    const alone = Array.from({ length: 500 }, (_, index) => flow({ port: 10_000 + index, firstSeen: NOON - 10_000, lastSeen: NOON - index * 11 }));
    await store.take(batchOf([...told, ...alone], { node: 'node-a' }));
    await store.take(batchOf(atTarget, { node: 'node-b' }));
    const textOf = ({ verdict, port, count, lastSeen }: FlowRecord): string => `${verdict} ${port} ${count} ${lastSeen}`;
    for (const verdict of [undefined, 'allowed', 'denied'] as const) {
      const all = (await ask(store, { verdict })).toSorted((a, b) => b.lastSeen - a.lastSeen);
      for (const limit of [1, 40, 1_700, 10_000_000]) {
        const chunks: (readonly FlowRecord[])[] = [];
        await askStore(store, { readable: 'all', verdict, limit }, async (records) => void chunks.push(records));
        const last = all[Math.min(limit, all.length) - 1]!.lastSeen;
        const sure = (records: readonly FlowRecord[]): readonly string[] => records.filter(({ lastSeen }) => lastSeen > last).map(textOf).sort();
        assert.deepEqual([chunks.flat().length, ...sure(chunks.flat())], [Math.min(limit, all.length), ...sure(all)], `${verdict} ${limit}`);
        assert.ok(chunks.every(({ length }) => length <= 1_000), 'an answer of a million is no single text');
      }
    }
  });
});

test('the latest of some days are those of all that are the latest, whatever the times', async () => {
  await withStore(async (store) => {
    const onNode = (name: string, node: string) => ({ ...podEnd('shop', name), node });
    const ends = { source: onNode('web', 'node-a'), target: onNode('db', 'node-b') };
    // Some are seen on one of five days alone, and some of the next day by the one node alone.
    const told = Array.from({ length: 5 }, (_, day) => Array.from({ length: 40 }, (__, index) => {
      const lastSeen = NOON - 4 * DAY_MS + day * DAY_MS - ((index * 7_919 + day * 31) % 80_000);
      return flow({ ...ends, port: 1 + ((index * (day + 3)) % 90), firstSeen: lastSeen - 50_000, lastSeen });
    })).flat();
    await store.take(batchOf(told.filter((_, index) => index % 3 !== 0), { node: 'node-a' }));
    await store.take(batchOf(told.map((record, index) => (index % 2 === 0 ? { ...record, verdict: 'denied' as const, firstSeen: record.firstSeen + DAY_MS, lastSeen: record.lastSeen + DAY_MS } : record)), { node: 'node-b' }));
    await keepDays(store, { bytesMax: 1e12 });
    const textOf = ({ verdict, port, count, firstSeen, lastSeen }: FlowRecord): string => `${verdict} ${port} ${count} ${firstSeen} ${lastSeen}`;
    for (const verdict of [undefined, 'allowed', 'denied'] as const) {
      for (const times of [{}, { sinceMs: NOON - 3 * DAY_MS }, { untilMs: NOON - 2 * DAY_MS - 60_000 }, { sinceMs: NOON - 3 * DAY_MS - 90_000, untilMs: NOON - DAY_MS }]) {
        const all = (await ask(store, { verdict, ...times })).toSorted((a, b) => b.lastSeen - a.lastSeen);
        for (const limit of [1, 2, 7, 20, 60, 1_000]) {
          const latest = await ask(store, { verdict, ...times, limit });
          const last = all[Math.min(limit, all.length) - 1]!.lastSeen;
          const sure = (records: readonly FlowRecord[]): readonly string[] => records.filter(({ lastSeen }) => lastSeen > last).map(textOf).sort();
          assert.deepEqual([latest.length, ...sure(latest)], [Math.min(limit, all.length), ...sure(all)], JSON.stringify({ verdict, ...times, limit }));
        }
      }
    }
  });
});

test('what was refused before, and is now refused by the other node, is not new', async () => {
  await withStore(async (store) => {
    const onNode = (name: string, node: string) => ({ ...podEnd('shop', name), node });
    const ends = { source: onNode('web', 'node-a'), target: onNode('db', 'node-b') };
    const early = { firstSeen: NOON - 9_000, lastSeen: NOON - 8_000 };
    await store.take(batchOf([flow({ ...ends, ...early, verdict: 'denied' }), flow({ ...ends, ...early, port: 2, verdict: 'denied' }), flow({ ...ends }), flow({ ...ends, port: 2 })], { node: 'node-a' }));
    await store.take(batchOf([flow({ ...ends, verdict: 'denied' }), flow({ ...ends, port: 2 })], { node: 'node-b' }));
    const found = await ask(store, { newSinceMs: NOON - 1_000 });
    assert.deepEqual(found.filter(({ count }) => count > 0).map(({ verdict, port }) => `${verdict} ${port}`), ['allowed 2']);
    assert.deepEqual((await ask(store, { newSinceMs: NOON - 1_000, sinceMs: NOON - 1_000, limit: 5 })).map(({ verdict, port }) => `${verdict} ${port}`), ['allowed 2']);
  });
});

test('the same flow of several batches is one, and what was sent again counts once', async () => {
  await withStore(async (store, again) => {
    await store.take(batchOf([flow({ count: 3 })]));
    const second = batchOf([flow({ count: 4, openings: 2, firstSeen: NOON - 5, lastSeen: NOON + 5_000 })], { sequence: 1 });
    await Promise.all([store.take(second), store.take(second)]);
    const reopened = await again();
    assert.equal((await reopened.take(second)).isDuplicate, true);
    assert.equal((await reopened.take({ ...second, sequence: 0 })).isDuplicate, true);
    const [record, ...others] = await ask(reopened);
    assert.deepEqual([others.length, record!.count, record!.openings, record!.firstSeen, record!.lastSeen], [0, 7, 3, NOON - 5, NOON + 5_000]);
    assert.equal((await reopened.take({ ...second, run: 'run-2' })).isDuplicate, false);
    assert.equal((await reopened.take({ ...second, node: 'node-b' })).isDuplicate, false);
    assert.deepEqual((await ask(reopened)).map(({ node, count }) => `${node} ${count}`).sort(), ['node-a 11', 'node-b 4']);
  });
});

test('of openings that are partly unknown the sum is unknown', async () => {
  await withStore(async (store) => {
    await store.take(batchOf([flow()]));
    await store.take(batchOf([flow({ openings: undefined })], { sequence: 1 }));
    assert.deepEqual((await ask(store)).map(({ openings }) => openings), [undefined]);
  });
});

test('questions: ends, port, verdict, times, new ones, limit', async () => {
  await withStore(async (store) => {
    const day = 86_400_000;
    await store.take(batchOf([
      flow({ firstSeen: NOON - 2 * day, lastSeen: NOON - 2 * day }),
      flow({ source: podEnd('shop', 'api'), verdict: 'denied', port: 80 }),
      flow({ source: outsideEnd(0x0101_0101n, ['example.com']), protocol: 17, port: 53, lastSeen: NOON + 2_000 }),
    ]));
    await store.take(batchOf([flow()], { sequence: 1, node: 'node-b' }));
    const names = async (question: Partial<Question>): Promise<string> => (await ask(store, question)).map(({ source, port }) => `${source.kind === 'pod' ? source.workload.name : source.names[0]}:${port}`).sort().join(' ');
    assert.equal(await names({}), 'api:80 example.com:53 web:3306 web:3306');
    assert.equal(await names({ source: 'shop/api' }), 'api:80');
    assert.equal(await names({ target: 'app=db', source: 'example.com' }), 'example.com:53');
    assert.equal(await names({ port: 'udp/53' }), 'example.com:53');
    assert.equal(await names({ port: '3306' }), 'web:3306 web:3306');
    assert.equal(await names({ verdict: 'denied' }), 'api:80');
    assert.equal(await names({ sinceMs: NOON - day }), 'api:80 example.com:53 web:3306');
    assert.equal(await names({ untilMs: NOON - day }), 'web:3306');
    assert.equal(await names({ newSinceMs: NOON - day }), 'api:80 example.com:53', 'what another node saw before is not new');
    assert.equal(await names({ limit: 1 }), 'example.com:53');
    await assert.rejects(ask(store, { source: '' }), /names nobody/);
  });
});

test('who may read one namespace sees its flows, and of the other end no more than who it is', async () => {
  await withStore(async (store) => {
    await store.take(batchOf([
      flow({ source: podEnd('shop', 'web'), target: podEnd('bank', 'vault'), service: 'bank/vault', reason }),
      flow({ source: podEnd('bank', 'teller'), target: podEnd('bank', 'vault') }),
    ]));
    const readable = new Set(['shop']);
    const [seen, ...others] = await ask(store, { readable });
    assert.equal(others.length, 0);
    assert.ok(seen!.target.kind === 'pod' && seen!.source.kind === 'pod');
    assert.deepEqual([seen!.target.workload.name, seen!.target.labels.size, seen!.target.namespaceLabels.size, seen!.service], ['vault', 0, 0, undefined]);
    assert.deepEqual([seen!.source.labels.get('app'), seen!.reason!.ingress.isolatedBy, seen!.reason!.egress.rules.length], ['web', [], 1]);
    assert.equal((await ask(store, { readable, target: 'app=vault' })).length, 0, 'labels that he may not know find nothing');
    assert.equal((await ask(store, { readable: new Set() })).length, 0);
  });
});

test('clocks: what is told to be of the future is of now, what is older than the store keeps is counted as lost', async () => {
  await withStore(async (store) => {
    const taken = await store.take(batchOf([flow({ firstSeen: NOON + 9e9, lastSeen: NOON + 9e9 + 1_000, count: 5 })]));
    assert.deepEqual(taken, { isDuplicate: false, lost: 0, shifted: 5 });
    assert.deepEqual((await ask(store)).map(({ firstSeen, lastSeen }) => [firstSeen, lastSeen]), [[NOON + 59_000, NOON + 60_000]]);
    assert.equal((await store.take(batchOf([flow({ firstSeen: 1_000, lastSeen: 2_000, count: 7 })], { sequence: 1 }))).lost, 7);
    assert.equal(store.lostEver, 7);
  });
});

test('an end with a name that no object can have is counted as lost', async () => {
  await withStore(async (store) => {
    const { lost } = await store.take(batchOf([flow({ count: 3 }), flow({ source: podEnd('../../etc', 'web'), count: 4 }), flow({ target: podEnd('shop', 'a/b'), count: 5 })]));
    assert.equal(lost, 9);
    assert.deepEqual((await ask(store)).map(({ count }) => count), [3]);
    assert.deepEqual(knownNamespaces(store).filter((name) => name.includes('.')), []);
  });
});

test('a host outside is kept as its network where that is wished', async () => {
  await withStore(async (store) => {
    await store.take(batchOf([flow({ target: outsideEnd(0x0102_0304n, ['secret.example']) })]));
    assert.deepEqual((await ask(store)).map(({ target }) => target), [outsideEnd(0x0102_0300n)]);
  }, { redactsOutside: true });
});

test('a day that is over is folded by the hour, and says the same; what comes later is folded again', async () => {
  const day = 86_400_000;
  await withStore(async (store) => {
    for (let sequence = 0; sequence < 6; sequence++) await store.take(batchOf([flow({ count: 2, firstSeen: NOON - 2 * day + sequence * 1_200_000, lastSeen: NOON - 2 * day + sequence * 1_200_000 + 5 }), flow({ firstSeen: NOON, lastSeen: NOON, port: 80 })], { sequence }));
    const rows = async (): Promise<unknown> => await store.read(async (_, connection) => (await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${dayTable(dayOf(NOON - 2 * day))}`)).getRows()[0]![0]);
    const before = await ask(store, { port: '3306' });
    assert.equal(await rows(), 6);
    assert.deepEqual(await keepDays(store, { bytesMax: 1e12 }), { folded: [dayOf(NOON - 2 * day)], dropped: [] });
    assert.equal(await rows(), 2);
    assert.deepEqual(await ask(store, { port: '3306' }), before);
    assert.deepEqual((await keepDays(store, { bytesMax: 1e12 })).folded, []);
    await store.take(batchOf([flow({ firstSeen: NOON - 2 * day, lastSeen: NOON - 2 * day })], { sequence: 7 }));
    assert.deepEqual((await keepDays(store, { bytesMax: 1e12 })).folded, [dayOf(NOON - 2 * day)]);
    assert.equal((await ask(store, { port: '3306' }))[0]!.count, 6 * 2 + 1);
    assert.equal((await store.take(batchOf([flow()], { sequence: 3 }))).isDuplicate, true, 'how far a run has come is kept');
  });
});

const DAY = 86_400_000;
const SUMMED_DAYS = 5;
const FIRST_DAY = NOON - 4.5 * DAY;

const someSeen = fc.record({ namespace: fc.constantFrom('shop', 'bank'), app: fc.nat(3), at: fc.nat(SUMMED_DAYS * DAY - 1), lasted: fc.nat(3_600_000), count: fc.integer({ min: 1, max: 9 }), openings: fc.option(fc.nat(9), { nil: undefined }) });
type SomeSeen = typeof someSeen extends fc.Arbitrary<infer Seen> ? Seen : never;
/** Mostly the bounds of days. */
const someTime = fc.tuple(fc.nat(2 * SUMMED_DAYS), fc.constantFrom(0, 0, 1_234_567)).map(([halves, odd]) => FIRST_DAY + (halves * DAY) / 2 + odd);

test('the sums of days that are over say the same as their rows, and stand only as long as they do', async () => {
  const [runs, seed] = [process.env['BULKHEAD_NIGHTLY'] === '1' ? 300 : 6, process.env['BULKHEAD_SEED']];
  await fc.assert(fc.asyncProperty(fc.array(someSeen, { minLength: 20, maxLength: 60 }), fc.array(someSeen, { maxLength: 3 }), fc.tuple(someTime, someTime), sumsHold), { numRuns: runs, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) });
});

async function sumsHold(early: readonly SomeSeen[], late: readonly SomeSeen[], [start, end]: readonly [number, number]): Promise<void> {
  await withStore(async (store) => {
    const daysOf = (seen: readonly SomeSeen[]): ReadonlySet<number> => new Set(seen.map(({ at }) => dayOf(FIRST_DAY + at)));
    // One batch each: the same flow within one is one record.
    const take = async (seen: readonly SomeSeen[], run: string): Promise<unknown> => await Promise.all(seen.map(({ namespace, app, at, lasted, count, openings }, sequence) => store.take(batchOf([flow({ source: podEnd(namespace, `app-${app}`), count, openings, firstSeen: FIRST_DAY + at - lasted, lastSeen: FIRST_DAY + at })], { run, sequence }))));
    const summed = async (): Promise<readonly number[]> => await store.read((_, connection) => findSums(connection));
    await take(early, 'early');
    await keepDays(store, { bytesMax: 1e12 });
    assert.deepEqual(await summed(), [...daysOf(early)].sort());
    await holdToRows(store, [start, end]);
    await keepDays(store, { bytesMax: 1e12 });
    await take(late, 'late');
    assert.deepEqual(await summed(), [...daysOf(early)].filter((day) => !daysOf(late).has(day)).sort());
    await holdToRows(store, [start, end]);
    await keepDays(store, { bytesMax: 1e12 });
    await forgetFlows(store, { readable: new Set(['bank']), sinceMs: start, untilMs: undefined });
    await holdToRows(store, [start, end]);
  }, { nowMs: () => NOON + DAY });
}

/** Afterwards it has no sums. */
async function holdToRows(store: FlowStore, [start, end]: readonly [number, number]): Promise<void> {
  const questions: readonly Partial<Question>[] = [{}, { source: 'namespace=bank' }, { sinceMs: start }, { untilMs: end }, { sinceMs: start, untilMs: end }, { newSinceMs: start }];
  const answers = async (): Promise<readonly string[]> => await Promise.all(questions.map(async (question) => (await ask(store, question)).map((record) => JSON.stringify(flowJson(record))).sort().join('\n')));
  const told = await answers();
  await store.alone(async ({ writing }) => {
    for (const day of await findSums(writing)) await writing.run(`DROP TABLE ${sumsTable(day)}`);
  }, { reloads: true });
  assert.deepEqual(told, await answers());
}

test('old days go, and a full store loses its oldest days; what only they had goes with them', async () => {
  const day = 86_400_000;
  let nowMs = NOON;
  await withStore(async (store, again) => {
    await store.take(batchOf([flow({ source: podEnd('gone', 'old'), firstSeen: NOON - 3 * day, lastSeen: NOON - 3 * day }), flow({ firstSeen: NOON - day, lastSeen: NOON - day, port: 80 }), flow()]));
    assert.deepEqual(knownNamespaces(store), ['gone', 'shop']);
    nowMs = NOON + 1_000 * day;
    assert.deepEqual((await keepDays(store, { bytesMax: 1e12 })).dropped, [], 'a clock that jumps ahead deletes nothing');
    nowMs = NOON + 2 * day;
    await store.take(batchOf([flow({ firstSeen: nowMs, lastSeen: nowMs })], { sequence: 1 }));
    assert.deepEqual((await keepDays(store, { bytesMax: 1e12 })).dropped, [dayOf(NOON - 3 * day)]);
    assert.deepEqual(knownNamespaces(store), ['shop']);
    const reopened = await again();
    assert.deepEqual(knownNamespaces(reopened), ['shop']);
    assert.deepEqual((await keepDays(reopened, { bytesMax: 1 })).dropped, [dayOf(NOON - day), dayOf(NOON)]);
    assert.deepEqual((await ask(reopened)).map(({ lastSeen }) => lastSeen), [nowMs]);
    await reopened.take(batchOf([flow({ source: podEnd('new', 'one') })], { sequence: 2 }));
    assert.deepEqual(knownNamespaces(await again()), ['new', 'shop']);
  }, { nowMs: () => nowMs, keepMs: 4 * day });
});

test('a clock that jumps ahead on the node of the server, and tells flows of then, deletes nothing', async () => {
  let nowMs = NOON;
  await withStore(async (store, again) => {
    await store.take(batchOf([flow({ port: 1, firstSeen: NOON - DAY, lastSeen: NOON - DAY }), flow()]));
    nowMs = NOON + 400 * DAY;
    await store.take(batchOf([flow({ port: 80, firstSeen: nowMs, lastSeen: nowMs })], { sequence: 1 }));
    assert.deepEqual((await keepDays(store, { bytesMax: 1e12 })).dropped, []);
    assert.equal((await store.take(batchOf([flow({ lastSeen: NOON + 2_000 })], { node: 'node-b' }))).lost, 0);
    nowMs = NOON + DAY;
    const reopened = await again();
    await reopened.take(batchOf([flow({ firstSeen: nowMs, lastSeen: nowMs })], { sequence: 2 }));
    assert.deepEqual((await keepDays(reopened, { bytesMax: 1e12 })).dropped, []);
    nowMs = NOON + 5 * DAY;
    await reopened.take(batchOf([flow({ firstSeen: nowMs, lastSeen: nowMs })], { sequence: 3 }));
    assert.deepEqual((await keepDays(reopened, { bytesMax: 1e12 })).dropped, [dayOf(NOON - DAY), dayOf(NOON)], 'what is old still goes');
  }, { nowMs: () => nowMs, keepMs: 4 * DAY });
});

test('a store that is over its size loses no more than it must while somebody reads', async () => {
  await withStore(async (store) => {
    const days = [4, 3, 2, 1, 0].map((ago) => NOON - ago * DAY);
    for (const [sequence, time] of days.entries()) await store.take(batchOf([flow({ firstSeen: time, lastSeen: time })], { sequence }));
    await store.read(async () => {
      const { dropped } = await keepDays(store, { bytesMax: 1 });
      assert.ok(dropped.length <= 1, `${dropped.length} days were dropped, and none of them gave room`);
      assert.deepEqual((await keepDays(store, { bytesMax: 1 })).dropped, []);
    });
    assert.ok((await keepDays(store, { bytesMax: 1 })).dropped.length >= 3);
  });
});

test('flows are forgotten by namespace and by time, and hosts outside lose their names', async () => {
  await withStore(async (store, again) => {
    await store.take(batchOf([
      flow(),
      flow({ source: podEnd('bank', 'teller') }),
      flow({ firstSeen: NOON - 9_000_000, lastSeen: NOON - 9_000_000, port: 80 }),
      flow({ target: outsideEnd(0x0102_0304n, ['a.example']) }),
      flow({ target: outsideEnd(0x0102_0305n, ['b.example']) }),
    ]));
    assert.equal(await forgetFlows(store, { readable: new Set(['bank']), sinceMs: undefined, untilMs: undefined }), 1);
    assert.equal(await forgetFlows(store, { readable: 'all', sinceMs: undefined, untilMs: NOON - 8_000_000 }), 1);
    assert.deepEqual(knownNamespaces(store), ['shop']);
    assert.equal(await redactOutside(store), 2);
    const reopened = await again();
    assert.deepEqual((await ask(reopened)).map(({ target }) => (target.kind === 'pod' ? target.workload.name : target)), ['db', outsideEnd(0x0102_0300n), outsideEnd(0x0102_0300n)]);
    assert.equal(await redactOutside(reopened), 0);
  });
});

test('what was deleted or redacted stands in no table of the file any more', async () => {
  await withStore(async (store) => {
    const many = Array.from({ length: 2_000 }, (_, index) => flow({ source: podEnd('shop', `app-${index}`) }));
    await store.take(batchOf([flow({ source: podEnd('bank', 'teller') }), ...many, flow({ target: outsideEnd(0x0102_0304n, ['a.example']) }), flow({ target: outsideEnd(0x0102_0305n, ['b.example']) })]));
    const write = async (): Promise<unknown> => await store.alone(async ({ writing }) => await writing.run('CHECKPOINT'), { reloads: false });
    /** Rows whose text the file holds, and those that there are. */
    const texts = async (): Promise<unknown> => await store.read(async (_, connection) => (await connection.runAndReadAll("SELECT (SELECT sum(count)::INTEGER FROM pragma_storage_info('ends') WHERE column_name = 'text' AND segment_type = 'VARCHAR'), (SELECT count(*)::INTEGER FROM ends)")).getRows()[0]);
    await write();
    assert.deepEqual(await texts(), [2_005, 2_005]);
    await forgetFlows(store, { readable: new Set(['bank']), sinceMs: undefined, untilMs: undefined });
    assert.deepEqual(await texts(), [2_004, 2_004]);
    await redactOutside(store);
    assert.deepEqual(await texts(), [2_003, 2_003]);
  });
});

test('days that are over become Parquet, a partition each, that says the same as the store', async () => {
  const day = 86_400_000;
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-par'quet-"));
  try {
    await withStore(async (store) => {
      await store.take(batchOf([
        flow({ firstSeen: NOON - 2 * day, lastSeen: NOON - 2 * day, reason, service: 'shop/db', verdict: 'denied' }),
        flow({ firstSeen: NOON - day, lastSeen: NOON - day + 5, target: outsideEnd(0x0102_0304n, ['a.example']), openings: undefined }),
        flow(),
      ]));
      assert.deepEqual(await exportDays(store, folder), ['2026-11-18', '2026-11-19']);
      assert.deepEqual(await exportDays(store, folder), []);
      const sql = `SELECT day::VARCHAR, verdict, source_namespace, source_workload, target_workload, target_address, target_names, port, count::INTEGER, openings::INTEGER, epoch_ms(last_seen)::DOUBLE, service, node, source_labels, reason FROM read_parquet('${folder.replaceAll("'", "''")}/*/*.parquet', hive_partitioning = true) ORDER BY day`;
      const rows = await store.read(async (_, connection) => (await connection.runAndReadAll(sql)).getRows());
      await holdToTable(store, `${folder}/day=2026-11-18/flows.parquet`);
      const labels = '["k8s:app=web","k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop","k8s:io.cilium.k8s.namespace.labels.team=shop"]';
      assert.deepEqual(rows, [
        ['2026-11-18', 'denied', 'shop', 'web', 'db', null, null, 3306, 1, 1, NOON - 2 * day, 'shop/db', 'node-a', labels, JSON.stringify(reasonFields(reason))],
        ['2026-11-19', 'allowed', 'shop', 'web', null, '1.2.3.4', '["a.example"]', 3306, 1, null, NOON - day + 5, null, 'node-a', labels, null],
      ]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a day is exported when it has settled, and a later one was seen', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-parquet-'));
  const midnight = NOON + DAY / 2;
  let nowMs = NOON + 60_000;
  try {
    await withStore(async (store) => {
      await store.take(batchOf([flow()]));
      nowMs = NOON + 5 * DAY;
      assert.deepEqual(await exportDays(store, folder), [], 'the clock alone says that it is over');
      nowMs = midnight + 3_600_000;
      await store.take(batchOf([flow({ firstSeen: midnight, lastSeen: midnight + 1 }), flow({ port: 80, lastSeen: midnight - 1 })], { sequence: 1 }));
      assert.deepEqual(await exportDays(store, folder), [], 'some may still wait on a node');
      nowMs = midnight + 2 * 3_600_000;
      assert.deepEqual(await exportDays(store, folder), ['2026-11-20']);
    }, { nowMs: () => nowMs });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** As Hive's DDL names the types that Parquet has. */
const HIVE_TYPES: ReadonlyMap<string, string> = new Map([['INT32 INT_32', 'int'], ['INT64 INT_64', 'bigint'], ['BYTE_ARRAY UTF8', 'string'], ['INT64 TIMESTAMP_MICROS', 'timestamp']]);

/** Its columns are those of the table in the guide, in their order, and times are marked as UTC. */
async function holdToTable(store: FlowStore, file: string): Promise<void> {
  const rows = await store.read(async (_, connection) => (await connection.runAndReadAll(`SELECT name, type || ' ' || converted_type, logical_type FROM parquet_schema('${file.replaceAll("'", "''")}') WHERE type IS NOT NULL`)).getRows()) as unknown as readonly (readonly [string, string, string | null])[]; // as the statement says
  const [, table] = /CREATE EXTERNAL TABLE flows \(\n(.*?)\n\)/s.exec(readFileSync(join(cloneRoot, 'docs/guide/serve.md'), 'utf8'))!;
  assert.deepEqual(rows.map(([name, type]) => `${name} ${HIVE_TYPES.get(type)}`), table!.replaceAll('`', '').split(',').map((column) => column.trim()));
  for (const [name, type, logical] of rows) if (type.endsWith('MICROS')) assert.match(`${name} ${logical}`, /isAdjustedToUTC=1/);
}
