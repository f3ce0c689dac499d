// How long changes took from being told to the kernel's answer, counted by bounds.

/** Milliseconds, ascending; what takes longer is in the count of all alone. */
export const COMMIT_BOUNDS_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000];

export interface CommitTimes {
  /** For each bound those that took no longer. */
  readonly within: readonly number[];
  readonly sumMs: number;
}

export const NO_COMMITS: CommitTimes = { within: COMMIT_BOUNDS_MS.map(() => 0), sumMs: 0 };

export function addCommit({ within, sumMs }: CommitTimes, ms: number): CommitTimes {
  return { within: within.map((count, index) => count + Number(ms <= COMMIT_BOUNDS_MS[index]!)), sumMs: sumMs + ms };
}
