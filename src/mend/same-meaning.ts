// Whether two clusters are the same but for where they were written: then their Programs are the same as well.
import type { Cluster } from '../model/cluster.ts';

/** Deep equality without origins; false for equal clusters whose objects stand in another order. */
export function isSameCluster(a: Cluster, b: Cluster): boolean {
  return isSame(a, b);
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (a instanceof Map || b instanceof Map) return a instanceof Map && b instanceof Map && isSame([...a], [...b]);
  if (a instanceof Set || b instanceof Set) return a instanceof Set && b instanceof Set && isSame([...a], [...b]);
  const [left, right] = [fieldsOf(a), fieldsOf(b)];
  return left.length === right.length && left.every(([key, value], index) => right[index]![0] === key && isSame(value, right[index]![1]));
}

function fieldsOf(value: object): [string, unknown][] {
  return Object.entries(value)
    .filter(([key, field]) => key !== 'origin' && field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
