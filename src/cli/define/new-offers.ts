// What can be answered to a topic of a pattern: the names, labels and ports of the input, or the few words that there are.
import type { Cluster } from '../../model/cluster.ts';
import type { Topic } from '../../pattern/answers.ts';
import { PROVIDERS } from '../../pattern/named-blocks.ts';
import { offerNamespaces, offerPorts, offerSelectors } from '../../pattern/offer-names.ts';
import type { Pattern } from '../../pattern/pattern-shape.ts';
import { DIRECTION_WORDS, listenersOf, peerWords, settleSubject, type TopicWords } from './new-answers.ts';

export interface OfferContext {
  readonly words: TopicWords;
  readonly input: Cluster | undefined;
}

/** Empty where nothing is known. */
export function offersFor(pattern: Pattern, topic: Topic, { words, input }: OfferContext): readonly string[] {
  if (topic === 'direction') return DIRECTION_WORDS;
  if (topic === 'provider') return PROVIDERS;
  if (input === undefined) return [];
  switch (topic) {
    case 'namespace':
    case 'from-namespace':
    case 'to-namespace':
    case 'except-namespace':
      return offerNamespaces(input);
    case 'selector':
      return offerSelectors(input, words.get('namespace')?.[0]);
    case 'from-selector':
    case 'to-selector':
      return offerSelectors(input, (words.get('from-namespace') ?? words.get('to-namespace') ?? words.get('namespace'))?.[0]);
    case 'port':
      return offerPorts(listenersOf(pattern, { selected: settleSubject(words), peers: peerWords(words), cluster: input })).map(({ word, name }) => (name === undefined ? word : `${word} (${name})`));
    default:
      return [];
  }
}
