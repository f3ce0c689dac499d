// A second opinion: what a NetworkPolicy allows, said as slowly and literally as the API says it, with the sentence behind each branch.
// Shares nothing with `compile` and `analyze`: it asks every policy, rule, peer and port anew for every question.
// Quotes are from the type comments of networking.k8s.io/v1 (NetworkPolicySpec, …Rule, …Peer, …Port, IPBlock), from
// "Network Policies" and "Labels and Selectors" of the Kubernetes documentation; "choice" is a choice of this project.
import type { IpAddress, IpFamily, IpRange } from '../../src/base/ip-address.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import type { Direction, IpBlockPeer, NetworkPolicy, Peer, PodPeer, PolicyRule, PortMatch } from '../../src/model/network-policy.ts';
import type { LabelSet, Requirement, Selector } from '../../src/model/selector.ts';

export type ReferenceEnd =
  | { readonly kind: 'pod'; readonly pod: number }
  | { readonly kind: 'address'; readonly address: IpAddress };

/** One connection to be opened. `port` is of no account for `other`, which stands for ICMP and all the rest. */
export interface ReferenceTraffic {
  readonly source: ReferenceEnd;
  readonly target: ReferenceEnd;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'other';
  readonly port: number;
  /** Of the addresses that the connection uses. */
  readonly family: IpFamily;
}

export function referenceAllows(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  if (isOnePod(cluster, traffic) || isOnOneNode(cluster, traffic)) return true;
  if (!hasFamily(cluster, traffic.source, traffic.family) || !hasFamily(cluster, traffic.target, traffic.family)) return false;
  // NP, "The two sorts of pod isolation": "For a connection from a source pod to a destination pod to be allowed, both
  // the egress policy on the source pod and the ingress policy on the destination pod need to allow the connection."
  return egressAllows(cluster, traffic) && ingressAllows(cluster, traffic);
}

/** The rules that let the connection through in one direction; empty also where nothing isolates the end, or nothing judges it. */
export function referenceRules(cluster: Cluster, direction: Direction, traffic: ReferenceTraffic): readonly { readonly policy: NetworkPolicy; readonly rule: PolicyRule }[] {
  const end = direction === 'egress' ? traffic.source : traffic.target;
  if (end.kind === 'address' || isOnePod(cluster, traffic) || isOnOneNode(cluster, traffic)) return [];
  const matches = direction === 'egress' ? egressRuleMatches : ingressRuleMatches;
  return cluster.policies
    .filter((policy) => governs(policy, cluster.pods[end.pod]!))
    .flatMap((policy) => (policy[direction] ?? []).filter((rule) => matches(cluster, policy, rule, traffic)).map((rule) => ({ policy, rule })));
}

/** Choice: dual stack is judged by family; an end has the families of its addresses, a pod without any could have both. */
export function hasFamily(cluster: Cluster, end: ReferenceEnd, family: IpFamily): boolean {
  if (end.kind === 'address') return end.address.family === family;
  const { addresses } = cluster.pods[end.pod]!;
  return addresses.length === 0 || addresses.some((address) => address.family === family);
}

/** NP: "exception: a pod cannot block access to itself". Two replicas of one workload are two pods. */
export function isOnePod(cluster: Cluster, { source, target }: ReferenceTraffic): boolean {
  return source.kind === 'pod' && target.kind === 'pod' && source.pod === target.pod && cluster.pods[source.pod]!.replicas === 1;
}

/**
 * NP: "traffic to and from the node where a Pod is running is always allowed, regardless of the IP address of the Pod
 * or the node". Whoever uses the host network is the node. Choice: without a known node it is another node.
 */
function isOnOneNode(cluster: Cluster, { source, target }: ReferenceTraffic): boolean {
  if (source.kind !== 'pod' || target.kind !== 'pod') return false;
  const a = cluster.pods[source.pod]!;
  const b = cluster.pods[target.pod]!;
  if (a.nodeName === undefined || b.nodeName === undefined) return false;
  return a.nodeName === b.nodeName && (a.hostNetwork || b.hostNetwork);
}

function egressAllows(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  // Outside the cluster nobody has policies of ours.
  if (traffic.source.kind === 'address') return true;
  return policiesAllow(cluster, 'egress', traffic) ?? true;
}

