// What a policy names for the first time, in a live Program: groups are split by it before any rule uses it.
import { selects } from '../model/selector.ts';
import type { ChangeRecord } from './change-record.ts';
import type { GroupContent, LiveGroup } from './live-groups.ts';
import { cutAtom, splitPod, type LiveState } from './live-state.ts';
import { EVERY_NAMESPACE } from './selector-index.ts';

export interface VocabularySizes {
  readonly selectors: number;
  readonly namespaceSelectors: number;
  readonly blocks: number;
  readonly portNames: number;
}

export function vocabularySizes({ parts }: LiveState): VocabularySizes {
  const { selectors, namespaceSelectors, blocks, portNames } = parts.policySet.vocabulary;
  return { selectors: selectors.selectors.length, namespaceSelectors: namespaceSelectors.length, blocks: blocks.length, portNames: portNames.length };
}

/** Splits groups by all that was not named before. No class changes yet: no rule uses it. */
export function learnVocabulary(state: LiveState, seen: VocabularySizes, record: ChangeRecord): void {
  const { cluster: { namespaces }, parts } = state;
  const { vocabulary } = parts.policySet;
  for (const selector of vocabulary.namespaceSelectors.slice(seen.namespaceSelectors)) {
    parts.selectedNamespaces.push(new Set(namespaces.filter((namespace) => selects(selector, namespace)).map(({ name }) => name)));
  }
  if (vocabulary.blocks.length > seen.blocks) learnBlocks(state, seen.blocks, record);
  if (vocabulary.portNames.length > seen.portNames) learnPortNames(state, vocabulary.portNames.slice(seen.portNames).map(({ name }) => name), record);
  for (let selector = seen.selectors; selector < vocabulary.selectors.selectors.length; selector++) learnSelector(state, selector, record);
}

function learnSelector(state: LiveState, id: number, record: ChangeRecord): void {
  const { cluster, groups, parts: { lists, policySet } } = state;
  const { scope, selector } = policySet.vocabulary.selectors.selectors[id]!;
  const pods = scope === EVERY_NAMESPACE ? { start: 0, end: cluster.pods.length } : cluster.podsOfNamespace(scope);
  const split = new Map<LiveGroup, GroupContent>();
  for (let pod = pods.start; pod < pods.end; pod++) {
    if (cluster.pods[pod]!.hostNetwork || !selects(selector, cluster.pods[pod]!)) continue;
    const group = groups.groupAt(pod);
    let content = split.get(group);
    // The new selector's id is the highest, so the list stays in order.
    if (content === undefined) split.set(group, (content = { ...group.content, selectors: lists.intern([...group.selectors, id]) }));
    splitPod(state, pod, content, record);
  }
}

function learnPortNames(state: LiveState, names: readonly string[], record: ChangeRecord): void {
  for (const [index, pod] of state.cluster.pods.entries()) {
    if (pod.hostNetwork || !pod.ports.some(({ name }) => name !== undefined && names.includes(name))) continue;
    rereadPod(state, index, record);
  }
}

/** All from the first new one on, in one turn: a policy may bring thousands. */
function learnBlocks(state: LiveState, start: number, record: ChangeRecord): void {
  const { cluster: { pods, addresses4 }, groups, parts: { atomTable, lists, policySet } } = state;
  const blocks = policySet.vocabulary.blocks.slice(start);
  for (const [place, block] of blocks.entries()) atomTable.addBlock(start + place, block, { lists, onCut: (atom) => cutAtom(state, atom, record) });
  const isUnknownUnder = groups.reader.refresh();
  const spans = joinSpans(blocks.flatMap(({ cidr: { family, first, last } }) => (family === 4 ? [[Number(first), Number(last)] as const] : [])));
  const hasFamily6 = blocks.some(({ cidr }) => cidr.family === 6);
  for (const [index, pod] of pods.entries()) {
    const isUnder = pod.addresses.length === 0 ? isUnknownUnder : isInSpans(spans, addresses4[index]!) || (hasFamily6 && pod.addresses.some(({ family }) => family === 6));
    if (isUnder) rereadPod(state, index, record);
  }
}

/** First and last, both inclusive. */
type Span = readonly [number, number];

/** Ascending and disjoint. */
function joinSpans(spans: readonly Span[]): readonly Span[] {
  const joined: [number, number][] = [];
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const open = joined.at(-1);
    if (open !== undefined && first <= open[1]) open[1] = Math.max(open[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** NaN is in none. */
function isInSpans(spans: readonly Span[], address: number): boolean {
  let [low, high] = [0, spans.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (spans[middle]![1] < address) low = middle + 1;
    else if (spans[middle]![0] <= address) return true;
    else high = middle - 1;
  }
  return false;
}

function rereadPod(state: LiveState, index: number, record: ChangeRecord): void {
  const { cluster, groups } = state;
  splitPod(state, index, { ...groups.groupAt(index).content, features: groups.reader.featuresOf(cluster.pods[index]!) }, record);
}
