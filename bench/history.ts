// What the server of flows costs: records of many nodes taken in, 100 million of them kept, and a question about a week of them.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { FlowRecord } from '../src/flow/flow-record.ts';
import { askStore, type Question } from '../src/history/ask-store.ts';
import { readBatch, writeBatch, type FlowBatch } from '../src/history/flow-batch.ts';
import { openHistory } from '../src/history/history.ts';
import { keepDays } from '../src/history/keep-days.ts';
import { createDay, dayOf, dayTable } from '../src/history/store-schema.ts';
import { FLOWS_OF_NODE, makeBatches, NODES, OUTSIDE, SEED, WORKLOADS } from './generate-batches.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LAST_DAY = Date.parse('2026-11-20T00:00:00Z');
const DAYS = 7;
const FLOWS = NODES * FLOWS_OF_NODE;
/** Of the first day; the rest of the days is written by the database, in the form that `keepDays` leaves. */
const HOURS_TAKEN = 8;

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'));
const file = join(folder, 'flows.duckdb');
const store = await openHistory({ file, nowMs: () => LAST_DAY + DAY_MS - HOUR_MS });
try {
  console.log(`seed ${SEED}: ${NODES} nodes, each with ${FLOWS_OF_NODE} different flows between ${WORKLOADS} workloads and ${OUTSIDE} hosts outside, each flow seen once an hour`);
  await takeHours();
  await fillDays();
  await ask('who talked to shop/db last week', { target: 'shop/db', sinceMs: LAST_DAY + DAY_MS - 7 * DAY_MS });
  await ask('what of it was refused, the last day', { target: 'shop/db', verdict: 'denied', sinceMs: LAST_DAY });
  await ask('everything that reached the namespace shop in the week', { target: 'shop/*', sinceMs: LAST_DAY + DAY_MS - 7 * DAY_MS });
  console.log(`most resident: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB, the generator included`);
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}

/** Batches as they come over the wire; making them is the agents' cost. */
async function takeHours(): Promise<void> {
  const bodies = makeBatches();
  const rates: { readonly wall: number; readonly cpu: number }[] = [];
  let packedBytes = 0;
  for (let hour = 0; hour < HOURS_TAKEN; hour++) {
    const packed = bodies.map((batch, index) => gzipSync(writeBatch(shifted(batch, LAST_DAY - (DAYS - 1) * DAY_MS + hour * HOUR_MS, hour, index)), { level: 1 }));
    packedBytes += packed.reduce((sum, { length }) => sum + length, 0);
    const [wallBefore, cpuBefore] = [performance.now(), process.cpuUsage()];
    for (let start = 0; start < packed.length; start += 24) await Promise.all(packed.slice(start, start + 24).map(take));
    const used = process.cpuUsage(cpuBefore);
    rates.push({ wall: FLOWS / (performance.now() - wallBefore), cpu: FLOWS / ((used.user + used.system) / 1_000) });
  }
  const best = (kind: 'wall' | 'cpu'): number => Math.round(Math.max(...rates.map((rate) => rate[kind])) * 1_000);
  const all = Math.round((rates.length / rates.reduce((sum, { wall }) => sum + 1 / wall, 0)) * 1_000);
  console.log(`taken in, ${HOURS_TAKEN} times ${FLOWS} records in batches of ${FLOWS_OF_NODE}, unpacked, read, checked and on the disk: ${best('wall')} a second at best, ${all} on average (goal 200000); ${best('cpu')} in a second of CPU time of all threads; ${(packedBytes / FLOWS / HOURS_TAKEN).toFixed(1)} bytes each over the wire`);
}

/** Each flow at some minute of each hour, for some while: no row can be folded into another. */
async function fillDays(): Promise<void> {
  const before = performance.now();
  await keepDays(store, { bytesMax: 1e12 });
  console.log(`folding the hours that were taken in: ${((performance.now() - before) / 1_000).toFixed(1)} s`);
  await store.alone(async ({ writing }) => {
    for (let day = 0; day < DAYS; day++) {
      const table = dayTable(dayOf(LAST_DAY) - (DAYS - 1 - day));
      const firstHour = day === 0 ? HOURS_TAKEN : 0;
      if (day > 0) await writing.run(createDay(table));
      await writing.run(`INSERT INTO ${table} SELECT flow, hour * ${HOUR_MS} + 1800000 + hash(flow * 31 + hour) % 1700000, hash(flow * 37 + hour) % 1800000, 1 + hash(flow * 41 + hour) % 5000, 1 + hash(flow * 41 + hour) % 5000
        FROM (SELECT id AS flow FROM flows) CROSS JOIN (SELECT range AS hour FROM range(${firstHour}, 24)) ORDER BY flow, hour`);
      await writing.run('CHECKPOINT');
    }
  }, { reloads: true });
  const records = DAYS * 24 * FLOWS;
  const bytes = statSync(file).size;
  console.log(`kept: ${records} records of ${DAYS} days in ${Math.round(bytes / 1e6)} MB, ${(bytes / records).toFixed(1)} bytes each (goal 100000000 in less than 2000 MB); the hours that were not taken in are written by the database itself`);
}

async function take(body: Uint8Array): Promise<void> {
  const read = readBatch(gunzipSync(body).toString());
  if (read.kind === 'broken') throw new Error(read.message);
  const taken = await store.take(read.batch);
  if (taken.isDuplicate || taken.lost > 0) throw new Error('a batch was not taken whole');
}

function shifted(batch: FlowBatch, startMs: number, sequence: number, seed: number): FlowBatch {
  const { columns } = batch;
  // The same flow at another minute of each hour, for another while.
  const starts = columns.firstSeen.map((_, row) => startMs + (((row * 7_919 + sequence * 104_729 + seed * 1_299_709) >>> 0) % 1_700_000));
  return { ...batch, sequence, columns: { ...columns, firstSeen: starts, lastSeen: starts.map((start, row) => start + (((row * 31 + sequence * 17 + seed) * 9_973) % 1_800_000)) } };
}

async function ask(name: string, question: Omit<Question, 'readable'>): Promise<void> {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let found: FlowRecord[] = [];
  for (let repeat = 0; repeat < 5; repeat++) {
    found = [];
    const [before, cpuBefore] = [performance.now(), process.cpuUsage()];
    await askStore(store, { readable: 'all', ...question }, async (records) => void found.push(...records));
    times.push(performance.now() - before);
    const used = process.cpuUsage(cpuBefore);
    cpuTimes.push((used.user + used.system) / 1_000);
  }
  const judgments = found.reduce((sum, { count }) => sum + count, 0);
  console.log(`${name}: ${(times[0]! / 1_000).toFixed(2)} s the first time, least of 5 ${(Math.min(...times) / 1_000).toFixed(2)} s (goal 1 s), ${(Math.min(...cpuTimes) / 1_000).toFixed(2)} s of CPU over ${store.options.threads} threads; ${found.length} flows of ${judgments} judgments`);
}
