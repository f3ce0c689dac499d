// What two Programs answer differently: connections gained and lost, found under rows that differ and never pair by pair.
import { subtractPorts, type PortSet } from '../base/port-set.ts';
import { PairTable } from '../compile/pair-table.ts';
import type { PortSetTable } from '../compile/port-set-table.ts';
import type { Endpoint } from '../analyze/endpoints.ts';
import type { Quad } from '../analyze/endpoint.ts';
import { VerdictsFrom } from '../analyze/verdicts-from.ts';
import { DirectionDifference, portTranslation } from './direction-difference.ts';
import { pairEndpoints, type JointEndpoint, type JointQuad, type JointRefs, type ProgramPair } from './joint-endpoints.ts';

export interface Comparison {
  readonly endpoints: readonly Endpoint[];
  /** By index of `endpoints`: which of the two has it. */
  readonly presence: readonly Presence[];
  /** By index of `endpoints`: what stands for it in each of the two. */
  readonly refs: readonly JointRefs[];
  /** Sorted by source, then target; made while iterating. */
  changes(): IterableIterator<Change>;
  /** The same changes by ends that both Programs treat alike: few, where the pairs are millions. In no order. */
  blocks(): IterableIterator<ChangeBlock>;
}

export type Presence = 'both' | 'before' | 'after';

export interface Change {
  /** Index of `endpoints`. */
  readonly source: number;
  readonly target: number;
  readonly gained: PortSet;
  readonly lost: PortSet;
}

/** Every source with every target, but none with itself where it is a single pod. */
export interface ChangeBlock extends Pick<Change, 'gained' | 'lost'> {
  /** Indices of `endpoints`. */
  readonly sources: readonly number[];
  readonly targets: readonly number[];
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
    blocks: () => new JointTable(pair, placed).blocks(),
  };
}

/** Targets of sources that are kept at once; above it all are dropped and found again when asked. */
const KEPT_TARGETS_MAX = 4_000_000;

/** Ends by what decides about them as sources, and by what decides about them as targets; and which of the two differ. */
class JointTable {
  private readonly sources: KindTable;
  private readonly targets: KindTable;
  private readonly egress: DirectionDifference;
  private readonly ingress: DirectionDifference;
  private readonly verdicts: VerdictDifference;
  private readonly placed: readonly JointEndpoint[];
  private readonly found = new Map<number, readonly KindChange[]>();
  private foundCount = 0;
  private readonly isSeen: Uint8Array;

  constructor(pair: ProgramPair, placed: readonly JointEndpoint[]) {
    this.placed = placed;
    this.sources = new KindTable(placed, ({ egressSubject, ingressClass }) => [egressSubject, ingressClass[4], ingressClass[6]]);
    this.targets = new KindTable(placed, ({ ingressSubject, egressClass }) => [ingressSubject, egressClass[4], egressClass[6]]);
    const translate = portTranslation(pair);
    const [sources, targets] = [this.sources.quads, this.targets.quads];
    this.egress = new DirectionDifference({ pair, translate, subjects: sources, peers: targets, direction: 'egress' });
    this.ingress = new DirectionDifference({ pair, translate, subjects: targets, peers: sources, direction: 'ingress' });
    this.verdicts = new VerdictDifference(pair, translate);
    this.isSeen = new Uint8Array(targets.length);
  }

  *changesFrom(source: number): IterableIterator<Change> {
    const changes: Change[] = [];
    for (const { target: kind, gained, lost } of this.targetsOf(this.sources.kindOf[source]!)) {
      for (const target of this.targets.members[kind]!) if (source !== target || this.placed[source]!.pods > 1) changes.push({ source, target, gained, lost });
    }
    yield* changes.sort((a, b) => a.target - b.target);
  }

  *blocks(): IterableIterator<ChangeBlock> {
    for (const [from, sources] of this.sources.members.entries()) {
      for (const { target, gained, lost } of this.findTargets(from)) {
        const targets = this.targets.members[target]!;
        const isItself = sources.length === 1 && targets.length === 1 && sources[0] === targets[0];
        if (!isItself || this.placed[sources[0]!]!.pods > 1) yield { sources, targets, gained, lost };
      }
    }
  }

