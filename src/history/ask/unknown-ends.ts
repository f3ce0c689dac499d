// Words of a question that name nobody, told to whoever got no answer: silence would read as peace.
import { serviceOfWord, unknownName, type UnknownEnd } from '../../flow/filter-flows.ts';
import { parsedEnd, type Dictionaries } from '../store/dictionaries.ts';
import { isReadable, type Readable } from '../store/readable-flows.ts';
import type { FlowWords } from './wanted-flows.ts';

/** Of ends that he may read himself. To whom some are hidden, a word is told of only where one that he may read comes near it. Services are not looked for. */
export function unknownEnds(known: Dictionaries, { source, target }: FlowWords, readable: Readable): readonly UnknownEnd[] {
  const words = [...new Set([source, target].flatMap((word) => (word === undefined || serviceOfWord(word) !== undefined ? [] : [word])))];
  if (words.length === 0) return [];
  const ends = [...known.ends.entries()].flatMap(([id]) => parsedEnd(known, id) ?? []).filter((end) => isReadable(readable, end));
  return words.flatMap((word) => unknownName(word, ends) ?? []).filter(({ near }) => readable === 'all' || near !== undefined);
}
