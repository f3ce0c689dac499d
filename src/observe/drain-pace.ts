// When the kernel's ledger is drained: step by step, and in between as soon as a small part of a core allows.
import type { Clock } from '../base/clock.ts';

/** Design, "Flows": between two drains, and while somebody follows. */
const STEP_MS = 15_000;
const FOLLOWED_STEP_MS = 500;
/** Who has asked is taken to follow for so long. */
const FOLLOWED_MS = 30_000;
/** Drains beside the steps take one part in so many of a core. */
const PACE = 50;
/** They may be so far ahead of that, so that what is refused after a step, or in a handful, is told at once. */
const AHEAD_MS_MAX = 3_000;

/** A class, for it lives in time. */
export class DrainPace {
  readonly #clock: Pick<Clock, 'elapsedMs'>;
  /** When the drains beside the steps will have taken no more than their part. */
  #paidMs = Number.NEGATIVE_INFINITY;
  #followedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'elapsedMs'>) {
    this.#clock = clock;
  }

  /** Until the next drain beside the steps. */
  owedMs(): number {
    return Math.max(0, this.#paidMs - AHEAD_MS_MAX - this.#clock.elapsedMs());
  }

  /** A drain beside the steps. */
  pay(startMs: number, tookMs: number): void {
    this.#paidMs = Math.max(this.#paidMs, startMs) + tookMs * PACE;
  }

  /** Somebody wants to see what happens now; gives whether nobody did until now. */
  follow(): boolean {
    const nowMs = this.#clock.elapsedMs();
    const isNew = nowMs >= this.#followedUntilMs;
    this.#followedUntilMs = nowMs + FOLLOWED_MS;
    return isNew;
  }

  /** Until the next drain by the step, after one that took so long. */
  stepMs(tookMs: number): number {
    return this.#clock.elapsedMs() < this.#followedUntilMs ? Math.max(FOLLOWED_STEP_MS, tookMs * PACE) : STEP_MS;
  }
}
