// What one change has touched so far, for the difference that is told of it.
import type { IpFamily } from '../base/ip-address.ts';
import type { Pod } from '../model/cluster.ts';
import type { Direction } from '../model/network-policy.ts';
import type { LiveDirection } from './live-direction.ts';
import type { LiveGroup, LiveGroups } from './live-groups.ts';
import type { FamilyClasses } from './peer-classes.ts';
import type { DirectionDifference, SubjectMove, ClassMove } from './program-difference.ts';
import type { DirectionProgram } from './program.ts';

/** Stands for every domain name that no policy names. */
export const ANY_OTHER_NAME = '';

export class ChangeRecord {
  addedPod: number | undefined;
  removedPod: Pod | undefined;
  isAtomsCut = false;
  /** By pod index, the group it was in before; of pods that were there before. */
  readonly movedPods: Map<number, LiveGroup> = new Map();
  /** By direction, atoms and domain names that got another class, with the class before. */
  readonly atoms: Readonly<Record<Direction, Map<number, number>>> = { ingress: new Map(), egress: new Map() };
  readonly domainNames: Readonly<Record<Direction, Map<string, FamilyClasses>>> = { ingress: new Map(), egress: new Map() };
  /** Groups that have lost their last pod. */
  readonly dead: Set<LiveGroup> = new Set();

  movePod(pod: number, group: LiveGroup): void {
    if (!this.movedPods.has(pod)) this.movedPods.set(pod, group);
  }
}

export interface DifferenceInput {
  readonly record: ChangeRecord;
  readonly live: LiveDirection;
  readonly groups: LiveGroups;
  /** The direction after the change, with the rows of what was before still there. */
  readonly after: DirectionProgram;
  /** All patterns, sorted, after the change. */
  readonly domainNames: readonly string[];
}

type Draft<Move> = { -readonly [Field in keyof Move]: Move[Field] extends readonly (infer Item)[] ? Item[] : Move[Field] };

export function findDifference(input: DifferenceInput): DirectionDifference {
  const moves = new MoveTable();
  collectPods(input, moves);
  collectOthers(input, moves);
  const subjects = [...moves.subjects.values()];
  const classes = [...moves.classes.values()];
  for (const move of subjects) compareRows(input, move, classes);
  for (const move of classes) move.subjects = subjectsThatDiffer(input, move);
  return { direction: input.live.direction, subjects, classes };
}

class MoveTable {
  readonly subjects = new Map<string, Draft<SubjectMove>>();
  readonly classes = new Map<string, Draft<ClassMove>>();

  subject(before: number, after: number): Draft<SubjectMove> {
    return getOrMake(this.subjects, `${before} ${after}`, () => ({ before, after, pods: [], classes: [], moves: [] }));
  }

  peerClass(before: FamilyClasses, after: FamilyClasses): Draft<ClassMove> {
    const key = `${before[4]} ${before[6]} ${after[4]} ${after[6]}`;
    return getOrMake(this.classes, key, () => ({ before, after, pods: [], atoms: [], domainNames: [], subjects: [] }));
  }
}

function getOrMake<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** Pods that moved to another group, and pods of groups that changed where they are. */
function collectPods({ record, live, groups }: DifferenceInput, moves: MoveTable): void {
  const targets = new Map<string, { subject: number[] | undefined; peerClass: number[] | undefined }>();
  const add = (pod: number, from: LiveGroup, to: LiveGroup): void => {
    const target = getOrMake(targets, `${from.id} ${to.id}`, () => {
      const [before, after] = [live.stateBefore(from.id), live.stateOf(to.id)];
      const [old, now] = [ofFamilies(before.classes, from.families), ofFamilies(after.classes, to.families)];
      return {
        subject: before.subject === after.subject ? undefined : moves.subject(before.subject, after.subject).pods,
        peerClass: old[4] === now[4] && old[6] === now[6] ? undefined : moves.peerClass(old, now).pods,
      };
    });
    target.subject?.push(pod);
    target.peerClass?.push(pod);
  };
  for (const [pod, group] of record.movedPods) add(pod, group, groups.groupAt(pod));
  for (const id of live.before.keys()) {
    const group = groups.groups[id]!;
    if (group.podCount === 0) continue;
    for (const pod of groups.podsOf(group)) if (!record.movedPods.has(pod) && pod !== record.addedPod) add(pod, group, group);
  }
}

/** A class over a family that an end does not have decides nothing. */
function ofFamilies(classes: FamilyClasses, families: readonly IpFamily[]): FamilyClasses {
  if (families.length !== 1) return classes;
  const only = classes[families[0]!];
  return { 4: only, 6: only };
}

function collectOthers({ record, live, domainNames }: DifferenceInput, moves: MoveTable): void {
  const { direction, peers } = live;
  const both = (peerClass: number): FamilyClasses => ({ 4: peerClass, 6: peerClass });
  for (const [atom, before] of record.atoms[direction]) {
    const after = peers.classOfAtom[atom]!;
    if (before !== after) moves.peerClass(both(before), both(after)).atoms.push(atom);
  }
  for (const [name, before] of record.domainNames[direction]) {
    const place = name === ANY_OTHER_NAME ? domainNames.length : domainNames.indexOf(name);
    if (place < 0) continue;
    const after = { 4: peers.classOfDomainName[4][place]!, 6: peers.classOfDomainName[6][place]! };
    if (before[4] !== after[4] || before[6] !== after[6]) moves.peerClass(before, after).domainNames.push(name);
  }
}

function compareRows({ live, after }: DifferenceInput, move: Draft<SubjectMove>, classes: readonly ClassMove[]): void {
  const [old, now] = [after.rowOf(move.before), after.rowOf(move.after)];
  move.classes = live.rows.differingClasses(old, now, after.classCount).filter((peerClass) => live.classUses[peerClass]! > 0);
  for (const [place, { before, after: to }] of classes.entries()) {
    if (old.at(before[4]) !== now.at(to[4]) || old.at(before[6]) !== now.at(to[6])) move.moves.push(place);
  }
}

/** Only policies that name one of the peer sets by which the classes differ can make an entry differ. */
function subjectsThatDiffer({ live, after }: DifferenceInput, { before, after: now }: ClassMove): number[] {
  const subjects = new Set<number>();
  const policies = new Set([
    ...policiesBetween(live, before[4], now[4]),
    ...(before[6] === before[4] && now[6] === now[4] ? [] : policiesBetween(live, before[6], now[6])),
  ]);
  for (const policy of policies) for (const group of live.groupsUnder(policy)) subjects.add(live.stateOf(group.id).subject);
  return [...subjects].filter((subject) => {
    const row = after.rowOf(subject);
    return row.at(before[4]) !== row.at(now[4]) || row.at(before[6]) !== row.at(now[6]);
  });
}

function policiesBetween(live: LiveDirection, before: number, after: number): Set<Parameters<LiveDirection['groupsUnder']>[0]> {
  const [old, now] = [live.peers.classes[before]!, live.peers.classes[after]!];
  const differing = [...old.peerSets.filter((id) => !now.peerSets.includes(id)), ...now.peerSets.filter((id) => !old.peerSets.includes(id))];
  const policies = differing.flatMap((peerSet) => [...live.policies.namingPeerSet(peerSet), ...live.clusterPolicies.namingPeerSet(peerSet)]);
  const naming = old.namedPorts === now.namedPorts ? [] : [...live.policies.naming, ...live.clusterPolicies.naming];
  return new Set([...policies, ...naming]);
}
