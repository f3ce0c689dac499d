// A Program that follows a cluster change by change: cost follows what a change touches, and each change tells what it did.
import type { Cluster, ClusterNode, Namespace, Pod } from '../model/cluster.ts';
import type { ClusterPolicy } from '../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/network-policy.ts';
import { selects } from '../model/selector.ts';
import { ChangeRecord, findDifference } from './change-record.ts';
import type { ClusterChange } from './cluster-change.ts';
import { compileParts } from './compile.ts';
import { viewDirection } from './direction.ts';
import { selectorsOf } from './group-pods.ts';
import { learnVocabulary, vocabularySizes } from './learn-vocabulary.ts';
import { isSameEnd, isSameNode, isSameRange, LiveCluster, namesNodes } from './live-cluster.ts';
import { LiveDirection } from './live-direction.ts';
import { domainNamesOf, reclassifyDomainNames } from './live-domain-names.ts';
import { LiveGroups, type GroupContent, type LiveGroup } from './live-groups.ts';
import { cutAtom, groupWith, movePod, type LiveState } from './live-state.ts';
import { compileClusterPolicy, compileNetworkPolicy, type CompiledClusterPolicy, type CompiledPolicy } from './policy-set.ts';
import type { ProgramDifference } from './program-difference.ts';
import { ProgramGrowth } from './program-growth.ts';
import type { Program } from './program.ts';
import { usePeerSets } from './use-peer-sets.ts';

/** Beyond the larger growth a change compiles anew unasked. */
const GROWTH_WANTED = 2;
const GROWTH_MAX = 4;

export class LiveProgram {
  private state: LiveState;
  private compiled!: Map<NetworkPolicy, CompiledPolicy>;
  private compiledClusterPolicies!: Map<ClusterPolicy, CompiledClusterPolicy>;
  private domainNames!: readonly string[];
  private growth!: ProgramGrowth;
  private isRenumbered = false;
  private view!: Program;

  constructor(cluster: Cluster) {
    this.state = this.load(cluster);
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
    this.state = this.load(this.state.cluster.toCluster());
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
    this.view = this.makeView(this.state);
    const difference = {
      isRenumbered,
      addedPod: record.addedPod,
      removedPod: record.removedPod,
      isAtomsCut: record.isAtomsCut,
      ingress: this.differenceOf('ingress', record),
      egress: this.differenceOf('egress', record),
    };
    for (const direction of DIRECTIONS) this.state.directions[direction].settle();
    for (const group of record.dead) if (group.podCount === 0) this.state.groups.release(group);
    return difference;
  }

  private load(input: Cluster): LiveState {
    const cluster = new LiveCluster(input);
    const parts = compileParts(cluster.toCluster());
    const groups = new LiveGroups(parts, cluster);
    const directions = { ingress: new LiveDirection(parts.directions.ingress, parts, groups), egress: new LiveDirection(parts.directions.egress, parts, groups) };
    this.compiled = new Map(parts.policySet.policies.map((compiled) => [compiled.policy, compiled]));
    this.compiledClusterPolicies = new Map(parts.policySet.clusterPolicies.map((compiled) => [compiled.policy, compiled]));
    this.domainNames = parts.domainNames;
    this.growth = new ProgramGrowth(parts, groups);
    const state = { cluster, parts, groups, directions };
    this.view = this.makeView(state);
    return state;
  }

  private makeView({ cluster, parts: { atomTable, portSets }, groups, directions }: LiveState): Program {
    const groupCount = groups.groups.length;
    return {
      cluster: cluster.toCluster(),
      groups: groups.groups,
      groupOfPod: groups.groupOfPod.subarray(0, cluster.pods.length),
      atoms: atomTable.atoms,
      findAtom: (address) => atomTable.find(address),
      domainNames: this.domainNames,
      ingress: viewDirection(directions.ingress.state, groupCount),
      egress: viewDirection(directions.egress.state, groupCount),
      portSets,
    };
  }

