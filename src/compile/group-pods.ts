// Groups: pods that no policy can tell apart become one, by what matches them and not by their labels.
import { portSetOf } from '../base/port-set.ts';
import type { IpFamily } from '../base/ip-address.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import type { AtomTable } from './atom.ts';
import { ListInterner } from './list-interner.ts';
import { NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import { portNameKey, type Vocabulary } from './vocabulary.ts';

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
}

export interface GroupingInput {
  readonly cluster: Cluster;
  readonly vocabulary: Vocabulary;
  readonly atomTable: AtomTable;
  readonly lists: ListInterner;
  readonly portSets: PortSetTable;
}

const BOTH_FAMILIES: readonly IpFamily[] = [4, 6];
const NO_LIST = 0;

/**
 * Same text, same group without matching again; a pod's text holds only what some policy could look at.
 * Different texts may still come to the same group.
 */
export function groupPods(input: GroupingInput): Grouping {
  const { cluster, vocabulary } = input;
  const groupOfPod = new Int32Array(cluster.pods.length);
  const drafts: GroupDraft[] = [];
  const byText = new Map<string, GroupDraft>();
  const byContent = new Map<string, GroupDraft>();
  const blocksOfPod = podBlocks(input);
  for (const [index, pod] of cluster.pods.entries()) {
    const blocks = blocksOfPod(pod);
    const ports = pod.hostNetwork ? '' : portSignature(pod, vocabulary);
    const labels = pod.hostNetwork ? '' : vocabulary.selectors.signature(pod);
    const text = `${pod.namespace}\n${labels}\n${ports}\n${blocks[4]} ${blocks[6]} ${familyKey(pod)} ${pod.hostNetwork}`;
    let draft = byText.get(text);
    if (draft === undefined) {
      const selectors = pod.hostNetwork ? NO_LIST : input.lists.intern(vocabulary.selectors.matched(pod.namespace, pod));
      const content = `${pod.namespace}\n${selectors}\n${ports}\n${blocks[4]} ${blocks[6]} ${familyKey(pod)} ${pod.hostNetwork}`;
      draft = byContent.get(content);
      if (draft === undefined) {
        draft = draftGroup(input, pod, { selectors, blocks, id: drafts.length });
        drafts.push(draft);
        byContent.set(content, draft);
      }
      byText.set(text, draft);
    }
    draft.pods.push(index);
    draft.size += pod.replicas;
    groupOfPod[index] = draft.id;
  }
  return { groups: drafts, groupOfPod };
}

interface GroupDraft extends Group {
  readonly pods: number[];
  size: number;
}

type BlockLists = Readonly<Record<IpFamily, number>>;

function draftGroup(input: GroupingInput, pod: Pod, known: { id: number; selectors: number; blocks: BlockLists }): GroupDraft {
  const { lists } = input;
  return {
    id: known.id,
    namespace: pod.namespace,
    pods: [],
    size: 0,
    hostNetwork: pod.hostNetwork,
    families: familiesOf(pod),
    selectors: lists.lists[known.selectors]!,
    blocks: { 4: lists.lists[known.blocks[4]]!, 6: lists.lists[known.blocks[6]]! },
    namedPorts: pod.hostNetwork ? new Map() : namedPorts(pod, input),
  };
}

/** The first address of a family speaks for the pod: a pod has at most one of each. */
function podBlocks(input: GroupingInput): (pod: Pod) => BlockLists {
  const { atomTable, lists, cluster } = input;
  const unknown: BlockLists = { 4: blocksOverPodRanges(input, 4), 6: blocksOverPodRanges(input, 6) };
  const none: BlockLists = { 4: NO_LIST, 6: NO_LIST };
  const oneFamily = (pod: Pod, family: IpFamily): number => {
    const address = pod.addresses.find((candidate) => candidate.family === family);
    return address === undefined ? NO_LIST : atomTable.blocksOfAtom[atomTable.find(address)]!;
  };
  return (pod) => {
    if (pod.addresses.length > 0) return { 4: oneFamily(pod, 4), 6: oneFamily(pod, 6) };
    return pod.hostNetwork || cluster.podRanges.length === 0 || lists.lists.length === 1 ? none : unknown;
  };
}

/** A pod without a known address is surely in a block only when the block covers every pod range of the family. */
function blocksOverPodRanges({ atomTable, lists }: GroupingInput, family: IpFamily): number {
  let common: readonly number[] | undefined;
  for (const [index, atom] of atomTable.atoms.entries()) {
    if (!atom.isPodRange || atom.family !== family) continue;
    const blocks = lists.lists[atomTable.blocksOfAtom[index]!]!;
    common = common === undefined ? blocks : common.filter((block) => blocks.includes(block));
  }
  return lists.intern(common ?? []);
}

function familiesOf(pod: Pod): readonly IpFamily[] {
  if (pod.addresses.length === 0) return BOTH_FAMILIES;
  return BOTH_FAMILIES.filter((family) => pod.addresses.some((address) => address.family === family));
}

function familyKey(pod: Pod): string {
  return familiesOf(pod).join('');
}

function portSignature(pod: Pod, vocabulary: Vocabulary): string {
  if (vocabulary.portNames.size === 0) return '';
  const mentioned = pod.ports.filter((port) => port.name !== undefined && vocabulary.portNames.has(portNameKey(port.protocol, port.name)));
  return [...new Set(mentioned.map((port) => `${port.protocol}/${port.name}:${port.port}`))].sort().join(' ');
}

/** Containers that open different ports under one name: the name means all of them. */
function namedPorts(pod: Pod, { vocabulary, portSets }: GroupingInput): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const port of pod.ports) {
    if (port.name === undefined) continue;
    const key = portNameKey(port.protocol, port.name);
    if (!vocabulary.portNames.has(key)) continue;
    const ports = portSets.intern(portSetOf(port.protocol, port.port, port.port));
    result.set(key, portSets.union(result.get(key) ?? NO_PORTS_ID, ports));
  }
  return result;
}
