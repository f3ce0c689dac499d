// A question to the store becomes records: the flows it means, summed over the days it asks for.
import type { DuckDBConnection } from '@duckdb/node-api';
import { flowFilter, serviceOfWord } from '../flow/filter-flows.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { foldNode } from '../flow/fold-end.ts';
import { queryRows, type DuckDb } from './duckdb.ts';
import { endText } from './batching.ts';
import { parsedEnd, type Dictionaries } from './dictionaries.ts';
import type { FlowStore, OpenStore } from './flow-store.ts';
import { JoinedSums, RECORDS_AT_ONCE, verdictOf } from './joined-sums.ts';
import { LatestRecords } from './latest-records.ts';
import { concealRecord, type Readable } from './readable-flows.ts';
import { DAY_MS, dayOf, dayTable, findDays, findSums, sumsTable } from './store-schema.ts';
import { recordMaker, wantedFlows, type FlowWords, type Seen } from './wanted-flows.ts';

export interface Question extends FlowWords {
  readonly readable: Readable;
  /** Milliseconds since 1970. Flows last seen since then, first seen until then. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Only flows that the whole history had not seen before then. */
  readonly newSinceMs?: number | undefined;
  /** The latest ones. */
  readonly limit?: number | undefined;
}

/**
 * In no order, unless there is a limit: then the latest first; some thousand at a time. What several nodes told of the same connections is
 * joined before it is held against the verdict and the Service that are asked for. Throws WordError, HistoryError.
 */
export async function askStore(store: FlowStore, question: Question, take: (records: readonly FlowRecord[]) => Promise<void>): Promise<void> {
  await store.read(async (open, connection, duckDb) => {
    const { known } = open;
    const flows = numbersOf(known, wantedFlows(known, { ...question, verdict: undefined }, question.readable));
    const joined = await JoinedSums.of(known, flows, question.verdict);
    const wanted = question.verdict === undefined ? flows : flows.filter((flow) => joined.has(flow) || verdictOf(known, flow) === question.verdict);
    const days = await findTables(connection, question);
    if (wanted.length === 0 || days.length === 0) return;
    const isNew = question.newSinceMs === undefined ? () => true : await newFlows({ open, connection, duckDb }, wanted, question.newSinceMs);
    const asked = wanted.filter((flow) => joined.has(flow) || isNew(flow));
    if (asked.length === 0) return;
    const isMeant = meantBy(question);
    const madeOf = recordMaker(known);
    const shownOf = (records: readonly FlowRecord[]): readonly FlowRecord[] => records.map((record) => concealRecord(question.readable, record)).filter(isMeant);
    const latest = question.limit === undefined ? undefined : new LatestRecords(question.limit);
    const give = async (records: readonly FlowRecord[]): Promise<void> => (latest === undefined ? take(shownOf(records)) : latest.add(shownOf(records)));
    await streamSums({ open, connection, duckDb }, sumSql(question, days, asked.length === known.flows.size), asked, async (sums) => {
      for (const { flow, ...seen } of sums) if (joined.has(flow)) joined.put(flow, seen);
      await give(sums.filter(({ flow }) => !joined.has(flow)).map(({ flow, ...seen }) => madeOf(flow, seen)));
    });
    let before = Infinity;
    // Of the latest only: nothing of a connection is later than it was last seen.
    for (let connections = question.limit ?? Infinity; before > -Infinity && latest?.isFullFrom(before) !== true; connections *= 4) {
      const from = joined.lastSeenOf(connections);
      for await (const records of joined.records(madeOf, { from, before, isWanted: isNew })) await give(records);
      before = from;
    }
    const records = latest?.records() ?? [];
    for (let start = 0; start < records.length; start += RECORDS_AT_ONCE) await take(records.slice(start, start + RECORDS_AT_ONCE));
  });
}

/** What is asked for of records that are joined: neither is known before. */
export function meantBy({ verdict, target = '' }: FlowWords): (record: FlowRecord) => boolean {
  return flowFilter({ verdict, ...(serviceOfWord(target) === undefined ? {} : { target }) });
}

function numbersOf({ flows }: Dictionaries, isWanted: (flow: number) => boolean): readonly number[] {
  const found: number[] = [];
  for (let flow = 0; flow < flows.end; flow++) if (isWanted(flow)) found.push(flow);
  return found;
}

type Bounds = Pick<Question, 'sinceMs' | 'untilMs'>;

