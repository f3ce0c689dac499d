// An option with a closed list of words; a near miss is offered.
import { InvalidArgumentError } from 'commander';
import { nearestWordAnyCase } from '../../base/near-miss.ts';

/** A parser for commander, with the words that it takes. */
export interface Choice<Word extends string> {
  (given: string): Word;
  readonly words: readonly Word[];
}

export function choiceOf<Word extends string>(words: readonly Word[]): Choice<Word> {
  const parse = (given: string): Word => {
    const word = words.find((candidate) => candidate === given);
    if (word !== undefined) return word;
    const near = nearestWordAnyCase(given, words);
    throw new InvalidArgumentError(`${near === undefined ? '' : `Did you mean ${near}? `}One of: ${words.join(', ')}.`);
  };
  return Object.assign(parse, { words });
}
