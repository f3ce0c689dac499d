// What a tier of cluster-wide policies says of a connection: by priority, then rule by rule, the first that matches.
// Quotes are from the type comments of policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy (CNP); "choice" is a choice of this project.
import { LAST_ADDRESS, type IpFamily } from '../../src/base/ip-address.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import type { ClusterPolicy, ScopedPods, Tier, TierAction, TierPeer, TierPort, TierRule } from '../../src/model/cluster-policy.ts';
import type { Direction, IpBlockPeer } from '../../src/model/network-policy.ts';
import { blockMatches, hasFamily, judgedPod, portMatches, selectorMatches, type ReferenceEnd, type ReferenceTraffic } from './matches.ts';

/** CNP, priority: "Policies with lower priority values have higher precedence, and are checked before". undefined: no rule of the tier matches. */
export function tierAction(cluster: Cluster, tier: Tier, direction: Direction, traffic: ReferenceTraffic): TierAction | undefined {
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
      // CNP, networks: "So if you Accept or Deny traffic to "0.0.0.0/0", that will allow or deny all IPv4 pod-to-pod traffic as
      // well": whatever address a pod has, it is in there. Other networks are held against the addresses that are known.
      if (end.kind === 'pod' && holdsFamily(peer, family)) return hasFamily(cluster, end, family);
      return blockMatches(cluster, peer, end, family);
    case 'nodes': {
      // CNP, nodes: "by matching on the IPs present in the node.Status.Addresses field of the node".
      const nodes = cluster.nodes.filter(({ labels }) => selectorMatches(peer.selector, { labels, unknownKeys: new Set() }));
      const addresses = nodes.flatMap((node) => node.addresses);
      const own = end.kind === 'address' ? [end.address] : end.kind === 'pod' ? cluster.pods[end.pod]!.addresses : [];
      return own.some((address) => address.family === family && addresses.some((one) => one.family === family && one.value === address.value));
    }
    case 'domain-name':
      // Nothing static knows which addresses a name leads to, so only the name itself is matched.
      return end.kind === 'domain-name' && nameMatches(peer.pattern, end.name);
  }
}

function holdsFamily({ cidr, except }: IpBlockPeer, family: IpFamily): boolean {
  return cidr.family === family && cidr.first === 0n && cidr.last === LAST_ADDRESS[family] && except.length === 0;
}

/** CNP, DomainName: "'*', the wildcard specifier, matches one or more entire labels."; case and a trailing dot are no difference (choice). */
function nameMatches(pattern: string, name: string): boolean {
  const labelsOf = (text: string): string[] => text.toLowerCase().replace(/\.$/, '').split('.').reverse();
  const wanted = labelsOf(pattern);
  const given = labelsOf(name);
  const isWild = wanted.at(-1) === '*';
  const fixed = isWild ? wanted.slice(0, -1) : wanted;
  if (!fixed.every((label, index) => given[index] === label)) return false;
  return isWild ? given.length > fixed.length : given.length === fixed.length;
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
