// Days that are over as Parquet files in a folder, one partition a day, as DuckDB, Athena, Trino and Spark read them.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncPath } from '../batch/sync-path.ts';
import { DENIED_FLAG, IPV6_FLAG } from './flow-keys.ts';
import type { FlowStore } from './flow-store.ts';
import { SETTLED_MS } from './keep-days.ts';
import { DAY_MS, dayOf, dayTable, dayText, findDays } from './store-schema.ts';

/**
 * Gives those that were written: of days that have settled and have no file yet. A later day has been seen as well, so that a clock of ours
 * that jumps ahead writes no half of a day. A file is there whole or not at all.
 */
export async function exportDays(store: FlowStore, folder: string): Promise<readonly string[]> {
  const over = dayOf(store.options.nowMs() - SETTLED_MS);
  const days = (await store.read((_, connection) => findDays(connection))).slice(0, -1).filter((day) => day < over);
  const written: string[] = [];
  for (const day of days) if (await exportDay(store, folder, day)) written.push(dayText(day));
  return written;
}

async function exportDay(store: FlowStore, folder: string, day: number): Promise<boolean> {
  const place = join(folder, `day=${dayText(day)}`);
  const file = join(place, 'flows.parquet');
  if (existsSync(file)) return false;
  mkdirSync(place, { recursive: true });
  const half = join(place, '.flows.parquet.half');
  rmSync(half, { force: true });
  try {
    await store.read((_, connection) => connection.run(`COPY (${dayRows(day)}) TO '${half.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`));
    syncPath(half);
    renameSync(half, file);
  } catch (error) {
    rmSync(half, { force: true }); // the disk may be that of the store
    throw error;
  }
  [place, folder].forEach(syncPath);
  return true;
}

/** Labels and rules as JSON in the contract's form, within a text: every reader has functions for it. */
function dayRows(day: number): string {
  const end = (side: string, field: string): string => `${side}.text->>'$.source.${field}'`;
  const columns = ['source', 'target'].flatMap((side) => [
    `${end(side, 'namespace')} AS ${side}_namespace`,
    `${end(side, 'workloads[0].kind')} AS ${side}_kind`,
    `${end(side, 'workloads[0].name')} AS ${side}_workload`,
    `${side}.text->>'$.IP.source' AS ${side}_address`,
    `${end(side, 'node_name')} AS ${side}_node`,
    `(${side}.text->'$.source_names')::VARCHAR AS ${side}_names`,
    `(${side}.text->'$.source.labels')::VARCHAR AS ${side}_labels`,
  ]);
  const start = day * DAY_MS;
  return `SELECT ${instant(`${start}::BIGINT + last - lasted`)} AS first_seen, ${instant(`${start}::BIGINT + last`)} AS last_seen,
    CASE WHEN flows.flags & ${DENIED_FLAG} = 0 THEN 'allowed' ELSE 'denied' END AS verdict, CASE WHEN flows.flags & ${IPV6_FLAG} = 0 THEN 4 ELSE 6 END::INTEGER AS family,
    flows.protocol, flows.port, count, openings, ${columns.join(', ')}, node.text AS node, service.text AS service, reason.text AS reason
    FROM ${dayTable(day)} AS seen JOIN flows ON flows.id = seen.flow JOIN ends AS source ON source.id = flows.source JOIN ends AS target ON target.id = flows.target
    LEFT JOIN names AS node ON node.id = flows.node LEFT JOIN names AS service ON service.id = flows.service LEFT JOIN reasons AS reason ON reason.id = flows.reason ORDER BY seen.flow, last`;
}

/** Of milliseconds since 1970: marked as UTC, without which Spark takes it for the clock on some wall. */
function instant(ms: string): string {
  return `make_timestamptz(1000 * (${ms}))`;
}
