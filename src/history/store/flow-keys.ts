// What makes records one flow, in columns of numbers: ends, traffic, verdict, node, Service and reason.

/** By number; `NONE` for what there is not. */
export interface FlowKey {
  readonly source: number;
  readonly target: number;
  readonly port: number;
  readonly protocol: number;
  /** Bit 0: denied; bit 1: IPv6; bit 2: it is there. */
  readonly flags: number;
  readonly node: number;
  readonly service: number;
  readonly reason: number;
}

export const DENIED_FLAG = 1;
export const IPV6_FLAG = 2;
export const USED_FLAG = 4;
export const NONE = -1;

const EMPTY = -1;
const START_SIZE = 1 << 10;

export type KeyColumn = keyof FlowKey;
export const KEY_COLUMNS: readonly KeyColumn[] = ['source', 'target', 'port', 'protocol', 'flags', 'node', 'service', 'reason'];

/** A class, for it grows. */
export class FlowKeys {
  readonly #max: number;
  #columns: Record<KeyColumn, Int32Array> = makeColumns(START_SIZE);
  /** Open addressing; numbers of flows by the hash of what makes them one. */
  #slots = new Int32Array(START_SIZE * 2).fill(EMPTY);
  /** One past the highest number. */
  #end = 0;
  #size = 0;
  readonly #free: number[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** As they were stored before: numbers, then the columns in the order of KEY_COLUMNS. */
  static async load(parts: AsyncIterable<readonly (readonly number[])[]>, max: number): Promise<FlowKeys> {
    const made = new FlowKeys(max);
    for await (const [ids, ...columns] of parts) made.#restore(ids!, columns);
    made.#rehash();
    for (let id = made.#end - 1; id >= 0; id--) if ((made.#columns.flags[id]! & USED_FLAG) === 0) made.#free.push(id);
    return made;
  }

  get size(): number {
    return this.#size;
  }

  /** Numbers go from 0 to below it, with gaps: flags without `USED_FLAG`. */
  get end(): number {
    return this.#end;
  }

  get columns(): Readonly<Record<KeyColumn, Int32Array>> {
    return this.#columns;
  }

  /** Negative: there is no such flow yet. */
  find(key: FlowKey): number {
    const { source, target, port, protocol, flags, node, service, reason } = this.#columns;
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(key) & mask; ; slot = (slot + 1) & mask) {
      const at = this.#slots[slot]!;
      if (at === EMPTY) return NONE;
      if (source[at] === key.source && target[at] === key.target && port[at] === key.port && protocol[at] === key.protocol && flags[at] === key.flags && node[at] === key.node && service[at] === key.service && reason[at] === key.reason) return at;
    }
  }

  /** Of one that is not there yet. Negative: there is no room. */
  add(key: FlowKey): number {
    if (this.#size >= this.#max) return NONE;
    const id = this.#free.pop() ?? this.#end;
    this.#put(id, key);
    return id;
  }

  keyAt(id: number): FlowKey {
    const { source, target, port, protocol, flags, node, service, reason } = this.#columns;
    return { source: source[id]!, target: target[id]!, port: port[id]!, protocol: protocol[id]!, flags: flags[id]!, node: node[id]!, service: service[id]!, reason: reason[id]! };
  }

  #restore(ids: readonly number[], columns: readonly (readonly number[])[]): void {
    const end = ids.reduce((most, id) => Math.max(most, id + 1), this.#end);
    while (end > this.#columns.source.length) this.#widen();
    for (const [at, name] of KEY_COLUMNS.entries()) {
      const column = this.#columns[name];
      for (let row = 0; row < ids.length; row++) column[ids[row]!] = columns[at]![row]!;
    }
    this.#end = end;
    this.#size += ids.length;
  }

  #put(id: number, key: FlowKey): void {
    while (id >= this.#columns.source.length) this.#widen();
    for (const name of KEY_COLUMNS) this.#columns[name][id] = key[name];
    this.#end = Math.max(this.#end, id + 1);
    this.#size++;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    else this.#link(id, key);
  }

  #link(id: number, key: FlowKey): void {
    const mask = this.#slots.length - 1;
    let slot = hashOf(key) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  #widen(): void {
    const wider = makeColumns(this.#columns.source.length * 2);
    for (const name of KEY_COLUMNS) wider[name].set(this.#columns[name]);
    this.#columns = wider;
  }

  #rehash(): void {
    let slots = this.#slots.length;
    while (this.#size * 2 > slots) slots *= 2;
    this.#slots = new Int32Array(slots).fill(EMPTY);
    for (let id = 0; id < this.#end; id++) if ((this.#columns.flags[id]! & USED_FLAG) !== 0) this.#link(id, this.keyAt(id));
  }
}

function makeColumns(size: number): Record<KeyColumn, Int32Array> {
  return Object.fromEntries(KEY_COLUMNS.map((name) => [name, new Int32Array(size)])) as Record<KeyColumn, Int32Array>; // each name has its column
}

function hashOf({ source, target, port, protocol, flags, node, service, reason }: FlowKey): number {
  let hash = Math.imul(source ^ 0x9e3779b9, 0x85ebca6b);
  for (const part of [target, (port << 11) | (protocol << 3) | flags, node, service, reason]) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ part, 0x85ebca6b);
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
