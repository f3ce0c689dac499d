// Interned port sets: equal sets have one id, and operations on ids are remembered.
import { ALL_PORTS, NO_PORTS, type PortSet } from '../base/port-set.ts';
import { intersectPorts, subtractPorts, unionPorts } from '../base/port-set.ts';
import { PairTable } from './pair-table.ts';

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
    const cache = new PairTable();
    // Rows are filled class by class, and neighbors are mostly alike.
    let [lastA, lastB, lastResult] = [-1, -1, NO_PORTS_ID];
    return (a, b) => {
      if (a === lastA && b === lastB) return lastResult;
      let result = cache.get(a, b);
      if (result < 0) cache.set(a, b, (result = intern(operate(sets[a]!, sets[b]!))));
      [lastA, lastB, lastResult] = [a, b, result];
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
