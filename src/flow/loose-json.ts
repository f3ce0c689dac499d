// Fields of JSON that anybody may have written: what has another shape than wanted is as if it were not there.

export type LooseObject = Readonly<Record<string, unknown>>;

/** As long as names and label keys of Kubernetes may get. */
const TEXT_LENGTH_MAX = 512;
const ITEMS_MAX = 256;

/** undefined for what is no map. */
export function looseObject(value: unknown): LooseObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as LooseObject) : undefined; // keys of JSON are texts
}

/** `name`: none of those that every object has, such as `constructor`, but of the object's own keys. */
export function fieldOf(object: LooseObject | undefined, name: string): unknown {
  return object?.[name];
}

export function objectAt(object: LooseObject | undefined, name: string): LooseObject | undefined {
  return looseObject(fieldOf(object, name));
}

/** undefined for an empty one, and for one that no name is as long as. */
export function textAt(object: LooseObject | undefined, name: string): string | undefined {
  const value = fieldOf(object, name);
  return typeof value === 'string' && value !== '' && value.length <= TEXT_LENGTH_MAX ? value : undefined;
}

/** Whole and not negative. protojson (Protocol Buffers, "ProtoJSON Format") writes numbers of 64 bits as texts. */
export function countAt(object: LooseObject | undefined, name: string): number | undefined {
  const value = fieldOf(object, name);
  const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

export function booleanAt(object: LooseObject | undefined, name: string): boolean | undefined {
  const value = fieldOf(object, name);
  return typeof value === 'boolean' ? value : undefined;
}

/** The first ones of a list; none where it is no list. */
export function itemsAt(object: LooseObject | undefined, name: string): readonly unknown[] {
  const value = fieldOf(object, name);
  return Array.isArray(value) ? value.slice(0, ITEMS_MAX) : [];
}

export function textsAt(object: LooseObject | undefined, name: string): readonly string[] {
  return itemsAt(object, name).filter((item): item is string => typeof item === 'string' && item !== '' && item.length <= TEXT_LENGTH_MAX);
}
