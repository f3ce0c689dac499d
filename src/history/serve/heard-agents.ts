// How often agents are asked to send while somebody follows: the more of them there are, the more seldom.

const STEP_MS = 1_000;
/** Of all of them together; a thousand send as many when nobody follows. */
const BATCHES_A_SECOND_MAX = 100;
/** Beyond it agents are left alone: they send hardly less often by themselves. */
const STEP_MS_MAX = 5_000;
/** Whoever was not heard for so long has gone. */
const GONE_MS = 60_000;

/** A class, for it lives in time. */
export class HeardAgents {
  /** By node, whoever was heard last is last. */
  readonly #heardMs = new Map<string, number>();

  /** `node` is one that the cluster vouches for. */
  hear(node: string, nowMs: number): void {
    this.#heardMs.delete(node);
    this.#heardMs.set(node, nowMs);
    for (const [other, heardMs] of this.#heardMs) {
      if (Math.abs(nowMs - heardMs) <= GONE_MS) break;
      this.#heardMs.delete(other);
    }
  }

  /** undefined: there are too many of them. */
  get stepMs(): number | undefined {
    const stepMs = Math.max(STEP_MS, (this.#heardMs.size * 1_000) / BATCHES_A_SECOND_MAX);
    return stepMs > STEP_MS_MAX ? undefined : stepMs;
  }
}
