// How many ordered pairs of pods may talk on any port, counted by subject and class and never pair by pair.
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import { findAlikeSubjects } from './alike-subjects.ts';
import { allowedBetween } from './decide.ts';
import { quadOfGroup } from './endpoint.ts';
import { OpeningTable } from './opening.ts';
import { countOpenedByNode } from './own-node-count.ts';
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
  const sources = new Kinds(program, { subject: egress, peerClass: ingress });
  const targets = new Kinds(program, { subject: ingress, peerClass: egress });
  const tally = new Tally(ingress.subjectCount);
  let allowed = 0;
  let entries = new EntryTable();
  const flush = (): void => {
    allowed += meetIngress({ ingress, egressSubjectCount: egress.subjectCount, sources, openings, entries });
    entries = new EntryTable();
  };
  for (const subject of sources.subjects) {
    eachReached(rowToRead(egress, subject), { kinds: targets, openings }, (target, opening) => tally.add(target.subject, opening, target.pods));
    tally.take((ingressSubject, opening, pods) => entries.add(ingressSubject, { subject, opening, pods }));
    if (entries.count > ENTRIES_MAX) flush();
  }
  flush();
  return allowed;
}

interface IngressInput {
  readonly ingress: DirectionProgram;
  readonly egressSubjectCount: number;
  readonly sources: Kinds;
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
    const add = (source: Kind, opening: number): void => tally.add(source.subject, opening, source.pods);
    const row = rowToRead(ingress, subject);
    const wanted = row === 'everything' ? undefined : sources.ofFew(arriving.distinctKeys());
    if (wanted === undefined || row === 'everything') eachReached(row, { kinds: sources, openings }, add);
    else for (const source of wanted) giveOpening(row, openings, source, add);
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
  readonly kinds: Kinds;
  readonly openings: OpeningTable;
}

/** Calls `give` once for each kind with the opening that the row has towards it, if it has one. */
function eachReached(row: Row | 'everything', { kinds, openings }: ReachInput, give: (kind: Kind, opening: number) => void): void {
  if (row === 'everything') {
    for (const kind of kinds.all) give(kind, openings.intern(kind.hasFamily4 ? ALL_PORTS_ID : NO_PORTS_ID, kind.hasFamily6 ? ALL_PORTS_ID : NO_PORTS_ID));
    return;
  }
  row.forEach((peerClass, ports) => {
    const ofClass = kinds.ofClass(peerClass);
    for (let i = 0; i < ofClass.length; i++) {
      const kind = ofClass[i]!;
      const ports4 = !kind.hasFamily4 ? NO_PORTS_ID : kind.class4 === peerClass ? ports : row.at(kind.class4);
      // A kind that stands under two classes is given under that of IPv4, where the row has anything there.
      if (ports4 !== NO_PORTS_ID && kind.class4 !== peerClass) continue;
      const ports6 = !kind.hasFamily6 ? NO_PORTS_ID : kind.class6 === peerClass ? ports : row.at(kind.class6);
      const opening = openings.intern(ports4, ports6);
      if (opening !== 0) give(kind, opening);
    }
  });
}

function giveOpening(row: Row, openings: OpeningTable, kind: Kind, give: (kind: Kind, opening: number) => void): void {
  const ports4 = row.at(kind.class4);
  const ports6 = kind.class6 === kind.class4 ? ports4 : row.at(kind.class6);
  const opening = openings.intern(kind.hasFamily4 ? ports4 : NO_PORTS_ID, kind.hasFamily6 ? ports6 : NO_PORTS_ID);
  if (opening !== 0) give(kind, opening);
}

/** Pods that are alike as far as one side of a connection goes: what governs them in one direction, and their class in the other. */
interface Kind {
  /** Under tiers one for all with an equal row. */
  readonly subject: number;
  readonly class4: number;
  readonly class6: number;
  readonly hasFamily4: boolean;
  readonly hasFamily6: boolean;
  pods: number;
}

/** One in so many. */
const FEW = 8;

class Kinds {
  readonly all: readonly Kind[];
  readonly subjects: readonly number[];
  private readonly byClass: Kind[][] = [];
  private readonly bySubject = new Map<number, Kind[]>();

  constructor({ groups, cluster }: Program, sides: { readonly subject: DirectionProgram; readonly peerClass: DirectionProgram }) {
    const known = new Map<string, Kind>();
    const hasTiers = (cluster.clusterPolicies ?? []).length > 0;
    const living = groups.filter(({ size }) => size > 0);
    // Worth its price under tiers alone, which let through the same whatever thousands of policies below them say.
    const alike = hasTiers ? findAlikeSubjects(sides.subject, new Set(living.map(({ id }) => sides.subject.subjectOfGroup[id]!))) : undefined;
    for (const { id, size, families } of living) {
      const own = sides.subject.subjectOfGroup[id]!;
      const subject = alike?.get(own) ?? own;
      const [class4, class6] = [sides.peerClass.classOfGroup[4][id]!, sides.peerClass.classOfGroup[6][id]!];
      const key = `${subject} ${class4} ${class6} ${families.join('')}`;
      const kind = known.get(key);
      if (kind === undefined) known.set(key, { subject, class4, class6, hasFamily4: families.includes(4), hasFamily6: families.includes(6), pods: size });
      else kind.pods += size;
    }
    this.all = [...known.values()];
    for (const kind of this.all) {
      const alikeSubject = this.bySubject.get(kind.subject);
      if (alikeSubject === undefined) this.bySubject.set(kind.subject, [kind]);
      else alikeSubject.push(kind);
    }
    this.subjects = [...this.bySubject.keys()];
    for (let peerClass = 0; peerClass < sides.peerClass.classCount; peerClass++) this.byClass.push([]);
    for (const kind of this.all) {
      if (kind.hasFamily4) this.byClass[kind.class4]!.push(kind);
      if (kind.hasFamily6 && !(kind.hasFamily4 && kind.class4 === kind.class6)) this.byClass[kind.class6]!.push(kind);
    }
  }

  /** The kinds of these subjects; undefined where they are more than a part of all, so that reading a whole row is as good. */
  ofFew(subjects: Iterable<number>): Kind[] | undefined {
    const kinds: Kind[] = [];
    for (const subject of subjects) {
      const more = this.bySubject.get(subject)!;
      if ((kinds.length + more.length) * FEW > this.all.length) return undefined;
      for (const kind of more) kinds.push(kind);
    }
    return kinds;
  }

  /** The kinds that have the class over a family that they have. */
  ofClass(peerClass: number): readonly Kind[] {
    return this.byClass[peerClass]!;
  }
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
