// How many ordered pairs of pods may talk on any port, counted by subject and class and never pair by pair.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import { allowedBetween } from './decide.ts';
import { quadOfGroup, type Quad } from './endpoint.ts';

export interface PairCount {
  /** Ordered pairs of different pods, n × (n − 1). */
  readonly pairs: number;
  /** Those that may talk on at least one port of any protocol. */
  readonly allowed: number;
}

export function countPairs(program: Program): PairCount {
  const quads = program.groups.map((group) => ({ quad: quadOfGroup(program, group.id), pods: group.size }));
  const pods = quads.reduce((sum, quad) => sum + quad.pods, 0);
  const targets = new Side(quads, ({ ingressSubject, egressClass }) => [ingressSubject, egressClass[4], egressClass[6]], 'egressClass');
  let allowed = 0;
  for (const [subject, sources] of bySubject(quads)) {
    const kinds = new Side(sources, ({ ingressClass }) => [0, ingressClass[4], ingressClass[6]], 'ingressClass');
    allowed += program.egress.isGoverned(subject) ? fromGoverned(program, subject, { kinds, targets }) : fromOpen(program, { kinds, targets });
  }
  for (const { quad, pods: size } of quads) {
    if (allowedBetween(program, { source: quad, target: quad }) !== NO_PORTS_ID) allowed -= size;
  }
  return { pairs: pods * (pods - 1), allowed };
}

interface CountedQuad {
  readonly quad: Quad;
  readonly pods: number;
}

interface Ends {
  readonly kinds: Side;
  readonly targets: Side;
}

/** The row of the sources names the classes they reach; only targets of these are asked. */
function fromGoverned(program: Program, subject: number, { kinds, targets }: Ends): number {
  const reached = new Set<Kind>();
  program.egress.rowOf(subject).forEach((peerClass) => {
    for (const target of targets.ofClass(peerClass)) reached.add(target);
  });
  let allowed = 0;
  for (const target of reached) for (const source of kinds.kinds) allowed += countBetween(program, source, target);
  return allowed;
}

/** Sources that nothing holds back: the rows of the targets name who gets in. */
function fromOpen(program: Program, { kinds, targets }: Ends): number {
  let allowed = 0;
  for (const target of targets.kinds) {
    const subject = target.quad.ingressSubject;
    const entering = program.ingress.isGoverned(subject) ? new Set<Kind>() : new Set(kinds.kinds);
    if (program.ingress.isGoverned(subject)) {
      program.ingress.rowOf(subject).forEach((peerClass) => {
        for (const source of kinds.ofClass(peerClass)) entering.add(source);
      });
    }
    for (const source of entering) allowed += countBetween(program, source, target);
  }
  return allowed;
}

function countBetween(program: Program, source: Kind, target: Kind): number {
  return allowedBetween(program, { source: source.quad, target: target.quad }) === NO_PORTS_ID ? 0 : source.pods * target.pods;
}

/** Quads that are alike as far as one side of a connection goes. */
interface Kind {
  readonly quad: Quad;
  pods: number;
}

class Side {
  readonly kinds: Kind[] = [];
  private readonly byClass = new Map<number, Kind[]>();

  constructor(quads: readonly CountedQuad[], keyOf: (quad: Quad) => readonly number[], classes: 'egressClass' | 'ingressClass') {
    const known = new Map<string, Kind>();
    for (const { quad, pods } of quads) {
      const key = `${keyOf(quad).join(' ')} ${quad.families.join('')}`;
      const kind = known.get(key);
      if (kind !== undefined) kind.pods += pods;
      else known.set(key, this.add({ quad, pods }, quad[classes]));
    }
  }

  ofClass(peerClass: number): readonly Kind[] {
    return this.byClass.get(peerClass) ?? [];
  }

  private add(kind: Kind, classes: Quad['egressClass']): Kind {
    this.kinds.push(kind);
    for (const peerClass of new Set([classes[4], classes[6]])) {
      const list = this.byClass.get(peerClass);
      if (list === undefined) this.byClass.set(peerClass, [kind]);
      else list.push(kind);
    }
    return kind;
  }
}

function bySubject(quads: readonly CountedQuad[]): Map<number, CountedQuad[]> {
  const result = new Map<number, CountedQuad[]>();
  for (const quad of quads) {
    const list = result.get(quad.quad.egressSubject);
    if (list === undefined) result.set(quad.quad.egressSubject, [quad]);
    else list.push(quad);
  }
  return result;
}
