// A store that is open: batches go in one after the other, several in one transaction, and are acknowledged when they are on the disk.
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { recordsOfBatch, type FlowBatch } from '../batch/flow-batch.ts';
import { HistoryError } from '../batch/history-error.ts';
import { loadDictionaries, type Dictionaries } from './dictionaries.ts';
import { firstLine, loadDuckDb, openDatabase, queryRows, type DuckDb } from './duckdb.ts';
import { placeBatch, type PlacedBatch } from './place-records.ts';
import { DAY_MS, findDays, findSums, prepareSchema } from './store-schema.ts';
import { writeBatches, type WrittenBatch } from './write-rows.ts';

export interface StoreOptions {
  /** One file; a log beside it while it is open. */
  readonly file: string;
  readonly nowMs: () => number;
  readonly keepMs: number;
  readonly memoryBytesMax: number;
  readonly threads: number;
  /** Hosts outside are kept without their names, and as the network they are in. */
  readonly redactsOutside: boolean;
}

export interface Taken {
  /** It was taken before; nothing of it counts again. */
  readonly isDuplicate: boolean;
  readonly lost: number;
  readonly shifted: number;
}

export interface StoreCounts {
  readonly batches: number;
  readonly duplicates: number;
  readonly records: number;
  readonly lost: number;
  readonly failures: number;
}

/** All that one transaction takes. */
const RECORDS_AT_ONCE = 200_000;
/** Beyond it nothing more is taken until some are written. */
const WAITING_RECORDS_MAX = 600_000;

interface Waiting {
  readonly batch: FlowBatch;
  readonly aheadMs: number;
  readonly done: (taken: Taken) => void;
  readonly failed: (error: unknown) => void;
}

/** What an open file is made of; another one after a failure. */
export interface OpenStore {
  readonly instance: DuckDBInstance;
  readonly writing: DuckDBConnection;
  readonly known: Dictionaries;
  readonly days: Set<number>;
  /** Days whose sums say the same as their rows. */
  readonly sums: Set<number>;
}

export interface HeardBatch extends PlacedBatch {
  /** As far as is known, what the node's clock is ahead of ours; its records keep its own times. */
  readonly aheadMs: number;
}

export type WrittenListener = (known: Dictionaries, batches: readonly HeardBatch[]) => void;

/** A class, for it lives in time. */
export class FlowStore {
  readonly options: StoreOptions;
  readonly #duckDb: DuckDb;
  #open: OpenStore | undefined;
  readonly #waiting: Waiting[] = [];
  #waitingRecords = 0;
  /** By node and run: the highest sequence that is on the disk. */
  #written = new Map<string, number>();
  /** By node, run and sequence: those that wait. */
  readonly #underway = new Map<string, Promise<Taken>>();
  readonly #listeners = new Set<WrittenListener>();
  readonly #reading = new Set<DuckDBConnection>();
  /** Called when nobody reads any more. */
  #unread: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isDraining = false;
  #isClosed = false;
  #counts = { batches: 0, duplicates: 0, records: 0, lost: 0, failures: 0 };
  /** Of judgments of which nothing more is known. */
  #lostEver = 0;

  private constructor(duckDb: DuckDb, options: StoreOptions) {
    this.#duckDb = duckDb;
    this.options = options;
  }

  /** Throws HistoryError. */
  static async open(options: StoreOptions): Promise<FlowStore> {
    const store = new FlowStore(await loadDuckDb(), options);
    await store.#reopen();
    return store;
  }

  get counts(): StoreCounts {
    return this.#counts;
  }

