// The policies that surely govern what another one governs, whatever pods there will be: those whose selector has no condition that the other's lacks.
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { canonicalSelector, type Selector } from '../../model/selector.ts';

/** Conditions of a selector beyond which it is only held against equal ones and that of every pod. */
const REQUIREMENTS_MAX = 4;
/** Policies of one selector that are held against a policy. */
const POLICIES_MAX = 200;

/** By namespace and selector. */
export type PoliciesBySelector = ReadonlyMap<string, readonly NetworkPolicy[]>;

export function groupBySelector(policies: readonly NetworkPolicy[]): PoliciesBySelector {
  return Map.groupBy(policies, ({ namespace, podSelector }) => keyOf(namespace, podSelector));
}

/** Policies of the namespace that select at least what a policy selects, itself among them; those with all its conditions first. */
export function policiesOver(policies: PoliciesBySelector, { namespace, podSelector }: NetworkPolicy): readonly NetworkPolicy[] {
  return wider(podSelector).flatMap((selector) => (policies.get(keyOf(namespace, selector)) ?? []).slice(0, POLICIES_MAX));
}

function wider({ requirements }: Selector): readonly Selector[] {
  if (requirements.length > REQUIREMENTS_MAX) return [{ requirements }, { requirements: [] }];
  const subsets = requirements.reduce<Selector['requirements'][]>((all, requirement) => [...all.map((subset) => [...subset, requirement]), ...all], [[]]);
  return subsets.map((subset) => ({ requirements: subset }));
}

function keyOf(namespace: string, selector: Selector): string {
  return `${namespace}\n${canonicalSelector(selector)}`;
}
