// Numbers among the words of the command line.
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
