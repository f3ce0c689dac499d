// The groups of a live Program: they come with the first pod that is like no other, and go with the last of their pods.
import type { IpFamily } from '../base/ip-address.ts';
import type { Pod } from '../model/cluster.ts';
import type { ProgramParts } from './compile.ts';
import type { Group } from './group-pods.ts';
import { ListInterner } from './list-interner.ts';
import type { LiveCluster } from './live-cluster.ts';
import { insertNumber, NumberBuffer, removeNumber } from './number-list.ts';
import type { PodFeatures, PodReader } from './pod-features.ts';

/** All that policies can see of a pod. */
export interface GroupContent {
  readonly features: PodFeatures;
  /** Id of the list of selectors that match. */
  readonly selectors: number;
}

export class LiveGroup implements Group {
  readonly id: number;
  readonly content: GroupContent;
  readonly namespace: string;
  readonly hostNetwork: boolean;
  readonly families: readonly IpFamily[];
  readonly selectors: readonly number[];
  readonly blocks: Readonly<Record<IpFamily, readonly number[]>>;
  readonly namedPorts: ReadonlyMap<string, number>;
  size = 0;
  podCount = 0;
  private readonly owner: LiveGroups;

  constructor(owner: LiveGroups, id: number, content: GroupContent) {
    const { features, selectors } = content;
    const { lists } = owner.parts;
    this.owner = owner;
    this.id = id;
    this.content = content;
    this.namespace = features.namespace;
    this.hostNetwork = features.hostNetwork;
    this.families = features.families;
    this.selectors = lists.list(selectors);
    this.blocks = { 4: lists.list(features.blocks[4]), 6: lists.list(features.blocks[6]) };
    this.namedPorts = owner.reader.portsByName(features);
  }

  /** Looked up anew each time: indices of pods change as others come and go. */
  get pods(): readonly number[] {
    return this.podCount === 0 ? [] : this.owner.podsOf(this);
  }
}

/** A dead group keeps its number, with no pods, until another is given it. */
export class LiveGroups {
  readonly groups: LiveGroup[] = [];
  readonly parts: ProgramParts;
  readonly reader: PodReader;
  /** By pod index. Has room behind. */
  groupOfPod: Int32Array;
  private readonly cluster: LiveCluster;
  private readonly keys = new ListInterner();
  private readonly key = new NumberBuffer();
  private readonly groupOfKey: (LiveGroup | undefined)[] = [];
  private readonly bySelector: (Set<LiveGroup> | undefined)[] = [];
  private readonly free: number[] = [];

  constructor(parts: ProgramParts, cluster: LiveCluster) {
    this.parts = parts;
    this.reader = parts.reader;
    this.cluster = cluster;
    this.groupOfPod = parts.groupOfPod;
    for (const group of parts.groups) {
      const features = parts.reader.featuresOf(cluster.pods[group.pods[0]!]!);
      const live = this.make({ features, selectors: parts.lists.intern(group.selectors) });
      live.size = group.size;
      live.podCount = group.pods.length;
    }
  }

  /** How many different contents were ever seen. */
  get keyCount(): number {
    return this.keys.size;
  }

  find(content: GroupContent): LiveGroup | undefined {
    return this.groupOfKey[this.keyOf(content)];
  }

  make(content: GroupContent): LiveGroup {
    const id = this.free.pop() ?? this.groups.length;
    const group = new LiveGroup(this, id, content);
    this.groups[id] = group;
    this.groupOfKey[this.keyOf(content)] = group;
    for (const selector of group.selectors) this.ofSelector(selector).add(group);
    return group;
  }

  /** Of a group without pods; its number is given away only by `release`. */
  bury(group: LiveGroup): void {
    this.groupOfKey[this.keyOf(group.content)] = undefined;
    for (const selector of group.selectors) this.ofSelector(selector).delete(group);
  }

  release(group: LiveGroup): void {
    this.free.push(group.id);
  }

  ofSelector(selector: number): Set<LiveGroup> {
    while (this.bySelector.length <= selector) this.bySelector.push(undefined);
    return (this.bySelector[selector] ??= new Set());
  }

  groupAt(pod: number): LiveGroup {
    return this.groups[this.groupOfPod[pod]!]!;
  }

  podsOf(group: LiveGroup): number[] {
    const { start, end } = this.cluster.podsOfNamespace(group.namespace);
    const pods: number[] = [];
    for (let pod = start; pod < end; pod++) if (this.groupOfPod[pod] === group.id) pods.push(pod);
    return pods;
  }

  /** Before the list of pods has it. */
  insertPod(index: number, group: LiveGroup, pod: Pod): void {
    this.groupOfPod = insertNumber(this.groupOfPod, { index, count: this.cluster.pods.length, value: group.id });
    group.size += pod.replicas;
    group.podCount++;
  }

  /** While the list of pods still has it. */
  removePod(index: number, pod: Pod): LiveGroup {
    const group = this.groupAt(index);
    removeNumber(this.groupOfPod, { index, count: this.cluster.pods.length });
    group.size -= pod.replicas;
    group.podCount--;
    return group;
  }

  movePod(index: number, target: LiveGroup): LiveGroup {
    const group = this.groupAt(index);
    const { replicas } = this.cluster.pods[index]!;
    group.size -= replicas;
    group.podCount--;
    target.size += replicas;
    target.podCount++;
    this.groupOfPod[index] = target.id;
    return group;
  }

  private keyOf({ features, selectors }: GroupContent): number {
    this.key.clear();
    this.reader.addKey(features, this.key);
    this.key.push(selectors);
    return this.keys.intern(this.key.numbers, this.key.length);
  }
}
