// Who is meant: the ends of a connection, and whether selectors, blocks and ports match them, by the letter of the API.
// Shares nothing with `compile` and `analyze`. Quotes are from the type comments of networking.k8s.io/v1, from "Network
// Policies" and "Labels and Selectors" of the Kubernetes documentation; "choice" is a choice of this project.
import { LAST_ADDRESS, type IpAddress, type IpFamily, type IpRange } from '../../src/base/ip-address.ts';
import type { Cluster, Pod } from '../../src/model/cluster.ts';
import type { Direction, IpBlockPeer, PortMatch } from '../../src/model/network-policy.ts';
import type { LabelSet, Requirement, Selector } from '../../src/model/selector.ts';

export type ReferenceEnd =
  | { readonly kind: 'pod'; readonly pod: number }
  | { readonly kind: 'address'; readonly address: IpAddress }
  /** Whatever a name leads to, outside the cluster and never a source; `*.x` for the names below x. */
  | { readonly kind: 'domain-name'; readonly name: string };

/** One connection to be opened. `port` is of no account for `other`, which stands for ICMP and all the rest. */
export interface ReferenceTraffic {
  readonly source: ReferenceEnd;
  readonly target: ReferenceEnd;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'other';
  readonly port: number;
  /** Of the addresses that the connection uses. */
  readonly family: IpFamily;
}

/** Choice: dual stack is judged by family; an end has the families of its addresses, a pod without any could have both. */
export function hasFamily(cluster: Cluster, end: ReferenceEnd, family: IpFamily): boolean {
  if (end.kind === 'address') return end.address.family === family;
  if (end.kind === 'domain-name') return true;
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
export function isOnOneNode(cluster: Cluster, { source, target }: ReferenceTraffic): boolean {
  if (source.kind !== 'pod' || target.kind !== 'pod') return false;
  const a = cluster.pods[source.pod]!;
  const b = cluster.pods[target.pod]!;
  if (a.nodeName === undefined || b.nodeName === undefined) return false;
  return a.nodeName === b.nodeName && (a.hostNetwork || b.hostNetwork);
}

export function judgedPod(cluster: Cluster, direction: Direction, { source, target }: ReferenceTraffic): Pod {
  const end = direction === 'egress' ? source : target;
  if (end.kind !== 'pod') throw new Error('nobody outside is judged');
  return cluster.pods[end.pod]!;
}

function blockMatchesPod(cluster: Cluster, block: IpBlockPeer, pod: Pod, family: IpFamily): boolean {
  // Choice, with upstream's end-to-end tests: a block matches a pod (or a hostNetwork pod's node) whose address it contains.
  if (pod.addresses.length > 0) return pod.addresses.some((address) => address.family === family && isInBlock(address, block));
  // Choice: an address that is not known is somewhere in the pod ranges, so only a block that holds them all surely holds it.
  const ranges = cluster.podRanges.filter((range) => range.family === family);
  return !pod.hostNetwork && ranges.length > 0 && ranges.every((range) => isRangeInBlock(range, block));
}

/** Whether the end, as it is reached over this family, is in the block. */
export function blockMatches(cluster: Cluster, block: IpBlockPeer, end: ReferenceEnd, family: IpFamily): boolean {
  switch (end.kind) {
    case 'address':
      return isInBlock(end.address, block);
    case 'pod':
      return blockMatchesPod(cluster, block, cluster.pods[end.pod]!, family);
    case 'domain-name':
      // Choice: nobody knows the addresses behind a name, so only a block that holds all of the family surely holds them.
      return isRangeInBlock({ family, first: 0n, last: LAST_ADDRESS[family] }, block);
  }
}

/** IPBlock: "The except entry describes CIDRs that should not be included within this rule." */
function isInBlock(address: IpAddress, block: IpBlockPeer): boolean {
  const isIn = (range: IpRange): boolean => range.family === address.family && range.first <= address.value && address.value <= range.last;
  return isIn(block.cidr) && !block.except.some(isIn);
}

function isRangeInBlock(range: IpRange, { cidr, except }: IpBlockPeer): boolean {
  if (cidr.family !== range.family || range.first < cidr.first || cidr.last < range.last) return false;
  return except.every((hole) => hole.family !== range.family || hole.last < range.first || range.last < hole.first);
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
