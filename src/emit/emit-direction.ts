// One direction of an emission: peer classes merged and given ids, and what each isolated local pod may do with them.
import { formatIpAddress, type IpAddress, type IpFamily, type IpRange } from '../base/ip-address.ts';
import type { PortSet } from '../base/port-set.ts';
import type { Direction } from '../model/network-policy.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import { assignClassIds, leftBy, type EmittedIds, type IdSource, type ProfileIds } from './ids.ts';
import { MergedClasses, NOTHING_ALLOWED } from './merge-classes.ts';
import { NO_CLASS, PeerLookup, type ClassStep } from './peer-lookup.ts';
import type { Place } from './places.ts';
import type { Placement } from './placement.ts';
import { EMPTY_RULESET, type AddressClass, type Pair, type RangeClass, type Ruleset } from './ruleset.ts';
import { FAMILIES } from './set-shape.ts';
import { cutRange, joinRanges } from './sort-ruleset.ts';
import { isIsolated } from './takes-away.ts';

export interface DirectionInput {
  readonly program: Program;
  readonly placement: Placement;
  readonly places: readonly Place[];
  readonly direction: DirectionProgram;
  readonly previous: EmittedIds;
  readonly source: IdSource;
  readonly profiles: ProfileIds;
}

export interface DirectionOutput extends Pick<Ruleset, 'podClasses' | 'rangeClasses' | 'pairs'> {
  readonly leftClasses: readonly number[];
}

export function emitDirection(input: DirectionInput): DirectionOutput {
  const { program, direction, previous, source, profiles } = input;
  const judged = findJudgedPods(input);
  const subjects = [...new Set(judged.flatMap((pod) => pod.subject ?? []))];
  const merged = new MergedClasses(direction, subjects);
  const draft = classifyPeers(input, merged);
  const columnOf = new Map(subjects.map((subject, column) => [subject, column]));
  const portsOf = ({ subject }: JudgedPod, mergedClass: number): PortSet =>
    program.portSets.portSet(subject === undefined ? NO_PORTS_ID : merged.columns[mergedClass]![columnOf.get(subject)!]!);
  const { before, steps } = compareWithPrevious(draft, direction, previous);
  const stillJudged = judgedBefore(judged, input);
  const ids = assignClassIds({
    classCount: merged.columns.length,
    steps,
    leftClasses: previous.leftClasses,
    source,
    *portPairs(oldId, newClass) {
      for (const pod of stillJudged) yield [before[pod.address.family].portsOf(pod.address.value, oldId), portsOf(pod, newClass)];
    },
  });
  const left = new Set([...previous.leftClasses, ...leftBy(steps, ids)]);
  return {
    podClasses: draft.podClasses.map((entry) => ({ ...entry, peerClass: ids[entry.peerClass]! })),
    rangeClasses: draft.rangeClasses.map((entry) => ({ ...entry, peerClass: ids[entry.peerClass]! })),
    pairs: emitPairs({ direction: direction.direction, judged, draft, ids, portsOf, profiles }),
    leftClasses: ids.filter((id) => left.has(id)),
  };
}

/** An isolated local pod; one whose address is disputed has no subject, so no pair either. */
interface JudgedPod {
  readonly address: IpAddress;
  readonly subject: number | undefined;
}

function findJudgedPods({ places, direction }: DirectionInput): JudgedPod[] {
  return places.flatMap(({ address, group, isLocal }): JudgedPod[] => {
    if (!isLocal) return [];
    const subject = group === undefined ? undefined : direction.subjectOfGroup[group]!;
    return subject === undefined || direction.isGoverned(subject) ? [{ address, subject }] : [];
  });
}

/** Classes here are numbers of merged classes, not ids yet. */
type Draft = Pick<Ruleset, 'podClasses' | 'rangeClasses'>;

