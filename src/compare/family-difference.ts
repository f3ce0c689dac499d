// Which ends two Programs could treat differently because their addresses are of other families than before, though no row differs.
import type { Quad } from '../analyze/endpoint.ts';
import type { JointQuad } from './joint-endpoint.ts';

/** Ends with the same families in each set. */
interface FamilyKind {
  readonly before: Quad['families'];
  readonly after: Quad['families'];
  readonly targets: number[];
  /** Those of `targets` that policies tell apart over the two families. */
  readonly splitTargets: number[];
}

export class FamilyDifference {
  private readonly sources: readonly JointQuad[];
  private readonly kinds: readonly FamilyKind[];
  private readonly hasChanges: boolean;

  constructor(sources: readonly JointQuad[], targets: readonly JointQuad[]) {
    this.sources = sources;
    const kinds = new Map<string, FamilyKind>();
    for (const [target, quads] of targets.entries()) {
      if (quads.before === undefined || quads.after === undefined) continue;
      const { before: { families: before }, after: { families: after } } = quads;
      const key = `${before.join('')} ${after.join('')}`;
      let kind = kinds.get(key);
      if (kind === undefined) kinds.set(key, (kind = { before, after, targets: [], splitTargets: [] }));
      kind.targets.push(target);
      if (isSplit(quads, 'egressClass')) kind.splitTargets.push(target);
    }
    this.kinds = [...kinds.values()];
    this.hasChanges = [...sources, ...targets].some(({ before, after }) => before !== undefined && after !== undefined && before.families.join('') !== after.families.join(''));
  }

  /** Calls `give` for targets that the source may reach over other families in one set than in the other. */
  eachTargetThatDiffers(source: number, give: (target: number) => void): void {
    const quads = this.sources[source]!;
    if (!this.hasChanges || quads.before === undefined || quads.after === undefined) return;
    const isSourceSplit = isSplit(quads, 'ingressClass');
    for (const kind of this.kinds) {
      const before = common(quads.before.families, kind.before);
      const after = common(quads.after.families, kind.after);
      if (before === after) continue;
      // Over which family they talk is all the same where policies see no difference between the two.
      const isAll = before === '' || after === '' || isSourceSplit;
      for (const target of isAll ? kind.targets : kind.splitTargets) give(target);
    }
  }
}

function isSplit({ before, after }: JointQuad, peerClass: 'egressClass' | 'ingressClass'): boolean {
  return [before, after].some((quad) => quad !== undefined && quad[peerClass][4] !== quad[peerClass][6]);
}

function common(a: Quad['families'], b: Quad['families']): string {
  return a.filter((family) => b.includes(family)).join('');
}
