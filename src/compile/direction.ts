// One direction of a Program: the Admin tier, then NetworkPolicy, then the Baseline tier, as one row of ports by peer class for each subject.
import type { Direction } from '../model/network-policy.ts';
import type { Tier } from '../model/cluster-policy.ts';
import { JoinedRow } from './joined-row.ts';
import { createNetworkPolicyLayer, type LayerInput, type NetworkPolicyLayer, type NetworkPolicyVariant } from './network-policy-layer.ts';
import type { PolicySet } from './policy-set.ts';
import { portsTowards, type RuleReader } from './policy-variant.ts';
import { ALL_PORTS_ID } from './port-set-table.ts';
import type { AllowingRule, DirectionProgram } from './program.ts';
import { constantRow, type Row } from './row.ts';
import { SubjectTable } from './subject-table.ts';
import { UNGOVERNED } from './subject-trie.ts';
import { decideTier, type TierMatches } from './tier-decision.ts';
import { createTierLayer, type TierLayer } from './tier-layer.ts';

export interface DirectionInput extends LayerInput {
  readonly policySet: PolicySet;
}

export interface Layers {
  readonly admin: TierLayer;
  readonly network: NetworkPolicyLayer;
  readonly baseline: TierLayer;
}

/** What one direction is made of. It grows while classes, policies and groups are added; a Program is its view at one time. */
export interface DirectionState {
  readonly direction: Direction;
  readonly reader: RuleReader;
  readonly layers: Layers;
  readonly subjects: SubjectTable;
}

export function createDirection(input: DirectionInput): DirectionState {
  const { direction, reader, policySet } = input;
  const ofTier = (tier: Tier): TierLayer =>
    createTierLayer(input, policySet.clusterPolicies.filter(({ policy }) => policy.tier === tier));
  const layers: Layers = { admin: ofTier('Admin'), network: createNetworkPolicyLayer(input, policySet.policies), baseline: ofTier('Baseline') };
  return { direction, reader, layers, subjects: new SubjectTable(layers) };
}

export function viewDirection(state: DirectionState, groupCount: number): DirectionProgram {
  const { direction, reader, layers, subjects } = state;
  const { peers } = reader;
  const rowOf = rowMaker(state);
  const variantsOf = (subject: number): readonly NetworkPolicyVariant[] => layers.network.variantsOf(subjects.networkOf(subject));
  const { classOfGroup } = peers;
  const tierMatches = (tier: Tier, subject: number, peerClass: number): TierMatches =>
    tier === 'Admin' ? layers.admin.matchesOf(subjects.adminOf(subject), peerClass) : layers.baseline.matchesOf(subjects.baselineOf(subject), peerClass);
  return {
    direction,
    subjectOfGroup: subjects.subjectOfGroup.subarray(0, groupCount),
    subjectCount: subjects.count,
    classOfGroup: { 4: classOfGroup[4].subarray(0, groupCount), 6: classOfGroup[6].subarray(0, groupCount) },
    classOfAtom: peers.classOfAtom,
    classOfDomainName: peers.classOfDomainName,
    classCount: peers.classes.length,
    isGoverned: (subject) => subject !== UNGOVERNED,
    isIsolated: (subject) => subjects.networkOf(subject) !== UNGOVERNED,
    portsOf: (subject, peerClass) => rowOf(subject).at(peerClass),
    rowOf,
    policiesOf: (subject) => variantsOf(subject).map((variant) => variant.policy.policy),
    clusterPoliciesOf: (subject) => [...layers.admin.policiesOf(subjects.adminOf(subject)), ...layers.baseline.policiesOf(subjects.baselineOf(subject))],
    tierMatches,
    tierDecisions: (tier, subject, { peerClass, ports }) => decideTier(tierMatches(tier, subject, peerClass), ports),
    allowingRules: (subject, peerClass, ports) => {
      const allowing: AllowingRule[] = [];
      for (const { policy, rules } of variantsOf(subject)) {
        for (const rule of rules) {
          const towards = portsTowards(reader, rule, { peerClass, ports });
          if (towards.length > 0) allowing.push({ policy: policy.policy, rule: policy[direction]![rule.index]!.rule, ports: towards });
        }
      }
      return allowing;
    },
  };
}

/** Rows of subjects under tiers are remembered only for the classes there are now. */
function rowMaker({ layers: { admin, network, baseline }, reader: { peers, portSets }, subjects }: DirectionState): (subject: number) => Row {
  const classCount = peers.classes.length;
  const open = constantRow(() => classCount, ALL_PORTS_ID);
  const joined: (Row | undefined)[] = [];
  const join = (subject: number): Row => {
    const networkSubject = subjects.networkOf(subject);
    const rows = {
      admin: admin.rowOf(subjects.adminOf(subject)),
      network: networkSubject === UNGOVERNED ? undefined : network.rowOf(networkSubject),
      baseline: baseline.rowOf(subjects.baselineOf(subject)),
    };
    return new JoinedRow({ ...rows, portSets }, classCount);
  };
  return (subject) => {
    if (subject === UNGOVERNED) return open;
    if (!subjects.isUnderTiers(subject)) return network.rowOf(subjects.networkOf(subject));
    while (joined.length <= subject) joined.push(undefined);
    return (joined[subject] ??= join(subject));
  };
}
