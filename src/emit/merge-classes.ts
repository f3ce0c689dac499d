// Peer classes of a Program merged for one node: two that the pods of this node treat alike are one.
import type { DirectionProgram } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import { NO_PORTS_ID } from '../compile/port-set-table.ts';

/** The class that no pod of this node lets anything to or from: it needs no entry. */
export const NOTHING_ALLOWED = 0;

/** By the subjects of the node's isolated pods. Cost: subjects × classes that are asked for. */
export class MergedClasses {
  /** Port set ids by merged class, then by place of the subject in `subjects`. */
  readonly columns: number[][] = [];
  private readonly rows: readonly Row[];
  private readonly mergedByColumn = new Map<string, number>();
  private readonly mergedByClass = new Map<number, number>();

  constructor(program: DirectionProgram, subjects: readonly number[]) {
    this.rows = subjects.map((subject) => program.rowOf(subject));
    this.intern(subjects.map(() => NO_PORTS_ID));
  }

  /** Number of the merged class, `NOTHING_ALLOWED` for the zero column. */
  mergedOf(peerClass: number): number {
    let merged = this.mergedByClass.get(peerClass);
    if (merged === undefined) this.mergedByClass.set(peerClass, (merged = this.intern(this.rows.map((row) => row.at(peerClass)))));
    return merged;
  }

  private intern(column: number[]): number {
    const text = column.join();
    const known = this.mergedByColumn.get(text);
    if (known !== undefined) return known;
    this.mergedByColumn.set(text, this.columns.length);
    return this.columns.push(column) - 1;
  }
}
