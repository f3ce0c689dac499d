// Peer classes of one direction: groups and atoms that every rule of the direction treats alike are one class.
import type { IpFamily } from '../base/ip-address.ts';
import type { Direction } from '../model/network-policy.ts';
import type { AtomTable } from './atom.ts';
import type { SelectedNamespaces } from './governed-groups.ts';
import type { Group } from './group-pods.ts';
import { ListInterner } from './list-interner.ts';
import type { PolicySet } from './policy-set.ts';

export interface PeerClasses {
  readonly direction: Direction;
  readonly classOfGroup: Readonly<Record<IpFamily, Int32Array>>;
  readonly classOfAtom: Int32Array;
  /** By place in the sorted list of all patterns that policies name. */
  readonly classOfDomainName: Int32Array;
  readonly classes: readonly PeerClass[];
  /** Whether a peer set holds pods by their labels, so that port names can be resolved on them. */
  isOfPods(peerSet: number): boolean;
  /** The classes that a peer set holds, ascending. */
  classesOf(peerSet: number): readonly number[];
}

export interface PeerClass {
  /** Ids of the peer sets that hold it, ascending. */
  readonly peerSets: readonly number[];
  /** Egress only: ports behind the mentioned names, on the destination. */
  readonly namedPorts: ReadonlyMap<string, number>;
}

export interface PeerClassInput {
  readonly direction: Direction;
  readonly policySet: PolicySet;
  readonly selectedNamespaces: SelectedNamespaces;
  readonly groups: readonly Group[];
  readonly atomTable: AtomTable;
  /** All patterns that policies name, sorted. */
  readonly domainNames: readonly string[];
  /** The interner of the blocks of atoms. */
  readonly blockLists: ListInterner;
}

const NO_NAMED_PORTS: ReadonlyMap<string, number> = new Map();

export function classifyPeers(input: PeerClassInput): PeerClasses {
  const used = usedPeerSets(input);
  const peerSetsOfGroup = groupMatcher(input, used);
  const table = new ClassTable();
  const classOfGroup = { 4: new Int32Array(input.groups.length), 6: new Int32Array(input.groups.length) };
  for (const group of input.groups) {
    const byLabels = peerSetsOfGroup(group);
    // Named ports of egress rules are resolved on the destination, so what the names lead to tells destinations apart.
    const namedPorts = input.direction === 'egress' ? group.namedPorts : NO_NAMED_PORTS;
    const class4 = table.intern(withBlocks(byLabels, group.blocks[4], used.ofBlock), namedPorts);
    classOfGroup[4][group.id] = class4;
    classOfGroup[6][group.id] =
      group.blocks[4] === group.blocks[6] ? class4 : table.intern(withBlocks(byLabels, group.blocks[6], used.ofBlock), namedPorts);
  }
  const classOfAtom = Int32Array.from(input.atomTable.blocksOfAtom, (blocks) =>
    table.intern(withBlocks([], input.blockLists.lists[blocks]!, used.ofBlock), NO_NAMED_PORTS),
  );
  const classOfDomainName = Int32Array.from(input.domainNames.map((name) => {
    const covering = [...used.domainNames].flatMap(([peerSet, pattern]) => (coversDomainName(pattern, name) ? [peerSet] : []));
    return table.intern(covering.sort((a, b) => a - b), NO_NAMED_PORTS);
  }));
  let classesOfSet: readonly (readonly number[])[] | undefined;
  const { peerSets } = input.policySet.vocabulary;
  return {
    direction: input.direction,
    classOfGroup,
    classOfAtom,
    classOfDomainName,
    classes: table.classes,
    isOfPods: (peerSet) => peerSets[peerSet]!.kind === 'own-namespace' || peerSets[peerSet]!.kind === 'namespaces',
    classesOf: (peerSet) => (classesOfSet ??= invert(table.classes, peerSets.length))[peerSet]!,
  };
}

