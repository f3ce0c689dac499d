// The maps and sets of the skeleton, and a ruleset as their elements.

export type SetName = string;

/** Fields of the key in the order of the set's type; `last` where the set holds intervals, `data` where it is a map. */
export interface Element {
  readonly key: readonly (bigint | number)[];
  readonly last?: readonly (bigint | number)[];
  readonly data?: number;
}
