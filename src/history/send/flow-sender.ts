// An agent's flows on their way to a server: gathered, written to the agent's disk, and sent until the server has them.
import { gzipSync } from 'node:zlib';
import type { Clock } from '../../base/clock.ts';
import { NO_LOSSES, type FlowLosses } from '../../flow/flow-losses.ts';
import type { FlowRecord } from '../../flow/flow-record.ts';
import { looseObject } from '../../flow/loose-json.ts';
import { FlowBatching } from '../batch/batching.ts';
import { writeBatch } from '../batch/flow-batch.ts';
import { EarlySending } from './early-sending.ts';
import { spoolName, type FlowSpool } from './flow-spool.ts';
import { askPlace, textOf, type ServerPlace } from './post-batch.ts';

export interface FlowSenderOptions {
  readonly node: string;
  /** Of lower-case letters, digits and `-`; another one each time, sorting behind those before. */
  readonly run: string;
  readonly server: ServerPlace;
  readonly spool: FlowSpool;
  readonly spoolBytesMax: number;
  /** Records are gathered for so long. */
  readonly gatherMs: number;
  readonly clock: Omit<Clock, 'now'>;
  readonly onFailure: (error: Error) => void;
  readonly signal: AbortSignal;
}

export interface SenderState {
  readonly sentBatches: number;
  readonly spooledBatches: number;
  readonly spooledBytes: number;
  /** Judgments of which no record reaches the server. */
  readonly lost: number;
  readonly losses: FlowLosses;
}

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 30_000;

/** A sink of the agent's flows. A class, for it lives in time. */
export class FlowSender {
  readonly #options: FlowSenderOptions;
  #gathered = new FlowBatching();
  #judgments = 0;
  #sequence = 0;
  /** Not yet told to the server. */
  #lostUntold = 0;
  #losses = NO_LOSSES;
  #sent = 0;
  #isSending = false;
  readonly #early: EarlySending;
  #onFollowed: () => void = () => undefined;

  constructor(options: FlowSenderOptions) {
    this.#options = options;
    this.#early = new EarlySending(options.clock, () => this.#spoolAndSend());
    this.#lose('unwritten', options.spool.takeHalves());
  }

