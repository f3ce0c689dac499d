// The words for a time that has passed: `2h`, `7d`, `today`, `2026-11-20`, `2026-11-20T10:00:00Z`.
import { WordError } from '../base/word-error.ts';

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

/** Milliseconds since 1970. `nowMs` is what a length of time counts back from; days begin at midnight, UTC, as times are shown. */
export function parseSince(word: string, nowMs: number): number {
  if (word === 'today') return nowMs - (nowMs % DAY_MS);
  const length = /^([0-9]{1,6})([smhdw])$/.exec(word);
  if (length !== null) return nowMs - Number(length[1]) * UNIT_MS[length[2]!]!;
  const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(word) ? Date.parse(word) : Number.NaN;
  if (Number.isNaN(time)) throw new WordError(`\`${word}\` is no time`, 'write how long ago, such as 30m, 2h or 7d, or today, or a time such as 2026-11-20T10:00:00Z');
  return time;
}
