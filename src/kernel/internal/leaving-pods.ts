// Local pods that a change takes away: whose connections end with them, whatever becomes of those of other pods.
import type { Elements } from '../../emit/element.ts';
import type { ChangeStep } from '../../emit/plan-change.ts';
import { FAMILIES } from '../../emit/set-shape.ts';
import { addressKey } from './conntrack.ts';

const LOCAL_SETS = FAMILIES.flatMap((family) => ([`le${family}`, `li${family}`] as const).map((set) => ({ set, family })));

/** Keys of their addresses. */
export function podsLeavingBy(steps: readonly ChangeStep[]): ReadonlySet<string> {
  const keysOf = (part: 'removed' | 'added'): Set<string> =>
    new Set(LOCAL_SETS.flatMap(({ set, family }) => steps.flatMap((step) => (step.set === set ? step[part].map(({ key }) => addressKey(family, key[0] as bigint)) : []))));
  const added = keysOf('added');
  return new Set([...keysOf('removed')].filter((key) => !added.has(key)));
}

/** Where a table is replaced by what steps from empty sets put there. */
export function podsLeavingFor(steps: readonly ChangeStep[], held: Elements): ReadonlySet<string> {
  return podsLeavingBy([...LOCAL_SETS.map(({ set }): ChangeStep => ({ set, removed: held.get(set)!, added: [] })), ...steps]);
}
