// A Program that follows a cluster change by change: cost follows what a change touches, and each change tells what it did.
import type { Cluster, ClusterNode, Namespace, Pod } from '../model/cluster.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/network-policy.ts';
import { selects } from '../model/selector.ts';
import { ANY_OTHER_NAME, ChangeRecord, findDifference } from './change-record.ts';
import type { ClusterChange } from './cluster-change.ts';
import { compileParts, type ProgramParts } from './compile.ts';
import { viewDirection } from './direction.ts';
import { selectorsOf } from './group-pods.ts';
import { isSameEnd, isSameNode, isSameRange, LiveCluster, namesNodes } from './live-cluster.ts';
import { LiveDirection } from './live-direction.ts';
import { LiveGroups, type GroupContent, type LiveGroup } from './live-groups.ts';
import { insertNumber } from './number-list.ts';
import { EVERY_NAMESPACE } from './selector-index.ts';
import { compileClusterPolicy, compileNetworkPolicy, type CompiledClusterPolicy, type CompiledPolicy } from './policy-set.ts';
import type { ProgramDifference } from './program-difference.ts';
import { ProgramGrowth } from './program-growth.ts';
import type { Program } from './program.ts';

/** Beyond the larger growth a change compiles anew unasked. */
const GROWTH_WANTED = 2;
const GROWTH_MAX = 4;

export class LiveProgram {
  private cluster: LiveCluster;
  private parts!: ProgramParts;
  private groups!: LiveGroups;
  private directions!: Readonly<Record<Direction, LiveDirection>>;
  private compiled!: Map<NetworkPolicy, CompiledPolicy>;
  private compiledClusterPolicies!: Map<ClusterPolicy, CompiledClusterPolicy>;
  private domainNames!: readonly string[];
  private growth!: ProgramGrowth;
  private isRenumbered = false;
  private view!: Program;

  constructor(cluster: Cluster) {
    this.cluster = new LiveCluster(cluster);
    this.load();
  }

  /** Good until the next change, which writes into its arrays. */
  get program(): Program {
    return this.view;
  }

  /** Whether `compact` would give memory back. */
  get wantsCompaction(): boolean {
    return this.growth.isBeyond(GROWTH_WANTED);
  }

  /** Compiles anew, which takes as long as the first time: for a moment without changes. The next difference says so. */
  compact(): void {
    this.load();
    this.isRenumbered = true;
  }

  apply(change: ClusterChange): ProgramDifference {
    if (this.growth.isBeyond(GROWTH_MAX)) this.compact();
    const { isRenumbered } = this;
    this.isRenumbered = false;
    this.growth.countChange();
    const record = new ChangeRecord();
    this.change(change, record);
    for (const group of record.dead) if (group.podCount === 0) this.bury(group);
    this.view = this.makeView();
    const difference = {
      isRenumbered,
      addedPod: record.addedPod,
      removedPod: record.removedPod,
      isAtomsCut: record.isAtomsCut,
      ingress: this.differenceOf('ingress', record),
      egress: this.differenceOf('egress', record),
    };
    for (const direction of DIRECTIONS) this.directions[direction].settle();
    for (const group of record.dead) if (group.podCount === 0) this.groups.release(group);
    return difference;
  }

  private load(): void {
    const cluster = this.cluster.toCluster();
    this.cluster = new LiveCluster(cluster);
    this.parts = compileParts(this.cluster.toCluster());
    const { policySet, directions } = this.parts;
    this.groups = new LiveGroups(this.parts, this.cluster);
    this.directions = {
      ingress: new LiveDirection(directions.ingress, this.parts, this.groups),
      egress: new LiveDirection(directions.egress, this.parts, this.groups),
    };
    this.compiled = new Map(policySet.policies.map((compiled) => [compiled.policy, compiled]));
    this.compiledClusterPolicies = new Map(policySet.clusterPolicies.map((compiled) => [compiled.policy, compiled]));
    this.domainNames = this.parts.domainNames;
    this.growth = new ProgramGrowth(this.parts, this.groups);
    this.view = this.makeView();
  }

  private makeView(): Program {
    const { atomTable, portSets } = this.parts;
    const groupCount = this.groups.groups.length;
    return {
      cluster: this.cluster.toCluster(),
      groups: this.groups.groups,
      groupOfPod: this.groups.groupOfPod.subarray(0, this.cluster.pods.length),
      atoms: atomTable.atoms,
      findAtom: (address) => atomTable.find(address),
      domainNames: this.domainNames,
      ingress: viewDirection(this.directions.ingress.state, groupCount),
      egress: viewDirection(this.directions.egress.state, groupCount),
      portSets,
    };
  }

