// Time and chance as values, so that a simulation can turn them.

export interface Clock {
  now(): Date;
  /** Milliseconds that only go forward, whatever is done to the time of day. */
  elapsedMs(): number;
  /** Gives what takes it back. `act` is called later, never at once, also for 0. */
  after(ms: number, act: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}
