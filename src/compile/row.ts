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

/** Unites two port sets by id. */
export type Union = (a: number, b: number) => number;

/** Below one class in this many of those between its first and last, a row is kept sparse. */
const SPARSE_BELOW = 3;

/** A row in the making. One draft serves many rows, one after the other; cost follows the classes that are touched. */
export class RowDraft {
  private ports: Uint32Array;
  /** The classes with any port, in the order in which they came. */
  private touched: Int32Array;
  private touchedCount = 0;
  private readonly union: Union;

  constructor(classCount: number, union: Union) {
    this.ports = new Uint32Array(classCount);
    this.touched = new Int32Array(classCount);
    this.union = union;
  }

  /** Starts again, for as many classes. */
  clear(classCount: number): void {
    if (this.ports.length < classCount) {
      this.ports = new Uint32Array(classCount + (classCount >> 3));
      this.touched = new Int32Array(this.ports.length);
    } else {
      for (let i = 0; i < this.touchedCount; i++) this.ports[this.touched[i]!] = NO_PORTS_ID;
    }
    this.touchedCount = 0;
  }

  allow(peerClass: number, ports: number): void {
    const before = this.ports[peerClass]!;
    if (before === ports || ports === NO_PORTS_ID) return;
    if (before === NO_PORTS_ID) {
      this.touched[this.touchedCount++] = peerClass;
      this.ports[peerClass] = ports;
    } else {
      this.ports[peerClass] = this.union(before, ports);
    }
  }

  /** The same ports for ascending classes, of those from `first` on. */
  allowAll(classes: readonly number[], ports: number, first: number): void {
    if (ports === NO_PORTS_ID) return;
    // `allow` written out: most of the work of large clusters is done in this loop.
    const { ports: row, touched, union } = this;
    let { touchedCount } = this;
    for (let i = first === 0 ? 0 : firstFrom(classes, first); i < classes.length; i++) {
      const peerClass = classes[i]!;
      const before = row[peerClass]!;
      if (before === ports) continue;
      if (before === NO_PORTS_ID) touched[touchedCount++] = peerClass;
      row[peerClass] = before === NO_PORTS_ID ? ports : union(before, ports);
    }
    this.touchedCount = touchedCount;
  }

  /** The classes that were touched, ascending. */
  touchedClasses(): Int32Array {
    return this.touched.slice(0, this.touchedCount).sort();
  }

  at(peerClass: number): number {
    return this.ports[peerClass]!;
  }

  /** The row as it stands now; later changes of the draft do not reach it. */
  toRow(): Row {
    let first = this.ports.length;
    let last = -1;
    for (let i = 0; i < this.touchedCount; i++) {
      const peerClass = this.touched[i]!;
      if (peerClass < first) first = peerClass;
      if (peerClass > last) last = peerClass;
    }
    if (this.touchedCount * SPARSE_BELOW >= last - first + 1) return new WindowRow(first, narrow(this.ports.subarray(first, last + 1)));
    const content = new Int32Array(this.touchedCount * 2);
    content.set(this.touched.subarray(0, this.touchedCount));
    content.subarray(0, this.touchedCount).sort();
    for (let place = 0; place < this.touchedCount; place++) content[this.touchedCount + place] = this.ports[content[place]!]!;
    return new SparseRow(content);
  }
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

type Ids = Uint16Array | Uint32Array;

/** Half the size where every id fits. */
function narrow(ports: Uint32Array): Ids {
  for (let i = 0; i < ports.length; i++) if (ports[i]! > 65535) return ports.slice();
  return new Uint16Array(ports);
}

/** Dense between its first and last class. */
class WindowRow implements Row {
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
class SparseRow implements Row {
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