function ingressAllows(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  if (traffic.target.kind === 'address') return true;
  return policiesAllow(cluster, 'ingress', traffic) ?? true;
}

/** undefined: not isolated, so NetworkPolicy has nothing to say. The end that the direction judges is a pod. */
export function policiesAllow(cluster: Cluster, direction: Direction, traffic: ReferenceTraffic): boolean | undefined {
  const subject = judgedPod(cluster, direction, traffic);
  // NP, "The two sorts of pod isolation": "A pod is isolated for egress if there is any NetworkPolicy that both selects
  // the pod and has "Egress" in its policyTypes", and likewise for ingress.
  const policies = cluster.policies.filter((policy) => policy[direction] !== undefined && governs(policy, subject));
  if (policies.length === 0) return undefined;
  // Spec.ingress: "OR if the traffic matches at least one ingress rule across all of the NetworkPolicy objects whose
  // podSelector matches the pod"; Spec.egress: "If this field is empty then this NetworkPolicy limits all outgoing traffic".
  const matches = direction === 'egress' ? egressRuleMatches : ingressRuleMatches;
  return policies.some((policy) => policy[direction]!.some((rule) => matches(cluster, policy, rule, traffic)));
}

export function judgedPod(cluster: Cluster, direction: Direction, { source, target }: ReferenceTraffic): Pod {
  const end = direction === 'egress' ? source : target;
  if (end.kind === 'address') throw new Error('nobody outside is judged');
  return cluster.pods[end.pod]!;
}

/** Spec.podSelector: "An empty selector matches all pods in the policy's namespace." Choice: hostNetwork pods are never subjects. */
function governs(policy: NetworkPolicy, pod: Pod): boolean {
  return !pod.hostNetwork && pod.namespace === policy.namespace && selectorMatches(policy.podSelector, pod);
}

/** EgressRule: "The traffic must match both ports and to." */
function egressRuleMatches(cluster: Cluster, policy: NetworkPolicy, rule: PolicyRule, traffic: ReferenceTraffic): boolean {
  // A named port of egress is one of the destination pod; an address outside has no port names.
  const named = traffic.target.kind === 'pod' ? cluster.pods[traffic.target.pod] : undefined;
  // Rule.to: "If this field is empty or missing, this rule matches all destinations".
  if (rule.peers.kind === 'everybody') return portsMatch(rule, named, traffic);
  // Rule.to: "Items in this list are combined using a logical OR operation."
  return rule.peers.peers.some((peer) => {
    if (!peerMatches(cluster, policy, peer, traffic.target, traffic.family)) return false;
    // Choice: a block knows addresses and no pods, so names lead nowhere in it, also where a pod has the address.
    return portsMatch(rule, peer.kind === 'ip-block' ? undefined : named, traffic);
  });
}

/** IngressRule: "The traffic must match both ports and from." */
function ingressRuleMatches(cluster: Cluster, policy: NetworkPolicy, rule: PolicyRule, traffic: ReferenceTraffic): boolean {
  // A named port of ingress is one of the selected pod, whoever the source is.
  const named = traffic.target.kind === 'pod' ? cluster.pods[traffic.target.pod] : undefined;
  if (!portsMatch(rule, named, traffic)) return false;
  // Rule.from: "If this field is empty or missing, this rule matches all sources".
  if (rule.peers.kind === 'everybody') return true;
  // Rule.from: "Items in this list are combined using a logical OR operation."
  return rule.peers.peers.some((peer) => peerMatches(cluster, policy, peer, traffic.source, traffic.family));
}

function peerMatches(cluster: Cluster, policy: NetworkPolicy, peer: Peer, end: ReferenceEnd, family: IpFamily): boolean {
  if (peer.kind === 'pods') return end.kind === 'pod' && podPeerMatches(cluster, policy, peer, cluster.pods[end.pod]!);
  return end.kind === 'address' ? isInBlock(end.address, peer) : blockMatchesPod(cluster, peer, cluster.pods[end.pod]!, family);
}

