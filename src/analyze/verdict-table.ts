// Verdicts from one end to all others: ends alike as a source share a list, ends alike as a target an entry in it.
import type { IpFamily } from '../base/ip-address.ts';
import { ALL_PORTS_ID, NO_PORTS_ID } from '../compile/port-set-table.ts';
import type { Program } from '../compile/program.ts';
import type { Row } from '../compile/row.ts';
import type { Quad } from './endpoint.ts';

/** Places of an end in the table. */
export interface TablePlace {
  /** Whose list it is: what its egress allows, and how ingress sees it. */
  readonly source: number;
  /** Which entry it is: what its ingress allows, and how egress sees it. */
  readonly target: number;
}

/** Verdict lists kept, in cells of 4 bytes; above it all are dropped and made again when asked. */
const CACHED_VERDICTS_MAX = 8_000_000;

const FAMILY_BIT: Readonly<Record<IpFamily, number>> = { 4: 1, 6: 2 };
const BOTH_FAMILIES = 3;

export class VerdictTable {
  private readonly program: Program;
  private readonly sources: SourceEnd[] = [];
  private readonly sourceIds = new Map<string, number>();
  private readonly targetIds = new Map<string, number>();
  /** Of each target: its ingress subject as an index of `rows`, its class by family, and its families. */
  private readonly targets = { row: [] as number[], class4: [] as number[], class6: [] as number[], families: [] as number[] };
  /** Ingress rows of the targets' subjects. */
  private readonly rows: Row[] = [];
  private readonly rowOfSubject = new Map<number, number>();
  private readonly cache = new Map<number, Uint32Array>();
  private egress: { readonly subject: number; readonly ports: Uint32Array } | undefined;

  constructor(program: Program) {
    this.program = program;
  }

  /** All ends are given before the first verdict is asked for. */
  intern(quad: Quad): TablePlace {
    return { source: this.internSource(quad), target: this.internTarget(quad) };
  }

  /** Port set ids by target. */
  verdictsFrom(source: number): Uint32Array {
    let verdicts = this.cache.get(source);
    if (verdicts === undefined) {
      if (this.cache.size * this.targets.row.length > CACHED_VERDICTS_MAX) this.cache.clear();
      this.cache.set(source, (verdicts = this.computeFrom(this.sources[source]!)));
    }
    return verdicts;
  }

  private internSource({ egressSubject, ingressClass, families }: Quad): number {
    const key = `${egressSubject} ${ingressClass[4]} ${ingressClass[6]} ${families.join('')}`;
    let id = this.sourceIds.get(key);
    if (id === undefined) this.sourceIds.set(key, (id = this.sources.push({ egressSubject, ingressClass, families: familyBits(families) }) - 1));
    return id;
  }

  private internTarget({ ingressSubject, egressClass, families }: Quad): number {
    const key = `${ingressSubject} ${egressClass[4]} ${egressClass[6]} ${families.join('')}`;
    let id = this.targetIds.get(key);
    if (id === undefined) {
      this.targetIds.set(key, (id = this.targets.row.push(this.internRow(ingressSubject)) - 1));
      this.targets.class4.push(egressClass[4]);
      this.targets.class6.push(egressClass[6]);
      this.targets.families.push(familyBits(families));
    }
    return id;
  }

  private internRow(subject: number): number {
    let index = this.rowOfSubject.get(subject);
    if (index === undefined) this.rowOfSubject.set(subject, (index = this.rows.push(this.program.ingress.rowOf(subject)) - 1));
    return index;
  }

  /** The families are judged apart only where an address block tells them apart. */
  private computeFrom({ egressSubject, ingressClass, families }: SourceEnd): Uint32Array {
    const { portSets } = this.program;
    const { row, class4, class6, families: familiesOf } = this.targets;
    const byEgress = this.egressPorts(egressSubject);
    const byIngress4 = this.ingressColumn(ingressClass[4]);
    const byIngress6 = ingressClass[6] === ingressClass[4] ? byIngress4 : this.ingressColumn(ingressClass[6]);
    const both = (a: number, b: number): number => (a === NO_PORTS_ID || b === NO_PORTS_ID ? NO_PORTS_ID : a === ALL_PORTS_ID ? b : portSets.intersect(a, b));
    const verdicts = new Uint32Array(row.length);
    for (let target = 0; target < verdicts.length; target++) {
      const common = families & familiesOf[target]!;
      const own = row[target]!;
      const isAlike = byIngress4 === byIngress6 && class4[target] === class6[target];
      let ports = NO_PORTS_ID;
      if ((common & FAMILY_BIT[4]) !== 0) ports = both(byEgress[class4[target]!]!, byIngress4[own]!);
      if ((common & FAMILY_BIT[6]) !== 0 && !(isAlike && common === BOTH_FAMILIES)) ports = portSets.union(ports, both(byEgress[class6[target]!]!, byIngress6[own]!));
      verdicts[target] = ports;
    }
    return verdicts;
  }

  /** What the subject may send, by peer class; neighbors mostly share a subject. */
  private egressPorts(subject: number): Uint32Array {
    if (this.egress?.subject === subject) return this.egress.ports;
    const ports = new Uint32Array(this.program.egress.classCount);
    this.program.egress.rowOf(subject).forEach((peerClass, id) => (ports[peerClass] = id));
    this.egress = { subject, ports };
    return ports;
  }

  /** What each ingress subject takes from the class. */
  private ingressColumn(peerClass: number): Uint32Array {
    return Uint32Array.from(this.rows, (row) => row.at(peerClass));
  }
}

interface SourceEnd {
  readonly egressSubject: number;
  readonly ingressClass: Quad['ingressClass'];
  readonly families: number;
}

function familyBits(families: readonly IpFamily[]): number {
  return families.reduce((bits, family) => bits | FAMILY_BIT[family], 0);
}
