// Settles raw cluster-wide policies into the model by the letter of the API's comments; a second opinion on what `read` does.
import type { ClusterPolicy, ScopedPods, TierAction, TierPeer, TierPort, TierRule } from '../../src/model/cluster-policy.ts';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import type { Protocol } from '../../src/base/port-set.ts';
import type * as raw from './raw-cluster-policy.ts';
import { origin, parseBlock, settleSelector } from './settle-words.ts';

/** In the order of a Cluster: tier, priority, name. */
export function settleClusterPolicies(policies: readonly raw.RawClusterPolicy[]): readonly ClusterPolicy[] {
  return policies.map(settlePolicy).sort((a, b) => {
    if (a.tier !== b.tier) return a.tier === 'Admin' ? -1 : 1;
    return a.priority - b.priority || (a.name < b.name ? -1 : 1);
  });
}

function settlePolicy({ kind, name, spec }: raw.RawClusterPolicy): ClusterPolicy {
  return {
    kind,
    name,
    tier: kind === 'AdminNetworkPolicy' ? 'Admin' : (spec.tier ?? 'Baseline'),
    // Choice: behind all of its tier.
    priority: spec.priority ?? 1001,
    subject: settleScope(spec.subject),
    ingress: (spec.ingress ?? []).map((rule, index) => settleRule(rule, rule.from!, index)),
    egress: (spec.egress ?? []).map((rule, index) => settleRule(rule, rule.to!, index)),
    origin: origin(),
  };
}

function settleRule(rule: raw.RawTierRule, peers: readonly raw.RawTierPeer[], index: number): TierRule {
  const action: TierAction = rule.action === 'Allow' ? 'Accept' : rule.action;
  const shared = { index, name: rule.name, origin: origin('spec', index) };
  // ClusterNetworkPolicyIngressPeer: 'For "Accept" rules, "fail closed" means: "treat the rule as matching no traffic". For
  // "Deny" and "Pass" rules, "fail closed" means: "treat the rule as a Deny all rule".'
  if (!isReadable(rule, peers)) {
    if (action === 'Accept') return { ...shared, action, peers: { kind: 'listed', peers: [] }, ports: { kind: 'every' } };
    return { ...shared, action: 'Deny', peers: { kind: 'everybody' }, ports: { kind: 'every' } };
  }
  const ports = rule.protocols?.map(settleProtocol) ?? rule.ports?.flatMap(settleAdminPort);
  return {
    ...shared,
    action,
    peers: { kind: 'listed', peers: peers.flatMap(settleTierPeer) },
    ports: ports === undefined ? { kind: 'every' } : { kind: 'listed', ports },
  };
}

/** Choice: what is said of peers holds for a selector, port or protocol that nobody understands, at any depth. */
function isReadable(rule: raw.RawTierRule, peers: readonly raw.RawTierPeer[]): boolean {
  if (JSON.stringify(peers).includes('"operator":"Foo"')) return false;
  if (rule.protocols?.some(({ destinationNamedPort }) => destinationNamedPort === '') === true) return false;
  const words = (rule.ports ?? []).map(({ portNumber, portRange }) => (portNumber ?? portRange)?.protocol ?? 'TCP');
  if (words.some((word) => !['TCP', 'UDP', 'SCTP'].includes(word))) return false;
  if (rule.ports?.some(({ namedPort }) => namedPort === '') === true) return false;
  // "DomainNames is only supported for Accept rules."
  return rule.action === 'Accept' || rule.action === 'Allow' || !peers.some(({ domainNames }) => domainNames?.length);
}

function settleScope({ namespaces, pods }: raw.RawScope): ScopedPods {
  if (pods) return { namespaceSelector: settleSelector(pods.namespaceSelector), podSelector: settleSelector(pods.podSelector) };
  return { namespaceSelector: settleSelector(namespaces), podSelector: { requirements: [] } };
}

function settleTierPeer(peer: raw.RawTierPeer): TierPeer[] {
  const place = origin('spec');
  if (peer.nodes) return [{ kind: 'nodes', selector: settleSelector(peer.nodes), origin: place }];
  if (peer.domainNames) return peer.domainNames.map((pattern) => ({ kind: 'domain-name', pattern: pattern.toLowerCase().replace(/\.$/, ''), origin: place }));
  if (peer.networks) {
    return peer.networks.map((text) => {
      const cidr = parseBlock(text);
      return { kind: 'ip-block', cidr, except: [], text: `${formatIpAddress({ family: cidr.family, value: cidr.first })}/${text.split('/')[1]}`, origin: place };
    });
  }
  return [{ kind: 'scoped-pods', ...settleScope(peer), origin: place }];
}

function settleProtocol(entry: raw.RawProtocol): TierPort {
  const place = origin('spec');
  if (entry.destinationNamedPort !== undefined) return { kind: 'any-named', name: entry.destinationNamedPort, origin: place };
  const [word, transport] = Object.entries(entry)[0] as [string, raw.RawTransport];
  const protocol = word.toUpperCase() as Protocol;
  const { number, range } = transport.destinationPort ?? {};
  if (number !== undefined) return { kind: 'range', protocol, first: number, last: number, origin: place };
  if (range !== undefined) return { kind: 'range', protocol, first: range.start, last: range.end, origin: place };
  return { kind: 'protocol', protocol, origin: place };
}

/** Choice: from a port down to a lower one there is no port. */
function settleAdminPort({ portNumber, portRange, namedPort }: raw.RawAdminPort): TierPort[] {
  const place = origin('spec');
  if (namedPort !== undefined) return [{ kind: 'any-named', name: namedPort, origin: place }];
  const [first, last] = portNumber === undefined ? [portRange!.start, portRange!.end] : [portNumber.port, portNumber.port];
  const protocol = ((portNumber ?? portRange)!.protocol ?? 'TCP') as Protocol;
  return first > last ? [] : [{ kind: 'range', protocol, first, last, origin: place }];
}
