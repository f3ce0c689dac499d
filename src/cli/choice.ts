// An option with a closed list of words; a near miss is offered.
import { InvalidArgumentError } from 'commander';
import { nearestWord } from '../base/near-miss.ts';

/** A parser for commander that takes one of the words. */
export function choiceOf<Word extends string>(words: readonly Word[]): (given: string) => Word {
  return (given) => {
    const word = words.find((candidate) => candidate === given);
    if (word !== undefined) return word;
    const near = nearestWord(given, words);
    throw new InvalidArgumentError(`${near === undefined ? '' : `Did you mean ${near}? `}One of: ${words.join(', ')}.`);
  };
}
