// Batches on an agent's disk until a server has them: bounded, in order, each whole or not at all.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncPath } from '../batch/sync-path.ts';

export interface SpooledBatch {
  readonly name: string;
  readonly bytes: number;
  /** That are lost when it is. */
  readonly judgments: number;
}

/** `RUN.SEQUENCE.JUDGMENTS.batch`: runs and sequences sort in the order in which they were made. */
const NAME = /^([a-z0-9-]+)\.([0-9]{12})\.([0-9]+)\.batch$/;
const HALF = '.half';

/** A class, for it lives in time. Every function throws what the disk says. */
export class FlowSpool {
  readonly #folder: string;
  #batches: SpooledBatch[];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#batches = readdirSync(folder).flatMap((name): readonly SpooledBatch[] => {
      const judgments = NAME.exec(name)?.[3];
      return judgments === undefined ? [] : [{ name, judgments: Number(judgments), bytes: statSync(join(folder, name)).size }];
    }).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get batches(): readonly SpooledBatch[] {
    return this.#batches;
  }

  get bytes(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Those whose writing was broken off: gives their judgments, and they are gone. */
  takeHalves(): number {
    const halves = readdirSync(this.#folder).filter((name) => name.endsWith(HALF));
    for (const name of halves) rmSync(join(this.#folder, name));
    return halves.reduce((sum, name) => sum + Number(NAME.exec(name.slice(0, -HALF.length))?.[3] ?? 0), 0);
  }

  /** When it returns, the batch outlives a power cut. */
  put(name: string, judgments: number, body: Uint8Array): void {
    const file = join(this.#folder, name);
    try {
      writeFileSync(`${file}${HALF}`, body, { flush: true, mode: 0o600 });
      renameSync(`${file}${HALF}`, file);
      syncPath(this.#folder);
    } catch (error) {
      rmSync(`${file}${HALF}`, { force: true });
      throw error;
    }
    this.#batches.push({ name, bytes: body.length, judgments });
  }

  read(name: string): Uint8Array {
    return readFileSync(join(this.#folder, name));
  }

  remove(name: string): void {
    rmSync(join(this.#folder, name), { force: true });
    this.#batches = this.#batches.filter((batch) => batch.name !== name);
  }
}

export function spoolName(run: string, sequence: number, judgments: number): string {
  return `${run}.${String(sequence).padStart(12, '0')}.${judgments}.batch`;
}
