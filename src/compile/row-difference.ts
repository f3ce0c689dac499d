// Where two rows of one direction differ.
import { NO_PORTS_ID } from './port-set-table.ts';
import type { Row } from './row.ts';

/** Holds rows against each other, one pair after the other. Cost follows the entries of the two. */
export class RowComparer {
  private ports = new Uint32Array(0);

  /** Classes with another entry, in no order. */
  differingClasses(a: Row, b: Row, classCount: number): number[] {
    if (a === b) return [];
    if (this.ports.length < classCount) this.ports = new Uint32Array(classCount + (classCount >> 3));
    const { ports } = this;
    a.forEach((peerClass, id) => {
      ports[peerClass] = id;
    });
    const differing: number[] = [];
    b.forEach((peerClass, id) => {
      if (ports[peerClass] !== id) differing.push(peerClass);
      ports[peerClass] = NO_PORTS_ID;
    });
    a.forEach((peerClass) => {
      if (ports[peerClass] !== NO_PORTS_ID) differing.push(peerClass);
      ports[peerClass] = NO_PORTS_ID;
    });
    return differing;
  }
}
