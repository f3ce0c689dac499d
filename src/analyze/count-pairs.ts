// How many ordered pairs of pods may talk on any port, counted by subject and class and never pair by pair.
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import { allowedBetween } from './decide.ts';
import { quadOfGroup } from './endpoint.ts';
import { OpeningTable } from './opening.ts';
import { countOpenedByNode } from './own-node-count.ts';
import { PodKinds } from './pod-kinds.ts';
import { SumTable, Tally } from './tally.ts';

export interface PairCount {
  /** Ordered pairs of different pods, n × (n − 1). */
  readonly pairs: number;
  /** Those that may talk on at least one port of any protocol. */
  readonly allowed: number;
}

export function countPairs(program: Program): PairCount {
  const pods = program.groups.reduce((sum, { size }) => sum + size, 0);
  return { pairs: pods * (pods - 1), allowed: countAllowed(program) - countSelves(program) + countOpenedByNode(program) };
}

/** Entries of egress kept at once; with more, the ingress side is worked through once for each part of them. */
const ENTRIES_MAX = 4_000_000;

/**
 * Egress gives, for each of its subjects, how many pods of each ingress subject it reaches and through which opening;
 * ingress gives the same the other way round, for those that are reached at all. Two openings that meet let all pods of
 * the one reach all of the other.
 */
function countAllowed(program: Program): number {
  const { ingress, egress } = program;
  const openings = new OpeningTable(program.portSets);
  const sources = new PodKinds(program, { subject: egress, peerClass: ingress });
  const targets = new PodKinds(program, { subject: ingress, peerClass: egress });
  const tally = new Tally(ingress.subjectCount);
  let allowed = 0;
  let entries = new EntryTable();
  const flush = (): void => {
    allowed += meetIngress({ ingress, egressSubjectCount: egress.subjectCount, sources, openings, entries });
    entries = new EntryTable();
  };
  for (const subject of sources.subjects) {
    eachReached(rowToRead(egress, subject), { kinds: targets, openings }, (target, opening) => tally.add(targets.subject[target]!, opening, targets.pods[target]!));
    tally.take((ingressSubject, opening, pods) => entries.add(ingressSubject, { subject, opening, pods }));
    if (entries.count > ENTRIES_MAX) flush();
  }
  flush();
  return allowed;
}

interface IngressInput {
  readonly ingress: DirectionProgram;
  readonly egressSubjectCount: number;
  readonly sources: PodKinds;
  readonly openings: OpeningTable;
  readonly entries: EntryTable;
}

function meetIngress({ ingress, egressSubjectCount, sources, openings, entries }: IngressInput): number {
  // Not a variable: each sum of a closure's variable would be an object of its own.
  const allowed = new Float64Array(1);
  const tally = new Tally(egressSubjectCount);
  const arriving = new SumTable(egressSubjectCount);
  for (const subject of entries.keys()) {
    entries.forEach(subject, (egressSubject, opening, pods) => arriving.add(egressSubject, opening, pods));
    const add = (source: number, opening: number): void => tally.add(sources.subject[source]!, opening, sources.pods[source]!);
    const row = rowToRead(ingress, subject);
    const wanted = row === 'everything' ? undefined : sources.ofFew(arriving.distinctKeys);
    if (wanted === undefined || row === 'everything') eachReached(row, { kinds: sources, openings }, add);
    else for (const source of wanted) giveOpening(row, { kinds: sources, openings }, source, add);
    tally.take((egressSubject, opening, pods) => {
      arriving.forEach(egressSubject, (other, otherPods) => {
        if (openings.meet(opening, other)) allowed[0]! += pods * otherPods;
      });
    });
    arriving.clear();
  }
  return allowed[0]!;
}

/** A pod and itself is no pair. */
function countSelves(program: Program): number {
  let selves = 0;
  for (const { id, size } of program.groups) {
    if (size === 0) continue;
    const quad = quadOfGroup(program, id);
    if (allowedBetween(program, { source: quad, target: quad }) !== NO_PORTS_ID) selves += size;
  }
  return selves;
}

/** What nothing governs lets everything through, and no row of it need be read. */
function rowToRead(direction: DirectionProgram, subject: number): Row | 'everything' {
  return direction.isGoverned(subject) ? direction.rowOf(subject) : 'everything';
}

interface ReachInput {
  readonly kinds: PodKinds;
  readonly openings: OpeningTable;
}

type Give = (kind: number, opening: number) => void;

/** Calls `give` once for each kind with the opening that the row has towards it, if it has one. */
function eachReached(row: Row | 'everything', input: ReachInput, give: Give): void {
  const { kinds, openings } = input;
  if (row === 'everything') {
    const openTo = (hasFamily: boolean): number => (hasFamily ? ALL_PORTS_ID : NO_PORTS_ID);
    for (let kind = 0; kind < kinds.count; kind++) give(kind, openings.intern(openTo(kinds.hasFamily4(kind)), openTo(kinds.hasFamily6(kind))));
    return;
  }
  const { starts, members } = kinds.ofClass;
  row.forEach((peerClass, ports) => {
    for (let i = starts[peerClass]!; i < starts[peerClass + 1]!; i++) {
      const kind = members[i]!;
      if (kinds.isPlain(kind)) give(kind, openings.ofBoth(ports));
      // A kind that stands under two classes is given under that of IPv4, where the row has anything there.
      else if (kinds.class4[kind] === peerClass || !kinds.hasFamily4(kind) || row.at(kinds.class4[kind]!) === NO_PORTS_ID) giveOpening(row, input, kind, give);
    }
  });
}

function giveOpening(row: Row, { kinds, openings }: ReachInput, kind: number, give: Give): void {
  const [class4, class6] = [kinds.class4[kind]!, kinds.class6[kind]!];
  const ports4 = row.at(class4);
  const ports6 = class6 === class4 ? ports4 : row.at(class6);
  const opening = openings.intern(kinds.hasFamily4(kind) ? ports4 : NO_PORTS_ID, kinds.hasFamily6(kind) ? ports6 : NO_PORTS_ID);
  if (opening !== 0) give(kind, opening);
}

/** By ingress subject: pods of it that an egress subject reaches through an opening. */
class EntryTable {
  count = 0;
  private readonly bySubject = new Map<number, number[]>();

  add(key: number, { subject, opening, pods }: { readonly subject: number; readonly opening: number; readonly pods: number }): void {
    const list = this.bySubject.get(key);
    if (list === undefined) this.bySubject.set(key, [subject, opening, pods]);
    else list.push(subject, opening, pods);
    this.count++;
  }

  keys(): IterableIterator<number> {
    return this.bySubject.keys();
  }

  forEach(key: number, give: (subject: number, opening: number, pods: number) => void): void {
    const list = this.bySubject.get(key)!;
    for (let i = 0; i < list.length; i += 3) give(list[i]!, list[i + 1]!, list[i + 2]!);
  }
}
