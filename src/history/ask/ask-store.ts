// A question to the store becomes records: the flows it means, summed over the days it asks for.
import { flowFilter, serviceOfWord } from '../../flow/filter-flows.ts';
import type { FlowRecord } from '../../flow/flow-record.ts';
import { foldNode } from '../../flow/fold-end.ts';
import { endText } from '../batch/batching.ts';
import { parsedEnd, type Dictionaries } from '../store/dictionaries.ts';
import { queryRows } from '../store/duckdb.ts';
import type { FlowStore } from '../store/flow-store.ts';
import { concealRecord, type Readable } from '../store/readable-flows.ts';
import { JoinedSums, RECORDS_AT_ONCE, verdictOf } from './joined-sums.ts';
import { LatestRecords } from './latest-records.ts';
import { latestFlows, streamSums, type LatestFlows, type Reading, type SeenBounds } from './seen-sums.ts';
import { recordMaker, wantedFlows, type FlowWords } from './wanted-flows.ts';

export interface Question extends FlowWords, SeenBounds {
  readonly readable: Readable;
  /** Only flows that the whole history had not seen before then. */
  readonly newSinceMs?: number | undefined;
  /** The latest ones. */
  readonly limit?: number | undefined;
}

/**
 * In no order, unless there is a limit: then the latest first; some thousand at a time. What several nodes told of the same connections is
 * joined before it is held against the verdict and the Service that are asked for. Throws WordError, HistoryError.
 */
export async function askStore(store: FlowStore, question: Question, take: Take): Promise<void> {
  await store.read(async (open, connection, duckDb) => {
    const { known } = open;
    const reading = { open, connection, duckDb };
    const flows = numbersOf(known, wantedFlows(known, { ...question, verdict: undefined }, question.readable));
    const joined = await JoinedSums.of(known, flows, question.verdict);
    const wanted = question.verdict === undefined ? flows : flows.filter((flow) => joined.has(flow) || verdictOf(known, flow) === question.verdict);
    if (wanted.length === 0) return;
    const isNew = question.newSinceMs === undefined ? () => true : await newFlows(reading, wanted, question.newSinceMs);
    const asked = wanted.filter((flow) => joined.has(flow) || isNew(flow));
    if (asked.length === 0) return;
    const isMeant = meantBy(question);
    const madeOf = recordMaker(known);
    const tell: Tell = async (told, give) => {
      const giveMeant: Take = (records) => give(records.map((record) => concealRecord(question.readable, record)).filter(isMeant));
      await streamSums(reading, told, question, async (sums) => {
        for (const { flow, ...seen } of sums) if (joined.has(flow)) joined.put(flow, seen);
        await giveMeant(sums.filter(({ flow }) => !joined.has(flow)).map(({ flow, ...seen }) => madeOf(flow, seen)));
      });
      for await (const records of joined.records(madeOf, isNew)) await giveMeant(records);
    };
    if (question.limit === undefined) return await tell(asked, take);
    const records = await latestRecords(question.limit, tell, async (flowsWanted) => {
      const latest = flowsWanted < asked.length ? await latestFlows(reading, asked, question, flowsWanted) : { flows: asked, from: -Infinity };
      return { ...latest, flows: joined.withJoined(latest.flows) };
    });
    for (let start = 0; start < records.length; start += RECORDS_AT_ONCE) await take(records.slice(start, start + RECORDS_AT_ONCE));
  });
}

type Take = (records: readonly FlowRecord[]) => Promise<void>;
/** Flows that are joined go in with all of their connection. */
type Tell = (flows: readonly number[], give: Take) => Promise<void>;

/** A connection is told by two or three flows, and some of them are not meant. */
const FLOWS_OF_RECORD = 4;

/** Sums are made of the latest flows alone: nothing of a connection is later than the latest of its flows. */
async function latestRecords(limit: number, tell: Tell, latestOf: (flowsWanted: number) => Promise<LatestFlows>): Promise<readonly FlowRecord[]> {
  for (let flowsWanted = limit * FLOWS_OF_RECORD; ; flowsWanted *= 4) {
    const { flows, from } = await latestOf(flowsWanted);
    const latest = new LatestRecords(limit);
    await tell(flows, async (records) => latest.add(records));
    if (from === -Infinity || latest.isFullFrom(from)) return latest.records();
  }
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

/** Neither on another node nor by another rule was it seen before. */
async function newFlows(reading: Reading, flows: readonly number[], newSinceMs: number): Promise<(flow: number) => boolean> {
  const { known } = reading.open;
  const old = new Set<string>();
  const nameOf = endNames(known);
  await streamSums(reading, flows, {}, async (sums) => {
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
