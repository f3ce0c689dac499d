// What a store does with its days as they pass: folds and sorts those that are over, and drops the oldest.
import type { DuckDBConnection } from '@duckdb/node-api';
import { checkpoint, queryRows } from './duckdb.ts';
import type { FlowStore } from './flow-store.ts';
import { forgetUnused } from './forget-flows.ts';
import { createDay, dayOf, dayTable, findDays, sumsTable } from './store-schema.ts';

export interface Kept {
  /** Days that were folded. */
  readonly folded: readonly number[];
  readonly dropped: readonly number[];
}

/** A day is folded, and exported, when it has been over for so long: flows may wait on a node. What comes later is folded the next time. */
export const SETTLED_MS: number = 2 * 3_600_000;
const HOUR_MS = 3_600_000;

/**
 * Of a day that is over, the same flow within an hour becomes one row; times stay what they were, to the first and the last.
 * Beside them stand the sums of the day, for questions about the whole of it.
 */
export async function keepDays(store: FlowStore, { bytesMax }: { readonly bytesMax: number }): Promise<Kept> {
  const dropped = await dropDays(store, bytesMax);
  const folded: number[] = [];
  const over = dayOf(store.options.nowMs() - SETTLED_MS);
  for (const day of await store.read((_, connection) => findDays(connection))) {
    if (day < over && (await foldDay(store, day))) folded.push(day);
  }
  return { folded, dropped };
}

/** false: nothing has come or gone since it was folded. */
async function foldDay(store: FlowStore, day: number): Promise<boolean> {
  return await store.alone(async ({ writing, sums }) => {
    if (sums.has(day)) return false;
    const [table, fresh] = [dayTable(day), `fold_${day}`];
    await writing.run('BEGIN');
    await foldInto(writing, fresh, table, `, last // ${HOUR_MS}`);
    await writing.run(`DROP TABLE ${table}; ALTER TABLE ${fresh} RENAME TO ${table}`);
    await sumDay(writing, day);
    await foldRuns(writing);
    await writing.run('COMMIT');
    sums.add(day);
    await checkpoint(writing);
    return true;
  }, { reloads: false });
}

/** In a transaction. */
export async function sumDay(writing: DuckDBConnection, day: number): Promise<void> {
  await foldInto(writing, sumsTable(day), dayTable(day), '');
}

async function foldInto(writing: DuckDBConnection, fresh: string, table: string, within: string): Promise<void> {
  await writing.run(createDay(fresh));
  await writing.run(`INSERT INTO ${fresh}
    SELECT flow, max(last), max(last) - min(last - lasted), sum(count)::BIGINT, CASE WHEN count(openings) = count(*) THEN sum(openings)::BIGINT END
    FROM ${table} GROUP BY flow${within} ORDER BY flow, max(last)`);
}

/** How far each run has come, in one row. */
async function foldRuns(writing: DuckDBConnection): Promise<void> {
  await writing.run('CREATE TEMP TABLE runs AS SELECT run, max(sequence) AS sequence, max(written) AS written FROM batches GROUP BY run; DELETE FROM batches; INSERT INTO batches SELECT * FROM runs; DROP TABLE runs');
}

/** Those that are too old, and the oldest until the file fits; never the last one. */
async function dropDays(store: FlowStore, bytesMax: number): Promise<readonly number[]> {
  const horizon = dayOf(store.horizonMs());
  const dropped: number[] = [];
  for (;;) {
    const [oldest, ...later] = await store.read((_, connection) => findDays(connection));
    if (oldest === undefined || (oldest >= horizon && (later.length === 0 || !(await isOver(store, bytesMax))))) return dropped;
    await store.alone(async ({ writing }) => {
      await writing.run(`BEGIN; DROP TABLE ${dayTable(oldest)}; DROP TABLE IF EXISTS ${sumsTable(oldest)}`);
      await forgetUnused(writing);
      await writing.run('COMMIT');
      await checkpoint(writing);
    }, { reloads: true });
    dropped.push(oldest);
  }
}

/** While somebody reads, what was given up is still in use, and one day after the other would go for it: false. */
async function isOver(store: FlowStore, bytesMax: number): Promise<boolean> {
  return await store.alone(async ({ writing }) => (await checkpoint(writing)) && (await usedBytes(writing)) > bytesMax, { reloads: false });
}

/** Of the file that is in use; what was given up is used again before the file grows. */
export async function usedBytes(connection: DuckDBConnection): Promise<number> {
  const [row] = await queryRows(connection, 'SELECT (used_blocks * block_size)::DOUBLE FROM pragma_database_size()');
  return Number(row![0]);
}