function podPeerMatches(cluster: Cluster, policy: NetworkPolicy, peer: PodPeer, pod: Pod): boolean {
  // Choice (b) of NP, "NetworkPolicy and hostNetwork pods": to selectors such pods are their node and match nothing.
  if (pod.hostNetwork) return false;
  if (peer.namespaces.kind === 'own') {
    // Peer.podSelector: "Otherwise it selects the pods matching podSelector in the policy's own namespace."
    return pod.namespace === policy.namespace && selectorMatches(peer.podSelector, pod);
  }
  // Peer.podSelector: "the pods matching podSelector in the Namespaces selected by NamespaceSelector".
  const namespace = cluster.namespaces.find(({ name }) => name === pod.namespace)!;
  return selectorMatches(peer.namespaces.selector, namespace) && selectorMatches(peer.podSelector, pod);
}

export function blockMatchesPod(cluster: Cluster, block: IpBlockPeer, pod: Pod, family: IpFamily): boolean {
  // Choice, with upstream's end-to-end tests: a block matches a pod (or a hostNetwork pod's node) whose address it contains.
  if (pod.addresses.length > 0) return pod.addresses.some((address) => address.family === family && isInBlock(address, block));
  // Choice: an address that is not known is somewhere in the pod ranges, so only a block that holds them all surely holds it.
  const ranges = cluster.podRanges.filter((range) => range.family === family);
  return !pod.hostNetwork && ranges.length > 0 && ranges.every((range) => isRangeInBlock(range, block));
}

/** IPBlock: "The except entry describes CIDRs that should not be included within this rule." */
export function isInBlock(address: IpAddress, block: IpBlockPeer): boolean {
  const isIn = (range: IpRange): boolean => range.family === address.family && range.first <= address.value && address.value <= range.last;
  return isIn(block.cidr) && !block.except.some(isIn);
}

function isRangeInBlock(range: IpRange, { cidr, except }: IpBlockPeer): boolean {
  if (cidr.family !== range.family || range.first < cidr.first || cidr.last < range.last) return false;
  return except.every((hole) => hole.family !== range.family || hole.last < range.first || range.last < hole.first);
}

function portsMatch(rule: PolicyRule, named: Pod | undefined, traffic: ReferenceTraffic): boolean {
  // Rule.ports: "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)."
  // Choice: ICMP and every other protocol included.
  if (rule.ports.kind === 'every') return true;
  // Rule.ports: "allows traffic only if the traffic matches at least one port in the list".
  return rule.ports.ports.some((match) => portMatches(match, named, traffic));
}

export function portMatches(match: PortMatch, named: Pod | undefined, { protocol, port }: ReferenceTraffic): boolean {
  // Port.protocol: "represents the protocol (TCP, UDP, or SCTP) which traffic must match". Anything else has no ports to match.
  if (protocol === 'other' || match.protocol !== protocol) return false;
  switch (match.kind) {
    case 'protocol':
      // Port.port: "If this field is not provided, this matches all port names and numbers."
      return true;
    case 'range':
      // Port.endPort: "the range of ports from port to endPort if set, inclusive, should be allowed by the policy".
      return match.first <= port && port <= match.last;
    case 'named':
      // Port.port: "This can either be a numerical or named port on a pod." Choice: several containers with one name mean
      // all their numbers; a name with another protocol is another name; hostNetwork pods have no names.
      if (named === undefined || named.hostNetwork) return false;
      return named.ports.some((own) => own.name === match.name && own.protocol === protocol && own.port === port);
  }
}

/** LabelSelector: "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all objects." */
export function selectorMatches(selector: Selector, object: LabelSet): boolean {
  for (const requirement of selector.requirements) {
    if (!requirementMatches(requirement, object)) return false;
  }
  return true;
}

function requirementMatches(requirement: Requirement, object: LabelSet): boolean {
  const { key } = requirement;
  const isThere = object.labels.has(key) || object.unknownKeys.has(key);
  // Choice: a value that only the running cluster knows (pod-template-hash) equals none that somebody wrote down.
  const hasValue = (value: string): boolean => object.labels.has(key) && object.labels.get(key) === value;
  switch (requirement.kind) {
    case 'In':
      // "Labels and Selectors": "selects all resources with key equal to environment and value equal to production or qa".
      return requirement.values.some(hasValue);
    case 'NotIn':
      // "Labels and Selectors": "… and all resources with no labels with the tier key".
      return !requirement.values.some(hasValue);
    case 'Exists':
      // "selects all resources including a label with key partition; no values are checked".
      return isThere;
    case 'DoesNotExist':
      // "selects all resources without a label with key partition; no values are checked".
      return !isThere;
  }
}
