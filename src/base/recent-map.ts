// Remembers values by their texts as long as they are asked for, within a bound: what was not asked for the longest goes, half of all at once.

/** A class, for it lives in time. */
export class RecentMap<Item> {
  readonly #sizeMax: number;
  #recent = new Map<string, Item>();
  #older = new Map<string, Item>();

  /** `sizeMax`: of each half. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(text: string): Item | undefined {
    const recent = this.#recent.get(text);
    if (recent !== undefined) return recent;
    const older = this.#older.get(text);
    if (older !== undefined) this.set(text, older);
    return older;
  }

  set(text: string, item: Item): void {
    if (this.#recent.size >= this.#sizeMax) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(text, item);
  }
}