/** Peer sets that rules of the direction name, found from a selector or a block. */
interface UsedPeerSets {
  readonly own: ReadonlyMap<number, number>;
  readonly inNamespaces: ReadonlyMap<number, readonly { readonly peerSet: number; readonly namespaceSelector: number }[]>;
  readonly ofBlock: ReadonlyMap<number, number>;
  readonly domainNames: ReadonlyMap<number, string>;
}

function usedPeerSets({ direction, policySet }: PeerClassInput): UsedPeerSets {
  const own = new Map<number, number>();
  const inNamespaces = new Map<number, { peerSet: number; namespaceSelector: number }[]>();
  const ofBlock = new Map<number, number>();
  const domainNames = new Map<number, string>();
  for (const id of mentionedPeerSets(policySet, direction)) {
    const peerSet = policySet.vocabulary.peerSets[id]!;
    switch (peerSet.kind) {
      case 'own-namespace':
        own.set(peerSet.selector, id);
        break;
      case 'namespaces': {
        const list = inNamespaces.get(peerSet.selector) ?? [];
        inNamespaces.set(peerSet.selector, list);
        list.push({ peerSet: id, namespaceSelector: peerSet.namespaceSelector });
        break;
      }
      case 'ip-block':
        ofBlock.set(peerSet.block, id);
        break;
      case 'domain-name':
        // No address is known to belong to a name: it is an end of its own.
        domainNames.set(id, peerSet.pattern);
        break;
    }
  }
  return { own, inNamespaces, ofBlock, domainNames };
}

/** `*.x` covers every name that ends in `.x`, patterns included, and never `x` itself. */
function coversDomainName(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : pattern === name;
}

function mentionedPeerSets(policySet: PolicySet, direction: Direction): ReadonlySet<number> {
  const mentioned = new Set<number>();
  for (const policy of [...policySet.policies, ...policySet.clusterPolicies]) {
    for (const rule of policy[direction] ?? []) for (const peerSet of rule.peerSets ?? []) mentioned.add(peerSet);
  }
  return mentioned;
}

function groupMatcher({ selectedNamespaces }: PeerClassInput, used: UsedPeerSets): (group: Group) => number[] {
  return (group) => {
    const result: number[] = [];
    for (const selector of group.selectors) {
      const own = used.own.get(selector);
      if (own !== undefined) result.push(own);
      for (const { peerSet, namespaceSelector } of used.inNamespaces.get(selector) ?? []) {
        if (selectedNamespaces[namespaceSelector]!.has(group.namespace)) result.push(peerSet);
      }
    }
    return result;
  };
}

function withBlocks(peerSets: readonly number[], blocks: readonly number[], ofBlock: ReadonlyMap<number, number>): number[] {
  const result = [...peerSets];
  for (const block of blocks) {
    const peerSet = ofBlock.get(block);
    if (peerSet !== undefined) result.push(peerSet);
  }
  return result.sort((a, b) => a - b);
}

class ClassTable {
  readonly classes: PeerClass[] = [];
  private readonly peerSetLists = new ListInterner();
  private readonly ids = new Map<string, number>();

  intern(peerSets: readonly number[], namedPorts: ReadonlyMap<string, number>): number {
    const list = this.peerSetLists.intern(peerSets);
    const key = namedPorts.size === 0 ? String(list) : `${list} ${[...namedPorts].map(([name, ports]) => `${name}=${ports}`).sort().join(' ')}`;
    let id = this.ids.get(key);
    if (id === undefined) {
      id = this.classes.push({ peerSets: this.peerSetLists.lists[list]!, namedPorts }) - 1;
      this.ids.set(key, id);
    }
    return id;
  }
}

function invert(classes: readonly PeerClass[], peerSetCount: number): readonly (readonly number[])[] {
  const result: number[][] = Array.from({ length: peerSetCount }, () => []);
  for (const [id, peerClass] of classes.entries()) for (const peerSet of peerClass.peerSets) result[peerSet]!.push(id);
  return result;
}
