// The embedded database: loaded when a store is opened, so that nothing else pays for it.
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { HistoryError } from '../batch/history-error.ts';

export type DuckDb = typeof import('@duckdb/node-api');

/** Throws HistoryError `store-missing`. */
export async function loadDuckDb(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new HistoryError('store-missing', `the database of the history is not installed for ${process.platform} on ${process.arch}: \`npm install\` brings the package @duckdb/node-api, without --omit=optional`, cause);
  }
}

export interface DatabaseOptions {
  readonly memoryBytesMax: number;
  readonly threads: number;
}

/** Nothing is fetched: extensions that are not built in are refused. Throws HistoryError. */
export async function openDatabase({ DuckDBInstance: Instance }: DuckDb, file: string, { memoryBytesMax, threads }: DatabaseOptions): Promise<DuckDBInstance> {
  try {
    return await Instance.create(file, {
      threads: String(threads),
      memory_limit: `${Math.round(memoryBytesMax / 2 ** 20)}MiB`,
      temp_directory: `${file}.spill`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      checkpoint_threshold: '256MiB',
      preserve_insertion_order: 'false',
    });
  } catch (cause) {
    const said = (cause as Error).message;
    if (/conflicting lock/i.test(said)) throw new HistoryError('store-in-use', `${file} is open in another process`, cause);
    if (/no space left|read-only|permission denied|cannot open file/i.test(said)) throw new HistoryError('store-failed', `${file} cannot be opened: ${firstLine(said)}`, cause);
    throw new HistoryError('store-unreadable', `${file} is no store of flows, or damaged: ${firstLine(said)}`, cause);
  }
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300);
}

/** Rows as numbers and texts; sums are cast to DOUBLE by whoever asks. */
export async function queryRows(connection: DuckDBConnection, sql: string): Promise<readonly (readonly unknown[])[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRows();
}

/** Whole numbers of 32 bits, none of them null, in columns: as few rows at once as the database gives. */
export async function* queryColumns(connection: DuckDBConnection, sql: string): AsyncGenerator<readonly (readonly number[])[]> {
  const result = await connection.stream(sql);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) yield chunk.getColumns() as readonly (readonly number[])[];
}

/** The log becomes part of the file, and room that was given up is free; false where a reader is in the way: then later, by itself. */
export async function checkpoint(connection: DuckDBConnection): Promise<boolean> {
  return await connection.run('CHECKPOINT').then(() => true, () => false);
}
