// An option whose word stands alone: of two, commander would let the last stand for both without a sign.
import { InvalidArgumentError } from 'commander';

/** A parser for commander. */
export function once(word: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`It is given twice, and \`${before}\` would not count.`);
  return word;
}