  private differenceOf(direction: Direction, record: ChangeRecord): ReturnType<typeof findDifference> {
    return findDifference({ record, live: this.directions[direction], groups: this.groups, after: this.view[direction], domainNames: this.domainNames });
  }

  private change(change: ClusterChange, record: ChangeRecord): void {
    switch (change.kind) {
      case 'put-pod':
        return this.putPod(change.pod, record);
      case 'remove-pod':
        return this.removePod(change.pod, record);
      case 'put-policy': {
        this.removePolicy(change.policy);
        return this.addPolicy(change.policy, record);
      }
      case 'remove-policy':
        return this.removePolicy(change);
      case 'put-cluster-policy':
        this.removeClusterPolicy(change.policy, record);
        return this.addClusterPolicy(change.policy, record);
      case 'remove-cluster-policy':
        return this.removeClusterPolicy(change.policy, record);
      case 'put-namespace':
        return this.setNamespace(change.namespace.name, change.namespace);
      case 'remove-namespace':
        return this.setNamespace(change.name, undefined);
      case 'put-node':
        return this.setNode(change.node.name, change.node, record);
      case 'remove-node':
        return this.setNode(change.name, undefined, record);
      case 'set-pod-ranges':
        this.cluster.ownPodRanges = change.ranges;
        return this.setPodRanges(record);
    }
  }

  private putPod(pod: Pod, record: ChangeRecord): void {
    const { index, isThere } = this.cluster.findPod(pod);
    if (isThere && isSameEnd(this.cluster.pods[index]!, pod)) {
      this.cluster.replacePod(index, pod);
      this.movePod(index, this.contentOf(pod), record);
      return;
    }
    if (isThere) this.removePod(pod, record);
    const group = this.groupWith(this.contentOf(pod), undefined);
    this.groups.insertPod(index, group, pod);
    this.cluster.insertPod(index, pod);
    record.addedPod = index;
  }

  private removePod(pod: Pod, record: ChangeRecord): void {
    const { index, isThere } = this.cluster.findPod(pod);
    if (!isThere) return;
    const removed = this.cluster.pods[index]!;
    const group = this.groups.removePod(index, removed);
    this.cluster.removePod(index);
    record.removedPod = removed;
    record.dead.add(group);
  }

  private contentOf(pod: Pod): GroupContent {
    const { lists, policySet } = this.parts;
    return { features: this.groups.reader.featuresOf(pod), selectors: selectorsOf({ lists, vocabulary: policySet.vocabulary }, pod) };
  }

  private movePod(index: number, content: GroupContent, record: ChangeRecord): void {
    const origin = this.groups.groupAt(index);
    const target = this.groupWith(content, undefined);
    if (target === origin) return;
    this.groups.movePod(index, target);
    record.movePod(index, origin);
    if (origin.podCount === 0) record.dead.add(origin);
  }

  /** Policies that govern `origin` govern the new group too. */
  private groupWith(content: GroupContent, origin: LiveGroup | undefined): LiveGroup {
    const known = this.groups.find(content);
    if (known !== undefined) return known;
    const group = this.groups.make(content);
    for (const direction of DIRECTIONS) this.directions[direction].addGroup(group, origin);
    return group;
  }

  private bury(group: LiveGroup): void {
    for (const direction of DIRECTIONS) this.directions[direction].removeGroup(group);
    this.groups.bury(group);
  }

  private addPolicy(policy: NetworkPolicy, record: ChangeRecord): void {
    const { policySet, portSets } = this.parts;
    const seen = this.vocabularySizes();
    const compiled = compileNetworkPolicy({ cluster: this.cluster, vocabulary: policySet.vocabulary, portSets }, policy);
    this.learn(seen, record);
    this.useMore(compiled, record);
    for (const direction of DIRECTIONS) this.directions[direction].attachPolicy(compiled);
    this.compiled.set(policy, compiled);
    this.cluster.policies.splice(this.cluster.findPolicy(policy).index, 0, policy);
  }

