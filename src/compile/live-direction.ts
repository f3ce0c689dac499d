// One direction of a live Program: groups change class and subject one by one, and what they had before is remembered until the change is told.
import type { IpFamily } from '../base/ip-address.ts';
import type { Tier } from '../model/cluster-policy.ts';
import type { Direction } from '../model/network-policy.ts';
import type { ProgramParts } from './compile.ts';
import type { DirectionState } from './direction.ts';
import type { LiveGroup, LiveGroups } from './live-groups.ts';
import { withRoom } from './number-list.ts';
import type { FamilyClasses, PeerClasses } from './peer-classes.ts';
import { PolicyIndex, type AnyPolicy } from './policy-index.ts';
import type { CompiledClusterPolicy, CompiledPolicy } from './policy-set.ts';
import { RowComparer } from './row-difference.ts';
import { SubjectUses } from './subject-uses.ts';
import { UNGOVERNED } from './subject-trie.ts';
import { withoutPolicy, withVariant } from './tier-path.ts';
import type { TierLayer } from './tier-layer.ts';

/** What decides about a group in the direction. */
export interface EndState {
  readonly subject: number;
  readonly classes: FamilyClasses;
}

interface LayerNodes {
  readonly admin: number;
  readonly network: number;
  readonly baseline: number;
}

export class LiveDirection {
  readonly direction: Direction;
  readonly state: DirectionState;
  readonly policies: PolicyIndex<CompiledPolicy>;
  readonly clusterPolicies: PolicyIndex<CompiledClusterPolicy>;
  readonly uses: SubjectUses;
  readonly rows: RowComparer = new RowComparer();
  /** How many groups, atoms and domain names have each class. */
  readonly classUses: number[] = [];
  /** Of groups that were there before the change and have changed, or are gone. */
  readonly before: Map<number, EndState> = new Map();
  /** Groups that were not there before the change. */
  private readonly born = new Set<number>();
  private readonly groups: LiveGroups;
  private readonly selectedNamespaces: readonly ReadonlySet<string>[];

  constructor(state: DirectionState, { policySet, selectedNamespaces }: ProgramParts, groups: LiveGroups) {
    this.direction = state.direction;
    this.state = state;
    this.groups = groups;
    this.selectedNamespaces = selectedNamespaces;
    this.policies = new PolicyIndex(state.direction, policySet.vocabulary);
    this.clusterPolicies = new PolicyIndex(state.direction, policySet.vocabulary);
    for (const policy of policySet.policies) if (policy[state.direction] !== undefined) this.policies.add(policy);
    for (const policy of policySet.clusterPolicies) if (policy[state.direction] !== undefined) this.clusterPolicies.add(policy);
    this.uses = new SubjectUses(state, groups.groups.length);
    for (const { id } of groups.groups) this.countClasses(this.classesOf(id), 1);
    for (const peerClass of this.peers.classOfAtom) this.countClass(peerClass, 1);
    this.countDomainNames(1);
  }

  get peers(): PeerClasses {
    return this.state.reader.peers;
  }

  stateOf(group: number): EndState {
    return { subject: this.state.subjects.subjectOfGroup[group]!, classes: this.classesOf(group) };
  }

  /** What a group that was there before the change had then. */
  stateBefore(group: number): EndState {
    return this.before.get(group) ?? this.stateOf(group);
  }

  /** The same policies govern it as `origin`, if there is one. */
  addGroup(group: LiveGroup, origin: LiveGroup | undefined): void {
    this.makeRoom();
    this.born.add(group.id);
    this.setClasses(group.id, this.peers.classifyGroup(group));
    this.uses.enter(group.id, origin === undefined ? this.nodesOf(group) : this.uses.nodesOf(origin.id));
  }

  removeGroup({ id }: LiveGroup): void {
    this.remember(id);
    this.countClasses(this.classesOf(id), -1);
    this.uses.leave(id);
  }

  /** After peer sets have come to hold it, or no longer do. */
  reclassify(group: LiveGroup): void {
    const [old, now] = [this.classesOf(group.id), this.peers.classifyGroup(group)];
    if (old[4] === now[4] && old[6] === now[6]) return;
    this.remember(group.id);
    this.countClasses(old, -1);
    this.setClasses(group.id, now);
  }

  attachPolicy(policy: CompiledPolicy): void {
    if (policy[this.direction] === undefined) return;
    this.policies.add(policy);
    const { network } = this.state.layers;
    network.placeOf(policy);
    for (const group of this.groupsUnder(policy)) {
      const nodes = this.uses.nodesOf(group.id);
      this.moveGroup(group.id, { ...nodes, network: network.trie.childOf(nodes.network, network.variants.variantFor(policy, group)) });
    }
  }

  detachPolicy(policy: CompiledPolicy): void {
    if (policy[this.direction] === undefined) return;
    this.policies.remove(policy);
    const { trie } = this.state.layers.network;
    const without = remembered((node) => trie.nodeAt(trie.stepsTo(node).filter((step) => step.policy !== policy)));
    for (const group of this.groupsUnder(policy)) {
      const nodes = this.uses.nodesOf(group.id);
      this.moveGroup(group.id, { ...nodes, network: without(nodes.network) });
    }
    this.state.layers.network.forgetPolicy(policy);
  }

