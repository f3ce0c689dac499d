// The second opinion with cluster-wide policies: Admin tier, NetworkPolicy, Baseline tier, in this order, direction by direction.
// Quotes are from the type comments of policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy; "choice" is a choice of this project.
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import type { ClusterPolicy, ScopedPods, Tier, TierAction, TierPeer, TierPort, TierRule } from '../../src/model/cluster-policy.ts';
import { DIRECTIONS, type Direction } from '../../src/model/network-policy.ts';
import { blockMatchesPod, hasFamily, isInBlock, isOnePod, judgedPod, policiesAllow, portMatches, selectorMatches, type ReferenceEnd, type ReferenceTraffic } from './reference.ts';

/** For clusters whose pods have no known node: traffic between a pod and its own node is not asked here. */
export function tieredReferenceAllows(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  if (isOnePod(cluster, traffic)) return true;
  if (!hasFamily(cluster, traffic.source, traffic.family) || !hasFamily(cluster, traffic.target, traffic.family)) return false;
  return DIRECTIONS.every((direction) => directionAllows(cluster, direction, traffic));
}

function directionAllows(cluster: Cluster, direction: Direction, traffic: ReferenceTraffic): boolean {
  const end = direction === 'egress' ? traffic.source : traffic.target;
  // Whoever is outside is nobody's subject.
  if (end.kind === 'address') return true;
  // CNP, tier: "If Admin tier has made a final decision (Accept or Deny) on a connection, then no further evaluation is done."
  const admin = tierAction(cluster, 'Admin', direction, traffic);
  if (admin === 'Accept' || admin === 'Deny') return admin === 'Accept';
  // "v1.NetworkPolicy always makes a final decision for selected pods."
  const byPolicies = policiesAllow(cluster, direction, traffic);
  if (byPolicies !== undefined) return byPolicies;
  // "If a given connection wasn't allowed or denied by any of the tiers, the default kubernetes policy is applied, which
  // says that all pods can communicate with each other."
  return tierAction(cluster, 'Baseline', direction, traffic) !== 'Deny';
}

/** CNP, priority: "Policies with lower priority values have higher precedence, and are checked before". undefined: no rule of the tier matches. */
function tierAction(cluster: Cluster, tier: Tier, direction: Direction, traffic: ReferenceTraffic): TierAction | undefined {
  const subject = judgedPod(cluster, direction, traffic);
  const policies = cluster.clusterPolicies.filter((policy) => policy.tier === tier && isSubject(cluster, policy, subject));
  const priorities = [...new Set(policies.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    const actions = policies
      .filter((policy) => policy.priority === priority)
      .map((policy) => firstMatch(cluster, policy[direction], direction, traffic));
    // Choice, where upstream leaves equal priorities undefined: Deny before Pass before Accept.
    for (const action of ['Deny', 'Pass', 'Accept'] as const) if (actions.includes(action)) return action;
  }
  return undefined;
}

/** CNP, ingress and egress: "a rule that appears at the top of the ingress rules would take the highest precedence". */
function firstMatch(cluster: Cluster, rules: readonly TierRule[], direction: Direction, traffic: ReferenceTraffic): TierAction | undefined {
  return rules.find((rule) => tierRuleMatches(cluster, rule, direction, traffic))?.action;
}

function isSubject(cluster: Cluster, policy: ClusterPolicy, pod: Pod): boolean {
  return scopeMatches(cluster, policy.subject, pod);
}

/** CNP, subject: "host-networked pods are not included in subject selection", nor "in this type of peer". */
function scopeMatches(cluster: Cluster, { namespaceSelector, podSelector }: ScopedPods, pod: Pod): boolean {
  if (pod.hostNetwork) return false;
  const namespace = cluster.namespaces.find(({ name }) => name === pod.namespace)!;
  return selectorMatches(namespaceSelector, namespace) && selectorMatches(podSelector, pod);
}

function tierRuleMatches(cluster: Cluster, rule: TierRule, direction: Direction, traffic: ReferenceTraffic): boolean {
  const other = direction === 'egress' ? traffic.target : traffic.source;
  const target = traffic.target.kind === 'pod' ? cluster.pods[traffic.target.pod] : undefined;
  if (rule.peers.kind === 'everybody') return tierPortsMatch(rule, target, traffic);
  return rule.peers.peers.some((peer) => {
    if (!tierPeerMatches(cluster, peer, other, traffic)) return false;
    // CNP, egress rule: "there are no namedPorts for networks/nodes/domainNames".
    const knowsNames = direction === 'ingress' || peer.kind === 'scoped-pods';
    return tierPortsMatch(rule, knowsNames ? target : undefined, traffic);
  });
}

function tierPeerMatches(cluster: Cluster, peer: TierPeer, end: ReferenceEnd, { family }: ReferenceTraffic): boolean {
  switch (peer.kind) {
    case 'scoped-pods':
      return end.kind === 'pod' && scopeMatches(cluster, peer, cluster.pods[end.pod]!);
    case 'ip-block':
      // CNP, networks: "cluster-internal traffic will be checked against the rule as well".
      return end.kind === 'address' ? isInBlock(end.address, peer) : blockMatchesPod(cluster, peer, cluster.pods[end.pod]!, family);
    case 'nodes': {
      // CNP, nodes: "by matching on the IPs present in the node.Status.Addresses field of the node".
      const nodes = cluster.nodes.filter(({ labels }) => selectorMatches(peer.selector, { labels, unknownKeys: new Set() }));
      const addresses = nodes.flatMap((node) => node.addresses);
      const own = end.kind === 'address' ? [end.address] : cluster.pods[end.pod]!.addresses;
      return own.some((address) => address.family === family && addresses.some((one) => one.family === family && one.value === address.value));
    }
    case 'domain-name':
      // Nothing static knows what a name leads to.
      return false;
  }
}

function tierPortsMatch(rule: TierRule, named: Pod | undefined, traffic: ReferenceTraffic): boolean {
  // CNP, protocols: "If unspecified, protocol-specific attributes will not be used to match traffic."
  return rule.ports.kind === 'every' || rule.ports.ports.some((port) => tierPortMatches(port, named, traffic));
}

function tierPortMatches(port: TierPort, named: Pod | undefined, traffic: ReferenceTraffic): boolean {
  if (port.kind !== 'any-named') return portMatches(port, named, traffic);
  if (traffic.protocol === 'other' || named === undefined || named.hostNetwork) return false;
  return named.ports.some((own) => own.name === port.name && own.protocol === traffic.protocol && own.port === traffic.port);
}
