// How writes join what is stored: JSON merge patch, and server-side apply with the fields that each manager owns.

type Fields = { readonly [field: string]: unknown };

/** RFC 7386: null takes away, maps are merged, everything else is put in place. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** What the manager applied before and does not any more goes, unless another one applied it too. Lists are one field. */
export function applyFields(target: Fields, { wanted, before, others }: { readonly wanted: Fields; readonly before: Fields; readonly others: readonly Fields[] }): Fields {
  return mergePatch(without(target, before, [wanted, ...others]), wanted) as Fields; // both are maps
}

/** Paths, `.spec.podSelector`, of fields that somebody else owns with another value; what names the object is nobody's. Lists and selectors are one field. */
export function conflictsOf(wanted: Fields, owned: Fields, path = ''): readonly string[] {
  return Object.keys(wanted).flatMap((key): readonly string[] => {
    const [own, other] = [wanted[key], owned[key]];
    if (other === undefined || (path === '' && (key === 'apiVersion' || key === 'kind'))) return [];
    if (isFields(own) && isFields(other) && !/[sS]elector$/.test(key)) return conflictsOf(own, other, `${path}.${key}`);
    return JSON.stringify(own) === JSON.stringify(other) ? [] : [`${path}.${key}`];
  });
}

function without(target: Fields, before: Fields, owned: readonly Fields[]): Fields {
  const kept: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(before)) {
    const owners = owned.filter((fields) => fields[key] !== undefined).map((fields) => fields[key]);
    const there = kept[key];
    if (owners.length === 0) delete kept[key];
    else if (isFields(value) && isFields(there)) kept[key] = without(there, value, owners.filter(isFields));
  }
  return kept;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
