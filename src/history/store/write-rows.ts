// One transaction of a store: what several batches brought, their days, and how far each run of an agent has come.
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import type { Dictionaries } from './dictionaries.ts';
import { forgetFresh, writeFresh } from './dictionaries.ts';
import type { DuckDb } from './duckdb.ts';
import type { DayRows, PlacedBatch } from './place-records.ts';
import { createDay, dayTable, sumsTable } from './store-schema.ts';

export interface WrittenBatch extends PlacedBatch {
  readonly run: string;
  readonly sequence: number;
  /** Told by the agent. */
  readonly lostBefore: number;
}

export interface RowWriter {
  readonly duckDb: DuckDb;
  readonly connection: DuckDBConnection;
  readonly known: Dictionaries;
  /** Days that have a table; grows. */
  readonly days: Set<number>;
  /** Days that have sums; those to which rows are added lose them. */
  readonly sums: Set<number>;
  readonly nowMs: number;
}

/** When it resolves, all of it is on the disk; when it rejects, nobody knows, and the store must be opened anew. */
export async function writeBatches(writer: RowWriter, batches: readonly WrittenBatch[]): Promise<void> {
  const { connection, known, days, sums } = writer;
  await connection.run('BEGIN');
  await writeFresh(connection, known);
  for (const [day, rows] of mergeDays(batches)) {
    if (!days.has(day)) await connection.run(createDay(dayTable(day)));
    if (sums.delete(day)) await connection.run(`DROP TABLE ${sumsTable(day)}`);
    await appendRows(writer, dayTable(day), rows);
    days.add(day);
  }
  await writeRuns(writer, batches);
  await connection.run('COMMIT');
  forgetFresh(known);
}

function mergeDays(batches: readonly WrittenBatch[]): ReadonlyMap<number, readonly DayRows[]> {
  const days = new Map<number, DayRows[]>();
  for (const batch of batches) for (const [day, rows] of batch.days) days.set(day, [...(days.get(day) ?? []), rows]);
  return days;
}

/** Of DuckDB: rows of one chunk. */
const CHUNK_ROWS = 2_048;

async function appendRows({ duckDb, connection }: RowWriter, table: string, parts: readonly DayRows[]): Promise<void> {
  const { DuckDBDataChunk, INTEGER, BIGINT } = duckDb;
  const types: readonly DuckDBType[] = [INTEGER, INTEGER, BIGINT, BIGINT, BIGINT];
  const appender = await connection.createAppender(table);
  for (const { flow, last, lasted, count, openings } of parts) {
    for (let start = 0; start < flow.length; start += CHUNK_ROWS) {
      const end = Math.min(flow.length, start + CHUNK_ROWS);
      const chunk = DuckDBDataChunk.create(types, end - start);
      chunk.setColumnValues(0, flow.slice(start, end));
      chunk.setColumnValues(1, last.slice(start, end));
      chunk.setColumnValues(2, lasted.slice(start, end).map(BigInt));
      chunk.setColumnValues(3, count.slice(start, end).map(BigInt));
      chunk.setColumnValues(4, openings.slice(start, end).map((value) => (value < 0 ? null : BigInt(value))));
      appender.appendDataChunk(chunk);
    }
  }
  appender.closeSync();
}

async function writeRuns({ connection, nowMs }: RowWriter, batches: readonly WrittenBatch[]): Promise<void> {
  const appender = await connection.createAppender('batches');
  for (const { run, sequence } of batches) {
    appender.appendVarchar(run);
    appender.appendBigInt(BigInt(sequence));
    appender.appendBigInt(BigInt(nowMs));
    appender.endRow();
  }
  appender.closeSync();
  const lost = batches.reduce((sum, batch) => sum + batch.lost + batch.lostBefore, 0);
  if (lost > 0) await connection.run(`INSERT INTO losses VALUES (${nowMs}, ${lost})`);
}
