// Lists of numbers in typed arrays with room behind, so that one more seldom needs a new array.

type Numbers = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The same array where it has room for so many, else a larger copy. */
export function withRoom<List extends Int32Array | Float64Array>(list: List, count: number): List {
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
