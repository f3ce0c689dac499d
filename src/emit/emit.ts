// Turns a Program, as one node with these pods sees it, into the elements that put it into that node's kernel.
import type { IpAddress } from '../base/ip-address.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import { emitDirection } from './emit-direction.ts';
import { IdSource, NO_IDS, ProfileIds, type EmittedIds } from './ids.ts';
import { settlePlaces, type Place } from './places.ts';
import type { Placement } from './placement.ts';
import type { LocalPod, Ruleset } from './ruleset.ts';
import { joinRanges, sortRuleset } from './sort-ruleset.ts';

export interface Emission {
  /** Sorted. */
  readonly ruleset: Ruleset;
  /** For the next emission of this node. */
  readonly ids: EmittedIds;
  /** Addresses that two pods claim: nothing is allowed from or to them. */
  readonly disputed: readonly IpAddress[];
}

/** The Program must know the placement's addresses (ipBlocks match pods by them). `previous` is from the emission that is in force. */
export function emitRuleset(program: Program, placement: Placement, previous: EmittedIds = NO_IDS): Emission {
  const places = settlePlaces(program, placement);
  const localPods = places.filter((place) => place.isLocal).map((place) => localPodOf(program, place));
  const source = new IdSource(previous);
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
  const isGoverned = (direction: DirectionProgram): boolean =>
    group === undefined || direction.isGoverned(direction.subjectOfGroup[group]!);
  return { address, isEgressIsolated: isGoverned(program.egress), isIngressIsolated: isGoverned(program.ingress) };
}
