// Numbers by pairs of small whole numbers.

const EMPTY = -1;
const SLOTS_MIN = 1024;

/** Open addressing: a `Map` keyed by a computed number is several times slower. Whole numbers from 0 to 2³¹ − 1. */
export class PairTable {
  private firsts = new Int32Array(SLOTS_MIN).fill(EMPTY);
  private seconds = new Int32Array(SLOTS_MIN);
  private values = new Int32Array(SLOTS_MIN);
  private count = 0;

  /** −1 where the pair has no number. */
  get(a: number, b: number): number {
    const { firsts, seconds } = this;
    for (let at = slotOf(a, b) & (firsts.length - 1); ; at = (at + 1) & (firsts.length - 1)) {
      if (firsts[at] === EMPTY) return -1;
      if (firsts[at] === a && seconds[at] === b) return this.values[at]!;
    }
  }

  /** A number of −1 takes the pair out. */
  set(a: number, b: number, value: number): void {
    if (this.count * 2 >= this.firsts.length) this.grow();
    this.insert(a, b, value);
  }

  private insert(a: number, b: number, value: number): void {
    const { firsts, seconds } = this;
    let at = slotOf(a, b) & (firsts.length - 1);
    while (firsts[at] !== EMPTY && !(firsts[at] === a && seconds[at] === b)) at = (at + 1) & (firsts.length - 1);
    if (firsts[at] === EMPTY) this.count++;
    firsts[at] = a;
    seconds[at] = b;
    this.values[at] = value;
  }

  /** Pairs that were taken out are left behind. */
  private grow(): void {
    const { firsts, seconds, values } = this;
    const live = values.reduce((sum, value, at) => (firsts[at] !== EMPTY && value >= 0 ? sum + 1 : sum), 0);
    const size = live * 4 > firsts.length ? firsts.length * 2 : firsts.length;
    this.firsts = new Int32Array(size).fill(EMPTY);
    this.seconds = new Int32Array(size);
    this.values = new Int32Array(size);
    this.count = 0;
    for (let i = 0; i < firsts.length; i++) if (firsts[i]! >= 0 && values[i]! >= 0) this.insert(firsts[i]!, seconds[i]!, values[i]!);
  }
}

function slotOf(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