  private removePolicy(named: { readonly namespace: string; readonly name: string }): void {
    const { index, isThere } = this.cluster.findPolicy(named);
    if (!isThere) return;
    const policy = this.cluster.policies[index]!;
    for (const direction of DIRECTIONS) this.directions[direction].detachPolicy(this.compiled.get(policy)!);
    this.compiled.delete(policy);
    this.cluster.policies.splice(index, 1);
  }

  private addClusterPolicy(policy: ClusterPolicy, record: ChangeRecord): void {
    const { policySet, portSets } = this.parts;
    const seen = this.vocabularySizes();
    const compiled = compileClusterPolicy({ cluster: this.cluster, vocabulary: policySet.vocabulary, portSets }, policy);
    this.learn(seen, record);
    this.compiledClusterPolicies.set(policy, compiled);
    this.useMore(compiled, record);
    if (this.domainNamesInUse().length > this.domainNames.length) this.reclassifyDomainNames(record);
    for (const direction of DIRECTIONS) this.directions[direction].attachClusterPolicy(compiled);
    this.cluster.addClusterPolicy(policy);
  }

  private removeClusterPolicy(named: Pick<ClusterPolicy, 'kind' | 'name'>, record: ChangeRecord): void {
    const policy = this.cluster.findClusterPolicy(named);
    if (policy === undefined) return;
    for (const direction of DIRECTIONS) this.directions[direction].detachClusterPolicy(this.compiledClusterPolicies.get(policy)!);
    this.compiledClusterPolicies.delete(policy);
    if (this.domainNamesInUse().length < this.domainNames.length) this.reclassifyDomainNames(record);
    this.cluster.clusterPolicies.splice(this.cluster.clusterPolicies.indexOf(policy), 1);
  }

  private vocabularySizes(): VocabularySizes {
    const { selectors, namespaceSelectors, blocks, portNames } = this.parts.policySet.vocabulary;
    return { selectors: selectors.selectors.length, namespaceSelectors: namespaceSelectors.length, blocks: blocks.length, portNames: portNames.length };
  }

  /** Splits groups by all that was not named before. No class changes yet: no rule uses it. */
  private learn(seen: VocabularySizes, record: ChangeRecord): void {
    const { vocabulary } = this.parts.policySet;
    const { namespaces } = this.cluster;
    for (const selector of vocabulary.namespaceSelectors.slice(seen.namespaceSelectors)) {
      this.parts.selectedNamespaces.push(new Set(namespaces.filter((namespace) => selects(selector, namespace)).map(({ name }) => name)));
    }
    for (let block = seen.blocks; block < vocabulary.blocks.length; block++) this.learnBlock(block, record);
    if (vocabulary.portNames.length > seen.portNames) this.learnPortNames(vocabulary.portNames.slice(seen.portNames).map(({ name }) => name), record);
    for (let selector = seen.selectors; selector < vocabulary.selectors.selectors.length; selector++) this.learnSelector(selector, record);
  }

  private learnSelector(id: number, record: ChangeRecord): void {
    const { lists, policySet } = this.parts;
    const { scope, selector } = policySet.vocabulary.selectors.selectors[id]!;
    const pods = this.podsInScope(scope);
    const { pods: all } = this.cluster;
    const split = new Map<LiveGroup, GroupContent>();
    for (let pod = pods.start; pod < pods.end; pod++) {
      if (all[pod]!.hostNetwork || !selects(selector, all[pod]!)) continue;
      const group = this.groups.groupAt(pod);
      let content = split.get(group);
      // The new selector's id is the highest, so the list stays in order.
      if (content === undefined) split.set(group, (content = { ...group.content, selectors: lists.intern([...group.selectors, id]) }));
      this.splitPod(pod, content, record);
    }
  }

  private podsInScope(scope: string): { readonly start: number; readonly end: number } {
    return scope === EVERY_NAMESPACE ? { start: 0, end: this.cluster.pods.length } : this.cluster.podsOfNamespace(scope);
  }

  private learnPortNames(names: readonly string[], record: ChangeRecord): void {
    for (const [index, pod] of this.cluster.pods.entries()) {
      if (pod.hostNetwork || !pod.ports.some(({ name }) => name !== undefined && names.includes(name))) continue;
      this.splitPod(index, { ...this.groups.groupAt(index).content, features: this.groups.reader.featuresOf(pod) }, record);
    }
  }

