// A process that exports a day to a disk that is too small for it, and says what was left there as one line of JSON: FOLDER.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportDays } from '../../src/history/store/export-days.ts';
import { openHistory } from '../../src/history/history.ts';
import { DAY_MS } from '../../src/history/store/store-schema.ts';
import { batchOf, flow, NOON, outsideEnd } from './sample-flows.ts';

const folder = process.argv[2]!;
const own = mkdtempSync(join(tmpdir(), 'bulkhead-export-'));
const store = await openHistory({ file: join(own, 'flows.duckdb'), nowMs: () => NOON + 60_000 });
try {
  const many = Array.from({ length: 40_000 }, (_, index) => flow({ source: outsideEnd(BigInt((index * 2_654_435_761) % 2 ** 32)), count: 1 + ((index * 7_919) % 100_003), firstSeen: NOON - DAY_MS - ((index * 104_729) % 40_000_000), lastSeen: NOON - DAY_MS }));
  await store.take(batchOf([...many, flow()]));
  const message = await exportDays(store, folder).then(() => 'exported', (error: Error) => error.message);
  process.stdout.write(`${JSON.stringify({ message, left: readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name) })}\n`);
} finally {
  await store.close();
  rmSync(own, { recursive: true });
}
