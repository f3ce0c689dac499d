// Subjects that rows of ports do not tell apart: policies may differ and still let through the same.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { DirectionProgram } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';

/** For each subject of `subjects`, the first of them with an equal row. */
export function findAlikeSubjects(direction: DirectionProgram, subjects: Iterable<number>): ReadonlyMap<number, number> {
  const firsts = new Map<number, number>();
  const byHash = new Map<number, number[]>();
  const content = new RowContent(direction.classCount);
  for (const subject of subjects) {
    const hash = content.load(direction.rowOf(subject));
    const known = byHash.get(hash);
    const alike = known?.find((other) => content.equals(direction.rowOf(other)));
    firsts.set(subject, alike ?? subject);
    if (known === undefined) byHash.set(hash, [subject]);
    else if (alike === undefined) known.push(subject);
  }
  return firsts;
}

/** One row spread out, so that others can be held against it. */
class RowContent {
  private readonly ports: Uint32Array;
  private touched: number[] = [];

  constructor(classCount: number) {
    this.ports = new Uint32Array(classCount);
  }

  /** Gives a hash of the row. */
  load(row: Row): number {
    for (const peerClass of this.touched) this.ports[peerClass] = NO_PORTS_ID;
    const touched: number[] = [];
    let hash = 0;
    row.forEach((peerClass, ports) => {
      this.ports[peerClass] = ports;
      touched.push(peerClass);
      hash = Math.imul(hash ^ peerClass, 0x9e3779b1);
      hash = Math.imul((hash ^ (hash >>> 15)) + ports, 0x85ebca6b);
    });
    this.touched = touched;
    return hash >> 1;
  }

  equals(row: Row): boolean {
    let alike = 0;
    let different = 0;
    row.forEach((peerClass, ports) => {
      if (this.ports[peerClass] === ports) alike++;
      else different++;
    });
    return different === 0 && alike === this.touched.length;
  }
}
