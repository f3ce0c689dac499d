// Where two rows of one direction differ.
import { NO_PORTS_ID } from './port-set-table.ts';
import type { Row } from './row.ts';

/** Classes with another entry, ascending. Cost follows the entries of the two rows. */
export function differingClasses(a: Row, b: Row, classCount: number): number[] {
  const ports = new Uint32Array(classCount);
  a.forEach((peerClass, id) => {
    ports[peerClass] = id;
  });
  const differing: number[] = [];
  b.forEach((peerClass, id) => {
    if (ports[peerClass] !== id) differing.push(peerClass);
    ports[peerClass] = NO_PORTS_ID;
  });
  const gone: number[] = [];
  a.forEach((peerClass) => {
    if (ports[peerClass] !== NO_PORTS_ID) gone.push(peerClass);
  });
  return gone.length === 0 ? differing : [...differing, ...gone].sort((x, y) => x - y);
}
