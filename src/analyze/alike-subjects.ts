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
  private readonly touched: Int32Array;
  private count = 0;

  constructor(classCount: number) {
    this.ports = new Uint32Array(classCount);
    this.touched = new Int32Array(classCount);
  }

  /** Gives a hash of the row. */
  load(row: Row): number {
    const { ports: content, touched } = this;
    for (let i = 0; i < this.count; i++) content[touched[i]!] = NO_PORTS_ID;
    let count = 0;
    let hash = 0;
    row.forEach((peerClass, ports) => {
      content[peerClass] = ports;
      touched[count++] = peerClass;
      hash = Math.imul((hash ^ (hash >>> 15)) + peerClass, 0x9e3779b1) + ports;
    });
    this.count = count;
    return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >> 1;
  }

  equals(row: Row): boolean {
    let alike = 0;
    let different = 0;
    row.forEach((peerClass, ports) => {
      if (this.ports[peerClass] === ports) alike++;
      else different++;
    });
    return different === 0 && alike === this.count;
  }
}