  private learnBlock(id: number, record: ChangeRecord): void {
    const { atomTable, lists, policySet } = this.parts;
    const block = policySet.vocabulary.blocks[id]!;
    const onCut = (atom: number): void => {
      record.isAtomsCut = true;
      for (const direction of DIRECTIONS) this.cutAtom(direction, atom, record);
    };
    atomTable.addBlock(id, block, { lists, onCut });
    const isUnknownUnder = this.groups.reader.refresh();
    const { pods, addresses4 } = this.cluster;
    const { family, first, last } = block.cidr;
    const [first4, last4] = family === 4 ? [Number(first), Number(last)] : [Number.NaN, Number.NaN];
    for (const [index, pod] of pods.entries()) {
      const address = addresses4[index]!;
      const isUnder = pod.addresses.length === 0 ? isUnknownUnder : (address >= first4 && address <= last4) || (family === 6 && pod.addresses.some((other) => other.family === 6));
      if (isUnder) this.splitPod(index, { ...this.groups.groupAt(index).content, features: this.groups.reader.featuresOf(pod) }, record);
    }
  }

  private cutAtom(direction: Direction, atom: number, record: ChangeRecord): void {
    const { peers } = this.directions[direction];
    const peerClass = peers.classOfAtom[atom]!;
    const count = this.parts.atomTable.atoms.length - 1;
    peers.classOfAtom = insertNumber(peers.classOfAtom, { index: atom, count, value: peerClass });
    this.directions[direction].countClass(peerClass, 1);
    const known = [...record.atoms[direction]];
    record.atoms[direction].clear();
    for (const [index, before] of known) {
      record.atoms[direction].set(index > atom ? index + 1 : index, before);
      if (index === atom) record.atoms[direction].set(atom + 1, before);
    }
  }

  /** For what no rule uses yet: the pod's policies stay the same. */
  private splitPod(index: number, content: GroupContent, record: ChangeRecord): void {
    const origin = this.groups.groupAt(index);
    const target = this.groupWith(content, origin);
    if (target === origin) return;
    this.groups.movePod(index, target);
    record.movePod(index, origin);
    if (origin.podCount === 0) record.dead.add(origin);
  }

  private useMore(policy: CompiledPolicy | CompiledClusterPolicy, record: ChangeRecord): void {
    let isNamed = false;
    for (const direction of DIRECTIONS) {
      for (const rule of policy[direction] ?? []) {
        for (const peerSet of rule.peerSets ?? []) isNamed = this.usePeerSet(direction, peerSet, record) || isNamed;
      }
    }
    if (isNamed) this.reclassifyDomainNames(record);
  }

  /** Gives whether domain names may be held by other peer sets now. */
  private usePeerSet(direction: Direction, id: number, record: ChangeRecord): boolean {
    const live = this.directions[direction];
    if (live.peers.used.has(id)) return false;
    live.peers.used.add(id);
    const peerSet = this.parts.policySet.vocabulary.peerSets[id]!;
    if (peerSet.kind === 'own-namespace' || peerSet.kind === 'namespaces') {
      for (const group of this.groups.ofSelector(peerSet.selector)) live.reclassify(group);
      return false;
    }
    if (peerSet.kind === 'whole-family') {
      for (const group of this.groups.groups) if (group.podCount > 0) live.reclassify(group);
      return false;
    }
    if (peerSet.kind === 'ip-block') this.useBlock(live, peerSet.block, record);
    return true;
  }

  private useBlock(live: LiveDirection, block: number, record: ChangeRecord): void {
    const { atomTable, lists } = this.parts;
    for (const group of this.groups.groups) {
      if (group.podCount > 0 && (group.blocks[4].includes(block) || group.blocks[6].includes(block))) live.reclassify(group);
    }
    const { classOfAtom } = live.peers;
    for (const [atom, blocks] of atomTable.blocksOfAtom.entries()) {
      if (!lists.list(blocks).includes(block)) continue;
      const before = classOfAtom[atom]!;
      const now = live.peers.classifyBlocks(blocks);
      if (!record.atoms[live.direction].has(atom)) record.atoms[live.direction].set(atom, before);
      live.countClass(before, -1);
      live.countClass(now, 1);
      classOfAtom[atom] = now;
    }
  }

