// What was seen of flows, by their numbers, summed over the days that are asked for.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DuckDb } from '../store/duckdb.ts';
import type { OpenStore } from '../store/flow-store.ts';
import { DAY_MS, dayOf, dayTable, findDays, findSums, sumsTable } from '../store/store-schema.ts';
import type { Seen } from './wanted-flows.ts';

export interface Reading {
  readonly open: OpenStore;
  readonly connection: DuckDBConnection;
  readonly duckDb: DuckDb;
}

/** Milliseconds since 1970: last seen since then, first seen until then. */
export interface SeenBounds {
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface FlowSum extends Seen {
  readonly flow: number;
}

/** In no order; some at a time. */
export async function streamSums(reading: Reading, flows: readonly number[], bounds: SeenBounds, take: (sums: readonly FlowSum[]) => Promise<void>): Promise<void> {
  const tables = await findTables(reading.connection, bounds);
  if (tables.length === 0) return;
  const sql = `SELECT flow, sum(count)::DOUBLE, CASE WHEN count(openings) = count(*) THEN sum(openings)::DOUBLE END, min(seen - lasted)::DOUBLE, max(seen)::DOUBLE
    FROM (${tables.map(rowsOf).join(' UNION ALL ')})`;
  for await (const rows of streamRows(reading, { sql, bounds, flows })) {
    const sums = rows as readonly (readonly [number, number, number | null, number, number])[]; // as the statement says
    await take(sums.map(([flow, count, openings, firstSeen, lastSeen]) => ({ flow, count, openings: openings ?? undefined, firstSeen, lastSeen })));
  }
}

export interface LatestFlows {
  readonly flows: readonly number[];
  /** Every flow that was last seen then or later is among them; -Infinity: all of them are. */
  readonly from: number;
}

/** As many as are wanted, and maybe more: from the newest day back until there are enough. */
export async function latestFlows(reading: Reading, flows: readonly number[], bounds: SeenBounds, flowsWanted: number): Promise<LatestFlows> {
  const found = new Set<number>();
  for (const table of (await findTables(reading.connection, bounds)).toReversed()) {
    const latest: (readonly [flow: number, seen: number])[] = [];
    const sql = `SELECT flow, max(seen)::DOUBLE AS latest FROM (${rowsOf(table)})`;
    for await (const rows of streamRows(reading, { sql, bounds, flows, end: `ORDER BY latest DESC LIMIT ${flowsWanted}` })) latest.push(...(rows as typeof latest)); // as the statement says
    for (const [flow] of latest) found.add(flow);
    if (latest.length === flowsWanted) return { flows: [...found], from: latest.at(-1)![1] };
  }
  return { flows: [...found], from: -Infinity };
}

interface SeenTable {
  readonly day: number;
  readonly table: string;
}

/** In order. Of a day that is asked for whole its sums, where it has them. */
async function findTables(connection: DuckDBConnection, { sinceMs = 0, untilMs = Infinity }: SeenBounds): Promise<readonly SeenTable[]> {
  const sums = new Set(await findSums(connection));
  const isWhole = (day: number): boolean => sinceMs <= day * DAY_MS && untilMs >= (day + 1) * DAY_MS;
  return (await findDays(connection)).filter((day) => day >= dayOf(sinceMs)).map((day) => ({ day, table: isWhole(day) && sums.has(day) ? sumsTable(day) : dayTable(day) }));
}

function rowsOf({ day, table }: SeenTable): string {
  return `SELECT flow, ${day * DAY_MS}::BIGINT + last AS seen, lasted, count, openings FROM ${table}`;
}

interface Grouping {
  /** Without its bounds. Numbers only go into the text. */
  readonly sql: string;
  readonly bounds: SeenBounds;
  readonly flows: readonly number[];
  readonly end?: string;
}

/** One row a flow. */
async function* streamRows({ open, connection, duckDb: { LIST, INTEGER, listValue } }: Reading, { sql, bounds: { sinceMs, untilMs }, flows, end = '' }: Grouping): AsyncGenerator<readonly (readonly unknown[])[]> {
  const isAll = flows.length === open.known.flows.size;
  const terms = [
    ...(isAll ? [] : ['flow IN (SELECT unnest($1))']),
    ...(sinceMs === undefined ? [] : [`seen >= ${Math.trunc(sinceMs)}`]),
    ...(untilMs === undefined ? [] : [`seen - lasted <= ${Math.trunc(untilMs)}`]),
  ];
  const text = `${sql} ${terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`} GROUP BY flow ${end}`;
  const result = isAll ? await connection.stream(text) : await connection.stream(text, [listValue([...flows])], [LIST(INTEGER)]);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) yield chunk.getRows();
}
