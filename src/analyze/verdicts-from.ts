// What one source reaches at many targets: its egress row spread out once, so that each verdict costs two look-ups.
import { NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import type { Quad } from './endpoint.ts';

export class VerdictsFrom {
  private readonly program: Program;
  private source: Quad | undefined;
  /** By class, of the source's egress row. */
  private readonly ports: Uint32Array;
  private readonly touched: number[] = [];
  private readonly ingressRows: (Row | undefined)[] = [];

  constructor(program: Program) {
    this.program = program;
    this.ports = new Uint32Array(program.egress.classCount);
  }

  /** undefined: an end that is not there, which reaches nothing. */
  setSource(source: Quad | undefined): void {
    const isSameRow = this.source !== undefined && this.source.egressSubject === source?.egressSubject;
    this.source = source;
    if (isSameRow) return;
    for (const peerClass of this.touched) this.ports[peerClass] = NO_PORTS_ID;
    this.touched.length = 0;
    if (source === undefined) return;
    const { ports, touched } = this;
    this.program.egress.rowOf(source.egressSubject).forEach((peerClass, id) => {
      ports[peerClass] = id;
      touched.push(peerClass);
    });
  }

  /** Port set id of what the source may use, over any family that both have. */
  towards(target: Quad | undefined): number {
    const { source } = this;
    if (source === undefined || target === undefined) return NO_PORTS_ID;
    const row = this.ingressRowOf(target.ingressSubject);
    const isSameOver6 = target.egressClass[4] === target.egressClass[6] && source.ingressClass[4] === source.ingressClass[6];
    let result = NO_PORTS_ID;
    for (const family of source.families) {
      const byEgress = this.ports[target.egressClass[family]]!;
      if (byEgress === NO_PORTS_ID || !target.families.includes(family)) continue;
      result = this.program.portSets.union(result, this.program.portSets.intersect(byEgress, row.at(source.ingressClass[family])));
      if (isSameOver6) break;
    }
    return result;
  }

  private ingressRowOf(subject: number): Row {
    while (this.ingressRows.length <= subject) this.ingressRows.push(undefined);
    return (this.ingressRows[subject] ??= this.program.ingress.rowOf(subject));
  }
}