  /** A new pattern may cover names that are there, and what it covers was any other name before; blocks of a whole family hold all names. */
  private reclassifyDomainNames(record: ChangeRecord): void {
    const known = [...this.domainNames, ANY_OTHER_NAME];
    this.domainNames = this.domainNamesInUse();
    for (const direction of DIRECTIONS) {
      const live = this.directions[direction];
      const recorded = record.domainNames[direction];
      const { classOfDomainName } = live.peers;
      for (const [place, name] of known.entries()) {
        if (!recorded.has(name)) recorded.set(name, { 4: classOfDomainName[4][place]!, 6: classOfDomainName[6][place]! });
      }
      for (const name of this.domainNames) if (!recorded.has(name)) recorded.set(name, recorded.get(ANY_OTHER_NAME)!);
      live.countDomainNames(-1);
      live.peers.classifyDomainNames(this.domainNames);
      live.countDomainNames(1);
    }
  }

  /** The vocabulary still has those of policies that are gone. */
  private domainNamesInUse(): readonly string[] {
    const { peerSets } = this.parts.policySet.vocabulary;
    const names = new Set<string>();
    for (const policy of this.compiledClusterPolicies.values()) {
      for (const id of (policy.egress ?? []).flatMap((rule) => rule.peerSets ?? [])) {
        const peerSet = peerSets[id]!;
        if (peerSet.kind === 'domain-name') names.add(peerSet.pattern);
      }
    }
    return [...names].sort();
  }

  private setNamespace(name: string, namespace: Namespace | undefined): void {
    const { index, isThere } = this.cluster.findNamespace(name);
    this.cluster.namespaces.splice(index, isThere ? 1 : 0, ...(namespace === undefined ? [] : [namespace]));
    const { policySet: { vocabulary }, selectedNamespaces } = this.parts;
    const flipped = new Set<number>();
    for (const [id, selector] of vocabulary.namespaceSelectors.entries()) {
      const isSelected = namespace !== undefined && selects(selector, namespace);
      if (selectedNamespaces[id]!.has(name) === isSelected) continue;
      flipped.add(id);
      if (isSelected) selectedNamespaces[id]!.add(name);
      else selectedNamespaces[id]!.delete(name);
    }
    if (flipped.size > 0) this.reselect(name, flipped);
  }

  /** Groups of a namespace that is now selected by other namespace selectors. */
  private reselect(name: string, flipped: ReadonlySet<number>): void {
    const affected = new Set<number>();
    for (const peerSet of this.parts.policySet.vocabulary.peerSets) {
      if (peerSet.kind === 'namespaces' && flipped.has(peerSet.namespaceSelector)) affected.add(peerSet.selector);
    }
    for (const group of this.groupsOfNamespace(name)) {
      if (!group.selectors.some((selector) => affected.has(selector))) continue;
      for (const direction of DIRECTIONS) {
        this.directions[direction].reclassify(group);
        this.directions[direction].regovern(group);
      }
    }
  }

  private groupsOfNamespace(name: string): Set<LiveGroup> {
    const { start, end } = this.cluster.podsOfNamespace(name);
    const groups = new Set<LiveGroup>();
    for (let pod = start; pod < end; pod++) groups.add(this.groups.groupAt(pod));
    return groups;
  }

  /** A node's labels and addresses are what rules for `nodes` stand for. */
  private setNode(name: string, node: ClusterNode | undefined, record: ChangeRecord): void {
    const { index, isThere } = this.cluster.findNode(name);
    const before = isThere ? this.cluster.nodes[index]! : undefined;
    const ranges = this.cluster.podRanges;
    this.cluster.nodes.splice(index, isThere ? 1 : 0, ...(node === undefined ? [] : [node]));
    if (!isSameNode(before, node)) {
      const policies = this.cluster.clusterPolicies.filter(namesNodes);
      for (const policy of policies) this.removeClusterPolicy(policy, record);
      for (const policy of policies) this.addClusterPolicy(policy, record);
    }
    const now = this.cluster.podRanges;
    if (ranges.length !== now.length || ranges.some((range, place) => !isSameRange(range, now[place]!))) this.setPodRanges(record);
  }

  private setPodRanges(record: ChangeRecord): void {
    this.parts.atomTable.setPodRanges(this.cluster.podRanges, (atom) => {
      for (const direction of DIRECTIONS) this.cutAtom(direction, atom, record);
    });
    record.isAtomsCut = true;
    if (!this.groups.reader.refresh()) return;
    for (const [index, pod] of this.cluster.pods.entries()) {
      if (pod.addresses.length === 0) this.movePod(index, this.contentOf(pod), record);
    }
  }
}

interface VocabularySizes {
  readonly selectors: number;
  readonly namespaceSelectors: number;
  readonly blocks: number;
  readonly portNames: number;
}
