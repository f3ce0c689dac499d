// Lists of numbers in typed arrays with room behind, so that one more seldom needs a new array.

type Numbers = Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The same array where it has room for so many, else a larger copy. */
export function withRoom<List extends Int32Array | Uint32Array | Float64Array>(list: List, count: number): List {
  if (list.length >= count) return list;
  // Same kind of array as the one given.
  const larger = new (list.constructor as new (length: number) => Numbers)(count + (count >> 3) + 16);
  larger.set(list);
  return larger as unknown as List;
}

/** `count` numbers are there before. */
export function insertNumber<List extends Int32Array | Float64Array>(list: List, { index, count, value }: { readonly index: number; readonly count: number; readonly value: number }): List {
  const result = withRoom(list, count + 1);
  result.copyWithin(index + 1, index, count);
  result[index] = value;
  return result;
}

/** `count` numbers are there before. */
export function removeNumber(list: Int32Array | Float64Array, { index, count }: { readonly index: number; readonly count: number }): void {
  list.copyWithin(index, index + 1, count);
}

/** Numbers by key: those of a key are `members` from `starts[key]` to `starts[key + 1]`, in the order of the numbers. */
export interface GroupedNumbers {
  readonly starts: Int32Array;
  readonly members: Int32Array;
}

/** `keysOf` adds each key of a number; it is called twice for each number from 0 to `count` − 1. */
export function groupNumbers(keyCount: number, count: number, keysOf: (number: number, add: (key: number) => void) => void): GroupedNumbers {
  const starts = new Int32Array(keyCount + 1);
  const countKey = (key: number): void => void starts[key]!++;
  for (let number = 0; number < count; number++) keysOf(number, countKey);
  let end = 0;
  for (let key = 0; key <= keyCount; key++) starts[key] = end += starts[key]!;
  const members = new Int32Array(end);
  for (let number = count - 1; number >= 0; number--) keysOf(number, (key) => (members[--starts[key]!] = number));
  return { starts, members };
}

/** A list that is filled and read again and again without a new array. */
export class NumberBuffer {
  length = 0;
  numbers: Uint32Array = new Uint32Array(64);

  clear(): void {
    this.length = 0;
  }

  push(number: number): void {
    if (this.length === this.numbers.length) this.numbers = withRoom(this.numbers, this.length * 2);
    this.numbers[this.length++] = number;
  }

  /** Brings those from a place on into order. */
  sortFrom(start: number): void {
    if (this.length - start > FEW_NUMBERS) {
      this.numbers.subarray(start, this.length).sort();
      return;
    }
    const { numbers } = this;
    for (let i = start + 1; i < this.length; i++) {
      const number = numbers[i]!;
      let at = i;
      for (; at > start && numbers[at - 1]! > number; at--) numbers[at] = numbers[at - 1]!;
      numbers[at] = number;
    }
  }
}

/** So many are faster sorted by hand. */
const FEW_NUMBERS = 16;
