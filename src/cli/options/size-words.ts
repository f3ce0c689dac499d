// Words for a size and for a length of time, as options have them.
import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** `512MiB` as bytes. */
export function readSize(word: string): number {
  const [, number, unit] = /^([0-9]{1,6})([KMGT]iB)$/.exec(word) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError('a size such as 512MiB or 10GiB is needed.');
  return Number(number) * UNITS[unit!]!;
}

const LENGTHS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** `30d` as milliseconds. */
export function readLength(word: string): number {
  const [, number, unit] = /^([0-9]{1,5})([hdw])$/.exec(word) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError('a length of time such as 12h, 30d or 8w is needed.');
  return Number(number) * LENGTHS[unit!]!;
}
