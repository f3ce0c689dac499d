// Selectors of everybody whom other selectors do not select, and of whom two select both.
import { canonicalSelector, EVERYTHING, type Requirement, type Selector } from '../model/selector.ts';

/** Selectors that one complement may take; above it there is none. */
const SELECTORS_MAX = 32;

/** Together they select exactly what none of the others does; undefined: it would take too many. */
export function complementOf(selectors: readonly Selector[]): readonly Selector[] | undefined {
  let parts: readonly Selector[] = [EVERYTHING];
  for (const { requirements } of distinct(selectors)) {
    parts = distinct(parts.flatMap((part) => requirements.map((requirement) => meetOf(part, { requirements: [negated(requirement)] })))).filter((part) => !isContradiction(part));
    if (parts.length > SELECTORS_MAX) return undefined;
  }
  return parts;
}

/** Selects what both select. */
export function meetOf(a: Selector, b: Selector): Selector {
  const known = new Set(a.requirements.map((requirement) => canonicalSelector({ requirements: [requirement] })));
  return { requirements: [...a.requirements, ...b.requirements.filter((requirement) => !known.has(canonicalSelector({ requirements: [requirement] })))] };
}

export function distinct(selectors: readonly Selector[]): readonly Selector[] {
  return [...new Map(selectors.map((selector) => [canonicalSelector(selector), selector])).values()];
}

/** NotIn and DoesNotExist hold for what lacks the key, so each pair is exactly the other's opposite. */
function negated(requirement: Requirement): Requirement {
  switch (requirement.kind) {
    case 'In':
      return { kind: 'NotIn', key: requirement.key, values: requirement.values };
    case 'NotIn':
      return { kind: 'In', key: requirement.key, values: requirement.values };
    case 'Exists':
      return { kind: 'DoesNotExist', key: requirement.key };
    case 'DoesNotExist':
      return { kind: 'Exists', key: requirement.key };
  }
}

/** Whether two requirements surely exclude each other; others that do are kept, and select nobody. */
export function isContradiction({ requirements }: Selector): boolean {
  return requirements.some((one) => requirements.some((other) => one.key === other.key && excludes(one, other)));
}

function excludes(one: Requirement, other: Requirement): boolean {
  if (one.kind === 'Exists') return other.kind === 'DoesNotExist';
  if (one.kind !== 'In') return false;
  if (other.kind === 'DoesNotExist') return true;
  if (other.kind === 'In') return !one.values.some((value) => other.values.includes(value));
  return other.kind === 'NotIn' && one.values.every((value) => other.values.includes(value));
}
