// On which days (UTC) something was seen, as bits: bit n, that it was n days before the last one, 31 at most.

export interface SeenDays {
  /** Milliseconds since 1970. */
  readonly lastSeen: number;
  readonly days: number;
}

const DAY_MS = 86_400_000;
const DAY_BITS = 32;

/** Those on which it begins and ends. */
export function daysOf(firstSeen: number, lastSeen: number): number {
  return (1 | earlier(1, daysBetween(firstSeen, lastSeen))) >>> 0;
}

/** Told from the later of the two. */
export function joinDays(a: SeenDays, b: SeenDays): SeenDays {
  const lastSeen = Math.max(a.lastSeen, b.lastSeen);
  return { lastSeen, days: (earlier(a.days, daysBetween(a.lastSeen, lastSeen)) | earlier(b.days, daysBetween(b.lastSeen, lastSeen))) >>> 0 };
}

/** The same days, told from one that comes as many days later. */
export function earlier(days: number, later: number): number {
  return later >= DAY_BITS ? 0 : (days << later) >>> 0;
}

function daysBetween(before: number, after: number): number {
  return Math.floor(after / DAY_MS) - Math.floor(before / DAY_MS);
}
