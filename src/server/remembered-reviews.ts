// What the API server said of tokens and rights, remembered for a while and asked for by a few at once.
import { createHash } from 'node:crypto';
import type { ClusterApi } from '../kube/cluster-api.ts';
import { reviewAccess, reviewToken, type AccessAttributes, type ReviewedUser } from './reviews.ts';

const REMEMBERED_MS = 60_000;
/** A right that was just granted shall not be waited for. */
const REFUSAL_REMEMBERED_MS = 5_000;

/** So that strangers with made-up tokens do not flood the API server through us. */
export interface ReviewBounds {
  /** Answers; the oldest goes first. */
  readonly remembered: number;
  readonly atOnce: number;
  /** Who asks beyond it is not answered. */
  readonly waiting: number;
}

/** For a server that is asked by many. */
const BOUNDS: ReviewBounds = { remembered: 4_096, atOnce: 8, waiting: 256 };
/** For an agent, which is asked by a scraper or two. */
export const AGENT_BOUNDS: ReviewBounds = { remembered: 256, atOnce: 4, waiting: 0 };

interface Remembered {
  readonly answer: unknown;
  readonly untilMs: number;
}

/** Every function rejects where nobody vouches: the API server is gone, or too much waits. A class, for it lives in time. */
export class RememberedReviews {
  readonly #api: Pick<ClusterApi, 'create'>;
  readonly #nowMs: () => number;
  readonly #bounds: ReviewBounds;
  readonly #remembered = new Map<string, Remembered>();
  readonly #waiting: (() => void)[] = [];
  #going = 0;

  constructor(api: Pick<ClusterApi, 'create'>, nowMs: () => number, bounds: ReviewBounds = BOUNDS) {
    this.#api = api;
    this.#nowMs = nowMs;
    this.#bounds = bounds;
  }

  /** undefined: nobody's. */
  async userOf(token: string, audience?: string): Promise<ReviewedUser | undefined> {
    return await this.#ask(`token ${audience ?? ''} ${token}`, () => reviewToken(this.#api, token, audience));
  }

  async may(user: ReviewedUser, attributes: AccessAttributes): Promise<boolean> {
    return await this.#ask(JSON.stringify([user, attributes]), () => reviewAccess(this.#api, user, attributes));
  }

  async #ask<T extends ReviewedUser | undefined | boolean>(question: string, review: () => Promise<T>): Promise<T> {
    // Tokens themselves are never kept.
    const key = createHash('sha256').update(question).digest('base64');
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.answer as T; // the same question, the same kind of answer
    await this.#turn();
    try {
      const answer = await review();
      this.#remember(key, answer);
      return answer;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#going--;
      else next();
    }
  }

  /** A place among those that ask, which whoever leaves hands on. */
  async #turn(): Promise<void> {
    if (this.#going < this.#bounds.atOnce) {
      this.#going++;
      return;
    }
    if (this.#waiting.length >= this.#bounds.waiting) throw new Error('too many wait for the API server');
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #remember(key: string, answer: unknown): void {
    this.#remembered.delete(key);
    if (this.#remembered.size >= this.#bounds.remembered) this.#remembered.delete(this.#remembered.keys().next().value!);
    this.#remembered.set(key, { answer, untilMs: this.#nowMs() + (answer === undefined || answer === false ? REFUSAL_REMEMBERED_MS : REMEMBERED_MS) });
  }
}
