// From one ruleset to another: which elements go and come, in the order in which no packet finds more open than either allows.
import type { Element, SetName } from './elements.ts';
import type { Ruleset } from './ruleset.ts';

/** Steps are carried out in order, in one atomic batch where the kernel takes one that large. */
export interface ChangePlan {
  readonly steps: readonly ChangeStep[];
  /** Something that was allowed is not any more: live connections have to be judged again. */
  readonly takesAway: boolean;
  readonly wanted: Ruleset;
}

/** Elements of one set; `removed` goes before `added` and both take effect in the same instant. */
export interface ChangeStep {
  readonly set: SetName;
  readonly removed: readonly Element[];
  readonly added: readonly Element[];
}
