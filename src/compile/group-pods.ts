// Groups: pods that no policy can tell apart become one, by what matches them and not by their labels.
import type { IpFamily } from '../base/ip-address.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { ListInterner } from './list-interner.ts';
import { NumberBuffer } from './number-list.ts';
import { PodReader, type PodFeatures, type PodReaderInput } from './pod-features.ts';

/** Pods alike in namespace, matching selectors, mentioned port names, blocks over their addresses, and host network. */
export interface Group {
  readonly id: number;
  readonly namespace: string;
  /** Indices of `cluster.pods`, ascending. */
  readonly pods: readonly number[];
  /** Number of pods with replicas. */
  readonly size: number;
  readonly hostNetwork: boolean;
  /** Families of the pods' addresses; both where no address is known. */
  readonly families: readonly IpFamily[];
  /** Ids of the scoped selectors that match, ascending; empty for hostNetwork pods, which no selector matches. */
  readonly selectors: readonly number[];
  /** Ids of the blocks over the address of each family, ascending. */
  readonly blocks: Readonly<Record<IpFamily, readonly number[]>>;
  /** Port set id of each mentioned `PROTOCOL/name` that the pods open. */
  readonly namedPorts: ReadonlyMap<string, number>;
}

export interface Grouping {
  readonly groups: readonly Group[];
  readonly groupOfPod: Int32Array;
  /** For pods that come later. */
  readonly reader: PodReader;
}

export interface GroupingInput extends PodReaderInput {
  readonly cluster: Cluster;
}

/**
 * Equal signatures, one group without matching again; a pod's signature holds only what some policy could look at.
 * Different signatures may still come to the same group.
 */
export function groupPods(input: GroupingInput): Grouping {
  const { cluster, vocabulary } = input;
  const reader = new PodReader(input);
  const groupOfPod = new Int32Array(cluster.pods.length);
  const drafts: GroupDraft[] = [];
  const bySignature = new DraftTable();
  const byContent = new DraftTable();
  const key = new NumberBuffer();
  for (const [index, pod] of cluster.pods.entries()) {
    const features = reader.featuresOf(pod);
    key.clear();
    reader.addKey(features, key);
    const featuresEnd = key.length;
    if (!pod.hostNetwork) vocabulary.selectors.signature(pod, key);
    const draft = bySignature.get(key, () => {
      const selectors = selectorsOf(input, pod);
      key.length = featuresEnd;
      key.push(selectors);
      return byContent.get(key, () => addDraft(drafts, { input, reader, features, selectors, pod: index }));
    });
    if (draft.pods[0] !== index) draft.pods.push(index);
    draft.size += pod.replicas;
    groupOfPod[index] = draft.id;
  }
  return { groups: drafts, groupOfPod, reader };
}

/** Id of the list of selectors that match a pod; none matches a pod on its node's network. */
export function selectorsOf({ vocabulary, lists }: Pick<PodReaderInput, 'vocabulary' | 'lists'>, pod: Pod): number {
  if (pod.hostNetwork) return NO_SELECTORS;
  const { numbers, length } = vocabulary.selectors.matched(pod.namespace, pod);
  return lists.intern(numbers, length);
}

const NO_SELECTORS = 0;

interface GroupDraft extends Group {
  readonly pods: number[];
  size: number;
}

class DraftTable {
  private readonly keys = new ListInterner();
  private readonly drafts: GroupDraft[] = [];

  get(key: NumberBuffer, make: () => GroupDraft): GroupDraft {
    const id = this.keys.intern(key.numbers, key.length);
    return (this.drafts[id] ??= make());
  }
}

/** The list that is empty, for the many pods that no block holds. */
const NO_BLOCKS = 0;
const NOT_IN_BLOCKS: Group['blocks'] = { 4: [], 6: [] };

interface DraftInput {
  readonly input: GroupingInput;
  readonly reader: PodReader;
  readonly features: PodFeatures;
  readonly selectors: number;
  /** Index of the first. */
  readonly pod: number;
}

function addDraft(drafts: GroupDraft[], { input: { lists }, reader, features, selectors, pod }: DraftInput): GroupDraft {
  const { namespace, hostNetwork, families, blocks } = features;
  const draft: GroupDraft = {
    id: drafts.length,
    namespace,
    pods: [pod],
    size: 0,
    hostNetwork,
    families,
    selectors: lists.list(selectors),
    blocks: blocks[4] === NO_BLOCKS && blocks[6] === NO_BLOCKS ? NOT_IN_BLOCKS : { 4: lists.list(blocks[4]), 6: lists.list(blocks[6]) },
    namedPorts: reader.portsByName(features),
  };
  drafts.push(draft);
  return draft;
}
