// Lists of small integers with an id each: equal lists have one id, told apart exactly.

/** Grows only; id 0 is the empty list. */
export class ListInterner {
  readonly lists: (readonly number[])[] = [[]];
  private readonly buckets = new Map<number, number[]>();

  /** The list must not change afterwards. */
  intern(list: readonly number[]): number {
    if (list.length === 0) return 0;
    const hash = hashList(list);
    const bucket = this.buckets.get(hash);
    if (bucket === undefined) {
      this.buckets.set(hash, [this.lists.length]);
      return this.lists.push(list) - 1;
    }
    for (const id of bucket) if (equalLists(this.lists[id]!, list)) return id;
    bucket.push(this.lists.length);
    return this.lists.push(list) - 1;
  }
}

// Unsigned on purpose: a hash above 2³¹ must equal itself when it comes back from the map.
function hashList(list: readonly number[]): number {
  let hash = list.length;
  for (const element of list) hash = Math.imul(hash ^ element, 0x9e3779b1) ^ (hash >>> 15);
  return hash >>> 0;
}

function equalLists(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
