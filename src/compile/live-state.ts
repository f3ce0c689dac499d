// What a live Program is made of from one compilation to the next, and how pods go from group to group in it.
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { ChangeRecord } from './change-record.ts';
import type { ProgramParts } from './compile.ts';
import type { LiveCluster } from './live-cluster.ts';
import type { LiveDirection } from './live-direction.ts';
import type { GroupContent, LiveGroup, LiveGroups } from './live-groups.ts';
import { insertNumber } from './number-list.ts';

export interface LiveState {
  readonly cluster: LiveCluster;
  readonly parts: ProgramParts;
  readonly groups: LiveGroups;
  readonly directions: Readonly<Record<Direction, LiveDirection>>;
}

/** Policies that govern `origin` govern the new group too. */
export function groupWith({ groups, directions }: LiveState, content: GroupContent, origin?: LiveGroup): LiveGroup {
  const known = groups.find(content);
  if (known !== undefined) return known;
  const group = groups.make(content);
  for (const direction of DIRECTIONS) directions[direction].addGroup(group, origin);
  return group;
}

/** For a pod that is other than before: the group's policies are found anew. */
export function movePod(state: LiveState, index: number, content: GroupContent, record: ChangeRecord): void {
  enterGroup(state, index, groupWith(state, content), record);
}

/** For what no rule uses yet: the pod's policies stay the same. */
export function splitPod(state: LiveState, index: number, content: GroupContent, record: ChangeRecord): void {
  enterGroup(state, index, groupWith(state, content, state.groups.groupAt(index)), record);
}

function enterGroup({ groups }: LiveState, index: number, target: LiveGroup, record: ChangeRecord): void {
  const origin = groups.groupAt(index);
  if (target === origin) return;
  groups.movePod(index, target);
  record.movePod(index, origin);
  if (origin.podCount === 0) record.dead.add(origin);
}

/** In both directions, after the table of atoms was cut there. */
export function cutAtom({ parts, directions }: LiveState, atom: number, record: ChangeRecord): void {
  record.isAtomsCut = true;
  for (const direction of DIRECTIONS) {
    const { peers } = directions[direction];
    const peerClass = peers.classOfAtom[atom]!;
    peers.classOfAtom = insertNumber(peers.classOfAtom, { index: atom, count: parts.atomTable.atoms.length - 1, value: peerClass });
    directions[direction].countClass(peerClass, 1);
    const known = [...record.atoms[direction]];
    record.atoms[direction].clear();
    for (const [index, before] of known) {
      record.atoms[direction].set(index > atom ? index + 1 : index, before);
      if (index === atom) record.atoms[direction].set(atom + 1, before);
    }
  }
}
