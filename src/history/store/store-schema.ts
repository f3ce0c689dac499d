// The tables of a store: what flows have in common once, and one table a day of what was seen.
import type { DuckDBConnection } from '@duckdb/node-api';
import { HistoryError } from '../batch/history-error.ts';
import { queryRows } from './duckdb.ts';

/** A store of another version is not opened. */
const VERSION = 1;
export const DAY_MS = 86_400_000;

const TABLES = `
CREATE TABLE meta(version INTEGER);
INSERT INTO meta VALUES (${VERSION});
CREATE TABLE ends(id INTEGER, text VARCHAR);
CREATE TABLE reasons(id INTEGER, text VARCHAR);
CREATE TABLE names(id INTEGER, text VARCHAR);
CREATE TABLE flows(id INTEGER, source INTEGER, target INTEGER, port INTEGER, protocol INTEGER, flags INTEGER, node INTEGER, service INTEGER, reason INTEGER);
CREATE TABLE batches(run VARCHAR, sequence BIGINT, written BIGINT);
CREATE TABLE losses(written BIGINT, flows BIGINT);`;

/** Throws HistoryError `store-unreadable`. */
export async function prepareSchema(connection: DuckDBConnection): Promise<void> {
  const tables = await queryRows(connection, "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary");
  if (tables.length === 0) {
    await connection.run(`BEGIN; ${TABLES} COMMIT`);
    return;
  }
  const version = tables.some(([name]) => name === 'meta') ? (await queryRows(connection, 'SELECT version FROM meta'))[0]?.[0] : undefined;
  if (version !== VERSION) throw new HistoryError('store-unreadable', version === undefined ? 'the file holds another database' : `the store is of version ${String(version)}, and ${VERSION} is read`);
}

/** Days since 1970, UTC. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** `last`: milliseconds into the day; `lasted`: milliseconds since first seen, maybe before that day. */
export function dayTable(day: number): string {
  return `seen_${day}`;
}

/** Of a day that is over: one row a flow, in the form of the day's own table. Where there is one, it says the same. */
export function sumsTable(day: number): string {
  return `sums_${day}`;
}

export function createDay(table: string): string {
  return `CREATE TABLE ${table}(flow INTEGER, last INTEGER, lasted BIGINT, count BIGINT, openings BIGINT)`;
}

/** In order. */
export async function findDays(connection: DuckDBConnection): Promise<readonly number[]> {
  return await daysOfTables(connection, 'seen_');
}

/** Days that have sums, in order. */
export async function findSums(connection: DuckDBConnection): Promise<readonly number[]> {
  return await daysOfTables(connection, 'sums_');
}

async function daysOfTables(connection: DuckDBConnection, start: string): Promise<readonly number[]> {
  const rows = await queryRows(connection, `SELECT substr(table_name, ${start.length + 1}) FROM duckdb_tables() WHERE starts_with(table_name, '${start}')`);
  return rows.flatMap(([day]) => (/^[0-9]+$/.test(String(day)) ? [Number(day)] : [])).sort((a, b) => a - b);
}
