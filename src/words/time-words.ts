// The words for a time that has passed: `2h`, `1h30m`, `2 hours ago`, `7d`, `today`, `yesterday`, `2026-11-20`, `2026-11-20T10:00:00Z`.
import { WordError } from '../base/word-error.ts';

const DAY_MS = 86_400_000;
const UNITS: readonly (readonly [words: string, ms: number])[] = [
  ['s|secs?|seconds?', 1000],
  ['m|mins?|minutes?', 60_000],
  ['h|hrs?|hours?', 3_600_000],
  ['d|days?', DAY_MS],
  ['w|weeks?', 7 * DAY_MS],
];
const PART = `([0-9]{1,6}) ?(${UNITS.map(([words]) => words).join('|')})`;
const LENGTH = new RegExp(`^(?:${PART}(?= |[0-9]|$) ?)+(?:ago)?$`);

/** Milliseconds since 1970. `nowMs` is what a length of time counts back from; days begin at midnight, UTC, as times are shown. */
export function parseSince(word: string, nowMs: number): number {
  const midnight = nowMs - (nowMs % DAY_MS);
  if (word === 'today') return midnight;
  if (word === 'yesterday') return midnight - DAY_MS;
  const time = LENGTH.test(word) ? Math.max(0, nowMs - lengthMs(word)) : timeOf(word);
  if (Number.isNaN(time)) throw new WordError(`\`${word}\` is no time`, 'write how long ago, such as 30m, 2h or 7d, or today or yesterday, or a time such as 2026-11-20T10:00:00Z');
  return time;
}

function lengthMs(word: string): number {
  return [...word.matchAll(new RegExp(PART, 'g'))].reduce((sum, [, number, unit]) => sum + Number(number) * unitMs(unit!), 0);
}

function unitMs(unit: string): number {
  return UNITS.find(([words]) => new RegExp(`^(?:${words})$`).test(unit))![1]; // one of them matched
}

/** RFC 3339, or a day. NaN: it is none; `Date.parse` takes 30 February for a day in March. */
function timeOf(word: string): number {
  const [, day] = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/.exec(word) ?? [];
  const start = day === undefined ? Number.NaN : Date.parse(day);
  return Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day ? Number.NaN : Date.parse(word);
}
