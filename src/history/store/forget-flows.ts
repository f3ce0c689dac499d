// What is taken out of a store: flows of namespaces or times, and what is known of hosts outside.
import type { DuckDBConnection } from '@duckdb/node-api';
import { endText } from '../batch/batching.ts';
import { parsedEnd, readEndText, type Dictionaries } from './dictionaries.ts';
import { checkpoint, queryRows } from './duckdb.ts';
import { USED_FLAG } from './flow-keys.ts';
import type { FlowStore } from './flow-store.ts';
import { redactEnd } from './place-records.ts';
import { isReadable, type Readable } from './readable-flows.ts';
import { DAY_MS, dayTable, findDays, sumsTable } from './store-schema.ts';

export interface Forgetting {
  /** Flows with an end in one of them; `all`: of every flow. */
  readonly readable: Readable;
  /** Seen since then, and until then. */
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** Sorted. */
export function knownNamespaces({ known }: Pick<FlowStore, 'known'>): readonly string[] {
  const found = new Set<string>();
  for (const [id] of known.ends.entries()) {
    const end = parsedEnd(known, id);
    if (end?.kind === 'pod') found.add(end.namespace);
  }
  return [...found].sort();
}

/** Gives the rows that went. What nothing refers to any more goes with them. */
export async function forgetFlows(store: FlowStore, { readable, sinceMs, untilMs }: Forgetting): Promise<number> {
  return await store.alone(async ({ writing, known, days }) => {
    const bounds = readable === 'all' ? [] : [`flow IN (SELECT unnest([${flowsOf(known, readable).join()}]::INTEGER[]))`];
    let rows = 0;
    await writing.run('BEGIN');
    for (const day of days) {
      const seen = `${day * DAY_MS}::BIGINT + last`;
      const all = [...bounds, ...(sinceMs === undefined ? [] : [`${seen} >= ${Math.trunc(sinceMs)}`]), ...(untilMs === undefined ? [] : [`${seen} <= ${Math.trunc(untilMs)}`])];
      const gone = Number((await queryRows(writing, `DELETE FROM ${dayTable(day)} WHERE ${all.length === 0 ? 'true' : all.join(' AND ')}`))[0]![0]);
      if (gone > 0) await writing.run(`DROP TABLE IF EXISTS ${sumsTable(day)}`);
      rows += gone;
    }
    await forgetUnused(writing);
    await writing.run('COMMIT');
    await checkpoint(writing);
    return rows;
  }, { reloads: true });
}

function flowsOf(known: Dictionaries, readable: Readable): readonly number[] {
  const { source, target, flags } = known.flows.columns;
  const isMeant = (id: number): boolean => isReadable(readable, parsedEnd(known, id)!);
  return Array.from({ length: known.flows.end }, (_, flow) => flow).filter((flow) => (flags[flow]! & USED_FLAG) !== 0 && (isMeant(source[flow]!) || isMeant(target[flow]!)));
}

/** In a transaction: flows of no day, and what no flow has. */
export async function forgetUnused(writing: DuckDBConnection): Promise<void> {
  const days = await findDays(writing);
  const used = days.map((day) => `SELECT flow FROM ${dayTable(day)}`).join(' UNION ALL ');
  await keepRows(writing, 'flows', days.length === 0 ? 'false' : `id IN (SELECT DISTINCT flow FROM (${used}))`);
  await keepRows(writing, 'ends', 'id IN (SELECT source FROM flows UNION SELECT target FROM flows)');
  await keepRows(writing, 'reasons', 'id IN (SELECT reason FROM flows)');
  await keepRows(writing, 'names', 'id IN (SELECT node FROM flows UNION SELECT service FROM flows)');
}

/** In a transaction. The table is written anew: what is deleted from it would stay in the file for as long as its neighbors do. */
async function keepRows(writing: DuckDBConnection, table: string, where: string): Promise<void> {
  const [gone] = await queryRows(writing, `SELECT count(*)::DOUBLE FROM ${table} WHERE NOT (${where})`);
  if (gone![0] === 0) return;
  await writing.run(`CREATE TABLE kept_rows AS SELECT * FROM ${table} WHERE ${where}; DROP TABLE ${table}; ALTER TABLE kept_rows RENAME TO ${table}`);
}

/** Hosts outside lose their names, and all of their addresses but the network. Gives how many changed. */
export async function redactOutside(store: FlowStore): Promise<number> {
  return await store.alone(async ({ writing, known }) => {
    const redacted = new Map<number, string>();
    for (const [id, text] of known.ends.entries()) {
      const fresh = endText(redactEnd(readEndText(text)!));
      if (fresh !== text) redacted.set(id, fresh);
    }
    await writing.run('BEGIN');
    await mergeEnds(writing, known, redacted);
    await writing.run('COMMIT');
    await checkpoint(writing);
    return redacted.size;
  }, { reloads: true });
}

/** Ends that read the same afterwards are one, the one with the lowest number; flows keep theirs. */
async function mergeEnds(writing: DuckDBConnection, known: Dictionaries, redacted: ReadonlyMap<number, string>): Promise<void> {
  const kept = new Map<string, number>();
  for (const [id, text] of known.ends.entries()) if (!redacted.has(id)) kept.set(text, id);
  await writing.run('CREATE TEMP TABLE merged(id INTEGER, kept INTEGER)');
  const appender = await writing.createAppender('merged');
  for (const [id, text] of redacted) {
    const target = kept.get(text) ?? id;
    kept.set(text, target);
    appender.appendInteger(id);
    appender.appendInteger(target);
    appender.endRow();
  }
  appender.closeSync();
  for (const [text, id] of kept) if (redacted.has(id)) await writing.run('UPDATE ends SET text = $1 WHERE id = $2', [text, id]);
  for (const side of ['source', 'target']) await writing.run(`UPDATE flows SET ${side} = kept FROM merged WHERE flows.${side} = merged.id`);
  await keepRows(writing, 'ends', 'id NOT IN (SELECT id FROM merged WHERE id <> kept)');
  await writing.run('DROP TABLE merged');
}
