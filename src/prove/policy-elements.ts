// The elements of NetworkPolicies that could be taken away one by one: policies, rules, peers and ports.
import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type Peer, type PolicyRule, type PortMatch } from '../model/network-policy.ts';
import type { Origin } from '../model/origin.ts';

/** A part of a policy. Taking it away never opens what another policy closes; a policy's own isolation goes with it. */
export interface PolicyElement {
  readonly kind: 'policy' | 'rule' | 'peer' | 'port';
  readonly policy: NetworkPolicy;
  /** undefined: of the policy as a whole. */
  readonly direction: Direction | undefined;
  readonly rule: PolicyRule | undefined;
  /** Position in the list of peers, or of ports, from 0. */
  readonly index: number | undefined;
  readonly origin: Origin;
}

/** One peer of a rule on one of its ports: the least that a rule can allow. */
export interface RuleAtom {
  readonly id: number;
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly rule: PolicyRule;
  /** Positions in the rule's lists; 0 where it has none. */
  readonly peer: number;
  readonly port: number;
}

export interface SplitCluster {
  /** The same meaning, each rule as one rule for each of its atoms. */
  readonly cluster: Cluster;
  readonly atoms: readonly RuleAtom[];
  readonly atomOfRule: ReadonlyMap<PolicyRule, RuleAtom>;
  /** The policy as it was written. */
  readonly policyOf: ReadonlyMap<NetworkPolicy, NetworkPolicy>;
}

export function splitPolicies(cluster: Cluster): SplitCluster {
  const atoms: RuleAtom[] = [];
  const atomOfRule = new Map<PolicyRule, RuleAtom>();
  const policyOf = new Map<NetworkPolicy, NetworkPolicy>();
  const splitSection = (policy: NetworkPolicy, direction: Direction): readonly PolicyRule[] | undefined =>
    policy[direction]
      ?.flatMap((rule) => pairsOf(rule).map((pair) => ({ rule, ...pair })))
      .map(({ rule, peer, port, peers, ports }, index) => {
        const split: PolicyRule = { index, origin: rule.origin, peers, ports };
        const atom = { id: atoms.length, policy, direction, rule, peer, port };
        atoms.push(atom);
        atomOfRule.set(split, atom);
        return split;
      });
  const policies = cluster.policies.map((policy): NetworkPolicy => {
    const split = { ...policy, ingress: splitSection(policy, 'ingress'), egress: splitSection(policy, 'egress') };
    policyOf.set(split, policy);
    return split;
  });
  return { cluster: { ...cluster, policies }, atoms, atomOfRule, policyOf };
}

interface RulePair extends Pick<PolicyRule, 'peers' | 'ports'> {
  readonly peer: number;
  readonly port: number;
}

function pairsOf({ peers, ports }: PolicyRule): RulePair[] {
  const eachPeer = peers.kind === 'everybody' ? [peers] : peers.peers.map((peer) => ({ kind: 'listed' as const, peers: [peer] }));
  const eachPort = ports.kind === 'every' ? [ports] : ports.ports.map((port) => ({ kind: 'listed' as const, ports: [port] }));
  return eachPeer.flatMap((onePeer, peer) => eachPort.map((onePort, port) => ({ peer, port, peers: onePeer, ports: onePort })));
}

/** Wholes before their parts. A single peer or port is no element: without it the rule would speak of everybody, or of every port. */
export function elementsOf(cluster: Cluster): PolicyElement[] {
  return cluster.policies.flatMap((policy) => [
    { kind: 'policy' as const, policy, direction: undefined, rule: undefined, index: undefined, origin: policy.origin },
    ...DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).flatMap((rule) => elementsOfRule({ policy, direction, rule }))),
  ]);
}

function elementsOfRule(place: { readonly policy: NetworkPolicy; readonly direction: Direction; readonly rule: PolicyRule }): PolicyElement[] {
  const { peers, ports, origin } = place.rule;
  const parts = (kind: 'peer' | 'port', list: readonly (Peer | PortMatch)[]): PolicyElement[] =>
    list.length < 2 ? [] : list.map((part, index) => ({ kind, ...place, index, origin: part.origin }));
  return [
    { kind: 'rule', ...place, index: undefined, origin },
    ...parts('peer', peers.kind === 'listed' ? peers.peers : []),
    ...parts('port', ports.kind === 'listed' ? ports.ports : []),
  ];
}

export function isPartOf(atom: RuleAtom, { kind, policy, direction, rule, index }: PolicyElement): boolean {
  if (atom.policy !== policy) return false;
  if (kind === 'policy') return true;
  if (atom.direction !== direction || atom.rule !== rule) return false;
  return kind === 'rule' || (kind === 'peer' ? atom.peer : atom.port) === index;
}

/** The cluster without these elements. */
export function withoutElements(cluster: Cluster, elements: readonly PolicyElement[]): Cluster {
  const byPolicy = Map.groupBy(elements, ({ policy }) => policy);
  const policies = cluster.policies.flatMap((policy): NetworkPolicy[] => {
    const gone = byPolicy.get(policy);
    if (gone === undefined) return [policy];
    if (gone.some(({ kind }) => kind === 'policy')) return [];
    const section = (direction: Direction): readonly PolicyRule[] | undefined =>
      policy[direction]?.flatMap((rule) => withoutParts(rule, gone.filter((element) => element.rule === rule && element.direction === direction)));
    return [{ ...policy, ingress: section('ingress'), egress: section('egress') }];
  });
  return { ...cluster, policies };
}

function withoutParts(rule: PolicyRule, gone: readonly PolicyElement[]): PolicyRule[] {
  if (gone.some(({ kind }) => kind === 'rule')) return [];
  const isLeft = (kind: 'peer' | 'port') => (_: unknown, index: number): boolean => !gone.some((element) => element.kind === kind && element.index === index);
  const { peers, ports } = rule;
  return [{
    ...rule,
    peers: peers.kind === 'listed' ? { ...peers, peers: peers.peers.filter(isLeft('peer')) } : peers,
    ports: ports.kind === 'listed' ? { ...ports, ports: ports.ports.filter(isLeft('port')) } : ports,
  }];
}
