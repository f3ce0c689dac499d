// Whether two values of JSON are the same, whatever the order of their keys.

export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)].map((entries) => entries.filter(([, value]) => value !== undefined));
  const other = new Map(right);
  return left!.length === other.size && left!.every(([key, value]) => other.has(key) && isDeepEqual(value, other.get(key)));
}
