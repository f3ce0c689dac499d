// Sums of amounts by a key and a label, both small whole numbers.

const NONE = -1;

/** Takes amounts as they come and sums them up label by label, so that no pair is searched for. */
export class Tally {
  private readonly sums: Float64Array;
  private readonly labels: number[] = [];
  /** By label, the amount that came last; and by amount, the one before it with the same label. */
  private readonly latest: number[] = [];
  private readonly earlier: number[] = [];
  private readonly keys: number[] = [];
  private readonly amounts: number[] = [];
  /** Lists keep their memory when they are emptied. */
  private count = 0;

  /** Keys are below `keyCount`. */
  constructor(keyCount: number) {
    this.sums = new Float64Array(keyCount);
  }

  /** Amounts are above zero. */
  add(key: number, label: number, amount: number): void {
    while (this.latest.length <= label) this.latest.push(NONE);
    const latest = this.latest[label]!;
    if (latest === NONE) this.labels.push(label);
    if (latest !== NONE && this.keys[latest] === key) {
      this.amounts[latest]! += amount;
      return;
    }
    const entry = this.count++;
    this.latest[label] = entry;
    this.keys[entry] = key;
    this.amounts[entry] = amount;
    this.earlier[entry] = latest;
  }

  /** Gives the sum of each key and label once, and forgets them. */
  take(give: (key: number, label: number, sum: number) => void): void {
    const { sums, keys, amounts, earlier } = this;
    for (const label of this.labels) {
      const touched: number[] = [];
      for (let entry = this.latest[label]!; entry !== NONE; entry = earlier[entry]!) {
        const key = keys[entry]!;
        if (sums[key] === 0) touched.push(key);
        sums[key]! += amounts[entry]!;
      }
      for (const key of touched) {
        give(key, label, sums[key]!);
        sums[key] = 0;
      }
      this.latest[label] = NONE;
    }
    this.labels.length = 0;
    this.count = 0;
  }
}

/** Sums found by key. Made once, filled and cleared many times: clearing costs what was added. */
export class SumTable {
  private readonly latest: Int32Array;
  private readonly earlier: number[] = [];
  private readonly keys: number[] = [];
  private readonly labels: number[] = [];
  private readonly sums: number[] = [];
  /** Each key that has sums, once. */
  readonly distinctKeys: number[] = [];

  constructor(keyCount: number) {
    this.latest = new Int32Array(keyCount).fill(NONE);
  }

  add(key: number, label: number, sum: number): void {
    const latest = this.latest[key]!;
    if (latest === NONE) this.distinctKeys.push(key);
    this.earlier.push(latest);
    this.latest[key] = this.keys.length;
    this.keys.push(key);
    this.labels.push(label);
    this.sums.push(sum);
  }

  forEach(key: number, give: (label: number, sum: number) => void): void {
    for (let entry = this.latest[key]!; entry !== NONE; entry = this.earlier[entry]!) give(this.labels[entry]!, this.sums[entry]!);
  }

  clear(): void {
    for (const key of this.distinctKeys) this.latest[key] = NONE;
    for (const list of [this.earlier, this.keys, this.labels, this.sums, this.distinctKeys]) list.length = 0;
  }
}
