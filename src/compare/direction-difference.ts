// Which ends two Programs could treat differently in one direction: rows held against each other, entry by entry.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram } from '../compile/program.ts';
import type { Quad } from '../analyze/endpoint.ts';
import type { JointQuad } from './joint-endpoint.ts';
import type { ProgramPair } from './program-pair.ts';

export interface DifferenceInput {
  readonly pair: ProgramPair;
  /** Port set ids of `after` as ids of `before`. */
  readonly translate: (id: number) => number;
  /** Ends as those whose policies are asked, and as those that are asked about. */
  readonly subjects: readonly JointQuad[];
  readonly peers: readonly JointQuad[];
  readonly direction: 'egress' | 'ingress';
}

/** Joint subjects (before, after) against joint classes (before, after). */
export class DirectionDifference {
  /** Joint subject of each of `subjects`, and joint class of each of `peers`; and the other way round. */
  private readonly subjectOf: readonly number[];
  private readonly classOf: readonly number[];
  private readonly withSubject: readonly (readonly number[])[];
  private readonly withClass: readonly (readonly number[])[];
  /** By joint subject, the joint classes under which it differs. */
  private readonly differing: readonly (readonly number[])[];
  private readonly subjectsOfClass: number[][];

  constructor(input: DifferenceInput) {
    const subjects = new Interner();
    const classes = new Interner();
    const { subject, peerClass } = fieldsOf(input.direction);
    this.subjectOf = input.subjects.map(({ before, after }) => subjects.intern([before?.[subject] ?? MISSING, after?.[subject] ?? MISSING]));
    this.classOf = input.peers.map(({ before, after }) => classes.intern([...classesOf(before, peerClass), ...classesOf(after, peerClass)]));
    this.withSubject = invert(this.subjectOf, subjects.values.length);
    this.withClass = invert(this.classOf, classes.values.length);
    const comparer = new RowPairComparer(input, classes.values);
    this.differing = subjects.values.map((values) => comparer.differingClasses(values[0]!, values[1]!));
    this.subjectsOfClass = classes.values.map(() => []);
    for (const [id, list] of this.differing.entries()) for (const joint of list) this.subjectsOfClass[joint]!.push(id);
  }

  /** Calls `give` for places in `peers` towards which one of `subjects` may give another answer. */
  eachPeerThatDiffers(subject: number, give: (peer: number) => void): void {
    for (const joint of this.differing[this.subjectOf[subject]!]!) for (const peer of this.withClass[joint]!) give(peer);
  }

  /** Calls `give` for places in `subjects` that may give another answer towards one of `peers`. */
  eachSubjectThatDiffers(peer: number, give: (subject: number) => void): void {
    for (const joint of this.subjectsOfClass[this.classOf[peer]!]!) for (const subject of this.withSubject[joint]!) give(subject);
  }
}

/** Whoever is not there has no connections: neither as subject nor as peer. */
const MISSING = -1;

/** Spreads the two rows of a subject out by class. Cost follows their entries, not all classes. */
class RowPairComparer {
  private readonly before: DirectionProgram;
  private readonly after: DirectionProgram;
  private readonly translate: (id: number) => number;
  private readonly classes: readonly (readonly number[])[];
  private readonly oldSide: Side;
  private readonly nowSide: Side;
  private readonly isMarked: Uint8Array;

  constructor({ pair, translate, direction }: DifferenceInput, classes: readonly (readonly number[])[]) {
    this.before = pair.before[direction];
    this.after = pair.after[direction];
    this.translate = translate;
    this.classes = classes;
    this.oldSide = new Side(this.before.classCount, classes, [0, 1]);
    this.nowSide = new Side(this.after.classCount, classes, [2, 3]);
    this.isMarked = new Uint8Array(classes.length);
  }

  differingClasses(old: number, now: number): number[] {
    const candidates: number[] = [];
    const mark = (joint: number): void => {
      if (this.isMarked[joint] === 1) return;
      this.isMarked[joint] = 1;
      candidates.push(joint);
    };
    this.oldSide.load(this.before, old, { translate: same, mark });
    this.nowSide.load(this.after, now, { translate: this.translate, mark });
    const differing = candidates.filter((joint) => {
      const [old4, old6, now4, now6] = this.classes[joint]!;
      this.isMarked[joint] = 0;
      return this.oldSide.at(old4!) !== this.nowSide.at(now4!) || this.oldSide.at(old6!) !== this.nowSide.at(now6!);
    });
    this.oldSide.clear();
    this.nowSide.clear();
    return differing;
  }
}

interface LoadOptions {
  readonly translate: (id: number) => number;
  /** Hears of each joint class with an entry. */
  readonly mark: (joint: number) => void;
}

class Side {
  private readonly ports: Uint32Array;
  private readonly touched: number[] = [];
  /** By class, the joint classes that it is part of. */
  private readonly joints: number[][];

  constructor(classCount: number, classes: readonly (readonly number[])[], places: readonly number[]) {
    this.ports = new Uint32Array(classCount);
    this.joints = Array.from({ length: classCount }, () => []);
    for (const [joint, parts] of classes.entries()) for (const part of new Set(places.map((place) => parts[place]!))) if (part !== MISSING) this.joints[part]!.push(joint);
  }

  load(direction: DirectionProgram, subject: number, { translate, mark }: LoadOptions): void {
    if (subject === MISSING) return;
    const { ports, touched, joints } = this;
    direction.rowOf(subject).forEach((peerClass, id) => {
      ports[peerClass] = translate(id);
      touched.push(peerClass);
      const parts = joints[peerClass]!;
      for (let i = 0; i < parts.length; i++) mark(parts[i]!);
    });
  }

  at(peerClass: number): number {
    return peerClass === MISSING ? NO_PORTS_ID : this.ports[peerClass]!;
  }

  clear(): void {
    for (const peerClass of this.touched) this.ports[peerClass] = NO_PORTS_ID;
    this.touched.length = 0;
  }
}

function same(id: number): number {
  return id;
}

function classesOf(quad: Quad | undefined, peerClass: 'egressClass' | 'ingressClass'): readonly number[] {
  return quad === undefined ? [MISSING, MISSING] : [quad[peerClass][4], quad[peerClass][6]];
}

function fieldsOf(direction: 'egress' | 'ingress'): { readonly subject: 'egressSubject' | 'ingressSubject'; readonly peerClass: 'egressClass' | 'ingressClass' } {
  return direction === 'egress' ? { subject: 'egressSubject', peerClass: 'egressClass' } : { subject: 'ingressSubject', peerClass: 'ingressClass' };
}

function invert(values: readonly number[], count: number): number[][] {
  const result: number[][] = Array.from({ length: count }, () => []);
  for (const [place, value] of values.entries()) result[value]!.push(place);
  return result;
}

class Interner {
  readonly values: (readonly number[])[] = [];
  private readonly ids = new Map<string, number>();

  intern(value: readonly number[]): number {
    const key = value.join(' ');
    let id = this.ids.get(key);
    if (id === undefined) this.ids.set(key, (id = this.values.push(value) - 1));
    return id;
  }
}
