// What NetworkPolicies allow, said as slowly and literally as the API says it, with the sentence behind each branch.
// Quotes are from the type comments of networking.k8s.io/v1 (NetworkPolicySpec, …Rule, …Peer, …Port) and from "Network
// Policies" of the Kubernetes documentation; "choice" is a choice of this project.
import type { IpFamily } from '../../src/base/ip-address.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import type { Direction, NetworkPolicy, Peer, PodPeer, PolicyRule } from '../../src/model/network-policy.ts';
import { blockMatches, isOnePod, isOnOneNode, judgedPod, portMatches, selectorMatches, type ReferenceEnd, type ReferenceTraffic } from './matches.ts';

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

/** The rules that let the connection through in one direction; empty also where nothing isolates the end, or nothing judges it. */
export function referenceRules(cluster: Cluster, direction: Direction, traffic: ReferenceTraffic): readonly { readonly policy: NetworkPolicy; readonly rule: PolicyRule }[] {
  const end = direction === 'egress' ? traffic.source : traffic.target;
  if (end.kind !== 'pod' || isOnePod(cluster, traffic) || isOnOneNode(cluster, traffic)) return [];
  const matches = direction === 'egress' ? egressRuleMatches : ingressRuleMatches;
  return cluster.policies
    .filter((policy) => governs(policy, cluster.pods[end.pod]!))
    .flatMap((policy) => (policy[direction] ?? []).filter((rule) => matches(cluster, policy, rule, traffic)).map((rule) => ({ policy, rule })));
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
  return blockMatches(cluster, peer, end, family);
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

function portsMatch(rule: PolicyRule, named: Pod | undefined, traffic: ReferenceTraffic): boolean {
  // Rule.ports: "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)."
  // Choice: ICMP and every other protocol included.
  if (rule.ports.kind === 'every') return true;
  // Rule.ports: "allows traffic only if the traffic matches at least one port in the list".
  return rule.ports.ports.some((match) => portMatches(match, named, traffic));
}
