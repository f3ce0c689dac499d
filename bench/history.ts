// What the server of flows costs: records of many nodes taken in, 100 million of them kept, and a question about a week of them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readBatch, writeBatch, type FlowBatch } from '../src/history/batch/flow-batch.ts';
import { openHistory } from '../src/history/history.ts';
import { keepDays, sumDay } from '../src/history/store/keep-days.ts';
import { createDay, dayOf, dayTable, sumsTable } from '../src/history/store/store-schema.ts';
import { FLOWS_OF_NODE, makeBatches, NODES, OUTSIDE, SEED, SPREAD, WORKLOADS } from './generate-batches.ts';

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
  console.log(`seed ${SEED}: ${NODES} nodes, each with ${FLOWS_OF_NODE} different flows between ${WORKLOADS} workloads on ${SPREAD} nodes each and ${OUTSIDE} hosts outside, told by the nodes of both ends, each flow seen once an hour`);
  await takeHours();
  await fillDays();
  console.log(`most resident: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB, the generator included`);
  await store.close();
  askAnew();
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}

/** By a process that has just started, of a file of which the system holds nothing in memory: GNU dd drops it. */
function askAnew(): void {
  const dropped = spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
  if (dropped.status !== 0) throw new Error('what the system holds of the file could not be dropped');
  const asked = spawnSync(process.execPath, [join(import.meta.dirname, 'history-questions.ts'), file, String(LAST_DAY)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (asked.status !== 0) throw new Error('the questions were not answered');
  console.log(asked.stdout.trimEnd());
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
      const number = dayOf(LAST_DAY) - (DAYS - 1 - day);
      const table = dayTable(number);
      const firstHour = day === 0 ? HOURS_TAKEN : 0;
      if (day > 0) await writing.run(createDay(table));
      await writing.run(`INSERT INTO ${table} SELECT flow, hour * ${HOUR_MS} + 1800000 + hash(flow * 31 + hour) % 1700000, hash(flow * 37 + hour) % 1800000, 1 + hash(flow * 41 + hour) % 5000, 1 + hash(flow * 41 + hour) % 5000
        FROM (SELECT id AS flow FROM flows) CROSS JOIN (SELECT range AS hour FROM range(${firstHour}, 24)) ORDER BY flow, hour`);
      if (day < DAYS - 1) {
        await writing.run(`DROP TABLE IF EXISTS ${sumsTable(number)}`);
        await sumDay(writing, number);
      }
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
