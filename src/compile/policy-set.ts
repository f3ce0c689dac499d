// What the policies say, with everything they name interned once: scoped selectors, peer sets, blocks, port names.
import type { Policy } from '../model/cluster.ts';
import type { Direction, IpBlockPeer, NetworkPolicy, Peer, PodPeer, PolicyRule, PortMatch } from '../model/network-policy.ts';
import { canonicalSelector, type Selector } from '../model/selector.ts';
import { NO_PORTS, portSetOf, PROTOCOL_BASE, unionPorts, type PortSet } from '../base/port-set.ts';
import { NO_PORTS_ID, ALL_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import { EVERY_NAMESPACE, SelectorIndex } from './selector-index.ts';

/** Peers that a rule names together; interned, so equal peers of different policies are one set. */
export type PeerSet =
  | { readonly kind: 'own-namespace'; readonly selector: number }
  | { readonly kind: 'namespaces'; readonly namespaceSelector: number; readonly selector: number }
  | { readonly kind: 'ip-block'; readonly block: number };

export interface CompiledPolicy {
  readonly policy: NetworkPolicy;
  /** Scoped selector of the pods it governs. */
  readonly selector: number;
  readonly ingress: readonly CompiledRule[] | undefined;
  readonly egress: readonly CompiledRule[] | undefined;
}

export interface CompiledRule {
  readonly rule: PolicyRule;
  /** Peer set ids; undefined: everybody. */
  readonly peerSets: readonly number[] | undefined;
  /** Id of the ports that need no resolving. */
  readonly ports: number;
  /** Names to resolve, as `PROTOCOL/name`. */
  readonly portNames: readonly string[];
}

export interface PolicySet {
  readonly policies: readonly CompiledPolicy[];
  readonly selectors: SelectorIndex;
  readonly namespaceSelectors: readonly Selector[];
  readonly peerSets: readonly PeerSet[];
  readonly blocks: readonly IpBlockPeer[];
  /** All port names that a rule mentions, as `PROTOCOL/name`. */
  readonly portNames: ReadonlySet<string>;
}

export function readPolicySet(policies: readonly Policy[], portSets: PortSetTable): PolicySet {
  const selectors = new SelectorIndex();
  const namespaceSelectors = new Interned<Selector>();
  const peerSets = new Interned<PeerSet>();
  const blocks = new Interned<IpBlockPeer>();
  const portNames = new Set<string>();

  const podPeerSet = (policy: NetworkPolicy, peer: PodPeer): number => {
    if (peer.namespaces.kind === 'own') {
      const selector = selectors.add(policy.namespace, peer.podSelector);
      return peerSets.intern(`own ${selector}`, { kind: 'own-namespace', selector });
    }
    const selector = selectors.add(EVERY_NAMESPACE, peer.podSelector);
    const namespaceSelector = namespaceSelectors.intern(canonicalSelector(peer.namespaces.selector), peer.namespaces.selector);
    return peerSets.intern(`namespaces ${namespaceSelector} ${selector}`, { kind: 'namespaces', namespaceSelector, selector });
  };
  const peerSet = (policy: NetworkPolicy, peer: Peer): number => {
    if (peer.kind === 'pods') return podPeerSet(policy, peer);
    const block = blocks.intern(blockKey(peer), peer);
    return peerSets.intern(`block ${block}`, { kind: 'ip-block', block });
  };
  const compileRule = (policy: NetworkPolicy, rule: PolicyRule): CompiledRule => {
    const names = rule.ports.kind === 'every' ? [] : rule.ports.ports.filter((port) => port.kind === 'named');
    const ruleNames = [...new Set(names.map((port) => portNameKey(port.protocol, port.name)))];
    for (const name of ruleNames) portNames.add(name);
    const peers = rule.peers.kind === 'everybody' ? undefined : rule.peers.peers.map((peer) => peerSet(policy, peer));
    return {
      rule,
      peerSets: peers && [...new Set(peers)],
      ports: rule.ports.kind === 'every' ? ALL_PORTS_ID : portSets.intern(numericPorts(rule.ports.ports)),
      portNames: ruleNames,
    };
  };
  const compileSection = (policy: NetworkPolicy, direction: Direction): readonly CompiledRule[] | undefined =>
    policy[direction]?.map((rule) => compileRule(policy, rule));

  const compiled = policies.map((policy) => ({
    policy,
    selector: selectors.add(policy.namespace, policy.podSelector),
    ingress: compileSection(policy, 'ingress'),
    egress: compileSection(policy, 'egress'),
  }));
  return {
    policies: compiled,
    selectors,
    namespaceSelectors: namespaceSelectors.values,
    peerSets: peerSets.values,
    blocks: blocks.values,
    portNames,
  };
}

/** The ports of a rule for an end whose port names lead to `resolved`. */
export function rulePorts(rule: CompiledRule, resolved: ReadonlyMap<string, number>, portSets: PortSetTable): number {
  let ports = rule.ports;
  for (const name of rule.portNames) ports = portSets.union(ports, resolved.get(name) ?? NO_PORTS_ID);
  return ports;
}

export function portNameKey(protocol: string, name: string): string {
  return `${protocol}/${name}`;
}

function numericPorts(ports: readonly PortMatch[]): PortSet {
  let result: PortSet = NO_PORTS;
  for (const port of ports) {
    if (port.kind === 'range') result = unionPorts(result, portSetOf(port.protocol, port.first, port.last));
    if (port.kind === 'protocol') result = unionPorts(result, [PROTOCOL_BASE[port.protocol] + 1, PROTOCOL_BASE[port.protocol] + 65535]);
  }
  return result;
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
      id = this.values.push(value) - 1;
      this.ids.set(key, id);
    }
    return id;
  }
}
