// One direction of a Program: the Admin tier, then NetworkPolicy, then the Baseline tier, as one row of ports by peer class for each subject.
import type { Direction } from '../model/network-policy.ts';
import type { Tier } from '../model/cluster-policy.ts';
import { createNetworkPolicyLayer, type LayerInput, type NetworkPolicyLayer } from './network-policy-layer.ts';
import type { PeerClasses } from './peer-classes.ts';
import type { PolicySet } from './policy-set.ts';
import { portsTowards } from './policy-variant.ts';
import { ALL_PORTS_ID, NO_PORTS_ID, type PortSetTable } from './port-set-table.ts';
import type { DirectionProgram, RuleReference } from './program.ts';
import { constantRow, RowDraft, type Row } from './row.ts';
import { UNGOVERNED } from './subject-trie.ts';
import { createTierLayer, type TierLayer } from './tier-layer.ts';

export interface DirectionInput extends LayerInput {
  readonly direction: Direction;
  readonly policySet: PolicySet;
}

export function createDirection(input: DirectionInput): DirectionProgram {
  const { direction, reader, policySet } = input;
  const { peers, portSets } = reader;
  const ofTier = (tier: Tier): TierLayer =>
    createTierLayer(input, policySet.clusterPolicies.filter(({ policy }) => policy.tier === tier));
  const layers: Layers = { admin: ofTier('Admin'), network: createNetworkPolicyLayer(input, policySet.policies), baseline: ofTier('Baseline') };
  const { subjectOfGroup, subjects } = joinSubjects(layers);
  const rowOf = rowMaker(layers, { subjects, peers, portSets });
  const variantsOf = (subject: number) => layers.network.variantsOf(subjects[subject]!.network);
  return {
    direction,
    subjectOfGroup,
    subjectCount: subjects.length,
    classOfGroup: peers.classOfGroup,
    classOfAtom: peers.classOfAtom,
    classOfDomainName: peers.classOfDomainName,
    classCount: peers.classes.length,
    isGoverned: (subject) => subject !== UNGOVERNED,
    isIsolated: (subject) => subjects[subject]!.network !== UNGOVERNED,
    portsOf: (subject, peerClass) => rowOf(subject).at(peerClass),
    rowOf,
    policiesOf: (subject) => variantsOf(subject).map((variant) => variant.policy.policy),
    tierDecisions: (tier, subject, ends) =>
      tier === 'Admin'
        ? layers.admin.decisionsOf(subjects[subject]!.admin, ends.peerClass, ends.ports)
        : layers.baseline.decisionsOf(subjects[subject]!.baseline, ends.peerClass, ends.ports),
    allowingRules: (subject, peerClass, ports) =>
      variantsOf(subject).flatMap((variant) => {
        const passing = variant.rules.filter((rule) => portsTowards(reader, rule, { peerClass, ports }).length > 0);
        return passing.map((rule): RuleReference => ({ policy: variant.policy.policy, rule: variant.policy[direction]![rule.index]!.rule }));
      }),
  };
}

interface Layers {
  readonly admin: TierLayer;
  readonly network: NetworkPolicyLayer;
  readonly baseline: TierLayer;
}

/** A subject of each layer. */
interface Subject {
  readonly admin: number;
  readonly network: number;
  readonly baseline: number;
}

const NOTHING: Subject = { admin: UNGOVERNED, network: UNGOVERNED, baseline: UNGOVERNED };

function joinSubjects({ admin, network, baseline }: Layers): { readonly subjectOfGroup: Int32Array; readonly subjects: readonly Subject[] } {
  const subjects: Subject[] = [NOTHING];
  const ids = new Map<string, number>([[Object.values(NOTHING).join(' '), UNGOVERNED]]);
  const subjectOfGroup = network.subjectOfGroup.map((networkSubject, group) => {
    const subject = { admin: admin.subjectOfGroup[group]!, network: networkSubject, baseline: baseline.subjectOfGroup[group]! };
    const key = `${subject.admin} ${subject.network} ${subject.baseline}`;
    let id = ids.get(key);
    if (id === undefined) ids.set(key, (id = subjects.push(subject) - 1));
    return id;
  });
  return { subjectOfGroup, subjects };
}

interface RowContext {
  readonly subjects: readonly Subject[];
  readonly peers: PeerClasses;
  readonly portSets: PortSetTable;
}

function rowMaker(layers: Layers, { subjects, peers, portSets }: RowContext): (subject: number) => Row {
  const classCount = peers.classes.length;
  const joined = new Map<number, Row>([[UNGOVERNED, constantRow(classCount, ALL_PORTS_ID)]]);
  const join = ({ admin, network, baseline }: Subject): Row => {
    const networkRow = layers.network.rowOf(network);
    if (admin === UNGOVERNED && baseline === UNGOVERNED) return networkRow;
    const adminRow = layers.admin.rowOf(admin);
    const denied = layers.baseline.rowOf(baseline).Deny;
    const draft = new RowDraft(classCount);
    for (let peerClass = 0; peerClass < classCount; peerClass++) {
      const decided = portSets.union(adminRow.Accept[peerClass]!, adminRow.Deny[peerClass]!);
      const rest = portSets.subtract(ALL_PORTS_ID, decided);
      const allowed =
        network === UNGOVERNED ? portSets.subtract(rest, denied[peerClass]!) : portSets.intersect(rest, networkRow.at(peerClass));
      const ports = portSets.union(adminRow.Accept[peerClass]!, allowed);
      if (ports !== NO_PORTS_ID) draft.set(peerClass, ports);
    }
    return draft.toRow();
  };
  return (subject) => {
    let row = joined.get(subject);
    if (row === undefined) joined.set(subject, (row = join(subjects[subject]!)));
    return row;
  };
}
