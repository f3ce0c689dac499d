// Groups: pods that no policy can tell apart become one, by what matches them and not by their labels.
import type { IpFamily } from '../base/ip-address.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { ListInterner } from './list-interner.ts';
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
  for (const [index, pod] of cluster.pods.entries()) {
    const features = reader.featuresOf(pod);
    const key = reader.keyOf(features);
    const labels = pod.hostNetwork ? [] : vocabulary.selectors.signature(pod);
    const draft = bySignature.get([...key, ...labels], () => {
      const selectors = selectorsOf(input, pod);
      return byContent.get([...key, selectors], () => addDraft(drafts, { input, reader, features, selectors }));
    });
    draft.pods.push(index);
    draft.size += pod.replicas;
    groupOfPod[index] = draft.id;
  }
  return { groups: drafts, groupOfPod, reader };
}

/** Id of the list of selectors that match a pod; none matches a pod on its node's network. */
export function selectorsOf({ vocabulary, lists }: Pick<PodReaderInput, 'vocabulary' | 'lists'>, pod: Pod): number {
  return lists.intern(pod.hostNetwork ? [] : vocabulary.selectors.matched(pod.namespace, pod));
}

interface GroupDraft extends Group {
  readonly pods: number[];
  size: number;
}

class DraftTable {
  private readonly keys = new ListInterner();
  private readonly drafts: GroupDraft[] = [];

  get(key: readonly number[], make: () => GroupDraft): GroupDraft {
    const id = this.keys.intern(key);
    return (this.drafts[id] ??= make());
  }
}

interface DraftInput {
  readonly input: GroupingInput;
  readonly reader: PodReader;
  readonly features: PodFeatures;
  readonly selectors: number;
}

function addDraft(drafts: GroupDraft[], { input: { lists }, reader, features, selectors }: DraftInput): GroupDraft {
  const { namespace, hostNetwork, families, blocks } = features;
  const draft: GroupDraft = {
    id: drafts.length,
    namespace,
    pods: [],
    size: 0,
    hostNetwork,
    families,
    selectors: lists.lists[selectors]!,
    blocks: { 4: lists.lists[blocks[4]]!, 6: lists.lists[blocks[6]]! },
    namedPorts: reader.portsByName(features),
  };
  drafts.push(draft);
  return draft;
}
