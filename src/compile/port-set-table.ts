// Interned port sets: equal sets have one id, and operations on ids are remembered.
import { ALL_PORTS, NO_PORTS, type PortSet } from '../base/port-set.ts';
import { intersectPorts, subtractPorts, unionPorts } from '../base/port-set.ts';

export const NO_PORTS_ID = 0;
export const ALL_PORTS_ID = 1;

/** Grows while a Program is compiled and asked; ids never change their meaning. */
export interface PortSetTable {
  readonly size: number;
  portSet(id: number): PortSet;
  intern(ports: PortSet): number;
  union(a: number, b: number): number;
  intersect(a: number, b: number): number;
  subtract(a: number, b: number): number;
}

export function createPortSetTable(): PortSetTable {
  const sets: PortSet[] = [NO_PORTS, ALL_PORTS];
  const ids = new Map<string, number>(sets.map((ports, id) => [ports.join(), id]));
  const intern = (ports: PortSet): number => {
    const text = ports.join();
    const known = ids.get(text);
    if (known !== undefined) return known;
    ids.set(text, sets.length);
    return sets.push(ports) - 1;
  };
  const remembered = (operate: (a: PortSet, b: PortSet) => PortSet): ((a: number, b: number) => number) => {
    const cache = new PairCache();
    return (a, b) => {
      const known = cache.get(a, b);
      if (known >= 0) return known;
      const result = intern(operate(sets[a]!, sets[b]!));
      cache.set(a, b, result);
      return result;
    };
  };
  const union = remembered(unionPorts);
  const intersect = remembered(intersectPorts);
  const subtract = remembered(subtractPorts);
  return {
    get size() {
      return sets.length;
    },
    portSet: (id) => sets[id]!,
    intern,
    union: (a, b) => (a === b || b === NO_PORTS_ID ? a : a === NO_PORTS_ID ? b : a < b ? union(a, b) : union(b, a)),
    intersect: (a, b) => {
      if (a === b || b === ALL_PORTS_ID) return a;
      if (a === ALL_PORTS_ID) return b;
      if (a === NO_PORTS_ID || b === NO_PORTS_ID) return NO_PORTS_ID;
      return a < b ? intersect(a, b) : intersect(b, a);
    },
    subtract: (a, b) => (b === NO_PORTS_ID ? a : a === b || b === ALL_PORTS_ID ? NO_PORTS_ID : subtract(a, b)),
  };
}

/** Open addressing over two ids: a `Map` keyed by a computed number is several times slower. */
class PairCache {
  private keys = new Float64Array(1024).fill(-1);
  private values = new Int32Array(1024);
  private count = 0;

  get(a: number, b: number): number {
    const key = a * 4294967296 + b;
    for (let at = slotOf(a, b) & (this.keys.length - 1); ; at = (at + 1) & (this.keys.length - 1)) {
      if (this.keys[at] === key) return this.values[at]!;
      if (this.keys[at] === -1) return -1;
    }
  }

  set(a: number, b: number, value: number): void {
    if (this.count * 2 >= this.keys.length) this.grow();
    this.insert(a * 4294967296 + b, slotOf(a, b), value);
    this.count++;
  }

  private insert(key: number, slot: number, value: number): void {
    let at = slot & (this.keys.length - 1);
    while (this.keys[at] !== -1) at = (at + 1) & (this.keys.length - 1);
    this.keys[at] = key;
    this.values[at] = value;
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Float64Array(keys.length * 2).fill(-1);
    this.values = new Int32Array(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (key >= 0) this.insert(key, slotOf(Math.floor(key / 4294967296), key % 4294967296), values[i]!);
    }
  }
}

function slotOf(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
