// A process that fills a store on a small disk until it is full, makes room, and says what it saw as one line of JSON: FOLDER.
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askStore } from '../../src/history/ask/ask-store.ts';
import { HistoryError } from '../../src/history/batch/history-error.ts';
import { openHistory } from '../../src/history/history.ts';
import { batchOf, flow, NOON, outsideEnd } from './sample-flows.ts';

const folder = process.argv[2]!;
const ballast = join(folder, 'ballast');
const store = await openHistory({ file: join(folder, 'flows.duckdb'), nowMs: () => NOON + 60_000, memoryBytesMax: 256 * 2 ** 20 });

const batchAt = (sequence: number): ReturnType<typeof batchOf> => batchOf(Array.from({ length: 2_000 }, (_, index) => flow({ source: outsideEnd(BigInt(sequence * 2_000 + index)) })), { sequence });

const { bavail, bsize } = statfsSync(folder);
writeFileSync(ballast, Buffer.alloc(Math.floor(bavail * bsize * 0.7), 1));
let sequence = 0;
let failed: unknown;
while (failed === undefined) {
  try {
    await store.take(batchAt(sequence));
    sequence++;
  } catch (error) {
    failed = error;
  }
}
const again = await store.take(batchAt(sequence)).then(() => 'taken', (error: unknown) => (error instanceof HistoryError ? error.code : String(error)));
rmSync(ballast);
const refused = sequence;
for (; sequence < refused + 5; sequence++) await store.take(batchAt(sequence));
let [flows, judgments] = [0, 0];
await askStore(store, { readable: 'all' }, async (records) => {
  for (const { count } of records) [flows, judgments] = [flows + 1, judgments + count];
});
await store.close();
process.stdout.write(`${JSON.stringify({ code: failed instanceof HistoryError ? failed.code : String(failed), again, refused, expected: sequence * 2_000, flows, judgments })}\n`);
