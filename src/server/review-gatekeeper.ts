// Asks the API server who the bearer of a token is and whether he may read a path (TokenReview, SubjectAccessReview), and remembers it for a while.
import { createHash } from 'node:crypto';
import type { ClusterApi } from '../kube/cluster-api.ts';
import { reviewAccess, reviewToken } from './reviews.ts';
import type { Gatekeeper } from './server.ts';

type Admission = Awaited<ReturnType<Gatekeeper['admit']>>;

/** Answers that are remembered; the oldest goes first. */
const REMEMBERED_MAX = 256;
const REMEMBERED_MS = 60_000;
/** A right that was just granted shall not be waited for. */
const REFUSAL_REMEMBERED_MS = 5_000;
/** Who asks beyond it is not answered, so that strangers with made-up tokens do not flood the API server through us. */
const REVIEWS_AT_ONCE = 4;

interface Remembered {
  readonly admission: Admission;
  readonly untilMs: number;
}

/** A class, for it lives in time: what it remembers ends. */
export class ReviewGatekeeper implements Gatekeeper {
  readonly #api: Pick<ClusterApi, 'create'>;
  readonly #nowMs: () => number;
  readonly #remembered = new Map<string, Remembered>();
  #going = 0;

  constructor(api: Pick<ClusterApi, 'create'>, nowMs: () => number) {
    this.#api = api;
    this.#nowMs = nowMs;
  }

  async admit(token: string, path: string): Promise<Admission> {
    // Tokens themselves are never kept.
    const key = `${createHash('sha256').update(token).digest('base64')} ${path}`;
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.admission;
    if (this.#going >= REVIEWS_AT_ONCE) return 'unanswered';
    this.#going++;
    try {
      const admission = await this.#review(token, path);
      this.#remember(key, admission);
      return admission;
    } catch {
      return 'unanswered'; // nobody vouches for him: closed, and asked again next time
    } finally {
      this.#going--;
    }
  }

  async #review(token: string, path: string): Promise<Admission> {
    const user = await reviewToken(this.#api, token);
    if (user === undefined) return 'unknown';
    return (await reviewAccess(this.#api, user, { nonResourceAttributes: { path, verb: 'get' } })) ? 'allowed' : 'forbidden';
  }

  #remember(key: string, admission: Admission): void {
    this.#remembered.delete(key);
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.delete(this.#remembered.keys().next().value!);
    this.#remembered.set(key, { admission, untilMs: this.#nowMs() + (admission === 'allowed' ? REMEMBERED_MS : REFUSAL_REMEMBERED_MS) });
  }
}
