// What two Programs answer differently: connections gained and lost, found under rows that differ and never pair by pair.
import { subtractPorts, type PortSet } from '../base/port-set.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram, Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { isOutside, type Endpoint } from './endpoints.ts';
import type { Quad } from './endpoint.ts';
import { pairEndpoints, type JointEndpoint, type JointQuad, type JointRefs, type ProgramPair } from './joint-endpoints.ts';

export interface Comparison {
  readonly endpoints: readonly Endpoint[];
  /** By index of `endpoints`: which of the two has it. */
  readonly presence: readonly Presence[];
  /** By index of `endpoints`: what stands for it in each of the two. */
  readonly refs: readonly JointRefs[];
  /** Sorted by source, then target; made while iterating. */
  changes(): IterableIterator<Change>;
}

export type Presence = 'both' | 'before' | 'after';

export interface Change {
  /** Index of `endpoints`. */
  readonly source: number;
  readonly target: number;
  readonly gained: PortSet;
  readonly lost: PortSet;
}

/** Connections that `after` allows and `before` does not, and the reverse; an end that one of them lacks has no connections there. */
export function comparePrograms(pair: ProgramPair): Comparison {
  const placed = pairEndpoints(pair);
  return {
    endpoints: placed.map(({ endpoint }) => endpoint),
    presence: placed.map(({ quads }) => (quads.before === undefined ? 'after' : quads.after === undefined ? 'before' : 'both')),
    refs: placed.map(({ refs }) => refs),
    *changes() {
      const table = new JointTable(pair, placed);
      for (const source of placed.keys()) yield* table.changesFrom(source);
    },
  };
}

/** Distinct joint quads, and for each direction which of them could see another answer. */
class JointTable {
  private readonly quads: JointQuad[] = [];
  private readonly quadOf: number[];
  private readonly endpointsOfQuad: number[][] = [];
  private readonly egress: DirectionDifference;
  private readonly ingress: DirectionDifference;
  private readonly pair: ProgramPair;
  private readonly placed: readonly JointEndpoint[];

  constructor(pair: ProgramPair, placed: readonly JointEndpoint[]) {
    this.pair = pair;
    this.placed = placed;
    const ids = new Map<string, number>();
    this.quadOf = placed.map(({ quads }, endpoint) => {
      const key = JSON.stringify(quads);
      let id = ids.get(key);
      if (id === undefined) ids.set(key, (id = this.quads.push(quads) - 1));
      (this.endpointsOfQuad[id] ??= []).push(endpoint);
      return id;
    });
    const translate = portTranslation(pair);
    this.egress = new DirectionDifference({ pair, translate, quads: this.quads, direction: 'egress' });
    this.ingress = new DirectionDifference({ pair, translate, quads: this.quads, direction: 'ingress' });
  }

  *changesFrom(source: number): IterableIterator<Change> {
    const from = this.quadOf[source]!;
    const candidates = new Set([...this.egress.peersThatDiffer(from), ...this.ingress.subjectsThatDiffer(from)]);
    const changes: Change[] = [];
    for (const quad of candidates) {
      const change = this.compareQuads(this.quads[from]!, this.quads[quad]!);
      if (change === undefined) continue;
      for (const target of this.endpointsOfQuad[quad]!) if (this.isPair(source, target)) changes.push({ source, target, ...change });
    }
    yield* changes.sort((a, b) => a.target - b.target);
  }

  private isPair(source: number, target: number): boolean {
    const [from, to] = [this.placed[source]!, this.placed[target]!];
    if (isOutside(from.endpoint) && (isOutside(to.endpoint) || from.endpoint.kind === 'DomainName')) return false;
    return source !== target || from.pods > 1;
  }

  private compareQuads(source: JointQuad, target: JointQuad): Pick<Change, 'gained' | 'lost'> | undefined {
    const before = portsOf(this.pair.before, source.before, target.before);
    const after = portsOf(this.pair.after, source.after, target.after);
    const gained = subtractPorts(after, before);
    const lost = subtractPorts(before, after);
    return gained.length === 0 && lost.length === 0 ? undefined : { gained, lost };
  }
}

