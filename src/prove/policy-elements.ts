// The elements of policies that could be taken away one by one: policies, rules, peers and ports.
import type { Cluster } from '../model/cluster.ts';
import type { ClusterPolicy, TierRule } from '../model/cluster-policy.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy, type PolicyRule } from '../model/network-policy.ts';
import type { Origin } from '../model/origin.ts';

export type AnyPolicy = NetworkPolicy | ClusterPolicy;
export type AnyRule = PolicyRule | TierRule;

/** A part of a policy. A NetworkPolicy's isolation goes with it. */
export interface PolicyElement {
  readonly kind: 'policy' | 'rule' | 'peer' | 'port';
  readonly policy: AnyPolicy;
  /** undefined: of the policy as a whole. */
  readonly direction: Direction | undefined;
  readonly rule: AnyRule | undefined;
  /** Position in the list of peers, or of ports, from 0. */
  readonly index: number | undefined;
  readonly origin: Origin;
}

/** One peer of a rule on one of its ports: the least that a rule can speak of. */
export interface RuleAtom {
  readonly id: number;
  readonly policy: AnyPolicy;
  readonly direction: Direction;
  readonly rule: AnyRule;
  /** Positions in the rule's lists; 0 where it has none. */
  readonly peer: number;
  readonly port: number;
}

export interface SplitCluster {
  /** The same meaning, each rule as one rule for each of its atoms. */
  readonly cluster: Cluster;
  readonly atoms: readonly RuleAtom[];
  readonly atomOfRule: ReadonlyMap<AnyRule, RuleAtom>;
  /** The policy as it was written. */
  readonly policyOf: ReadonlyMap<AnyPolicy, AnyPolicy>;
}

export function splitPolicies(cluster: Cluster): SplitCluster {
  const atoms: RuleAtom[] = [];
  const atomOfRule = new Map<AnyRule, RuleAtom>();
  const policyOf = new Map<AnyPolicy, AnyPolicy>();
  const splitRules = <Rule extends AnyRule>(policy: AnyPolicy, direction: Direction, rules: readonly Rule[]): readonly Rule[] =>
    rules.flatMap((rule) => pairsOf(rule).map((pair) => ({ ...pair, rule }))).map(({ rule, part, ...place }, index) => {
      const split = { ...part, index };
      const atom = { id: atoms.length, policy, direction, rule, ...place };
      atoms.push(atom);
      atomOfRule.set(split, atom);
      return split;
    });
  const keep = <Policy extends AnyPolicy>(policy: Policy, split: Policy): Policy => {
    policyOf.set(split, policy);
    return split;
  };
  const policies = cluster.policies.map((policy) =>
    keep(policy, { ...policy, ingress: policy.ingress && splitRules(policy, 'ingress', policy.ingress), egress: policy.egress && splitRules(policy, 'egress', policy.egress) }));
  const clusterPolicies = cluster.clusterPolicies.map((policy) =>
    keep(policy, { ...policy, ingress: splitRules(policy, 'ingress', policy.ingress), egress: splitRules(policy, 'egress', policy.egress) }));
  return { cluster: { ...cluster, policies, clusterPolicies }, atoms, atomOfRule, policyOf };
}

interface RulePair<Rule> {
  readonly part: Rule;
  readonly peer: number;
  readonly port: number;
}

function pairsOf<Rule extends AnyRule>(rule: Rule): RulePair<Rule>[] {
  const { peers, ports } = rule;
  const eachPeer = peers.kind === 'everybody' ? [peers] : peers.peers.map((peer) => ({ kind: 'listed', peers: [peer] }));
  const eachPort = ports.kind === 'every' ? [ports] : ports.ports.map((port) => ({ kind: 'listed', ports: [port] }));
  return eachPeer.flatMap((onePeer, peer) => eachPort.map((onePort, port) => ({ peer, port, part: { ...rule, peers: onePeer, ports: onePort } })));
}

/** Wholes before their parts. A single peer or port is no element: without it the rule would speak of everybody, or of every port. */
export function elementsOf({ policies, clusterPolicies }: Cluster): PolicyElement[] {
  return [...policies, ...clusterPolicies].flatMap((policy: AnyPolicy) => [
    { kind: 'policy' as const, policy, direction: undefined, rule: undefined, index: undefined, origin: policy.origin },
    ...DIRECTIONS.flatMap((direction) => (policy[direction] ?? []).flatMap((rule) => elementsOfRule({ policy, direction, rule }))),
  ]);
}

function elementsOfRule(place: { readonly policy: AnyPolicy; readonly direction: Direction; readonly rule: AnyRule }): PolicyElement[] {
  const { peers, ports, origin } = place.rule;
  const parts = (kind: 'peer' | 'port', list: readonly { readonly origin: Origin }[]): PolicyElement[] =>
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
  const withoutRules = <Rule extends AnyRule>(rules: readonly Rule[], gone: readonly PolicyElement[]): readonly Rule[] =>
    rules.flatMap((rule) => withoutParts(rule, gone.filter((element) => element.rule === rule)));
  const isLeft = (policy: AnyPolicy): boolean => byPolicy.get(policy)?.some(({ kind }) => kind === 'policy') !== true;
  const policies = cluster.policies.filter(isLeft).map((policy) => {
    const gone = byPolicy.get(policy) ?? [];
    return { ...policy, ingress: policy.ingress && withoutRules(policy.ingress, gone), egress: policy.egress && withoutRules(policy.egress, gone) };
  });
  const clusterPolicies = cluster.clusterPolicies.filter(isLeft).map((policy) => {
    const gone = byPolicy.get(policy) ?? [];
    return { ...policy, ingress: withoutRules(policy.ingress, gone), egress: withoutRules(policy.egress, gone) };
  });
  return { ...cluster, policies, clusterPolicies };
}

function withoutParts<Rule extends AnyRule>(rule: Rule, gone: readonly PolicyElement[]): Rule[] {
  if (gone.some(({ kind }) => kind === 'rule')) return [];
  const isLeft = (kind: 'peer' | 'port') => (_: unknown, index: number): boolean => !gone.some((element) => element.kind === kind && element.index === index);
  const { peers, ports } = rule;
  return [{
    ...rule,
    peers: peers.kind === 'listed' ? { ...peers, peers: peers.peers.filter(isLeft('peer')) } : peers,
    ports: ports.kind === 'listed' ? { ...ports, ports: ports.ports.filter(isLeft('port')) } : ports,
  }];
}
