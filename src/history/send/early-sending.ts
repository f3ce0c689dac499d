// When flows are sent before their time: refusals at once, so many in a row, and while somebody follows at the server all of them, as often as he is worth.
import type { Clock } from '../../base/clock.ts';

/** Batches with refusals that may go before their time, and one more each time that one would have gone. */
const REFUSALS_MAX = 30;
/** Whoever follows is taken to follow for so long. */
const FOLLOWED_MS = 30_000;
/** Between two batches, at the least. */
const STEP_MS = 1_000;
/** For each record of the last one: packing it takes some 15 µs, and the server keeps a row. */
const RECORD_MS = 1;

/** A class, for it lives in time. */
export class EarlySending {
  readonly #clock: Pick<Clock, 'elapsedMs' | 'after'>;
  readonly #send: () => void;
  #refusals = REFUSALS_MAX;
  #followedUntilMs = Number.NEGATIVE_INFINITY;
  #stepMs = STEP_MS;
  /** When one may go to those who follow. */
  #freeMs = Number.NEGATIVE_INFINITY;
  #planned: { readonly atMs: number; readonly cancel: () => void } | undefined;

  /** `send` is called later, never at once: whoever drained does not wait for the disk, for a drain is paced by how long it takes. */
  constructor(clock: Pick<Clock, 'elapsedMs' | 'after'>, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  gathered({ hasRefusal }: { readonly hasRefusal: boolean }): void {
    const nowMs = this.#clock.elapsedMs();
    if (hasRefusal && this.#refusals > 0) {
      if (this.#plan(nowMs, 0)) this.#refusals--;
    } else if (nowMs < this.#followedUntilMs) this.#plan(nowMs, Math.max(0, this.#freeMs - nowMs));
  }

  /** The server asks for it. */
  follow(stepMs: number): void {
    this.#followedUntilMs = this.#clock.elapsedMs() + FOLLOWED_MS;
    this.#stepMs = Math.max(STEP_MS, stepMs);
  }

  /** A batch is on its way. */
  packed(records: number): void {
    this.#freeMs = this.#clock.elapsedMs() + Math.max(this.#stepMs, records * RECORD_MS);
  }

  /** One has gone in its time. */
  rest(): void {
    this.#refusals = Math.min(REFUSALS_MAX, this.#refusals + 1);
  }

  stop(): void {
    this.#planned?.cancel();
  }

  /** false: one goes by then already. */
  #plan(nowMs: number, waitMs: number): boolean {
    const atMs = nowMs + waitMs;
    if (this.#planned !== undefined && this.#planned.atMs <= atMs) return false;
    this.#planned?.cancel();
    const cancel = this.#clock.after(waitMs, () => {
      this.#planned = undefined;
      this.#send();
    });
    this.#planned = { atMs, cancel };
    return true;
  }
}
