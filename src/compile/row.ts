// A row: port set ids by peer class, for one subject, in the smallest of its forms behind one accessor.
import { NO_PORTS_ID } from './port-set-table.ts';

export interface Row {
  /** Port set id of a class; 0 is no port. */
  at(peerClass: number): number;
  /** Calls `give` for each class with any port, ascending. */
  forEach(give: (peerClass: number, ports: number) => void): void;
}

/** One port set for every class, however many there come to be. */
export function constantRow(classCount: () => number, ports: number): Row {
  return {
    at: () => ports,
    forEach(give) {
      if (ports !== NO_PORTS_ID) for (let peerClass = 0; peerClass < classCount(); peerClass++) give(peerClass, ports);
    },
  };
}

/** Place of the first of the ascending numbers, of those before `end`, that is not below `least`. */
export function firstFrom(numbers: ArrayLike<number>, least: number, end: number = numbers.length): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

export type Ids = Uint8Array | Uint16Array | Uint32Array;

/** Dense between its first and last class. */
export class WindowRow implements Row {
  private readonly first: number;
  private readonly ports: Ids;

  constructor(first: number, ports: Ids) {
    this.first = first;
    this.ports = ports;
  }

  at(peerClass: number): number {
    const place = peerClass - this.first;
    return place >= 0 && place < this.ports.length ? this.ports[place]! : NO_PORTS_ID;
  }

  forEach(give: (peerClass: number, ports: number) => void): void {
    const { first, ports } = this;
    for (let place = 0; place < ports.length; place++) if (ports[place] !== NO_PORTS_ID) give(first + place, ports[place]!);
  }
}

/** The classes that have any port, and behind them their ports, in one array: thousands of small ones burden the collector. */
export class SparseRow implements Row {
  private readonly content: Int32Array;
  private readonly count: number;

  constructor(content: Int32Array) {
    this.content = content;
    this.count = content.length / 2;
  }

  at(peerClass: number): number {
    const place = firstFrom(this.content, peerClass, this.count);
    return place < this.count && this.content[place] === peerClass ? this.content[this.count + place]! : NO_PORTS_ID;
  }

  forEach(give: (peerClass: number, ports: number) => void): void {
    const { content, count } = this;
    for (let place = 0; place < count; place++) give(content[place]!, content[count + place]!);
  }
}

/** A row with what classes that came after it add; these only ever come behind. */
export class GrownRow implements Row {
  private readonly base: Row;
  private readonly first: number;
  private readonly classes: number[] = [];
  private readonly ports: number[] = [];

  /** `first`: the first class that the base does not know. */
  constructor(base: Row, first: number) {
    this.base = base;
    this.first = first;
  }

  /** Ascending, and behind all before. */
  append(peerClass: number, ports: number): void {
    this.classes.push(peerClass);
    this.ports.push(ports);
  }

  at(peerClass: number): number {
    if (peerClass < this.first) return this.base.at(peerClass);
    const place = firstFrom(this.classes, peerClass);
    return this.classes[place] === peerClass ? this.ports[place]! : NO_PORTS_ID;
  }

  forEach(give: (peerClass: number, ports: number) => void): void {
    this.base.forEach(give);
    for (let i = 0; i < this.classes.length; i++) give(this.classes[i]!, this.ports[i]!);
  }
}
