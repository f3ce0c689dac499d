// Looks into objects as they were written: whatever has another type than expected is not there.
import type { Path } from '../../model/origin.ts';
import { isMap, type LooseMap, type Value } from '../text/yaml-value.ts';

const NOTHING: LooseMap = {};

export function mapIn(map: LooseMap, key: string): LooseMap {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  return isMap(value) ? value : NOTHING;
}

export function mapAt(map: LooseMap, path: readonly string[]): LooseMap {
  return path.reduce(mapIn, map);
}

/** The maps of a list, each with its index. */
export function mapsIn(map: LooseMap, key: string): (readonly [index: number, item: LooseMap])[] {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  if (!Array.isArray(value)) return [];
  return (value as readonly Value[]).flatMap((item, index) => (isMap(item) ? [[index, item] as const] : []));
}

export function textIn(map: LooseMap, key: string): string | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Texts of a list, each with its index. */
export function textsIn(map: LooseMap, key: string): (readonly [index: number, text: string])[] {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  if (!Array.isArray(value)) return [];
  return (value as readonly Value[]).flatMap((item, index) => (typeof item === 'string' ? [[index, item] as const] : []));
}

/** Entries whose values are texts. */
export function textEntries(map: LooseMap): (readonly [key: string, text: string])[] {
  return Object.entries(map).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : []));
}

/** Nodes that `flattenTexts` looks at in one value; what is larger is data rather than configuration. */
const NODES_MAX = 20_000;

/** Every text and number in a value, with its path. */
export function flattenTexts(root: Value): (readonly [path: Path, text: string])[] {
  const texts: (readonly [Path, string])[] = [];
  const waiting: (readonly [Path, Value])[] = [[[], root]];
  for (let seen = 0; seen < NODES_MAX && waiting.length > 0; seen++) {
    const [path, value] = waiting.pop()!;
    if (typeof value === 'string') texts.push([path, value]);
    else if (typeof value === 'number') texts.push([path, String(value)]);
    else if (Array.isArray(value)) waiting.push(...(value as readonly Value[]).map((item, index) => [[...path, index], item] as const).reverse());
    else if (isMap(value)) waiting.push(...Object.entries(value).map(([key, item]) => [[...path, key], item] as const).reverse());
  }
  return texts;
}
