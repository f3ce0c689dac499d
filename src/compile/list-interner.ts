// Lists of small whole numbers with an id each: equal lists have one id, told apart exactly.
import { withRoom } from './number-list.ts';

const SLOTS_MIN = 1024;

/** Grows only; id 0 is the empty list. Numbers from 0 to 2³² − 1. */
export class ListInterner {
  /** How many lists there are. */
  size = 1;
  /** All lists one behind the other; list `id` ends where the next one starts. */
  private numbers = new Uint32Array(SLOTS_MIN);
  private starts = new Int32Array(SLOTS_MIN);
  private hashes = new Int32Array(SLOTS_MIN);
  /** Open addressing: ids, and 0 where a place is free. */
  private slots = new Int32Array(SLOTS_MIN);
  private readonly read: (readonly number[] | undefined)[] = [];

  /** Of the first `count` numbers of `list`. */
  intern(list: ArrayLike<number>, count: number = list.length): number {
    if (count === 0) return 0;
    const hash = hashList(list, count);
    const mask = this.slots.length - 1;
    let at = hash & mask;
    for (; this.slots[at] !== 0; at = (at + 1) & mask) {
      const id = this.slots[at]!;
      if (this.hashes[id] === hash && this.equals(id, list, count)) return id;
    }
    return this.add(list, { count, hash, at });
  }

  /** Read once; then the same array each time. */
  list(id: number): readonly number[] {
    while (this.read.length <= id) this.read.push(undefined);
    return (this.read[id] ??= Array.from(this.numbers.subarray(this.starts[id]!, this.starts[id + 1]!)));
  }

  private add(list: ArrayLike<number>, { count, hash, at }: { readonly count: number; readonly hash: number; readonly at: number }): number {
    const id = this.size++;
    const start = this.starts[id]!;
    if (this.numbers.length < start + count) this.numbers = withRoom(this.numbers, Math.max(start + count, this.numbers.length * 2));
    for (let i = 0; i < count; i++) this.numbers[start + i] = list[i]!;
    if (this.starts.length < id + 2) {
      this.starts = withRoom(this.starts, this.starts.length * 2);
      this.hashes = withRoom(this.hashes, this.starts.length);
    }
    this.starts[id + 1] = start + count;
    this.hashes[id] = hash;
    this.slots[at] = id;
    if (this.size * 2 > this.slots.length) this.growSlots();
    return id;
  }

  private growSlots(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    const mask = this.slots.length - 1;
    for (let id = 1; id < this.size; id++) {
      let at = this.hashes[id]! & mask;
      while (this.slots[at] !== 0) at = (at + 1) & mask;
      this.slots[at] = id;
    }
  }

  private equals(id: number, list: ArrayLike<number>, count: number): boolean {
    const start = this.starts[id]!;
    if (this.starts[id + 1]! - start !== count) return false;
    for (let i = 0; i < count; i++) if (this.numbers[start + i] !== list[i]) return false;
    return true;
  }
}

function hashList(list: ArrayLike<number>, count: number): number {
  let hash = count;
  for (let i = 0; i < count; i++) hash = Math.imul(hash ^ list[i]!, 0x9e3779b1) ^ (hash >>> 15);
  return hash ^ (hash >>> 16);
}
