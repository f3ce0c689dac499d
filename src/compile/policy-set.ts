// The policies of a cluster, with what they name replaced by ids of the vocabulary.
import { NO_PORTS, portSetOf, PROTOCOL_BASE, PROTOCOLS, unionPorts, type PortSet, type Protocol } from '../base/port-set.ts';
import type { Cluster } from '../model/cluster.ts';
import type { ClusterPolicy, TierPeer, TierRule } from '../model/cluster-policy.ts';
import type { Direction, NetworkPolicy, Peer, PolicyRule } from '../model/network-policy.ts';
import { selects, type Selector } from '../model/selector.ts';
import { wholeFamilyOf } from './atom.ts';
import { ALL_PORTS_ID, NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import { Vocabulary } from './vocabulary.ts';

export interface CompiledPolicy<Source = NetworkPolicy, Rule = CompiledRule> {
  readonly policy: Source;
  /** Peer set of the pods it governs. */
  readonly subject: number;
  /** undefined: it does not govern the direction. */
  readonly ingress: readonly Rule[] | undefined;
  readonly egress: readonly Rule[] | undefined;
}

export interface CompiledRule<Source = PolicyRule> {
  readonly rule: Source;
  /** Peer set ids; undefined: everybody. */
  readonly peerSets: readonly number[] | undefined;
  /** Id of the ports that need no resolving. */
  readonly ports: number;
  /** Names to resolve, as `PROTOCOL/name`. */
  readonly portNames: readonly string[];
}

export type CompiledClusterPolicy = CompiledPolicy<ClusterPolicy, CompiledRule<TierRule>>;

export interface PolicySet {
  readonly policies: readonly CompiledPolicy[];
  readonly clusterPolicies: readonly CompiledClusterPolicy[];
  readonly vocabulary: Vocabulary;
}

export function readPolicySet(cluster: Cluster, portSets: PortSetTable): PolicySet {
  const vocabulary = new Vocabulary();
  const input = { cluster, vocabulary, portSets };
  return {
    policies: cluster.policies.map((policy) => compileNetworkPolicy(input, policy)),
    clusterPolicies: cluster.clusterPolicies.map((policy) => compileClusterPolicy(input, policy)),
    vocabulary,
  };
}

/** The ports of a rule for an end whose port names lead to `resolved`. */
export function rulePorts(rule: Pick<CompiledRule, 'ports' | 'portNames'>, resolved: ReadonlyMap<string, number>, portSets: PortSetTable): number {
  let ports = rule.ports;
  for (const name of rule.portNames) ports = portSets.union(ports, resolved.get(name) ?? NO_PORTS_ID);
  return ports;
}

export interface PolicySetInput {
  readonly cluster: Pick<Cluster, 'nodes'>;
  readonly vocabulary: Vocabulary;
  readonly portSets: PortSetTable;
}

export function compileNetworkPolicy(input: PolicySetInput, policy: NetworkPolicy): CompiledPolicy {
  const peerSet = (peer: Peer): number => {
    if (peer.kind === 'ip-block') return input.vocabulary.ipBlock(peer);
    return peer.namespaces.kind === 'own'
      ? input.vocabulary.podsOfNamespace(policy.namespace, peer.podSelector)
      : input.vocabulary.podsOfNamespaces(peer.namespaces.selector, peer.podSelector);
  };
  const section = (direction: Direction): readonly CompiledRule[] | undefined =>
    policy[direction]?.map((rule) => ({
      rule,
      peerSets: rule.peers.kind === 'everybody' ? undefined : distinct(rule.peers.peers.map(peerSet)),
      ...compilePorts(input, rule.ports),
    }));
  return {
    policy,
    subject: input.vocabulary.podsOfNamespace(policy.namespace, policy.podSelector),
    ingress: section('ingress'),
    egress: section('egress'),
  };
}

export function compileClusterPolicy(input: PolicySetInput, policy: ClusterPolicy): CompiledClusterPolicy {
  const section = (direction: Direction): readonly CompiledRule<TierRule>[] | undefined => {
    const rules = policy[direction].map((rule) => ({
      rule,
      peerSets: rule.peers.kind === 'everybody' ? undefined : distinct(rule.peers.peers.flatMap((peer) => tierPeerSets(input, peer))),
      ...compilePorts(input, rule.ports),
    }));
    return rules.length === 0 ? undefined : rules;
  };
  return {
    policy,
    subject: input.vocabulary.podsOfNamespaces(policy.subject.namespaceSelector, policy.subject.podSelector),
    ingress: section('ingress'),
    egress: section('egress'),
  };
}

function distinct(peerSets: readonly number[]): readonly number[] {
  return peerSets.length < 2 ? peerSets : [...new Set(peerSets)];
}

/** `nodes` means every address in the status of the nodes selected. */
function tierPeerSets({ cluster, vocabulary }: PolicySetInput, peer: TierPeer): readonly number[] {
  switch (peer.kind) {
    case 'scoped-pods':
      return [vocabulary.podsOfNamespaces(peer.namespaceSelector, peer.podSelector)];
    case 'nodes':
      return nodeAddresses(cluster, peer.selector).map((address) => vocabulary.address(address, peer.origin));
    case 'domain-name':
      return [vocabulary.domainName(peer.pattern)];
    case 'ip-block': {
      // CNP, networks: "if you Accept or Deny traffic to "0.0.0.0/0", that will allow or deny all IPv4 pod-to-pod traffic as well".
      const family = wholeFamilyOf(peer);
      return family === undefined ? [vocabulary.ipBlock(peer)] : [vocabulary.ipBlock(peer), vocabulary.wholeFamily(family)];
    }
  }
}

function nodeAddresses(cluster: Pick<Cluster, 'nodes'>, selector: Selector): Cluster['nodes'][number]['addresses'] {
  const nodes = cluster.nodes.filter((node) => selects(selector, { labels: node.labels, unknownKeys: new Set() }));
  return nodes.flatMap((node) => node.addresses);
}

type AnyPorts = PolicyRule['ports'] | TierRule['ports'];

function compilePorts({ vocabulary, portSets }: PolicySetInput, ports: AnyPorts): { readonly ports: number; readonly portNames: readonly string[] } {
  if (ports.kind === 'every') return { ports: ALL_PORTS_ID, portNames: [] };
  let numeric: PortSet = NO_PORTS;
  const names = new Set<string>();
  const addName = (protocols: readonly Protocol[], name: string): void => {
    for (const protocol of protocols) names.add(vocabulary.portName(protocol, name));
  };
  for (const port of ports.ports) {
    switch (port.kind) {
      case 'range':
        numeric = unionPorts(numeric, portSetOf(port.protocol, port.first, port.last));
        break;
      case 'protocol':
        numeric = unionPorts(numeric, [PROTOCOL_BASE[port.protocol] + 1, PROTOCOL_BASE[port.protocol] + 65535]);
        break;
      case 'named':
        addName([port.protocol], port.name);
        break;
      case 'any-named':
        addName(PROTOCOLS, port.name);
        break;
    }
  }
  return { ports: portSets.intern(numeric), portNames: [...names] };
}