function classifyPeers({ program, placement, places, direction: side }: DirectionInput, merged: MergedClasses): Draft {
  const { direction } = side;
  const rangeClasses = classifyRanges(program, side, merged, joinRanges([...placement.podRanges, ...(placement.localPodRanges ?? [])]));
  const ranges = lookupsOf({ ...EMPTY_RULESET, rangeClasses }, side);
  const podClasses: AddressClass[] = [];
  for (const { address, group } of places) {
    const peerClass = group === undefined ? NOTHING_ALLOWED : merged.mergedOf(side.classOfGroup[address.family][group]!);
    // Without an entry the address would be looked up among the ranges.
    const needsEntry = peerClass !== NOTHING_ALLOWED || ranges[address.family].classOfRangeAt(address.value) !== NO_CLASS;
    if (needsEntry) podClasses.push({ direction, address, peerClass });
  }
  return { podClasses, rangeClasses };
}

/** Atoms less the pod ranges, so that an address in these that is not known has no class; neighbors of one class joined. */
function classifyRanges(program: Program, side: DirectionProgram, merged: MergedClasses, podRanges: readonly IpRange[]): RangeClass[] {
  const classes: RangeClass[] = [];
  for (const [index, atom] of program.atoms.entries()) {
    const peerClass = merged.mergedOf(side.classOfAtom[index]!);
    if (peerClass === NOTHING_ALLOWED) continue;
    for (const range of cutRange(atom, podRanges)) {
      const previous = classes.at(-1);
      if (previous !== undefined && previous.peerClass === peerClass && previous.range.family === range.family && previous.range.last + 1n === range.first) {
        classes[classes.length - 1] = { ...previous, range: { ...previous.range, last: range.last } };
      } else {
        classes.push({ direction: side.direction, range, peerClass });
      }
    }
  }
  return classes;
}

type Lookups = Readonly<Record<IpFamily, PeerLookup>>;

function lookupsOf(ruleset: Ruleset, { direction }: DirectionProgram): Lookups {
  return { 4: new PeerLookup(ruleset, direction, 4), 6: new PeerLookup(ruleset, direction, 6) };
}

function compareWithPrevious(draft: Draft, side: DirectionProgram, previous: EmittedIds): { before: Lookups; steps: ClassStep[] } {
  const before = lookupsOf(previous.ruleset, side);
  const after = lookupsOf({ ...EMPTY_RULESET, ...draft }, side);
  return { before, steps: FAMILIES.flatMap((family) => before[family].classSteps(after[family])) };
}

function judgedBefore(judged: readonly JudgedPod[], { previous, direction: { direction } }: DirectionInput): JudgedPod[] {
  const before = new Set(previous.ruleset.localPods.filter((pod) => isIsolated(pod, direction)).map((pod) => formatIpAddress(pod.address)));
  return judged.filter((pod) => before.has(formatIpAddress(pod.address)));
}

interface PairInput {
  readonly direction: Direction;
  readonly judged: readonly JudgedPod[];
  readonly draft: Draft;
  readonly ids: readonly number[];
  readonly portsOf: (pod: JudgedPod, mergedClass: number) => PortSet;
  readonly profiles: ProfileIds;
}

/** Only classes that some address of the family has: the others could never be looked up. */
function emitPairs({ direction, judged, draft, ids, portsOf, profiles }: PairInput): Pair[] {
  const used: Readonly<Record<IpFamily, Set<number>>> = { 4: new Set(), 6: new Set() };
  for (const { address, peerClass } of draft.podClasses) used[address.family].add(peerClass);
  for (const { range, peerClass } of draft.rangeClasses) used[range.family].add(peerClass);
  const pairs: Pair[] = [];
  for (const pod of judged) {
    for (const mergedClass of used[pod.address.family]) {
      const ports = portsOf(pod, mergedClass);
      if (ports.length > 0) pairs.push({ direction, address: pod.address, peerClass: ids[mergedClass]!, profile: profiles.idOf(ports) });
    }
  }
  return pairs;
}
