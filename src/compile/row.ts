// A row: port set ids by peer class, for one subject, dense or sparse behind one accessor.
import { NO_PORTS_ID } from './port-set-table.ts';

export interface Row {
  /** Port set id of a class; 0 is no port. */
  at(peerClass: number): number;
  /** Calls `give` for each class with any port, ascending. */
  forEach(give: (peerClass: number, ports: number) => void): void;
}

/** One port set for every class. */
export function constantRow(classCount: number, ports: number): Row {
  return {
    at: () => ports,
    forEach(give) {
      if (ports !== NO_PORTS_ID) for (let peerClass = 0; peerClass < classCount; peerClass++) give(peerClass, ports);
    },
  };
}

/** Below one class in this many, a row is kept sparse: it is smaller then, and most of it is never looked at. */
const SPARSE_BELOW = 3;

/** A row in the making. One draft serves many rows, one after the other; cost follows the classes that are touched. */
export class RowDraft {
  private readonly ports: Uint32Array;
  private readonly isTouched: Uint8Array;
  private touched: number[] = [];

  constructor(classCount: number) {
    this.ports = new Uint32Array(classCount);
    this.isTouched = new Uint8Array(classCount);
  }

  /** Starts again from the content of a row. */
  load(row: Row): void {
    for (const peerClass of this.touched) {
      this.ports[peerClass] = NO_PORTS_ID;
      this.isTouched[peerClass] = 0;
    }
    this.touched = [];
    row.forEach((peerClass, ports) => this.set(peerClass, ports));
  }

  at(peerClass: number): number {
    return this.ports[peerClass]!;
  }

  set(peerClass: number, ports: number): void {
    this.ports[peerClass] = ports;
    if (this.isTouched[peerClass] === 1) return;
    this.isTouched[peerClass] = 1;
    this.touched.push(peerClass);
  }

  /** The row as it stands now; later changes of the draft do not reach it. */
  toRow(): Row {
    if (this.touched.length * SPARSE_BELOW >= this.ports.length) return new DenseRow(this.ports.slice());
    const classes = Int32Array.from(this.touched).sort();
    return new SparseRow(classes, Uint32Array.from(classes, (peerClass) => this.ports[peerClass]!));
  }
}

class DenseRow implements Row {
  private readonly ports: Uint32Array;

  constructor(ports: Uint32Array) {
    this.ports = ports;
  }

  at(peerClass: number): number {
    return this.ports[peerClass]!;
  }

  forEach(give: (peerClass: number, ports: number) => void): void {
    for (let peerClass = 0; peerClass < this.ports.length; peerClass++) {
      if (this.ports[peerClass] !== NO_PORTS_ID) give(peerClass, this.ports[peerClass]!);
    }
  }
}

class SparseRow implements Row {
  private readonly classes: Int32Array;
  private readonly ports: Uint32Array;

  constructor(classes: Int32Array, ports: Uint32Array) {
    this.classes = classes;
    this.ports = ports;
  }

  at(peerClass: number): number {
    let low = 0;
    let high = this.classes.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.classes[middle]!;
      if (found === peerClass) return this.ports[middle]!;
      if (found < peerClass) low = middle + 1;
      else high = middle - 1;
    }
    return NO_PORTS_ID;
  }

  forEach(give: (peerClass: number, ports: number) => void): void {
    for (let i = 0; i < this.classes.length; i++) if (this.ports[i] !== NO_PORTS_ID) give(this.classes[i]!, this.ports[i]!);
  }
}
