// What two Programs answer differently: connections gained and lost, found under rows that differ and never pair by pair.
import type { Endpoint } from '../analyze/endpoints.ts';
import { DirectionDifference } from './direction-difference.ts';
import { findExampleRefs, type ExampleRefs } from './example-refs.ts';
import { FamilyDifference } from './family-difference.ts';
import type { EndPlace, JointEndpoint } from './joint-endpoint.ts';
import { KindTable } from './kind-table.ts';
import { OwnNodeChanges } from './own-node-change.ts';
import { pairEndpoints } from './pair-endpoints.ts';
import type { ProgramPair } from './program-pair.ts';
import { portTranslation, VerdictDifference, type PortChange } from './verdict-difference.ts';

export interface Comparison {
  readonly endpoints: readonly Endpoint[];
  /** By index of `endpoints`: which of the two has it. */
  readonly presence: readonly Presence[];
  /** Sorted by source, then target; made while iterating. */
  changes(): IterableIterator<Change>;
  /** Two pods, or a pod and what is outside, that gain (`after`) or lose (`before`) something there. */
  exampleOf(change: Change, side: keyof ProgramPair): ExampleRefs;
  /** The same changes by ends that both Programs treat alike: few, where the pairs are millions. In no order. */
  blocks(): IterableIterator<ChangeBlock>;
}

export type Presence = 'both' | 'before' | 'after';

/** Between ends of several pods: what some pod of the source gains or loses towards some pod of the target. */
export interface Change extends PortChange {
  /** Index of `endpoints`. */
  readonly source: number;
  readonly target: number;
}

/** Every source with every target, but none with itself where it is a single pod. */
export interface ChangeBlock extends PortChange {
  /** Indices of `endpoints`. */
  readonly sources: readonly number[];
  readonly targets: readonly number[];
}

/** Connections that `after` allows and `before` does not, and the reverse; an end that one of them lacks has no connections there. */
export function comparePrograms(pair: ProgramPair): Comparison {
  const placed = pairEndpoints(pair);
  let endpoints: readonly Endpoint[] | undefined;
  return {
    get endpoints() {
      return (endpoints ??= placed.map(({ endpoint }) => endpoint));
    },
    presence: placed.map(({ quads }) => (quads.before === undefined ? 'after' : quads.after === undefined ? 'before' : 'both')),
    *changes() {
      const table = new JointTable(pair, placed);
      for (const source of placed.keys()) yield* table.changesFrom(source);
    },
    exampleOf: ({ source, target }, side) => findExampleRefs(pair, { source: placed[source]!, target: placed[target]!, side }),
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
  private readonly families: FamilyDifference;
  private readonly verdicts: VerdictDifference;
  private readonly ownNode: OwnNodeChanges;
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
    this.families = new FamilyDifference(sources, targets);
    this.verdicts = new VerdictDifference(pair, translate);
    this.ownNode = new OwnNodeChanges({ pair, placed, verdicts: this.verdicts, translate });
    this.isSeen = new Uint8Array(targets.length);
  }

  *changesFrom(source: number): IterableIterator<Change> {
    const changes: Change[] = [];
    const corrections = this.ownNode.correctionsOf(source);
    for (const { kinds, gained, lost } of this.targetsOf(this.sources.kindOf[source]!)) {
      for (const kind of kinds) {
        for (const target of this.targets.members[kind]!) if (this.isPair(source, target) && !corrections.has(target)) changes.push({ source, target, gained, lost });
      }
    }
    for (const [target, change] of corrections) if (change !== undefined) changes.push({ source, target, ...change });
    yield* changes.sort((a, b) => a.target - b.target);
  }

  *blocks(): IterableIterator<ChangeBlock> {
    for (const [from, sources] of this.sources.members.entries()) {
      const found = this.findTargets(from);
      const plain: number[] = [];
      for (const source of sources) {
        const corrections = this.ownNode.correctionsOf(source);
        if (corrections.size === 0) plain.push(source);
        else yield* this.correctedBlocks(source, found, corrections);
      }
      if (plain.length > 0) yield* this.blocksOf(plain, found);
    }
  }

  private *blocksOf(sources: readonly number[], found: readonly KindChange[], isLeftOut: (target: number) => boolean = () => false): IterableIterator<ChangeBlock> {
    for (const { kinds, gained, lost } of found) {
      const targets: number[] = [];
      for (const kind of kinds) for (const target of this.targets.members[kind]!) if (!isLeftOut(target)) targets.push(target);
      const isOnePair = sources.length === 1 && targets.length === 1;
      if (targets.length > 0 && (!isOnePair || this.isPair(sources[0]!, targets[0]!))) yield { sources, targets, gained, lost };
    }
  }

  private *correctedBlocks(source: number, found: readonly KindChange[], corrections: ReadonlyMap<number, PortChange | undefined>): IterableIterator<ChangeBlock> {
    yield* this.blocksOf([source], found, (target) => corrections.has(target));
    for (const [target, change] of corrections) if (change !== undefined) yield { sources: [source], targets: [target], ...change };
  }

  /** A single pod has no pair with itself. */
  private isPair(source: number, target: number): boolean {
    return source !== target || this.placed[source]!.pods > 1;
  }

  private targetsOf(from: number): readonly KindChange[] {
    let targets = this.found.get(from);
    if (targets === undefined) {
      if (this.foundCount > KEPT_TARGETS_MAX) {
        this.found.clear();
        this.foundCount = 0;
      }
      this.found.set(from, (targets = this.findTargets(from)));
      for (const { kinds } of targets) this.foundCount += kinds.length;
    }
    return targets;
  }

  private findTargets(from: number): KindChange[] {
    const seen: number[] = [];
    const found = new Map<PortChange, number[]>();
    let last: PortChange | undefined;
    let kinds: number[] = [];
    this.verdicts.setSource(this.sources.quads[from]!);
    const consider = (target: number): void => {
      if (this.isSeen[target] === 1) return;
      this.isSeen[target] = 1;
      seen.push(target);
      if (!areCompared(this.sources.places[from]!, this.targets.places[target]!)) return;
      const change = this.verdicts.towards(this.targets.quads[target]!);
      if (change === undefined) return;
      // Equal changes are one value, and mostly come one behind the other.
      if (change !== last) {
        last = change;
        kinds = found.get(change) ?? [];
        found.set(change, kinds);
      }
      kinds.push(target);
    };
    this.families.eachTargetThatDiffers(from, consider);
    this.egress.eachPeerThatDiffers(from, consider);
    this.ingress.eachSubjectThatDiffers(from, consider);
    for (const target of seen) this.isSeen[target] = 0;
    return Array.from(found, ([{ gained, lost }, targets]) => ({ kinds: targets, gained, lost }));
  }
}

/** Between two ends outside there is nothing to compare, and nobody knows what a name sends. */
function areCompared(source: EndPlace, target: EndPlace): boolean {
  return source === 'pods' || (source === 'Range' && target === 'pods');
}

interface KindChange extends PortChange {
  /** Of targets. */
  readonly kinds: readonly number[];
}
