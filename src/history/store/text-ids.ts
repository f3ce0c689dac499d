// Texts as small numbers, each kept once; the numbers of those that went are given again.

/** A class, for it grows. */
export class TextIds {
  readonly #ids = new Map<string, number>();
  readonly #texts: (string | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** As they were stored before; throws RangeError for two of one number. */
  static load(rows: Iterable<readonly [id: number, text: string]>, max: number): TextIds {
    const made = new TextIds(max);
    for (const [id, text] of rows) {
      if (made.#texts[id] !== undefined) throw new RangeError(`two texts have the number ${id}`);
      made.#texts[id] = text;
      made.#ids.set(text, id);
    }
    for (let id = made.#texts.length - 1; id >= 0; id--) if (made.#texts[id] === undefined) made.#free.push(id);
    return made;
  }

  idOf(text: string): number | undefined {
    return this.#ids.get(text);
  }

  textOf(id: number): string | undefined {
    return this.#texts[id];
  }

  /** undefined: there is no room for one more. */
  add(text: string): number | undefined {
    if (this.#ids.size >= this.#max) return undefined;
    const id = this.#free.pop() ?? this.#texts.length;
    this.#texts[id] = text;
    this.#ids.set(text, id);
    return id;
  }

  *entries(): Generator<readonly [id: number, text: string]> {
    for (const [text, id] of this.#ids) yield [id, text];
  }
}
