// Whether egress rules let pods ask the cluster's DNS.
import { NODE_LOCAL_DNS, overlaps, PRIVATE_RANGES, withoutRanges } from '../../base/known-ranges.ts';
import type { Protocol } from '../../base/port-set.ts';
import type { Cluster, Pod } from '../../model/cluster.ts';
import type { IpBlockPeer, NetworkPolicy, PodPeer, PolicyRule, PortMatch } from '../../model/network-policy.ts';
import { meetsRequirement, selects, type LabelSet, type Requirement, type Selector } from '../../model/selector.ts';
import { DNS_LABELS, DNS_NAMESPACES, isDnsPod } from '../../analyze/dns-pods.ts';
import type { PodIndex } from './pod-index.ts';

/** Port of the protocol, and the one on which OpenShift's DNS pods listen (openshift/cluster-dns-operator). */
export const DNS_PORTS: readonly number[] = [53, 5353];

const DNS_LABEL_SETS: readonly LabelSet[] = DNS_LABELS.map(([key, value]) => labelSet(key, value));

const METADATA_NAME = 'kubernetes.io/metadata.name';

/** Whether a selector asks for a label by which DNS pods are named. */
export function isDnsLabel({ requirements }: Selector): boolean {
  return requirements.some((requirement) => requirement.kind === 'In' && DNS_LABELS.some(([key, value]) => requirement.key === key && requirement.values.includes(value)));
}

/** The DNS pods of the input; usually there are none, and then the usual ones are supposed. */
export function findDnsPods(cluster: Cluster): readonly Pod[] {
  return cluster.pods.filter(isDnsPod);
}

export interface DnsQuestion {
  readonly index: PodIndex;
  readonly dnsPods: readonly Pod[];
  readonly protocol: Protocol;
}

/** The rules of the policy that allow the port of DNS, over the protocol, on a peer that is, or may be, the cluster's DNS. */
export function dnsRulesOf(policy: NetworkPolicy, question: DnsQuestion): readonly PolicyRule[] {
  return (policy.egress ?? []).filter((rule) => {
    const ports = dnsPortsOf(rule, question.protocol);
    return ports !== 'none' && reachesDns(rule, { ...question, policy, isNamed: ports === 'named' });
  });
}

/** The port of DNS that an entry opens: a number, or the name that it writes; undefined: none. */
export function dnsPortOf(port: PortMatch): number | string | undefined {
  if (port.kind === 'protocol') return DNS_PORTS[0]!;
  if (port.kind === 'named') return /^(dns|domain)/.test(port.name) ? port.name : undefined;
  return DNS_PORTS.find((number) => port.first <= number && number <= port.last);
}

/** `named`: the rule names the port of DNS itself, so its author had DNS in mind. */
function dnsPortsOf({ ports }: PolicyRule, protocol: Protocol): 'named' | 'open' | 'none' {
  if (ports.kind === 'every') return 'open';
  const opening = ports.ports.filter((port) => port.protocol === protocol && dnsPortOf(port) !== undefined);
  const isNamed = opening.some((port) => port.kind === 'named' || (port.kind === 'range' && port.first === port.last));
  return isNamed ? 'named' : opening.length > 0 ? 'open' : 'none';
}

interface RuleQuestion extends DnsQuestion {
  readonly policy: NetworkPolicy;
  readonly isNamed: boolean;
}

function reachesDns(rule: PolicyRule, question: RuleQuestion): boolean {
  if (rule.peers.kind === 'everybody') return true;
  return rule.peers.peers.some((peer) => (peer.kind === 'pods' ? podsMayBeDns(peer, question) : blockMayHoldDns(peer, question)));
}

function podsMayBeDns(peer: PodPeer, { policy, index, dnsPods, isNamed }: RuleQuestion): boolean {
  if (dnsPods.length > 0) return index.matchedBy(peer, policy).pods.some(isDnsPod);
  const labels = DNS_LABEL_SETS.some((known) => selects(peer.podSelector, known));
  if (peer.namespaces.kind === 'own') return labels && DNS_NAMESPACES.includes(policy.namespace);
  // Labels of a namespace that is not in the input are not known, so a rule for the port of DNS is believed.
  const { requirements } = peer.namespaces.selector;
  return (labels || isNamed) && DNS_NAMESPACES.some((name) => requirements.every((requirement) => namespaceMeets(requirement, name, index)));
}

function namespaceMeets(requirement: Requirement, name: string, index: PodIndex): boolean {
  const namespace = index.namespace(name);
  if (namespace?.origin !== undefined) return meetsRequirement(requirement, namespace);
  return requirement.key !== METADATA_NAME || meetsRequirement(requirement, labelSet(METADATA_NAME, name));
}

function blockMayHoldDns(block: IpBlockPeer, { dnsPods, index }: DnsQuestion): boolean {
  const addresses = dnsPods.flatMap((pod) => pod.addresses).map(({ family, value }) => ({ family, first: value, last: value }));
  const { podRanges } = index.cluster;
  const places = addresses.length > 0 ? addresses : [...(podRanges.length > 0 ? podRanges : PRIVATE_RANGES)];
  const parts = withoutRanges(block.cidr, block.except);
  return [...places, NODE_LOCAL_DNS].some((place) => parts.some((part) => overlaps(part, place)));
}

function labelSet(key: string, value: string): LabelSet {
  return { labels: new Map([[key, value]]), unknownKeys: new Set() };
}
