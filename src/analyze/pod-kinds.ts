// Pods that are alike as far as one side of a connection goes, counted: what governs them in one direction, and their class in the other.
import { groupNumbers, type GroupedNumbers } from '../compile/number-list.ts';
import { PairTable } from '../compile/pair-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import { findAlikeSubjects } from './alike-subjects.ts';

/** One in so many. */
const FEW = 8;
const FAMILY4 = 1;
const FAMILY6 = 2;

/** Kinds have numbers from 0; arrays are by kind. */
export class PodKinds {
  readonly count: number;
  /** Under tiers one for all with an equal row. */
  readonly subject: Int32Array;
  readonly class4: Int32Array;
  readonly class6: Int32Array;
  readonly pods: Float64Array;
  /** Bits: 1 for addresses of family 4, 2 for family 6. */
  private readonly families: Uint8Array;
  readonly subjects: readonly number[];
  /** The kinds that have a class over a family that they have. */
  readonly ofClass: GroupedNumbers;
  private readonly ofSubject: GroupedNumbers;

  constructor({ groups, cluster }: Program, sides: { readonly subject: DirectionProgram; readonly peerClass: DirectionProgram }) {
    const living = groups.filter(({ size }) => size > 0);
    const [subject, class4, class6, families, pods] = [new Int32Array(living.length), new Int32Array(living.length), new Int32Array(living.length), new Uint8Array(living.length), new Float64Array(living.length)];
    // Worth its price under tiers alone, which let through the same whatever thousands of policies below them say.
    const alike = cluster.clusterPolicies.length > 0 ? findAlikeSubjects(sides.subject, new Set(living.map(({ id }) => sides.subject.subjectOfGroup[id]!))) : undefined;
    const kinds = new KindTable();
    for (const group of living) {
      const own = sides.subject.subjectOfGroup[group.id]!;
      const known = alike?.get(own) ?? own;
      const [four, six] = [sides.peerClass.classOfGroup[4][group.id]!, sides.peerClass.classOfGroup[6][group.id]!];
      const bits = (group.families.includes(4) ? FAMILY4 : 0) | (group.families.includes(6) ? FAMILY6 : 0);
      const kind = kinds.find(known, four, six * 4 + bits);
      [subject[kind], class4[kind], class6[kind], families[kind]] = [known, four, six, bits];
      pods[kind]! += group.size;
    }
    this.count = kinds.count;
    [this.subject, this.class4, this.class6, this.families, this.pods] = [subject, class4, class6, families, pods];
    this.subjects = [...new Set(subject.subarray(0, this.count))];
    this.ofSubject = groupNumbers(sides.subject.subjectCount, this.count, (kind, add) => add(subject[kind]!));
    this.ofClass = groupNumbers(sides.peerClass.classCount, this.count, (kind, add) => {
      if (this.hasFamily4(kind)) add(class4[kind]!);
      if (this.hasFamily6(kind) && !(this.hasFamily4(kind) && class4[kind] === class6[kind])) add(class6[kind]!);
    });
  }

  hasFamily4(kind: number): boolean {
    return (this.families[kind]! & FAMILY4) !== 0;
  }

  hasFamily6(kind: number): boolean {
    return (this.families[kind]! & FAMILY6) !== 0;
  }

  /** Whether it has both families, in one class. */
  isPlain(kind: number): boolean {
    return this.families[kind] === (FAMILY4 | FAMILY6) && this.class4[kind] === this.class6[kind];
  }

  /** The kinds of these subjects; undefined where they are more than a part of all, so that reading a whole row is as good. */
  ofFew(subjects: Iterable<number>): number[] | undefined {
    const { starts, members } = this.ofSubject;
    const kinds: number[] = [];
    for (const subject of subjects) {
      if ((kinds.length + starts[subject + 1]! - starts[subject]!) * FEW > this.count) return undefined;
      for (let i = starts[subject]!; i < starts[subject + 1]!; i++) kinds.push(members[i]!);
    }
    return kinds;
  }
}

/** Numbers for three numbers together, in the order in which they come. */
class KindTable {
  count = 0;
  private readonly pairs = new PairTable();
  private readonly ids = new PairTable();
  private pairCount = 0;

  find(a: number, b: number, c: number): number {
    let pair = this.pairs.get(a, b);
    if (pair < 0) this.pairs.set(a, b, (pair = this.pairCount++));
    let id = this.ids.get(pair, c);
    if (id < 0) this.ids.set(pair, c, (id = this.count++));
    return id;
  }
}