  private differenceOf(direction: Direction, record: ChangeRecord): ReturnType<typeof findDifference> {
    return findDifference({ record, live: this.state.directions[direction], groups: this.state.groups, after: this.view[direction], domainNames: this.domainNames });
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
        this.state.cluster.ownPodRanges = change.ranges;
        return this.setPodRanges(record);
    }
  }

  private putPod(pod: Pod, record: ChangeRecord): void {
    const { index, isThere } = this.state.cluster.findPod(pod);
    if (isThere && isSameEnd(this.state.cluster.pods[index]!, pod)) {
      this.state.cluster.replacePod(index, pod);
      movePod(this.state, index, this.contentOf(pod), record);
      return;
    }
    if (isThere) this.removePod(pod, record);
    const group = groupWith(this.state, this.contentOf(pod));
    this.state.groups.insertPod(index, group, pod);
    this.state.cluster.insertPod(index, pod);
    record.addedPod = index;
  }

  private removePod(pod: Pod, record: ChangeRecord): void {
    const { index, isThere } = this.state.cluster.findPod(pod);
    if (!isThere) return;
    const removed = this.state.cluster.pods[index]!;
    const group = this.state.groups.removePod(index, removed);
    this.state.cluster.removePod(index);
    record.removedPod = removed;
    record.dead.add(group);
  }

  private contentOf(pod: Pod): GroupContent {
    const { lists, policySet } = this.state.parts;
    return { features: this.state.groups.reader.featuresOf(pod), selectors: selectorsOf({ lists, vocabulary: policySet.vocabulary }, pod) };
  }

  private bury(group: LiveGroup): void {
    for (const direction of DIRECTIONS) this.state.directions[direction].removeGroup(group);
    this.state.groups.bury(group);
  }

  private addPolicy(policy: NetworkPolicy, record: ChangeRecord): void {
    const { policySet, portSets } = this.state.parts;
    const seen = vocabularySizes(this.state);
    const compiled = compileNetworkPolicy({ cluster: this.state.cluster, vocabulary: policySet.vocabulary, portSets }, policy);
    learnVocabulary(this.state, seen, record);
    if (usePeerSets(this.state, compiled, record)) this.reclassifyNames(record);
    for (const direction of DIRECTIONS) this.state.directions[direction].attachPolicy(compiled);
    this.compiled.set(policy, compiled);
    this.state.cluster.policies.splice(this.state.cluster.findPolicy(policy).index, 0, policy);
  }

  private removePolicy(named: { readonly namespace: string; readonly name: string }): void {
    const { index, isThere } = this.state.cluster.findPolicy(named);
    if (!isThere) return;
    const policy = this.state.cluster.policies[index]!;
    for (const direction of DIRECTIONS) this.state.directions[direction].detachPolicy(this.compiled.get(policy)!);
    this.compiled.delete(policy);
    this.state.cluster.policies.splice(index, 1);
  }

  private addClusterPolicy(policy: ClusterPolicy, record: ChangeRecord): void {
    const { policySet, portSets } = this.state.parts;
    const seen = vocabularySizes(this.state);
    const compiled = compileClusterPolicy({ cluster: this.state.cluster, vocabulary: policySet.vocabulary, portSets }, policy);
    learnVocabulary(this.state, seen, record);
    this.compiledClusterPolicies.set(policy, compiled);
    if (usePeerSets(this.state, compiled, record)) this.reclassifyNames(record);
    if (this.namesInUse().length > this.domainNames.length) this.reclassifyNames(record);
    for (const direction of DIRECTIONS) this.state.directions[direction].attachClusterPolicy(compiled);
    this.state.cluster.addClusterPolicy(policy);
  }

  private removeClusterPolicy(named: Pick<ClusterPolicy, 'kind' | 'name'>, record: ChangeRecord): void {
    const policy = this.state.cluster.findClusterPolicy(named);
    if (policy === undefined) return;
    for (const direction of DIRECTIONS) this.state.directions[direction].detachClusterPolicy(this.compiledClusterPolicies.get(policy)!);
    this.compiledClusterPolicies.delete(policy);
    if (this.namesInUse().length < this.domainNames.length) this.reclassifyNames(record);
    this.state.cluster.clusterPolicies.splice(this.state.cluster.clusterPolicies.indexOf(policy), 1);
  }

  private namesInUse(): readonly string[] {
    return domainNamesOf(this.state, this.compiledClusterPolicies.values());
  }

  private reclassifyNames(record: ChangeRecord): void {
    const before = this.domainNames;
    this.domainNames = this.namesInUse();
    reclassifyDomainNames(this.state, { before, after: this.domainNames }, record);
  }

  private setNamespace(name: string, namespace: Namespace | undefined): void {
    const { index, isThere } = this.state.cluster.findNamespace(name);
    this.state.cluster.namespaces.splice(index, isThere ? 1 : 0, ...(namespace === undefined ? [] : [namespace]));
    const { policySet: { vocabulary }, selectedNamespaces } = this.state.parts;
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
    for (const peerSet of this.state.parts.policySet.vocabulary.peerSets) {
      if (peerSet.kind === 'namespaces' && flipped.has(peerSet.namespaceSelector)) affected.add(peerSet.selector);
    }
    for (const group of this.groupsOfNamespace(name)) {
      if (!group.selectors.some((selector) => affected.has(selector))) continue;
      for (const direction of DIRECTIONS) {
        this.state.directions[direction].reclassify(group);
        this.state.directions[direction].regovern(group);
      }
    }
  }

  private groupsOfNamespace(name: string): Set<LiveGroup> {
    const { start, end } = this.state.cluster.podsOfNamespace(name);
    const groups = new Set<LiveGroup>();
    for (let pod = start; pod < end; pod++) groups.add(this.state.groups.groupAt(pod));
    return groups;
  }

  /** A node's labels and addresses are what rules for `nodes` stand for. */
  private setNode(name: string, node: ClusterNode | undefined, record: ChangeRecord): void {
    const { index, isThere } = this.state.cluster.findNode(name);
    const before = isThere ? this.state.cluster.nodes[index]! : undefined;
    const ranges = this.state.cluster.podRanges;
    this.state.cluster.nodes.splice(index, isThere ? 1 : 0, ...(node === undefined ? [] : [node]));
    if (!isSameNode(before, node)) {
      const policies = this.state.cluster.clusterPolicies.filter(namesNodes);
      for (const policy of policies) this.removeClusterPolicy(policy, record);
      for (const policy of policies) this.addClusterPolicy(policy, record);
    }
    const now = this.state.cluster.podRanges;
    if (ranges.length !== now.length || ranges.some((range, place) => !isSameRange(range, now[place]!))) this.setPodRanges(record);
  }

  private setPodRanges(record: ChangeRecord): void {
    this.state.parts.atomTable.setPodRanges(this.state.cluster.podRanges, (atom) => cutAtom(this.state, atom, record));
    record.isAtomsCut = true;
    if (!this.state.groups.reader.refresh()) return;
    for (const [index, pod] of this.state.cluster.pods.entries()) {
      if (pod.addresses.length === 0) movePod(this.state, index, this.contentOf(pod), record);
    }
  }
}
