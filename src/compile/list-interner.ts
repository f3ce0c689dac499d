// Lists of small integers with an id each: equal lists have one id, told apart exactly.

/** Grows only; id 0 is the empty list. */
export class ListInterner {
  readonly lists: (readonly number[])[] = [[]];
  /** By hash, the list that came last; and by list, the one before it with the same hash. */
  private readonly latest = new Map<number, number>();
  private readonly earlier: number[] = [NONE];

  /** The list must not change afterwards. */
  intern(list: readonly number[]): number {
    if (list.length === 0) return 0;
    const hash = hashList(list);
    const latest = this.latest.get(hash) ?? NONE;
    for (let id = latest; id !== NONE; id = this.earlier[id]!) if (equalLists(this.lists[id]!, list)) return id;
    this.latest.set(hash, this.lists.length);
    this.earlier.push(latest);
    return this.lists.push(list) - 1;
  }
}

const NONE = -1;

// Signed and small on purpose: engines keep such numbers in a map without boxing them.
function hashList(list: readonly number[]): number {
  let hash = list.length;
  for (let i = 0; i < list.length; i++) hash = Math.imul(hash ^ list[i]!, 0x9e3779b1) ^ (hash >>> 15);
  return hash >> 1;
}

function equalLists(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
