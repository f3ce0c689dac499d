// Peer sets that a rule uses for the first time, in a live Program: whom they hold is classified anew.
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import type { ChangeRecord } from './change-record.ts';
import type { LiveDirection } from './live-direction.ts';
import type { LiveState } from './live-state.ts';
import type { CompiledClusterPolicy, CompiledPolicy } from './policy-set.ts';

/** Gives whether domain names may be held by other peer sets now. */
export function usePeerSets(state: LiveState, policy: CompiledPolicy | CompiledClusterPolicy, record: ChangeRecord): boolean {
  let isNamed = false;
  for (const direction of DIRECTIONS) {
    const blocks = new Set<number>();
    for (const rule of policy[direction] ?? []) {
      for (const peerSet of rule.peerSets ?? []) isNamed = usePeerSet(state, { direction, id: peerSet, blocks }) || isNamed;
    }
    if (blocks.size > 0) useBlocks(state, { live: state.directions[direction], blocks, record });
  }
  return isNamed;
}

/** A block is put to `blocks`: all of a policy are used in one turn. */
function usePeerSet(state: LiveState, { direction, id, blocks }: { readonly direction: Direction; readonly id: number; readonly blocks: Set<number> }): boolean {
  const live = state.directions[direction];
  if (live.peers.used.has(id)) return false;
  live.peers.used.add(id);
  const peerSet = state.parts.policySet.vocabulary.peerSets[id]!;
  if (peerSet.kind === 'own-namespace' || peerSet.kind === 'namespaces') {
    for (const group of state.groups.ofSelector(peerSet.selector)) live.reclassify(group);
    return false;
  }
  if (peerSet.kind === 'whole-family') {
    for (const group of state.groups.groups) if (group.podCount > 0) live.reclassify(group);
    return false;
  }
  if (peerSet.kind === 'ip-block') blocks.add(peerSet.block);
  return true;
}

function useBlocks({ groups, parts: { atomTable, lists } }: LiveState, { live, blocks: used, record }: { readonly live: LiveDirection; readonly blocks: ReadonlySet<number>; readonly record: ChangeRecord }): void {
  const isUnderOne = (list: readonly number[]): boolean => list.some((block) => used.has(block));
  for (const group of groups.groups) {
    if (group.podCount > 0 && (isUnderOne(group.blocks[4]) || isUnderOne(group.blocks[6]))) live.reclassify(group);
  }
  const { classOfAtom } = live.peers;
  for (const [atom, blocks] of atomTable.blocksOfAtom.entries()) {
    if (!isUnderOne(lists.list(blocks))) continue;
    const before = classOfAtom[atom]!;
    const now = live.peers.classifyBlocks(blocks);
    if (!record.atoms[live.direction].has(atom)) record.atoms[live.direction].set(atom, before);
    live.countClass(before, -1);
    live.countClass(now, 1);
    classOfAtom[atom] = now;
  }
}
