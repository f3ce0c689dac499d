// A change of elements while it is gathered, set by set.
import type { Element } from './element.ts';
import { orderSteps, type ChangeStep, type Part, type SetDiff } from './plan-change.ts';
import type { SetName } from './set-shape.ts';
import type { SetSizes } from './set-sizes.ts';

interface DraftDiff {
  readonly removed: Element[];
  readonly replaced: Part[];
  readonly added: Element[];
}

export class ChangeDraft {
  private readonly diffs = new Map<SetName, DraftDiff>();
  private readonly sizes: SetSizes;

  constructor(sizes: SetSizes) {
    this.sizes = sizes;
  }

  /** At least one of the two. */
  put(set: SetName, { before, after }: { readonly before?: Element; readonly after?: Element }): void {
    const diff = this.diffOf(set);
    this.sizes.add(set, Number(after !== undefined) - Number(before !== undefined));
    if (before === undefined) diff.added.push(after!);
    else if (after === undefined) diff.removed.push(before);
    else diff.replaced.push({ removed: [before], added: [after] });
  }

  putDiff(set: SetName, { removed, replaced, added }: SetDiff): void {
    const diff = this.diffOf(set);
    for (const part of [...removed, ...replaced, ...added]) this.sizes.add(set, part.added.length - part.removed.length);
    for (const part of removed) for (const element of part.removed) diff.removed.push(element);
    for (const part of replaced) diff.replaced.push(part);
    for (const part of added) for (const element of part.added) diff.added.push(element);
  }

  steps(): ChangeStep[] {
    const parts = ({ removed, replaced, added }: DraftDiff): SetDiff => ({
      removed: removed.length > 0 ? [{ removed, added: [] }] : [],
      replaced,
      added: added.length > 0 ? [{ removed: [], added }] : [],
    });
    return orderSteps(new Map([...this.diffs].map(([set, diff]) => [set, parts(diff)])));
  }

  private diffOf(set: SetName): DraftDiff {
    let diff = this.diffs.get(set);
    if (diff === undefined) this.diffs.set(set, (diff = { removed: [], replaced: [], added: [] }));
    return diff;
  }
}