  /** Throws HistoryError while it is not open. */
  get known(): Dictionaries {
    if (this.#open === undefined) throw new HistoryError(this.#isClosed ? 'store-closed' : 'store-failed', 'the store is not open');
    return this.#open.known;
  }

  get lostEver(): number {
    return this.#lostEver;
  }

  /**
   * Resolves when the batch is on the disk. `aheadMs` is handed on. Throws HistoryError: `store-busy` and `store-failed` where sending it again later may help.
   */
  async take(batch: FlowBatch, aheadMs = 0): Promise<Taken> {
    const run = runOf(batch);
    const key = `${run} ${batch.sequence}`;
    const underway = this.#underway.get(key);
    if (underway !== undefined) return { ...(await underway), isDuplicate: true };
    if ((this.#written.get(run) ?? -1) >= batch.sequence) {
      this.#counts.duplicates++;
      return { isDuplicate: true, lost: 0, shifted: 0 };
    }
    if (this.#isClosed) throw new HistoryError('store-closed', 'the store is closed');
    const records = recordsOfBatch(batch);
    if (this.#waitingRecords > 0 && this.#waitingRecords + records > WAITING_RECORDS_MAX) throw new HistoryError('store-busy', `${this.#waitingRecords} records wait to be written`);
    const taken = new Promise<Taken>((done, failed) => this.#waiting.push({ batch, aheadMs, done, failed }));
    this.#waitingRecords += records;
    this.#underway.set(key, taken);
    void this.#drain();
    try {
      return await taken;
    } finally {
      this.#underway.delete(key);
    }
  }

  /** A connection of its own that sees one state of the file, with what its numbers mean. */
  async read<T>(ask: (open: OpenStore, connection: DuckDBConnection, duckDb: DuckDb) => Promise<T>): Promise<T> {
    for (;;) {
      const known = this.known;
      const { instance } = this.#open!;
      const connection = await instance.connect();
      this.#reading.add(connection);
      try {
        await connection.run('BEGIN READ ONLY');
        await connection.run('SELECT version FROM meta'); // the state is that of the first statement
        if (this.#open?.known !== known) continue; // numbers may have got another meaning in between
        return await ask(this.#open, connection, this.#duckDb);
      } finally {
        connection.closeSync();
        this.#reading.delete(connection);
        if (this.#reading.size === 0) this.#unread?.();
      }
    }
  }

  /** Told of what has just been written; returns how to stop it. It must not throw. */
  onWritten(listen: WrittenListener): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  /** Alone among all that write. When `work` throws, nothing of its transaction is kept. */
  async alone<T>(work: (open: OpenStore) => Promise<T>, { reloads }: { readonly reloads: boolean }): Promise<T> {
    return await this.#inTurn(async () => {
      const open = await this.#opened();
      try {
        const result = await work(open);
        if (reloads) this.#open = await loadStore(open);
        return result;
      } catch (error) {
        await this.#reopenQuietly();
        throw asHistoryError(error);
      }
    });
  }

  /** What waits is still written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#inTurn(async () => undefined);
    while (this.#waiting.length > 0) await this.#inTurn(async () => undefined);
    await this.#shut();
  }

  async #drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      while (this.#waiting.length > 0) await this.#inTurn(() => this.#writeNext());
    } finally {
      this.#isDraining = false;
    }
  }

  async #writeNext(): Promise<void> {
    const group = this.#nextGroup();
    try {
      const { writing, known, days, sums } = await this.#opened();
      const nowMs = this.options.nowMs();
      const placed = this.#place(group, known, nowMs);
      await writeBatches({ duckDb: this.#duckDb, connection: writing, known, days, sums, nowMs }, placed);
      for (const [index, { batch, done }] of group.entries()) {
        this.#count(batch, placed[index]!);
        done({ isDuplicate: false, lost: placed[index]!.lost, shifted: placed[index]!.shifted });
      }
      for (const listen of this.#listeners) listen(known, placed);
    } catch (error) {
      this.#counts.failures++;
      await this.#reopenQuietly();
      for (const { failed } of group) failed(asHistoryError(error));
    }
  }

  #nextGroup(): readonly Waiting[] {
    const group: Waiting[] = [];
    for (let records = 0; this.#waiting.length > 0 && (records === 0 || records + recordsOfBatch(this.#waiting[0]!.batch) <= RECORDS_AT_ONCE); ) {
      const next = this.#waiting.shift()!;
      records += recordsOfBatch(next.batch);
      group.push(next);
    }
    for (const { batch } of group) this.#waitingRecords -= recordsOfBatch(batch);
    return group;
  }

  #place(group: readonly Waiting[], known: Dictionaries, nowMs: number): readonly (WrittenBatch & HeardBatch)[] {
    const options = { nowMs, oldestMs: this.horizonMs(), redactsOutside: this.options.redactsOutside };
    return group.map(({ batch, aheadMs }) => ({ ...placeBatch(known, batch, options), aheadMs, run: runOf(batch), sequence: batch.sequence, lostBefore: batch.lost }));
  }

  #count(batch: FlowBatch, { lost, lostBefore }: WrittenBatch): void {
    const run = runOf(batch);
    this.#written.set(run, Math.max(this.#written.get(run) ?? -1, batch.sequence));
    this.#counts.batches++;
    this.#counts.records += recordsOfBatch(batch);
    this.#counts.lost += lost + lostBefore;
    this.#lostEver += lost + lostBefore;
  }

  /**
   * What was last seen before it goes. It follows what was seen, so that a clock of ours that jumps ahead deletes nothing; nor does one day
   * that a node told whose clock had jumped as well: so far behind all others nobody would keep them.
   */
  horizonMs(): number {
    const [newest = -Infinity, before = newest] = [...(this.#open?.days ?? [])].sort((a, b) => b - a);
    const trusted = (newest - before) * DAY_MS > this.options.keepMs ? before : newest;
    return Math.min(this.options.nowMs(), (trusted + 1) * DAY_MS) - this.options.keepMs;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #opened(): Promise<OpenStore> {
    if (this.#open === undefined) await this.#reopen();
    return this.#open!;
  }

  async #reopen(): Promise<void> {
    await this.#shut();
    const instance = await openDatabase(this.#duckDb, this.options.file, this.options);
    try {
      const writing = await instance.connect();
      await prepareSchema(writing);
      const runs = await queryRows(writing, 'SELECT run, max(sequence)::DOUBLE FROM batches GROUP BY run');
      this.#written = new Map(runs as readonly (readonly [string, number])[] as [string, number][]); // as the schema says
      this.#lostEver = Number((await queryRows(writing, 'SELECT coalesce(sum(flows), 0)::DOUBLE FROM losses'))[0]![0]);
      this.#open = await loadStore({ instance, writing });
    } catch (error) {
      instance.closeSync();
      throw asHistoryError(error);
    }
  }

  /** Where it fails, the next one who needs the store tries again. */
  async #reopenQuietly(): Promise<void> {
    await this.#reopen().catch(() => undefined);
  }

  /** A file is opened again only when the last who reads it has ended. */
  async #shut(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    for (const connection of this.#reading) connection.interrupt();
    if (this.#reading.size > 0) await new Promise<void>((resolve) => (this.#unread = resolve));
    open?.writing.closeSync();
    open?.instance.closeSync();
  }
}

async function loadStore({ instance, writing }: Pick<OpenStore, 'instance' | 'writing'>): Promise<OpenStore> {
  return { instance, writing, known: await loadDictionaries(writing), days: new Set(await findDays(writing)), sums: new Set(await findSums(writing)) };
}

function runOf({ node, run }: FlowBatch): string {
  return `${node}\n${run}`;
}

function asHistoryError(error: unknown): HistoryError {
  return error instanceof HistoryError ? error : new HistoryError('store-failed', `the store cannot be written: ${firstLine((error as Error).message)}`, error);
}