function portsOf(program: Program, source: Quad | undefined, target: Quad | undefined): PortSet {
  const ports = source === undefined || target === undefined ? NO_PORTS_ID : allowedBetween(program, { source, target });
  return program.portSets.portSet(ports);
}

/** Port set ids of `after` as ids of `before`, so that equal sets compare as equal numbers. */
function portTranslation({ before, after }: ProgramPair): (id: number) => number {
  const known = new Map<number, number>([
    [NO_PORTS_ID, NO_PORTS_ID],
    [ALL_PORTS_ID, ALL_PORTS_ID],
  ]);
  return (id) => {
    let result = known.get(id);
    if (result === undefined) known.set(id, (result = before.portSets.intern(after.portSets.portSet(id))));
    return result;
  };
}

interface DifferenceInput {
  readonly pair: ProgramPair;
  readonly translate: (id: number) => number;
  readonly quads: readonly JointQuad[];
  readonly direction: 'egress' | 'ingress';
}

/** One direction: joint subjects (before, after) against joint classes (before, after), compared entry by entry. */
class DirectionDifference {
  private readonly subjectOfQuad: number[];
  private readonly classOfQuad: number[];
  private readonly quadsOfSubject: number[][] = [];
  private readonly quadsOfClass: number[][] = [];
  /** By joint subject, the joint classes under which it differs. */
  private readonly differing: readonly (readonly number[])[];
  private readonly subjectsOfClass: number[][] = [];

  constructor(input: DifferenceInput) {
    const subjects = new Interner();
    const classes = new Interner();
    const { subject, peerClass } = fieldsOf(input.direction);
    this.subjectOfQuad = input.quads.map(({ before, after }) => subjects.intern([before?.[subject] ?? -1, after?.[subject] ?? -1]));
    this.classOfQuad = input.quads.map(({ before, after }) =>
      classes.intern([before?.[peerClass][4] ?? -1, before?.[peerClass][6] ?? -1, after?.[peerClass][4] ?? -1, after?.[peerClass][6] ?? -1]),
    );
    for (const quad of input.quads.keys()) {
      (this.quadsOfSubject[this.subjectOfQuad[quad]!] ??= []).push(quad);
      (this.quadsOfClass[this.classOfQuad[quad]!] ??= []).push(quad);
    }
    this.differing = subjects.values.map((values) => differingClasses(input, values, classes.values));
    for (const [id, list] of this.differing.entries()) for (const joint of list) (this.subjectsOfClass[joint] ??= []).push(id);
  }

  /** Quads that, as peers of this one, may get another answer in this direction. */
  peersThatDiffer(quad: number): number[] {
    return this.differing[this.subjectOfQuad[quad]!]!.flatMap((joint) => this.quadsOfClass[joint] ?? []);
  }

  /** Quads that, as subjects towards this one, may give another answer in this direction. */
  subjectsThatDiffer(quad: number): number[] {
    return (this.subjectsOfClass[this.classOfQuad[quad]!] ?? []).flatMap((subject) => this.quadsOfSubject[subject] ?? []);
  }
}

function differingClasses({ pair, translate, direction }: DifferenceInput, subject: readonly number[], classes: readonly (readonly number[])[]): number[] {
  const old = rowReader(pair.before[direction], subject[0]!);
  const now = rowReader(pair.after[direction], subject[1]!);
  const result: number[] = [];
  for (const [id, [old4, old6, now4, now6]] of classes.entries()) {
    if (old(old4!) !== translate(now(now4!)) || old(old6!) !== translate(now(now6!))) result.push(id);
  }
  return result;
}

/** Whoever is not there has no connections: neither as subject nor as peer. */
function rowReader(direction: DirectionProgram, subject: number): (peerClass: number) => number {
  if (subject < 0) return () => NO_PORTS_ID;
  const row = direction.rowOf(subject);
  return (peerClass) => (peerClass < 0 ? NO_PORTS_ID : row.at(peerClass));
}

function fieldsOf(direction: 'egress' | 'ingress'): { readonly subject: 'egressSubject' | 'ingressSubject'; readonly peerClass: 'egressClass' | 'ingressClass' } {
  return direction === 'egress' ? { subject: 'egressSubject', peerClass: 'egressClass' } : { subject: 'ingressSubject', peerClass: 'ingressClass' };
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
