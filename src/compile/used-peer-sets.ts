// The peer sets that rules of one direction name, found from a selector, a block or a domain name.
import type { IpFamily } from '../base/ip-address.ts';
import { coversDomainName } from './domain-pattern.ts';
import type { SelectedNamespaces } from './governed-groups.ts';
import type { Group } from './group-pods.ts';
import type { Vocabulary } from './vocabulary.ts';

export class UsedPeerSets {
  private readonly vocabulary: Vocabulary;
  private readonly used = new Set<number>();
  /** By selector. */
  private readonly own: (number | undefined)[] = [];
  private readonly inNamespaces: (InNamespaces[] | undefined)[] = [];
  private readonly ofBlock: (number | undefined)[] = [];
  private readonly ofFamily: Partial<Record<IpFamily, number>> = {};
  private readonly domainNames = new Map<number, string>();

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
  }

  has(peerSet: number): boolean {
    return this.used.has(peerSet);
  }

  add(id: number): void {
    if (this.used.has(id)) return;
    this.used.add(id);
    const peerSet = this.vocabulary.peerSets[id]!;
    switch (peerSet.kind) {
      case 'own-namespace':
        put(this.own, peerSet.selector, id);
        break;
      case 'namespaces':
        put(this.inNamespaces, peerSet.selector, [...(this.inNamespaces[peerSet.selector] ?? []), { peerSet: id, namespaceSelector: peerSet.namespaceSelector }]);
        break;
      case 'ip-block':
        put(this.ofBlock, peerSet.block, id);
        break;
      case 'whole-family':
        this.ofFamily[peerSet.family] = id;
        break;
      case 'domain-name':
        // No address is known to belong to a name: it is an end of its own.
        this.domainNames.set(id, peerSet.pattern);
        break;
    }
  }

  /** Peer sets that hold a group by its labels, in no order. */
  ofGroup(group: Pick<Group, 'namespace' | 'selectors'>, selectedNamespaces: SelectedNamespaces): number[] {
    const result: number[] = [];
    for (const selector of group.selectors) {
      const own = this.own[selector];
      if (own !== undefined) result.push(own);
      const inNamespaces = this.inNamespaces[selector];
      if (inNamespaces === undefined) continue;
      for (const { peerSet, namespaceSelector } of inNamespaces) {
        if (selectedNamespaces[namespaceSelector]!.has(group.namespace)) result.push(peerSet);
      }
    }
    return result;
  }

  /** Whether some peer set holds pods of one family and not of the other. */
  get tellsFamilies(): boolean {
    return this.ofFamily[4] !== undefined || this.ofFamily[6] !== undefined;
  }

  /** Those peer sets, and that of the whole family. */
  withFamily(peerSets: readonly number[], family: IpFamily): readonly number[] {
    const whole = this.ofFamily[family];
    return whole === undefined ? peerSets : [...peerSets, whole];
  }

  /** Those peer sets and those of the blocks, ascending. */
  withBlocks(peerSets: readonly number[], blocks: readonly number[]): number[] {
    const result = [...peerSets];
    for (const block of blocks) {
      const peerSet = this.ofBlock[block];
      if (peerSet !== undefined) result.push(peerSet);
    }
    return result.sort((a, b) => a - b);
  }

  /** Ascending. */
  ofDomainName(name: string): number[] {
    return [...this.domainNames].flatMap(([peerSet, pattern]) => (coversDomainName(pattern, name) ? [peerSet] : [])).sort((a, b) => a - b);
  }
}

interface InNamespaces {
  readonly peerSet: number;
  readonly namespaceSelector: number;
}

// No gaps: an array with gaps becomes a slow table.
function put<Value>(list: (Value | undefined)[], place: number, value: Value): void {
  while (list.length <= place) list.push(undefined);
  list[place] = value;
}
