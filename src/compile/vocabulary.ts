// Everything that policies name, interned once for all of them: selectors, peer sets, blocks, port names.
import { formatIpAddress, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import type { Protocol } from '../base/port-set.ts';
import type { IpBlockPeer } from '../model/network-policy.ts';
import type { Origin } from '../model/origin.ts';
import { canonicalSelector, type Selector } from '../model/selector.ts';
import { PairTable } from './pair-table.ts';
import { EVERY_NAMESPACE, SelectorIndex } from './selector-index.ts';

/** Peers that a rule names together; equal peers of different policies are one set. */
export type PeerSet =
  | { readonly kind: 'own-namespace'; readonly selector: number }
  | { readonly kind: 'namespaces'; readonly namespaceSelector: number; readonly selector: number }
  | { readonly kind: 'ip-block'; readonly block: number }
  /** Pods that have addresses of the family, known or not: whichever they are, they are in a block of the whole family. */
  | { readonly kind: 'whole-family'; readonly family: IpFamily }
  | { readonly kind: 'domain-name'; readonly pattern: string };

/** Ids are places in the lists. */
export class Vocabulary {
  readonly selectors: SelectorIndex = new SelectorIndex();
  /** By id; a name is mentioned for each protocol apart. */
  readonly portNames: { readonly protocol: Protocol; readonly name: string }[] = [];
  private readonly portNameIds = new Map<string, Map<Protocol, number>>();
  /** By selector, the peer set of its pods in its own namespace. */
  private readonly ownPeerSets: (number | undefined)[] = [];
  /** By selectors of namespaces and of pods in them. */
  private readonly namespacePeerSets = new PairTable();
  private readonly internedNamespaceSelectors = new Interned<Selector>();
  private readonly internedPeerSets = new Interned<PeerSet>();
  private readonly internedBlocks = new Interned<IpBlockPeer>();

  get namespaceSelectors(): readonly Selector[] {
    return this.internedNamespaceSelectors.values;
  }

  get peerSets(): readonly PeerSet[] {
    return this.internedPeerSets.values;
  }

  get blocks(): readonly IpBlockPeer[] {
    return this.internedBlocks.values;
  }

  podsOfNamespace(namespace: string, podSelector: Selector): number {
    const selector = this.selectors.add(namespace, podSelector);
    while (this.ownPeerSets.length <= selector) this.ownPeerSets.push(undefined);
    return (this.ownPeerSets[selector] ??= this.internedPeerSets.add({ kind: 'own-namespace', selector }));
  }

  podsOfNamespaces(namespaceSelector: Selector, podSelector: Selector): number {
    const selector = this.selectors.add(EVERY_NAMESPACE, podSelector);
    const id = this.internedNamespaceSelectors.intern(canonicalSelector(namespaceSelector), namespaceSelector);
    const known = this.namespacePeerSets.get(id, selector);
    if (known >= 0) return known;
    const made = this.internedPeerSets.add({ kind: 'namespaces', namespaceSelector: id, selector });
    this.namespacePeerSets.set(id, selector, made);
    return made;
  }

  ipBlock(peer: IpBlockPeer): number {
    const block = this.internedBlocks.intern(blockKey(peer), peer);
    return this.internedPeerSets.intern(`block ${block}`, { kind: 'ip-block', block });
  }

  /** An address of a node, as the block that holds it alone. */
  address(address: IpAddress, origin: Origin): number {
    const cidr = { family: address.family, first: address.value, last: address.value };
    return this.ipBlock({ kind: 'ip-block', cidr, except: [], text: formatIpAddress(address), origin });
  }

  /** Pods behind a block of a whole family; `ipBlock` stands for the addresses. */
  wholeFamily(family: IpFamily): number {
    return this.internedPeerSets.intern(`family ${family}`, { kind: 'whole-family', family });
  }

  /** Patterns are lower case and without a trailing dot, so that equal names are equal texts. */
  domainName(text: string): number {
    const pattern = text.toLowerCase().replace(/\.$/, '');
    return this.internedPeerSets.intern(`domain ${pattern}`, { kind: 'domain-name', pattern });
  }

  /** Remembers a port name and gives it as `PROTOCOL/name`. */
  portName(protocol: Protocol, name: string): string {
    let ids = this.portNameIds.get(name);
    if (ids === undefined) this.portNameIds.set(name, (ids = new Map()));
    if (!ids.has(protocol)) ids.set(protocol, this.portNames.push({ protocol, name }) - 1);
    return portNameKey(protocol, name);
  }

  /** undefined: no policy mentions the name. */
  portNameId(protocol: Protocol, name: string): number | undefined {
    return this.portNameIds.get(name)?.get(protocol);
  }
}

export function portNameKey(protocol: Protocol, name: string): string {
  return `${protocol}/${name}`;
}

function blockKey(block: IpBlockPeer): string {
  const ends = [block.cidr, ...block.except].map((range) => `${range.family}:${range.first}-${range.last}`);
  return [ends[0], ...ends.slice(1).sort()].join(' ');
}

class Interned<Value> {
  readonly values: Value[] = [];
  private readonly ids = new Map<string, number>();

  intern(key: string, value: Value): number {
    let id = this.ids.get(key);
    if (id === undefined) {
      id = this.add(value);
      this.ids.set(key, id);
    }
    return id;
  }

  /** For a value that is told apart in another way. */
  add(value: Value): number {
    return this.values.push(value) - 1;
  }
}
