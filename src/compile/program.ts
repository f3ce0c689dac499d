// The Program: a cluster compiled into groups, atoms, subjects, peer classes and rows; every answer is read from it.
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Direction, NetworkPolicy, PolicyRule } from '../model/network-policy.ts';
import type { ClusterPolicy, Tier } from '../model/cluster-policy.ts';
import type { Atom } from './atom.ts';
import type { Group } from './group-pods.ts';
import type { PortSetTable } from './port-set-table.ts';
import type { Row } from './row.ts';
import type { TierDecision, TierMatches } from './tier-decision.ts';

export interface Program {
  readonly cluster: Cluster;
  /** The group of each pod of `cluster.pods`, by pod index. */
  readonly groupOfPod: Int32Array;
  readonly groups: readonly Group[];
  /** Disjoint, ascending, family 4 before 6, together the whole address space of both families. */
  readonly atoms: readonly Atom[];
  /** Index of the atom that holds an address. */
  findAtom(address: IpAddress): number;
  /** Patterns of domain names that policies name, sorted: ends of their own, whose addresses nobody knows. */
  readonly domainNames: readonly string[];
  readonly egress: DirectionProgram;
  readonly ingress: DirectionProgram;
  /** All port sets that rows name, by id; 0 is no port, 1 is every port of every protocol. */
  readonly portSets: PortSetTable;
}

/** One direction. A subject says which policies govern a group; a peer class is what every rule of the direction treats alike. */
export interface DirectionProgram {
  readonly direction: Direction;
  /** Subject of each group; subject 0 is governed by no policy. */
  readonly subjectOfGroup: Int32Array;
  readonly subjectCount: number;
  /** Peer class of each group as seen through addresses of a family; the two differ only where an ipBlock covers one family's address. */
  readonly classOfGroup: Readonly<Record<IpFamily, Int32Array>>;
  /** Peer class of each atom. */
  readonly classOfAtom: Int32Array;
  /** Peer class of each of `domainNames`, by what the family's blocks surely hold; behind them that of any other name. */
  readonly classOfDomainName: Readonly<Record<IpFamily, Int32Array>>;
  readonly classCount: number;
  /** Whether any policy of any tier governs the subject. */
  isGoverned(subject: number): boolean;
  /** Whether a NetworkPolicy governs the subject, so that what no rule allows is refused. */
  isIsolated(subject: number): boolean;
  /** Id of the ports on which the subject may talk with a peer class. */
  portsOf(subject: number, peerClass: number): number;
  /** The subject's whole row, by peer class. Made when first asked. */
  rowOf(subject: number): Row;
  /** The NetworkPolicies that govern the subject in this direction, in cluster order. */
  policiesOf(subject: number): readonly NetworkPolicy[];
  /** The cluster-wide policies that govern the subject, those of the Admin tier first. */
  clusterPoliciesOf(subject: number): readonly ClusterPolicy[];
  /** All rules of a tier that match anything of a class. */
  tierMatches(tier: Tier, subject: number, peerClass: number): TierMatches;
  /** The rules of a tier that decide about ports towards a class; what is in none of them the tier leaves to the next. */
  tierDecisions(tier: Tier, subject: number, ends: { readonly peerClass: number; readonly ports: PortSet }): readonly TierDecision[];
  /** Every rule of the NetworkPolicies that lets any of the ports through to a peer class, in cluster order. */
  allowingRules(subject: number, peerClass: number, ports: PortSet): readonly AllowingRule[];
}

export interface RuleReference {
  readonly policy: NetworkPolicy;
  readonly rule: PolicyRule;
}

export interface AllowingRule extends RuleReference {
  /** Of the ports asked about. */
  readonly ports: PortSet;
}
