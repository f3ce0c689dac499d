// Label selectors as one writes them on a command line: `app=web,tier in (a, b),!canary`.
import { WordError } from '../base/word-error.ts';
import type { Requirement, Selector } from '../model/selector.ts';

const HELP = 'a selector is key=value, key!=value, key in (a, b), key notin (a, b), key or !key, several joined by commas';

/** Whether the word can be nothing but a selector; a lone key cannot be told from a name. */
export function isSelectorWord(word: string): boolean {
  return /=|^!|\s(?:in|notin)\s*\(/.test(word);
}

/** The grammar of `kubectl -l` (Kubernetes, "Labels and Selectors"). Throws WordError. */
export function parseSelector(word: string): Selector {
  const terms = word.split(/,(?![^(]*\))/).map((term) => term.trim());
  return { requirements: terms.map((term) => parseTerm(word, term)) };
}

const KEY = '([A-Za-z0-9./_-]+)';
const VALUE = '([A-Za-z0-9._-]*)';
const TERMS = {
  set: new RegExp(`^${KEY}\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
  equal: new RegExp(`^${KEY}\\s*(==?|!=)\\s*${VALUE}$`),
  presence: new RegExp(`^(!?)\\s*${KEY}$`),
} as const;

function parseTerm(word: string, term: string): Requirement {
  const set = TERMS.set.exec(term);
  if (set !== null) return { kind: set[2] === 'in' ? 'In' : 'NotIn', key: set[1]!, values: set[3]!.split(',').map((value) => value.trim()) };
  const equal = TERMS.equal.exec(term);
  if (equal !== null) return { kind: equal[2] === '!=' ? 'NotIn' : 'In', key: equal[1]!, values: [equal[3]!] };
  const presence = TERMS.presence.exec(term);
  if (presence !== null) return { kind: presence[1] === '!' ? 'DoesNotExist' : 'Exists', key: presence[2]! };
  throw new WordError(`\`${word}\` is no selector`, HELP);
}
