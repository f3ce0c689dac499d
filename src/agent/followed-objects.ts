// The objects of one kind as they are known, by namespace and name, and what a telling from the beginning leaves of them.

interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** A class, for it lives in time. */
export class FollowedObjects<Item extends object> {
  readonly #byNamespace = new Map<string, Map<string, Item>>();
  /** Told since the last telling began; undefined: none is going on. */
  #told: Set<Item> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  *values(): Generator<Item> {
    for (const items of this.#byNamespace.values()) yield* items.values();
  }

  of(namespace: string): Iterable<Item> {
    return this.#byNamespace.get(namespace)?.values() ?? [];
  }

  countOf(namespace: string): number {
    return this.#byNamespace.get(namespace)?.size ?? 0;
  }

  get({ namespace, name }: ObjectName): Item | undefined {
    return this.#byNamespace.get(namespace)?.get(name);
  }

  put({ namespace, name }: ObjectName, item: Item): void {
    let items = this.#byNamespace.get(namespace);
    if (items === undefined) this.#byNamespace.set(namespace, (items = new Map()));
    if (!items.has(name)) this.#size++;
    items.set(name, item);
    this.#told?.add(item);
  }

  /** Of one that is as it was. */
  keep(item: Item): void {
    this.#told?.add(item);
  }

  remove({ namespace, name }: ObjectName): void {
    const items = this.#byNamespace.get(namespace);
    if (items?.delete(name) !== true) return;
    this.#size--;
    if (items.size === 0) this.#byNamespace.delete(namespace);
  }

  /** Everything is told anew. */
  restart(): void {
    this.#told = new Set();
  }

  /** The end of a telling: those that were not told. */
  untold(): readonly Item[] {
    const told = this.#told;
    this.#told = undefined;
    return told === undefined ? [] : [...this.values()].filter((item) => !told.has(item));
  }
}
