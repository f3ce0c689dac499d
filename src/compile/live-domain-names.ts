// The domain names of a live Program: those that the policies which are there use, and the classes that they stand for.
import { DIRECTIONS } from '../model/network-policy.ts';
import { ANY_OTHER_NAME, type ChangeRecord } from './change-record.ts';
import type { LiveState } from './live-state.ts';
import type { CompiledClusterPolicy } from './policy-set.ts';

/** Sorted. The vocabulary still has those of policies that are gone. */
export function domainNamesOf({ parts }: LiveState, policies: Iterable<CompiledClusterPolicy>): readonly string[] {
  const { peerSets } = parts.policySet.vocabulary;
  const names = new Set<string>();
  for (const policy of policies) {
    for (const id of (policy.egress ?? []).flatMap((rule) => rule.peerSets ?? [])) {
      const peerSet = peerSets[id]!;
      if (peerSet.kind === 'domain-name') names.add(peerSet.pattern);
    }
  }
  return [...names].sort();
}

/** A new pattern may cover names that are there, and what it covers was any other name before; blocks of a whole family hold all names. */
export function reclassifyDomainNames({ directions }: LiveState, { before, after }: { readonly before: readonly string[]; readonly after: readonly string[] }, record: ChangeRecord): void {
  for (const direction of DIRECTIONS) {
    const live = directions[direction];
    const recorded = record.domainNames[direction];
    const { classOfDomainName } = live.peers;
    for (const [place, name] of [...before, ANY_OTHER_NAME].entries()) {
      if (!recorded.has(name)) recorded.set(name, { 4: classOfDomainName[4][place]!, 6: classOfDomainName[6][place]! });
    }
    for (const name of after) if (!recorded.has(name)) recorded.set(name, recorded.get(ANY_OTHER_NAME)!);
    live.countDomainNames(-1);
    live.peers.classifyDomainNames(after);
    live.countDomainNames(1);
  }
}