  attachClusterPolicy(policy: CompiledClusterPolicy): void {
    if (policy[this.direction] === undefined) return;
    this.clusterPolicies.add(policy);
    const layer = this.layerOf(policy.policy.tier);
    const extended = new Map<string, number>();
    for (const group of this.groupsUnder(policy)) {
      const variant = layer.variants.variantFor(policy, group);
      this.moveInTier(group.id, policy.policy.tier, (node) => {
        const key = `${node} ${variant.id}`;
        const known = extended.get(key) ?? withVariant(layer, node, variant);
        extended.set(key, known);
        return known;
      });
    }
  }

  detachClusterPolicy(policy: CompiledClusterPolicy): void {
    if (policy[this.direction] === undefined) return;
    this.clusterPolicies.remove(policy);
    const layer = this.layerOf(policy.policy.tier);
    const without = remembered((node) => withoutPolicy(layer, node, policy));
    for (const group of this.groupsUnder(policy)) this.moveInTier(group.id, policy.policy.tier, without);
    layer.variants.forget(policy);
  }

  /** After namespace selectors have come to select its namespace, or no longer do. */
  regovern(group: LiveGroup): void {
    this.moveGroup(group.id, this.nodesOf(group));
  }

  /** Groups of the pods that a policy governs. */
  groupsUnder(policy: AnyPolicy): LiveGroup[] {
    const { selector, namespaceSelector } = this.policies.scopeOf(policy as CompiledPolicy); // a scope is read alike from both kinds
    const groups = [...this.groups.ofSelector(selector)];
    return namespaceSelector === undefined ? groups : groups.filter(({ namespace }) => this.selectedNamespaces[namespaceSelector]!.has(namespace));
  }

  countClass(peerClass: number, change: 1 | -1): void {
    while (this.classUses.length <= peerClass) this.classUses.push(0);
    this.classUses[peerClass]! += change;
  }

  countDomainNames(change: 1 | -1): void {
    for (const family of FAMILIES) for (const peerClass of this.peers.classOfDomainName[family]) this.countClass(peerClass, change);
  }

  /** The change is told: what nothing uses any more is given up. */
  settle(): void {
    this.before.clear();
    this.born.clear();
    this.uses.collect();
  }

  private moveGroup(id: number, nodes: LayerNodes): void {
    const old = this.uses.nodesOf(id);
    if (old.network === nodes.network && old.admin === nodes.admin && old.baseline === nodes.baseline) return;
    this.remember(id);
    this.uses.move(id, nodes);
  }

  private moveInTier(id: number, tier: Tier, step: (node: number) => number): void {
    const nodes = this.uses.nodesOf(id);
    this.moveGroup(id, tier === 'Admin' ? { ...nodes, admin: step(nodes.admin) } : { ...nodes, baseline: step(nodes.baseline) });
  }

  /** Worked out from the policies that govern a group. */
  private nodesOf(group: LiveGroup): LayerNodes {
    const { network } = this.state.layers;
    const policies = this.policies.withSelectors(group.selectors).sort((a, b) => network.placeOf(a) - network.placeOf(b));
    const node = policies.reduce((parent, policy) => network.trie.childOf(parent, network.variants.variantFor(policy, group)), UNGOVERNED);
    return { network: node, admin: this.tierNodeOf(group, 'Admin'), baseline: this.tierNodeOf(group, 'Baseline') };
  }

  private tierNodeOf(group: LiveGroup, tier: Tier): number {
    const layer = this.layerOf(tier);
    const policies = this.clusterPolicies.withSelectors(group.selectors).filter((policy) => {
      const { namespaceSelector } = this.clusterPolicies.scopeOf(policy);
      return policy.policy.tier === tier && this.selectedNamespaces[namespaceSelector!]!.has(group.namespace);
    });
    return policies.reduce((node, policy) => withVariant(layer, node, layer.variants.variantFor(policy, group)), UNGOVERNED);
  }

  private layerOf(tier: Tier): TierLayer {
    return tier === 'Admin' ? this.state.layers.admin : this.state.layers.baseline;
  }

  private classesOf(group: number): FamilyClasses {
    const { classOfGroup } = this.peers;
    return { 4: classOfGroup[4][group]!, 6: classOfGroup[6][group]! };
  }

  private setClasses(group: number, classes: FamilyClasses): void {
    for (const family of FAMILIES) this.peers.classOfGroup[family][group] = classes[family];
    this.countClasses(classes, 1);
  }

  private countClasses(classes: FamilyClasses, change: 1 | -1): void {
    this.countClass(classes[4], change);
    this.countClass(classes[6], change);
  }

  private remember(group: number): void {
    if (!this.before.has(group) && !this.born.has(group)) this.before.set(group, this.stateOf(group));
  }

  private makeRoom(): void {
    const count = this.groups.groups.length;
    const { classOfGroup } = this.peers;
    this.peers.classOfGroup = { 4: withRoom(classOfGroup[4], count), 6: withRoom(classOfGroup[6], count) };
    this.uses.makeRoom(count);
  }
}

const FAMILIES: readonly IpFamily[] = [4, 6];

function remembered(find: (node: number) => number): (node: number) => number {
  const known = new Map<number, number>();
  return (node) => {
    let result = known.get(node);
    if (result === undefined) known.set(node, (result = find(node)));
    return result;
  };
}