interface AskedTable {
  readonly day: number;
  readonly table: string;
}

/** Of a day that is asked for whole its sums, where it has them. */
async function findTables(connection: DuckDBConnection, { sinceMs = 0, untilMs = Infinity }: Bounds): Promise<readonly AskedTable[]> {
  const sums = new Set(await findSums(connection));
  const isWhole = (day: number): boolean => sinceMs <= day * DAY_MS && untilMs >= (day + 1) * DAY_MS;
  return (await findDays(connection)).filter((day) => day >= dayOf(sinceMs)).map((day) => ({ day, table: isWhole(day) && sums.has(day) ? sumsTable(day) : dayTable(day) }));
}

/** Numbers only go into the text. */
function sumSql({ sinceMs, untilMs }: Bounds, tables: readonly AskedTable[], isAll: boolean): string {
  const parts = tables.map(({ day, table }) => `SELECT flow, ${day * DAY_MS}::BIGINT + last AS seen, lasted, count, openings FROM ${table}`);
  const bounds = [
    ...(isAll ? [] : ['flow IN (SELECT unnest($1))']),
    ...(sinceMs === undefined ? [] : [`seen >= ${Math.trunc(sinceMs)}`]),
    ...(untilMs === undefined ? [] : [`seen - lasted <= ${Math.trunc(untilMs)}`]),
  ];
  return `SELECT flow, sum(count)::DOUBLE, CASE WHEN count(openings) = count(*) THEN sum(openings)::DOUBLE END, min(seen - lasted)::DOUBLE, max(seen)::DOUBLE
    FROM (${parts.join(' UNION ALL ')}) ${bounds.length === 0 ? '' : `WHERE ${bounds.join(' AND ')}`} GROUP BY flow`;
}

interface Reading {
  readonly open: OpenStore;
  readonly connection: DuckDBConnection;
  readonly duckDb: DuckDb;
}

async function streamSums({ connection, duckDb }: Reading, sql: string, flows: readonly number[], take: (sums: readonly (Seen & { readonly flow: number })[]) => Promise<void>): Promise<void> {
  const { LIST, INTEGER, listValue } = duckDb;
  const result = sql.includes('$1') ? await connection.stream(sql, [listValue([...flows])], [LIST(INTEGER)]) : await connection.stream(sql);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const rows = chunk.getRows() as unknown as (readonly [number, number, number | null, number, number])[]; // as the statement says
    await take(rows.map(([flow, count, openings, firstSeen, lastSeen]) => ({ flow, count, openings: openings ?? undefined, firstSeen, lastSeen })));
  }
}

/** Neither on another node nor by another rule was it seen before. */
async function newFlows(reading: Reading, flows: readonly number[], newSinceMs: number): Promise<(flow: number) => boolean> {
  const { known } = reading.open;
  const old = new Set<string>();
  const nameOf = endNames(known);
  await streamSums(reading, sumSql({}, await findTables(reading.connection, {}), flows.length === known.flows.size), flows, async (sums) => {
    for (const { flow, firstSeen } of sums) if (firstSeen < newSinceMs) old.add(trafficOf(known, flow, nameOf));
  });
  return (flow) => !old.has(trafficOf(known, flow, nameOf));
}

/** Numbers of ends by what they are, wherever they run. */
function endNames(known: Dictionaries): (end: number) => number {
  const [byEnd, byText] = [new Map<number, number>(), new Map<string, number>()];
  return (end) => {
    const found = byEnd.get(end);
    if (found !== undefined) return found;
    const text = endText(foldNode(parsedEnd(known, end)!));
    const number = byText.get(text) ?? end;
    byText.set(text, number);
    byEnd.set(end, number);
    return number;
  };
}

function trafficOf({ flows: { columns } }: Dictionaries, flow: number, nameOf: (end: number) => number): string {
  return `${nameOf(columns.source[flow]!)} ${nameOf(columns.target[flow]!)} ${columns.protocol[flow]} ${columns.port[flow]} ${columns.flags[flow]}`;
}

/** Judgments of which nothing more is known, told since then. */
export async function lostSince(store: FlowStore, sinceMs: number): Promise<number> {
  return await store.read(async (_open, connection) => Number((await queryRows(connection, `SELECT coalesce(sum(flows), 0)::DOUBLE FROM losses WHERE written >= ${Math.trunc(sinceMs)}`))[0]![0]));
}
