// Turns a Program, as one node with these pods sees it, into the elements that put it into that node's kernel.
import type { IpAddress } from '../base/ip-address.ts';
import { ALL_PORTS, subtractPorts } from '../base/port-set.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import { portsOfTiers } from '../compile/tier-ports.ts';
import { emitDirection } from './emit-direction.ts';
import { idsAfter, NO_IDS, ProfileIds, type EmittedIds } from './ids.ts';
import { settlePlaces, type Place } from './places.ts';
import type { Placement } from './placement.ts';
import type { LocalPod, Ruleset } from './ruleset.ts';
import { joinRanges, sortRuleset } from './sort-ruleset.ts';

export interface Emission {
  /** Sorted. */
  readonly ruleset: Ruleset;
  /** For the next emission of this node. */
  readonly ids: EmittedIds;
  /** Addresses that unlike pods claim: nothing is allowed from or to them. */
  readonly disputed: readonly IpAddress[];
}

/** The Program must know the placement's addresses (ipBlocks match pods by them). `previous` is from the emission that is in force. */
export function emitRuleset(program: Program, placement: Placement, previous: EmittedIds = NO_IDS): Emission {
  const places = settlePlaces(program, placement);
  const localPods = places.filter((place) => place.isLocal).map((place) => localPodOf(program, place));
  const source = idsAfter(previous);
  const profiles = new ProfileIds(previous, source);
  const sides = (['egress', 'ingress'] as const).map((direction) =>
    emitDirection({ program, placement, places, direction: program[direction], previous, source, profiles }),
  );
  const ruleset = sortRuleset({
    localPods,
    podRanges: joinRanges(placement.localPodRanges ?? placement.podRanges),
    podClasses: sides.flatMap((side) => side.podClasses),
    rangeClasses: sides.flatMap((side) => side.rangeClasses),
    pairs: sides.flatMap((side) => side.pairs),
    profiles: profiles.profiles,
  });
  return {
    ruleset,
    ids: { ruleset, nextId: source.next, leftClasses: new Set(sides.flatMap((side) => side.leftClasses)) },
    disputed: places.filter((place) => place.group === undefined).map((place) => place.address),
  };
}

function localPodOf(program: Program, { address, group }: Place): LocalPod {
  if (group === undefined) return { address, isEgressIsolated: true, isIngressIsolated: true, isSelfAllowed: false };
  const isGoverned = ({ subjectOfGroup, isGoverned: ofSubject }: DirectionProgram): boolean => ofSubject(subjectOfGroup[group]!);
  return { address, isEgressIsolated: isGoverned(program.egress), isIngressIsolated: isGoverned(program.ingress), isSelfAllowed: isSelfAllowed(program, address, group) };
}

/** Where tiers refuse a part, the pairs decide about all of it, and so NetworkPolicy may refuse the rest: the kernel looks at the pod as a whole. */
export function isSelfAllowed(program: Program, { family }: IpAddress, group: number): boolean {
  return [program.egress, program.ingress].every((direction) => {
    const ends = { subject: direction.subjectOfGroup[group]!, peerClass: direction.classOfGroup[family][group]! };
    return subtractPorts(ALL_PORTS, portsOfTiers(direction, ends)).length === 0;
  });
}
