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
  for (let block = seen.blocks; block < vocabulary.blocks.length; block++) learnBlock(state, block, record);
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

function learnBlock(state: LiveState, id: number, record: ChangeRecord): void {
  const { cluster: { pods, addresses4 }, groups, parts: { atomTable, lists, policySet } } = state;
  const block = policySet.vocabulary.blocks[id]!;
  atomTable.addBlock(id, block, { lists, onCut: (atom) => cutAtom(state, atom, record) });
  const isUnknownUnder = groups.reader.refresh();
  const { family, first, last } = block.cidr;
  const [first4, last4] = family === 4 ? [Number(first), Number(last)] : [Number.NaN, Number.NaN];
  for (const [index, pod] of pods.entries()) {
    const address = addresses4[index]!;
    const isUnder = pod.addresses.length === 0 ? isUnknownUnder : (address >= first4 && address <= last4) || (family === 6 && pod.addresses.some((other) => other.family === 6));
    if (isUnder) rereadPod(state, index, record);
  }
}

function rereadPod(state: LiveState, index: number, record: ChangeRecord): void {
  const { cluster, groups } = state;
  splitPod(state, index, { ...groups.groupAt(index).content, features: groups.reader.featuresOf(cluster.pods[index]!) }, record);
}
