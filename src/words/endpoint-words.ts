// The words for an end of a connection: `ns/name`, `ns/*`, `svc/ns/name:port`, a name of the cluster's DNS, a URL, `app=web`, a CIDR, `internet`.
import { nearestWord } from '../base/near-miss.ts';
import { WordError } from '../base/word-error.ts';
import { parseRange } from '../base/range-text.ts';
import type { Pod } from '../model/cluster.ts';
import { formatSelector, selects, type Selector } from '../model/selector.ts';
import type { Program } from '../compile/program.ts';
import { listEndpoints, type PlacedEndpoint } from '../analyze/endpoints.ts';
import { podEnds, withoutPods, type NamedEnds, type WordContext } from '../analyze/named-ends.ts';
import { internetRanges, rangeEnds } from './address-words.ts';
import { isSelectorWord, parseSelector } from './selector-words.ts';
import { dnsEnds, domainEnds, isDnsWord, isUrlWord, serviceEnds, urlEnds } from './service-words.ts';

export const END_WORDS_HELP = 'write namespace/name of a workload or pod, namespace/*, svc/namespace/name:port, a DNS name or URL of the cluster, key=value, a CIDR, or internet';

/** An end as a test file writes it: a word, or pods by namespace and labels. */
export type EndWord = string | PodsWord;

/** Pods that meet all of it. */
export interface PodsWord {
  /** undefined: every namespace. */
  readonly namespaces: readonly string[] | undefined;
  /** Namespaces left out. */
  readonly except: readonly string[];
  readonly selector: Selector;
}

/** Throws WordError for a word that names nothing here, with the near miss. */
export function findEnds(program: Program, word: EndWord, context: WordContext = {}): NamedEnds {
  const named = endsOfWord(program, word, context);
  const { hiddenPods = [] } = context;
  if (hiddenPods.length === 0 || named.pods.length === 0) return named;
  const shown = withoutPods(named, hiddenPods, program);
  if (shown.ends.length === 0) throw new WordError(`\`${formatEndWord(word)}\` names pods that are not in the manifests`, END_WORDS_HELP);
  return shown;
}

function endsOfWord(program: Program, word: EndWord, context: WordContext): NamedEnds {
  if (typeof word !== 'string') return podsByWord(program, word);
  if (word === 'internet') return rangeEnds(program, word, internetRanges(program.cluster));
  const range = parseRange(word);
  if (range !== undefined) return rangeEnds(program, word, [range]);
  if (isUrlWord(word)) return urlEnds(program, word, context);
  if (word.startsWith('svc/')) return serviceEnds(program, word);
  if (isSelectorWord(word)) return podsByWord(program, { namespaces: undefined, except: [], selector: parseSelector(word) }, withNamespace);
  if (word === '*' || word === '*/*') return podsByWord(program, { namespaces: undefined, except: [], selector: { requirements: [] } });
  if (word.endsWith('/*')) return podsByWord(program, { namespaces: [word.slice(0, -2)], except: [], selector: { requirements: [] } });
  if (isDnsWord(program, word)) return dnsEnds(program, word);
  return domainEnds(program, word) ?? placedEnds(program, word);
}

/** The word as a person reads it. */
export function formatEndWord(word: EndWord): string {
  if (typeof word === 'string') return word;
  const { namespaces, except, selector } = word;
  const where = namespaces === undefined ? '' : ` of ${namespaces.join(', ')}`;
  const but = except.length === 0 ? '' : ` outside ${except.join(', ')}`;
  const which = selector.requirements.length === 0 ? 'pods' : `pods with ${formatSelector(selector)}`;
  return `${which}${where}${but}`;
}

/** As in words for flows, the name of the namespace counts as a label, unless the pod has one of its own by that key. */
function withNamespace({ namespace, labels, unknownKeys }: Pod): Pick<Pod, 'labels' | 'unknownKeys'> {
  return { labels: new Map([['namespace', namespace], ...labels]), unknownKeys };
}

function podsByWord(program: Program, word: PodsWord, labelsOf: (pod: Pod) => Pick<Pod, 'labels' | 'unknownKeys'> = (pod) => pod): NamedEnds {
  const { pods, namespaces } = program.cluster;
  for (const name of [...(word.namespaces ?? []), ...word.except]) if (!namespaces.some((namespace) => namespace.name === name)) throw unknownNamespace(program, name);
  const found = [...pods.keys()].filter((index) => {
    const pod = pods[index]!;
    return word.namespaces?.includes(pod.namespace) !== false && !word.except.includes(pod.namespace) && selects(word.selector, labelsOf(pod));
  });
  if (found.length === 0) throw noSuchPods(word);
  return podEnds(program, found);
}

function noSuchPods(word: PodsWord): WordError {
  const isSelectorAlone = word.namespaces === undefined && word.except.length === 0;
  const what = isSelectorAlone ? `no pod has the labels \`${formatSelector(word.selector)}\`` : `there are no ${formatEndWord(word)}`;
  return new WordError(what, 'a selector is key=value, key!=value, key in (a, b) or !key, several joined by commas');
}

export function unknownNamespace({ cluster }: Program, name: string): WordError {
  const near = nearestWord(name, cluster.namespaces.map((namespace) => namespace.name));
  return new WordError(`there is no namespace \`${name}\``, near === undefined ? END_WORDS_HELP : `did you mean ${near}?`);
}

/** First as `reach` names workloads, then as it names pods; a name without its `#1` or kind stands for all that share it. */
function placedEnds(program: Program, word: string): NamedEnds {
  const { pods } = program.cluster;
  const byWorkload = [...pods.keys()].filter((index) => `${pods[index]!.workload.namespace}/${pods[index]!.workload.name}` === word);
  if (byWorkload.length > 0) return podEnds(program, byWorkload);
  const byName = [...pods.keys()].filter((index) => `${pods[index]!.namespace}/${pods[index]!.name}` === word);
  if (byName.length > 0) return podEnds(program, byName);
  const workloads = podEndpoints(program, 'workload');
  const named = [...workloads, ...podEndpoints(program, 'pod')];
  const exact = named.find(({ endpoint }) => endpoint.id === word);
  if (exact !== undefined) return podEnds(program, exact.podIndices);
  const names = named.map(plainName);
  const near = nearestWord(word, names) ?? names.find((name) => name.endsWith(`/${word}`));
  throw new WordError(`nothing here is called \`${word}\``, near === undefined ? END_WORDS_HELP : `did you mean ${near}?`);
}

function podEndpoints(program: Program, by: 'workload' | 'pod'): PlacedEndpoint[] {
  return listEndpoints(program, by).filter(({ podIndices }) => podIndices.length > 0);
}

function plainName({ endpoint }: PlacedEndpoint): string {
  return 'namespace' in endpoint ? `${endpoint.namespace}/${endpoint.name}` : endpoint.id;
}
