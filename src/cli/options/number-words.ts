// Numbers and durations among the words of the command line.
import { InvalidArgumentError } from 'commander';

/** A parser for commander. */
export function positiveNumber(word: string): number {
  const number = Number(word);
  if (!/^[0-9]+$/.test(word) || !Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('A number from 1 is wanted.');
  return number;
}

/** A parser for commander. */
export function positiveOrZero(word: string): number {
  return word === '0' ? 0 : positiveNumber(word);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** `90`, `90s`, `5m`, `2h`. A parser for commander. */
export function durationSeconds(word: string): number {
  const found = /^([0-9]{1,7})([smh]?)$/.exec(word);
  if (found === null) throw new InvalidArgumentError('A duration is wanted: 90s, 5m, 2h.');
  return Number(found[1]) * UNITS[found[2]!]!;
}
