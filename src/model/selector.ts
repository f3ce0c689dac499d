// Label selectors, matchLabels read as `In` with one value, and whether they select labels.

export type Labels = ReadonlyMap<string, string>;

export type Requirement =
  | { readonly kind: 'In'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'NotIn'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'Exists' | 'DoesNotExist'; readonly key: string };

/** All requirements hold together; without any, everything is selected. */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

export const EVERYTHING: Selector = { requirements: [] };

/** Labels of one object; `unknownKeys` are there with a value that cannot be known from a file (such as pod-template-hash). */
export interface LabelSet {
  readonly labels: Labels;
  readonly unknownKeys: ReadonlySet<string>;
}

/** NotIn and DoesNotExist hold for objects without the key (Kubernetes, "Labels and Selectors"). */
export function selects(selector: Selector, object: LabelSet): boolean {
  return selector.requirements.every((requirement) => meetsRequirement(requirement, object));
}

/** An unknown value equals no value that a selector names. */
export function meetsRequirement(requirement: Requirement, object: LabelSet): boolean {
  const value = object.labels.get(requirement.key);
  const isPresent = value !== undefined || object.unknownKeys.has(requirement.key);
  switch (requirement.kind) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return isPresent;
    case 'DoesNotExist':
      return !isPresent;
  }
}

/** A text that is equal for selectors with the same requirements, whatever their order and repetition. */
export function canonicalSelector(selector: Selector): string {
  const parts = selector.requirements.map(canonicalRequirement);
  return parts.length < 2 ? (parts[0] ?? '') : [...new Set(parts)].sort().join(' ');
}

/** Every text stands behind its length, so that no two requirements give the same. */
function canonicalRequirement(requirement: Requirement): string {
  const start = `${requirement.kind} ${requirement.key.length} ${requirement.key}`;
  if (!('values' in requirement)) return start;
  const { values } = requirement;
  const sorted = values.length < 2 ? values : [...new Set(values)].sort();
  return sorted.reduce((text, value) => `${text} ${value.length} ${value}`, start);
}

/** The selector as a person reads it: `app=web, tier in (a, b), !canary`. */
export function formatSelector(selector: Selector): string {
  if (selector.requirements.length === 0) return 'everything';
  return selector.requirements.map(formatRequirement).join(', ');
}

function formatRequirement(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'In':
      return requirement.values.length === 1
        ? `${requirement.key}=${requirement.values[0]}`
        : `${requirement.key} in (${requirement.values.join(', ')})`;
    case 'NotIn':
      return `${requirement.key} notin (${requirement.values.join(', ')})`;
    case 'Exists':
      return requirement.key;
    case 'DoesNotExist':
      return `!${requirement.key}`;
  }
}

export function describeSelector(selector: Selector): string {
  return selector.requirements.length === 0 ? 'every pod' : `\`${formatSelector(selector)}\``;
}
