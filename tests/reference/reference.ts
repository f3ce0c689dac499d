// A second opinion: whether a connection may be opened, decided in the order of the tiers, slowly and literally.
// Shares nothing with `compile` and `analyze`: it asks every policy, rule, peer and port anew for every question.
// Quotes are from "Network Policies" of the Kubernetes documentation (NP) and from the type comments of
// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy (CNP); "choice" is a choice of this project.
import type { Cluster } from '../../src/model/cluster.ts';
import { DIRECTIONS, type Direction } from '../../src/model/network-policy.ts';
import { hasFamily, isOnePod, isOnOneNode, type ReferenceTraffic } from './matches.ts';
import { policiesAllow } from './network-policies.ts';
import { tierAction } from './tiers.ts';

export function referenceAllows(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  if (isOnePod(cluster, traffic)) return true;
  if (!hasFamily(cluster, traffic.source, traffic.family) || !hasFamily(cluster, traffic.target, traffic.family)) return false;
  if (isOnOneNode(cluster, traffic)) return isAllowedOnNode(cluster, traffic);
  // NP, "The two sorts of pod isolation": "For a connection from a source pod to a destination pod to be allowed, both
  // the egress policy on the source pod and the ingress policy on the destination pod need to allow the connection."
  return DIRECTIONS.every((direction) => directionAllows(cluster, direction, traffic, policiesAllow));
}

/**
 * NP: "traffic to and from the node where a Pod is running is always allowed, regardless of the IP address of the Pod or
 * the node". CNP: no ingress peer selects a node; "nodes" and "networks" of egress select this one like any other.
 */
function isAllowedOnNode(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  if (traffic.source.kind === 'pod' && cluster.pods[traffic.source.pod]!.hostNetwork) return true;
  return directionAllows(cluster, 'egress', traffic, allowWhereIsolated);
}

/** A pod to itself through a Service: NetworkPolicy does not judge it (choice), CNP does. Asked of a pod that is both ends. */
export function reachesItself(cluster: Cluster, traffic: ReferenceTraffic): boolean {
  return DIRECTIONS.every((direction) => directionAllows(cluster, direction, traffic, allowWhereIsolated));
}

/** Choice: to a pod that is isolated it counts as something that NetworkPolicy allows. */
const allowWhereIsolated: typeof policiesAllow = (...question) => (policiesAllow(...question) === undefined ? undefined : true);

function directionAllows(cluster: Cluster, direction: Direction, traffic: ReferenceTraffic, networkPolicies: typeof policiesAllow): boolean {
  const end = direction === 'egress' ? traffic.source : traffic.target;
  // Whoever is outside, and whoever uses a node's network, is nobody's subject.
  if (end.kind !== 'pod') return true;
  // CNP, tier: "If Admin tier has made a final decision (Accept or Deny) on a connection, then no further evaluation is done."
  const admin = tierAction(cluster, 'Admin', direction, traffic);
  if (admin === 'Accept' || admin === 'Deny') return admin === 'Accept';
  // CNP, tier: "v1.NetworkPolicy always makes a final decision for selected pods."
  const byPolicies = networkPolicies(cluster, direction, traffic);
  if (byPolicies !== undefined) return byPolicies;
  // CNP, tier: "If a given connection wasn't allowed or denied by any of the tiers, the default kubernetes policy is
  // applied, which says that all pods can communicate with each other."
  return tierAction(cluster, 'Baseline', direction, traffic) !== 'Deny';
}
