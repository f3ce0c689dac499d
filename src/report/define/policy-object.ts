// Policies of the model as the objects that the API server takes.
import type { Protocol } from '../../base/port-set.ts';
import { formatCidr } from '../../base/range-text.ts';
import type { ClusterPolicy, ScopedPods, TierPeer, TierPort, TierRule } from '../../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type Peer, type PolicyRule, type PortMatch } from '../../model/network-policy.ts';
import type { Requirement, Selector } from '../../model/selector.ts';
import { peerUnits } from '../../compare/split-rule.ts';

/** Types are always listed: nobody needs to know what a missing `policyTypes` means. */
export function networkPolicyObject(policy: NetworkPolicy): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: policy.name, namespace: policy.namespace },
    spec: {
      podSelector: selectorObject(policy.podSelector),
      policyTypes: DIRECTIONS.filter((direction) => policy[direction] !== undefined).map((direction) => (direction === 'ingress' ? 'Ingress' : 'Egress')),
      ...section('ingress', policy.ingress ?? [], ruleObject),
      ...section('egress', policy.egress ?? [], ruleObject),
    },
  };
}

/** Of its own kind, whatever kind the policy was read from. Throws for a rule that fails closed, which has no form. */
export function clusterPolicyObject(policy: ClusterPolicy): object {
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: policy.name },
    spec: {
      tier: policy.tier,
      priority: policy.priority,
      subject: scopeObject(policy.subject),
      ...section('ingress', policy.ingress, tierRuleObject),
      ...section('egress', policy.egress, tierRuleObject),
    },
  };
}

/** A rule that matches nothing is left out: an empty list of peers or ports would match everything, or be refused. */
export function writtenRules<Rule extends PolicyRule | TierRule>(rules: readonly Rule[]): readonly Rule[] {
  const isEmpty = ({ peers, ports }: Rule): boolean =>
    (peers.kind === 'listed' && peers.peers.length === 0) || (ports.kind === 'listed' && ports.ports.length === 0);
  return rules.filter((rule) => !isEmpty(rule));
}

/** The word of the API for the peers of a direction. */
export function peersWord(direction: Direction): 'from' | 'to' {
  return direction === 'ingress' ? 'from' : 'to';
}

function section<Rule extends PolicyRule | TierRule>(direction: Direction, rules: readonly Rule[], form: (direction: Direction, rule: Rule) => object): Readonly<Record<string, unknown>> {
  const written = writtenRules(rules);
  return written.length === 0 ? {} : { [direction]: written.map((rule) => form(direction, rule)) };
}

export function ruleObject(direction: Direction, { peers, ports }: Pick<PolicyRule, 'peers' | 'ports'>): object {
  return {
    ...(peers.kind === 'everybody' ? {} : { [peersWord(direction)]: peers.peers.map(peerObject) }),
    ...(ports.kind === 'every' ? {} : { ports: ports.ports.map(portObject) }),
  };
}

export function peerObject(peer: Peer): object {
  if (peer.kind === 'ip-block') {
    const except = peer.except.map(formatCidr);
    return { ipBlock: { cidr: formatCidr(peer.cidr), ...(except.length === 0 ? {} : { except }) } };
  }
  const { namespaces, podSelector } = peer;
  if (namespaces.kind === 'own') return { podSelector: selectorObject(podSelector) };
  return { namespaceSelector: selectorObject(namespaces.selector), ...(podSelector.requirements.length === 0 ? {} : { podSelector: selectorObject(podSelector) }) };
}

export function portObject(port: PortMatch): object {
  switch (port.kind) {
    case 'protocol':
      return { protocol: port.protocol };
    case 'named':
      return { protocol: port.protocol, port: port.name };
    case 'range':
      return { protocol: port.protocol, port: port.first, ...(port.first === port.last ? {} : { endPort: port.last }) };
  }
}

function tierRuleObject(direction: Direction, { name, action, peers, ports }: TierRule): object {
  if (peers.kind === 'everybody') throw new Error('bug: a rule that fails closed has no form that a server would store');
  return {
    ...(name === undefined ? {} : { name }),
    action,
    [peersWord(direction)]: peerUnits(peers.peers).map(unitObject),
    ...(ports.kind === 'every' ? {} : { protocols: ports.ports.map(tierPortObject) }),
  };
}

function unitObject(unit: readonly TierPeer[]): object {
  const first = unit[0]!;
  switch (first.kind) {
    case 'scoped-pods':
      return scopeObject(first);
    case 'nodes':
      return { nodes: selectorObject(first.selector) };
    case 'ip-block':
      return { networks: unit.flatMap((peer) => (peer.kind === 'ip-block' ? [peer.text] : [])) };
    case 'domain-name':
      return { domainNames: unit.flatMap((peer) => (peer.kind === 'domain-name' ? [peer.pattern] : [])) };
  }
}

function scopeObject({ namespaceSelector, podSelector }: ScopedPods): object {
  if (podSelector.requirements.length === 0) return { namespaces: selectorObject(namespaceSelector) };
  return { pods: { namespaceSelector: selectorObject(namespaceSelector), podSelector: selectorObject(podSelector) } };
}

function tierPortObject(port: TierPort): object {
  switch (port.kind) {
    case 'any-named':
      return { destinationNamedPort: port.name };
    case 'range':
      return transport(port.protocol, port.first === port.last ? { number: port.first } : { range: { start: port.first, end: port.last } });
    case 'protocol':
      return transport(port.protocol, { range: { start: 1, end: 65535 } });
    case 'named':
      throw new Error(`bug: the port name ${port.name} of one protocol has no form in a cluster-wide policy`);
  }
}

function transport(protocol: Protocol, destinationPort: object): object {
  return { [protocol.toLowerCase()]: { destinationPort } };
}

/** One value is a label to match, unless the key stands there already. */
function selectorObject({ requirements }: Selector): object {
  const matchLabels = new Map<string, string>();
  const rest: Requirement[] = [];
  for (const requirement of requirements) {
    const [value, ...more] = requirement.kind === 'In' ? requirement.values : [];
    if (value !== undefined && more.length === 0 && !matchLabels.has(requirement.key)) matchLabels.set(requirement.key, value);
    else rest.push(requirement);
  }
  return {
    ...(matchLabels.size === 0 ? {} : { matchLabels: Object.fromEntries(matchLabels) }),
    ...(rest.length === 0 ? {} : { matchExpressions: rest.map(({ kind, key, ...values }) => ({ key, operator: kind, ...values })) }),
  };
}