  private targetsOf(from: number): readonly KindChange[] {
    let targets = this.found.get(from);
    if (targets === undefined) {
      if (this.foundCount > KEPT_TARGETS_MAX) {
        this.found.clear();
        this.foundCount = 0;
      }
      this.found.set(from, (targets = this.findTargets(from)));
      this.foundCount += targets.length;
    }
    return targets;
  }

  private findTargets(from: number): KindChange[] {
    const seen: number[] = [];
    const changes: KindChange[] = [];
    this.verdicts.setSource(this.sources.quads[from]!);
    const consider = (target: number): void => {
      if (this.isSeen[target] === 1) return;
      this.isSeen[target] = 1;
      seen.push(target);
      if (!areCompared(this.sources.places[from]!, this.targets.places[target]!)) return;
      const change = this.verdicts.towards(this.targets.quads[target]!);
      if (change !== undefined) changes.push({ target, gained: change.gained, lost: change.lost });
    };
    this.egress.eachPeerThatDiffers(from, consider);
    this.ingress.eachSubjectThatDiffers(from, consider);
    for (const target of seen) this.isSeen[target] = 0;
    return changes;
  }
}

/** Between two ends outside there is nothing to compare, and nobody knows what a name sends. */
function areCompared(source: EndPlace, target: EndPlace): boolean {
  return source === 'pods' || (source === 'Range' && target === 'pods');
}

type EndPlace = 'pods' | 'Range' | 'DomainName';

/** Ends with the same place and key on both sides are one kind. */
class KindTable {
  /** By kind, what stands for it: of the rest of the quad only the families are like its members'. */
  readonly quads: JointQuad[] = [];
  readonly places: EndPlace[] = [];
  /** By kind, indices of endpoints, ascending. */
  readonly members: number[][] = [];
  readonly kindOf: readonly number[];

  constructor(placed: readonly JointEndpoint[], keyOf: (quad: Quad) => readonly number[]) {
    // Thousands of endpoints share one object.
    const byQuads = new Map<JointQuad, number>();
    const byKey = new Map<string, number>();
    const sideKey = (quad: Quad | undefined): string => (quad === undefined ? '' : `${keyOf(quad).join(' ')} ${quad.families.join('')}`);
    this.kindOf = placed.map(({ quads, endpoint: { kind } }, endpoint) => {
      let id = byQuads.get(quads);
      if (id === undefined) {
        const place = kind === 'Range' || kind === 'DomainName' ? kind : 'pods';
        const key = `${place}\n${sideKey(quads.before)}\n${sideKey(quads.after)}`;
        id = byKey.get(key);
        if (id === undefined) byKey.set(key, (id = this.add(quads, place)));
        byQuads.set(quads, id);
      }
      this.members[id]!.push(endpoint);
      return id;
    });
  }

  private add(quads: JointQuad, place: EndPlace): number {
    this.places.push(place);
    this.members.push([]);
    return this.quads.push(quads) - 1;
  }
}

interface KindChange extends PortChange {
  readonly target: number;
}

type PortChange = Pick<Change, 'gained' | 'lost'>;

/** What is gained and lost between two ends; worked out once for each two port sets. */
class VerdictDifference {
  private readonly before: VerdictsFrom;
  private readonly after: VerdictsFrom;
  private readonly portSets: PortSetTable;
  private readonly translate: (id: number) => number;
  private readonly places = new PairTable();
  private readonly changes: PortChange[] = [];

  constructor({ before, after }: ProgramPair, translate: (id: number) => number) {
    this.before = new VerdictsFrom(before);
    this.after = new VerdictsFrom(after);
    this.portSets = before.portSets;
    this.translate = translate;
  }

  setSource({ before, after }: JointQuad): void {
    this.before.setSource(before);
    this.after.setSource(after);
  }

  towards(target: JointQuad): PortChange | undefined {
    const before = this.before.towards(target.before);
    const after = this.translate(this.after.towards(target.after));
    if (before === after) return undefined;
    let place = this.places.get(before, after);
    if (place < 0) {
      const [old, now] = [this.portSets.portSet(before), this.portSets.portSet(after)];
      place = this.changes.push({ gained: subtractPorts(now, old), lost: subtractPorts(old, now) }) - 1;
      this.places.set(before, after, place);
    }
    return this.changes[place];
  }
}