  get state(): SenderState {
    const { spool } = this.#options;
    return { sentBatches: this.#sent, spooledBatches: spool.batches.length, spooledBytes: spool.bytes, lost: Object.values(this.#losses).reduce((sum, count) => sum + count, 0), losses: this.#losses };
  }

  /** Never throws and never waits for the server. */
  take(records: readonly FlowRecord[], lost: number): void {
    this.#lose('ledgerFull', lost);
    for (const record of records) {
      if (!this.#gathered.add(record)) {
        this.spoolNow();
        this.#gathered.add(record);
      }
      this.#judgments += record.count;
    }
    if (records.length > 0) this.#early.gathered({ hasRefusal: records.some(({ verdict }) => verdict === 'denied') });
  }

  /** Resolves when the signal has come and what was gathered is on the disk. `onFollowed` is told with each answer while somebody follows at the server. */
  async run(onFollowed: () => void = () => undefined): Promise<void> {
    const { clock, gatherMs, signal } = this.#options;
    this.#onFollowed = onFollowed;
    void this.#sendAll();
    while (!signal.aborted) {
      await this.#sleep(gatherMs, clock);
      this.#early.rest();
      this.#spoolAndSend();
    }
    this.#early.stop();
  }

  /** What was gathered becomes a batch on the disk; the oldest ones make room. */
  spoolNow(): void {
    const { node, run, spool, spoolBytesMax, onFailure } = this.#options;
    if (this.#gathered.size === 0 && this.#lostUntold === 0) return;
    const [gathered, judgments] = [this.#gathered, this.#judgments];
    this.#early.packed(gathered.size);
    [this.#gathered, this.#judgments] = [new FlowBatching(), 0];
    try {
      const pack = (): Uint8Array => gzipSync(writeBatch(gathered.batch({ node, run, sequence: this.#sequence, lost: this.#lostUntold })));
      const first = pack();
      const old = oldestOver(spool, spoolBytesMax - first.length);
      const lost = old.reduce((sum, batch) => sum + batch.judgments, 0);
      this.#lose('spoolFull', lost);
      // Told before they go: a kill in between counts them twice rather than never.
      const body = lost === 0 ? first : pack();
      for (const { name } of old) spool.remove(name);
      spool.put(spoolName(run, this.#sequence, judgments + this.#lostUntold), judgments + this.#lostUntold, body);
      this.#sequence++;
      this.#lostUntold = 0;
      if (lost > 0) onFailure(new Error(`the spool is full: ${lost} judgments are lost, and counted`));
    } catch (error) {
      this.#lose('unwritten', judgments);
      onFailure(new Error(`${judgments} judgments are lost, and counted: the spool cannot be written: ${(error as Error).message}`, { cause: error }));
    }
  }

  #spoolAndSend(): void {
    this.spoolNow();
    void this.#sendAll();
  }

  #lose(why: keyof FlowLosses, judgments: number): void {
    this.#losses = { ...this.#losses, [why]: this.#losses[why] + judgments };
    this.#lostUntold += judgments;
  }

  /** One after the other, for a server takes what is behind the last one alone. */
  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { spool, signal, clock, onFailure } = this.#options;
    let waitMs = RETRY_MS;
    try {
      while (!signal.aborted && spool.batches.length > 0) {
        const retryMs = await this.#send().catch((error: Error) => {
          if (!signal.aborted) onFailure(new Error(`flows wait on the disk: ${error.message}`, { cause: error }));
          return 0;
        });
        if (retryMs === undefined) {
          waitMs = RETRY_MS;
          continue;
        }
        await this.#sleep(Math.max(retryMs, waitMs * (0.5 + clock.random())), clock);
        waitMs = Math.min(RETRY_MS_MAX, waitMs * 2);
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** undefined: the batch is off our hands; else after how long to try again at the earliest. */
  async #send(): Promise<number | undefined> {
    const { spool, node, server, signal, onFailure } = this.#options;
    const { name, judgments } = spool.batches[0]!;
    const answer = await askPlace(server, { method: 'POST', path: '/v1/batches', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'bulkhead-node': node }, body: spool.read(name), signal });
    const text = await textOf(answer);
    const status = answer.statusCode ?? 0;
    if (status === 200) {
      this.#sent++;
      spool.remove(name);
      const stepMs = followedStepOf(text);
      if (stepMs !== undefined) {
        this.#early.follow(stepMs);
        this.#onFollowed();
      }
      return undefined;
    }
    if (status === 400 || status === 413) {
      // It would be refused for ever.
      spool.remove(name);
      this.#lose('refused', judgments);
      onFailure(new Error(`${judgments} judgments are lost, and counted: the server refuses their batch: ${text}`));
      return undefined;
    }
    onFailure(new Error(`flows wait on the disk: the server answers ${status}: ${text}`));
    return Number(answer.headers['retry-after'] ?? 0) * 1_000 || 0;
  }

  async #sleep(ms: number, clock: Pick<Clock, 'after'>): Promise<void> {
    const { signal } = this.#options;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, end);
      function end(): void {
        signal.removeEventListener('abort', end);
        cancel();
        resolve();
      }
      signal.addEventListener('abort', end);
    });
  }
}

/** undefined: nobody follows. */
function followedStepOf(text: string): number | undefined {
  try {
    const stepMs = looseObject(JSON.parse(text))?.['sendEveryMs'];
    return typeof stepMs === 'number' ? stepMs : undefined;
  } catch {
    return undefined;
  }
}

function oldestOver(spool: FlowSpool, bytesMax: number): FlowSpool['batches'] {
  let bytes = spool.bytes;
  const old: FlowSpool['batches'][number][] = [];
  for (const batch of spool.batches) {
    if (bytes <= bytesMax) break;
    bytes -= batch.bytes;
    old.push(batch);
  }
  return old;
}
