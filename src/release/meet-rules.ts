// The rules that allow exactly what each of two lists of rules allows, where the API has words for it.
import { formatCidr } from '../base/range-text.ts';
import { overlaps } from '../base/known-ranges.ts';
import type { IpBlockPeer, NamespaceScope, Peer, PodPeer, PolicyRule, PortMatch, RulePeers, RulePorts } from '../model/network-policy.ts';
import { canonicalSelector, type Selector } from '../model/selector.ts';
import { isContradiction, meetOf } from './selector-sets.ts';

/** Rules of one meeting; above it there is none. */
const RULES_MAX = 200;

/** Both lists are of policies of this namespace. undefined: a block and a selector, or a port's name and a number, have nothing in common that the API could say. */
export function meetRules(namespace: string, a: readonly PolicyRule[], b: readonly PolicyRule[]): readonly PolicyRule[] | undefined {
  const [keysA, keysB] = [new Set(a.map(ruleKey)), new Set(b.map(ruleKey))];
  const both = a.filter((rule) => keysB.has(ruleKey(rule)));
  const met = [...both];
  for (const one of a.filter((rule) => !keysB.has(ruleKey(rule)))) {
    for (const other of b.filter((rule) => !keysA.has(ruleKey(rule)))) {
      const ports = meetPorts(one.ports, other.ports);
      const peers = meetPeers(namespace, one.peers, other.peers);
      if (ports === 'nothing' || peers === 'nothing') continue;
      if (ports === undefined || peers === undefined || met.length >= RULES_MAX) return undefined;
      met.push({ index: 0, peers, ports, origin: one.origin });
    }
  }
  return met.map((rule, index) => ({ ...rule, index }));
}

function meetPorts(a: RulePorts, b: RulePorts): RulePorts | 'nothing' | undefined {
  if (a.kind === 'every') return isNothing(b) ? 'nothing' : b;
  if (b.kind === 'every') return isNothing(a) ? 'nothing' : a;
  const ports: PortMatch[] = [];
  for (const one of a.ports) {
    for (const other of b.ports) {
      const met = meetPort(one, other);
      if (met === undefined) return undefined;
      if (met !== 'nothing') ports.push(met);
    }
  }
  return ports.length === 0 ? 'nothing' : { kind: 'listed', ports };
}

function isNothing(ports: RulePorts): boolean {
  return ports.kind === 'listed' && ports.ports.length === 0;
}

function meetPort(a: PortMatch, b: PortMatch): PortMatch | 'nothing' | undefined {
  if (a.protocol !== b.protocol) return 'nothing';
  if (a.kind === 'protocol') return b;
  if (b.kind === 'protocol') return a;
  if (a.kind === 'named' || b.kind === 'named') return a.kind === 'named' && b.kind === 'named' && a.name === b.name ? a : undefined;
  const [first, last] = [Math.max(a.first, b.first), Math.min(a.last, b.last)];
  return first > last ? 'nothing' : { ...a, first, last };
}

function meetPeers(namespace: string, a: RulePeers, b: RulePeers): RulePeers | 'nothing' | undefined {
  if (a.kind === 'everybody') return b.kind === 'listed' && b.peers.length === 0 ? 'nothing' : b;
  if (b.kind === 'everybody') return a.peers.length === 0 ? 'nothing' : a;
  const peers: Peer[] = [];
  for (const one of a.peers) {
    for (const other of b.peers) {
      if (one.kind !== other.kind) return undefined;
      const met = one.kind === 'pods' && other.kind === 'pods' ? meetPods(namespace, one, other) : one.kind === 'ip-block' && other.kind === 'ip-block' ? meetBlocks(one, other) : undefined;
      if (met !== undefined) peers.push(met);
    }
  }
  return peers.length === 0 ? 'nothing' : { kind: 'listed', peers };
}

/** undefined: nobody is in both. */
function meetPods(namespace: string, a: PodPeer, b: PodPeer): PodPeer | undefined {
  const podSelector = meetOf(a.podSelector, b.podSelector);
  const namespaces: NamespaceScope = a.namespaces.kind === 'own' && b.namespaces.kind === 'own' ? a.namespaces : { kind: 'selected', selector: meetOf(scopeSelector(namespace, a.namespaces), scopeSelector(namespace, b.namespaces)) };
  const isEmpty = isContradiction(podSelector) || (namespaces.kind === 'selected' && isContradiction(namespaces.selector));
  return isEmpty ? undefined : { kind: 'pods', namespaces, podSelector, origin: a.origin };
}

function scopeSelector(namespace: string, scope: NamespaceScope): Selector {
  return scope.kind === 'selected' ? scope.selector : { requirements: [{ kind: 'In', key: 'kubernetes.io/metadata.name', values: [namespace] }] };
}

/** Of two CIDRs that overlap the one lies in the other. undefined: no address is in both. */
function meetBlocks(a: IpBlockPeer, b: IpBlockPeer): IpBlockPeer | undefined {
  if (!overlaps(a.cidr, b.cidr)) return undefined;
  const { cidr } = a.cidr.last - a.cidr.first <= b.cidr.last - b.cidr.first ? a : b;
  const except = [...new Map([...a.except, ...b.except].filter((one) => overlaps(one, cidr)).map((one) => [formatCidr(one), one])).values()];
  if (except.some((one) => one.first <= cidr.first && one.last >= cidr.last)) return undefined;
  return { kind: 'ip-block', cidr, except, text: `${formatCidr(cidr)}${except.length === 0 ? '' : ` except ${except.map(formatCidr).join(', ')}`}`, origin: a.origin };
}

/** Equal for rules that allow the same in policies of one namespace; some that do have different ones. */
export function ruleKey({ peers, ports }: PolicyRule): string {
  const peerTexts = peers.kind === 'everybody' ? undefined : peers.peers.map(peerKey).sort();
  const portTexts = ports.kind === 'every' ? undefined : ports.ports.map(portKey).sort();
  return JSON.stringify([peerTexts, portTexts]);
}

function peerKey(peer: Peer): string {
  if (peer.kind === 'ip-block') return JSON.stringify([formatCidr(peer.cidr), peer.except.map(formatCidr).sort()]);
  return JSON.stringify([peer.namespaces.kind === 'own' ? null : canonicalSelector(peer.namespaces.selector), canonicalSelector(peer.podSelector)]);
}

function portKey(port: PortMatch): string {
  switch (port.kind) {
    case 'protocol':
      return port.protocol;
    case 'range':
      return `${port.protocol} ${port.first}-${port.last}`;
    case 'named':
      return `${port.protocol} ${port.name}`;
  }
}
