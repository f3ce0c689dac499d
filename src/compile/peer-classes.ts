// Peer classes of one direction: groups and atoms that every rule of the direction treats alike are one class.
import type { IpFamily } from '../base/ip-address.ts';
import type { Direction } from '../model/network-policy.ts';
import { wholeFamilyOf } from './atom.ts';
import { ClassTable, NO_NAMED_PORTS, type ClassBits, type PeerClass } from './class-table.ts';
import type { SelectedNamespaces } from './governed-groups.ts';
import type { Group } from './group-pods.ts';
import type { ListInterner } from './list-interner.ts';
import type { PolicySet } from './policy-set.ts';
import { firstFrom } from './row.ts';
import { UsedPeerSets } from './used-peer-sets.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface PeerClassInput {
  readonly direction: Direction;
  readonly vocabulary: Vocabulary;
  readonly selectedNamespaces: SelectedNamespaces;
  /** The interner of the blocks of atoms. */
  readonly lists: ListInterner;
}

/** Classes by family: the two differ only where a block covers one family's addresses. */
export type FamilyClasses = Readonly<Record<IpFamily, number>>;

export class PeerClasses {
  readonly direction: Direction;
  readonly used: UsedPeerSets;
  classOfGroup: Readonly<Record<IpFamily, Int32Array>> = { 4: new Int32Array(0), 6: new Int32Array(0) };
  classOfAtom: Int32Array = new Int32Array(0);
  /** By place in the sorted list of all patterns that policies name, and behind them any other name. */
  classOfDomainName: Readonly<Record<IpFamily, Int32Array>> = { 4: new Int32Array(0), 6: new Int32Array(0) };
  private readonly table = new ClassTable();
  private readonly input: PeerClassInput;

  constructor(input: PeerClassInput) {
    this.direction = input.direction;
    this.input = input;
    this.used = new UsedPeerSets(input.vocabulary);
  }

  get classes(): readonly PeerClass[] {
    return this.table.classes;
  }

  /** Whether a peer set holds pods by their labels, so that port names can be resolved on them. */
  isOfPods(peerSet: number): boolean {
    const { kind } = this.input.vocabulary.peerSets[peerSet]!;
    return kind === 'own-namespace' || kind === 'namespaces';
  }

  /** The classes that a peer set holds, ascending. */
  classesOf(peerSet: number): readonly number[] {
    return this.table.classesOf(peerSet);
  }

  /** The same as bits; undefined where they are few. */
  bitsOf(peerSet: number): ClassBits | undefined {
    return this.table.bitsOf(peerSet);
  }

  /** Where in `classesOf` those from a class on begin. */
  placeFrom(peerSet: number, first: number): number {
    return firstFrom(this.classesOf(peerSet), first);
  }

  classifyGroup(group: Group): FamilyClasses {
    const byLabels = this.used.ofGroup(group, this.input.selectedNamespaces);
    // Named ports of egress rules are resolved on the destination, so what the names lead to tells destinations apart.
    const namedPorts = this.direction === 'egress' ? group.namedPorts : NO_NAMED_PORTS;
    const ofFamily = (family: IpFamily): number => {
      const peerSets = group.families.includes(family) ? this.used.withFamily(byLabels, family) : byLabels;
      return this.table.intern(this.used.withBlocks(peerSets, group.blocks[family]), namedPorts);
    };
    const class4 = ofFamily(4);
    return { 4: class4, 6: group.blocks[4] === group.blocks[6] && !this.used.tellsFamilies ? class4 : ofFamily(6) };
  }

  /** `blocks`: the id of a list of blocks over addresses. */
  classifyBlocks(blocks: number): number {
    return this.table.intern(this.used.withBlocks([], this.input.lists.list(blocks)), NO_NAMED_PORTS);
  }

  /** Nobody knows the addresses behind a name, so only a block that holds all of the family surely holds them. */
  classifyDomainNames(names: readonly string[]): void {
    const ofFamily = (family: IpFamily): Int32Array => {
      const blocks = [...this.input.vocabulary.blocks.keys()].filter((block) => wholeFamilyOf(this.input.vocabulary.blocks[block]!) === family);
      const peerSets = [...names.map((name) => this.used.ofDomainName(name)), []];
      return Int32Array.from(peerSets, (own) => this.table.intern(this.used.withBlocks(own, blocks), NO_NAMED_PORTS));
    };
    this.classOfDomainName = { 4: ofFamily(4), 6: ofFamily(6) };
  }
}

export interface PeersInput extends PeerClassInput {
  readonly policySet: PolicySet;
  readonly groups: readonly Group[];
  readonly blocksOfAtom: readonly number[];
  /** All patterns that policies name, sorted. */
  readonly domainNames: readonly string[];
}

export function classifyPeers(input: PeersInput): PeerClasses {
  const { policySet, groups, blocksOfAtom, domainNames, direction } = input;
  const peers = new PeerClasses(input);
  for (const policy of [...policySet.policies, ...policySet.clusterPolicies]) {
    for (const rule of policy[direction] ?? []) for (const peerSet of rule.peerSets ?? []) peers.used.add(peerSet);
  }
  const classOfGroup = { 4: new Int32Array(groups.length), 6: new Int32Array(groups.length) };
  for (const group of groups) {
    const classes = peers.classifyGroup(group);
    classOfGroup[4][group.id] = classes[4];
    classOfGroup[6][group.id] = classes[6];
  }
  peers.classOfGroup = classOfGroup;
  peers.classOfAtom = Int32Array.from(blocksOfAtom, (blocks) => peers.classifyBlocks(blocks));
  peers.classifyDomainNames(domainNames);
  return peers;
}
