// Tries once more what may go well a moment later: a bounded number of times, at growing and random distances.

/** The clock and chance, so that tests need neither. */
export interface Pacing {
  /** Ends early when the signal does. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** In milliseconds, from anywhere; never goes back. */
  now(): number;
  /** 0 to 1, as `Math.random`. */
  random(): number;
}

export const REAL_PACING: Pacing = {
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(end, ms);
      function end(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      }
      if (signal?.aborted) end();
      else signal?.addEventListener('abort', end);
    }),
  now: () => performance.now(),
  random: () => Math.random(),
};

/** Tries after the first one. */
export const RETRIES_MAX = 5;
const FIRST_DELAY_MS = 200;
export const DELAY_MS_MAX = 10_000;

/** `retryIn` says for a failure: undefined, do not try again; 0 or more, not before so many milliseconds. */
export async function withRetries<T>(act: () => Promise<T>, retryIn: (error: unknown) => number | undefined, pacing: Pacing): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      const least = retryIn(error);
      if (least === undefined || attempt === RETRIES_MAX) throw error;
      await pacing.wait(delayMs(attempt, least, pacing.random()));
    }
  }
}

/** Between half and the whole of a step that doubles, so that many who failed together do not come back together. */
export function delayMs(attempt: number, leastMs: number, random: number): number {
  const step = Math.min(FIRST_DELAY_MS * 2 ** attempt, DELAY_MS_MAX);
  return Math.max(step / 2 + (random * step) / 2, Math.min(leastMs, DELAY_MS_MAX));
}
