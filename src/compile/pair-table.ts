// Numbers by pairs of small whole numbers.

const EMPTY = -1;
const SLOTS_MIN = 1024;

/** Open addressing: a `Map` keyed by a computed number is several times slower. Whole numbers from 0 to 2³¹ − 1. */
export class PairTable {
  private keys = new Float64Array(SLOTS_MIN).fill(EMPTY);
  private values = new Int32Array(SLOTS_MIN);
  private count = 0;

  /** −1 where the pair has no number. */
  get(a: number, b: number): number {
    const { keys } = this;
    const key = a * 4294967296 + b;
    for (let at = slotOf(a, b) & (keys.length - 1); ; at = (at + 1) & (keys.length - 1)) {
      if (keys[at] === key) return this.values[at]!;
      if (keys[at] === EMPTY) return -1;
    }
  }

  /** A number of −1 takes the pair out. */
  set(a: number, b: number, value: number): void {
    if (this.count * 2 >= this.keys.length) this.grow();
    this.insert(a * 4294967296 + b, slotOf(a, b), value);
  }

  private insert(key: number, slot: number, value: number): void {
    let at = slot & (this.keys.length - 1);
    while (this.keys[at] !== EMPTY && this.keys[at] !== key) at = (at + 1) & (this.keys.length - 1);
    if (this.keys[at] === EMPTY) this.count++;
    this.keys[at] = key;
    this.values[at] = value;
  }

  /** Pairs that were taken out are left behind. */
  private grow(): void {
    const { keys, values } = this;
    const live = values.reduce((sum, value, at) => (keys[at] !== EMPTY && value >= 0 ? sum + 1 : sum), 0);
    const size = live * 4 > keys.length ? keys.length * 2 : keys.length;
    this.keys = new Float64Array(size).fill(EMPTY);
    this.values = new Int32Array(size);
    this.count = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (key >= 0 && values[i]! >= 0) this.insert(key, slotOf(Math.floor(key / 4294967296), key % 4294967296), values[i]!);
    }
  }
}

function slotOf(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
